"""Few households: "<5" to those who only look, with the grids that would give them away; exact to those who plan."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from gridmap.db.engine import transaction
from gridmap.services import checks, compare, exports, mapdata, plans
from gridmap.services.actor import Actor, Grant, Role
from gridmap.services.compare import table
from gridmap.services.plans import small
from gridmap.services.tiles import make
from gridmap.services.tiles.square import HALF_M
from gridmap.services.tiles.state import state_of
from gridmap.sql import query
from tests.vector_tile import layers

VIEWER = Actor("viewer", (Grant(Role.VIEWER),))
EXACT = [Actor("other", (Grant(role),)) for role in Role if role is not Role.VIEWER]


@pytest.fixture(scope="module")
def tiny(shared_demo_url: str) -> dict[int, int]:
    """Households of the grids of plan 1 where the first grid of a community has three, decided upon and published."""
    with transaction() as session:
        session.execute(sa.text("SET session_replication_role = replica"))  # the counts of its units stay as they are
        row = session.execute(sa.text(
            "SELECT (array_agg(id ORDER BY id))[1] AS id FROM grid WHERE plan_id = 1 AND kind = 'basic'"
            " GROUP BY region_id HAVING count(*) > 3 ORDER BY region_id LIMIT 1")).one()  # fmt: skip
        session.execute(sa.text("UPDATE grid SET households = 3, population = 8 WHERE id = :id"), {"id": row.id})
        session.execute(sa.text("SET session_replication_role = DEFAULT"))
    before = state_of("grids", 1)
    with transaction() as session:
        assert small.publish(session, 1) and not small.publish(session, 1)
    assert state_of("grids", 1).name != before.name  # no tile from before the decision is shown after it
    with transaction() as session:
        found = session.execute(sa.text("SELECT id, households FROM grid WHERE plan_id = 1 AND kind <> 'micro'")).all()
        return {row.id: row.households for row in found}


def test_a_small_grid_and_a_partner_of_its_community_are_withheld(tiny: dict[int, int]) -> None:
    rows = {one.id: one for one in plans.grids(VIEWER, 1, limit=1000).rows}
    hidden = [one for one in rows.values() if one.households is None]
    ((few,), (partner, *_)) = ([one for one in hidden if one.households_text == text] for text in ("<5", "—"))
    assert tiny[few.id] == 3 and tiny[partner.id] >= 5 and few.region_code == partner.region_code
    assert few.population is None and plans.grid(VIEWER, 1, few.id).households_text == "<5"
    assert all(one.households == tiny[one.id] for one in rows.values() if one not in hidden)
    # the total of the community less all that is shown leaves the sum of two at least
    for code in {one.region_code for one in hidden}:
        assert sum(one.region_code == code for one in hidden) >= 2
    for actor in EXACT:
        assert all(one.households == tiny[one.id] for one in plans.grids(actor, 1, limit=1000).rows)
    order = [one.id for one in plans.grids(VIEWER, 1, order="households", limit=1000).rows if one.kind != "micro"]
    assert {one.id for one in hidden} <= set(order[-len(hidden) - sum(n == 0 for n in tiny.values()) :])


def test_so_do_map_findings_and_exports(tiny: dict[int, int]) -> None:
    hidden = {one.id: one for one in plans.grids(VIEWER, 1, limit=1000).rows if one.households is None}
    few = next(one for one in hidden.values() if one.households_text == "<5")
    for actor, veiled in ((VIEWER, True), (EXACT[0], False)):
        features: Any = json.loads(mapdata.grid_features(actor, 1))["features"]
        for feature in features:
            told = feature["properties"]
            assert (told["households"] is None and told["population"] is None) == (veiled and feature["id"] in hidden)
        assert next(one for one in features if one["id"] == few.id)["properties"]["households_text"] == (
            "<5" if veiled else "3"
        )
        sheet = pd.read_csv(io.BytesIO(exports.plan(actor, 1, "csv").read_bytes()), dtype=str)
        missing = sheet.loc[sheet["户数"].isna(), "网格编码"].tolist()
        assert sorted(missing) == (sorted(one.code for one in hidden.values()) if veiled else [])
        found = checks.results(actor, 1, grid_id=few.id, limit=100).rows
        assert found and all((one.code == "FINDING_WITHHELD") == veiled for one in found)


def test_tiles_tell_few_households_to_nobody(tiny: dict[int, int]) -> None:
    """One tile serves all who look at a region, so it holds what may be told to any of them."""
    small_ones = {one.code for one in plans.grids(VIEWER, 1, limit=1000).rows if one.households is None}
    with transaction() as session:
        told = session.execute(sa.text(
            "SELECT code, households, population FROM (" + _shown("grids") + ") AS shown"),
            {"plan_id": 1, "patterns": ["%"], "mw": -2e7, "ms": -2e7, "me": 2e7, "mn": 2e7, "w": -180, "s": -85,
             "e": 180, "n": 85}).all()  # fmt: skip
    assert {row.code for row in told if row.households is None} == small_ones
    assert all((row.population is None) == (row.households is None) for row in told)


def test_nor_do_those_that_are_made_from_rows(tiny: dict[int, int]) -> None:
    few = next(one for one in plans.grids(VIEWER, 1, limit=1000).rows if one.households_text == "<5")
    with transaction() as session:
        x, y = session.execute(sa.text(
            "SELECT ST_X(p), ST_Y(p) FROM (SELECT ST_Transform(ST_PointOnSurface(geom), 3857) AS p FROM grid"
            " WHERE id = :id) q"), {"id": few.id}).one()  # fmt: skip
    side = 2 * HALF_M / (1 << 14)
    make.load()
    made, _ = make.tile("grids", 1, ("",), (14, int((x + HALF_M) / side), int((HALF_M - y) / side)))
    rows = {one.tags["id"]: one.tags for one in layers(made)["grids"]}
    shown = {one.id: one.households for one in plans.grids(VIEWER, 1, limit=1000).rows}
    assert few.id in rows and all(rows[one].get("households") == shown[one] for one in rows)
    assert all(("population" in rows[one]) == (shown[one] is not None) for one in rows)


def _shown(name: str) -> str:
    """The inner query of the tiles, without their packing."""
    return str(query("tiles", name)).split("MATERIALIZED (", 1)[1].split("\n)\nSELECT", 1)[0]


def test_a_comparison_tells_no_few_households() -> None:
    side = table.Grid(1, "001", None, "basic", "under", 3, 8, 1.0, None, None)
    row = table.veiled(table.Row("changed", None, None, side, replace(side, households=40), 4, 37))
    assert row.before is not None and (row.before.households, row.before.population) == (None, None)
    assert row.after is not None and (row.after.households, row.moved_in, row.moved_out) == (40, None, 37)
    assert all(one.moved_in not in range(1, 5) for one in compare.page(VIEWER, 1, 2, limit=2000).rows)
