"""Few households: "<5" to those who only look, with the grids that would give them away; exact to those who plan."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from gridmap.db.engine import transaction
from gridmap.errors import Forbidden, NotFound
from gridmap.services import (
    checks,
    compare,
    counts,
    coverage,
    exports,
    mapdata,
    operations,
    plans,
    redraw,
    regions,
    reports,
    studio,
)
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from gridmap.services.plans import households
from gridmap.services.tiles import make
from gridmap.services.tiles.square import HALF_M
from gridmap.services.tiles.state import state_of
from gridmap.services.versions import raise_version
from gridmap.sql import query
from tests.vector_tile import layers

VIEWER = Actor("viewer", (Grant(Role.VIEWER),))
EXACT = [Actor("other", (Grant(role),)) for role in Role if role is not Role.VIEWER]


@pytest.fixture(scope="module")
def tiny(shared_demo_url: str) -> dict[int, int]:
    """Households of the grids of plan 1 where the first grid of a community has three, decided upon and told."""
    with transaction() as session:
        row = session.execute(sa.text(
            "SELECT (array_agg(id ORDER BY id))[1] AS id FROM grid WHERE plan_id = 1 AND kind = 'basic'"
            " GROUP BY region_id HAVING count(*) > 3 ORDER BY region_id LIMIT 1")).one()  # fmt: skip
        units = session.scalars(
            sa.text("SELECT unit_id FROM plan_unit WHERE grid_id = :id ORDER BY unit_id"), {"id": row.id}
        ).all()
        for k, unit in enumerate(units):
            few = {"n": 3 if k == 0 else 0, "p": 8 if k == 0 else 0, "id": unit}
            session.execute(sa.text("UPDATE unit SET households = :n, population = :p WHERE id = :id"), few)
        for plan in session.scalars(sa.text("SELECT id FROM plan ORDER BY id")).all():
            counts.sum_plan(session, plan)
    before = state_of("grids", 1)
    with transaction() as session:
        assert households.publish(session) and not households.publish(session)
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
        for one in checks.results(actor, 1, limit=1000).rows if veiled else ():
            of_grid = one.rule in ("R01", "R02") and one.grid_id not in hidden
            assert of_grid or not re.search(r"\d\s*户", one.sentence_zh), one.sentence_zh


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


def test_who_only_looks_sees_no_draft_and_no_difference(tiny: dict[int, int]) -> None:
    """A draft beside the plan in force would tell what moved, and so would the studio, its log, a comparison."""
    drafts = [one.id for one in plans.list_plans(EXACT[0]) if one.state == "draft"]
    assert drafts and {one.id for one in plans.list_plans(VIEWER)} == {1}
    assert {one.id for one in plans.names(VIEWER)} == {1}
    for draft in drafts:
        for actor in EXACT:
            assert plans.get(actor, draft).id == draft
        for look in (plans.get, plans.grids, mapdata.grid_features, checks.results, studio.open_plan):
            with pytest.raises(NotFound):
                look(VIEWER, draft)
    for refused in (
        lambda: compare.compare(VIEWER, 1, drafts[0]),
        lambda: studio.open_plan(VIEWER, 1),
        lambda: operations.history(VIEWER, 1),
        lambda: reports.check_pdf(VIEWER, 1),
        lambda: reports.dossier_xlsx(VIEWER, 1),
    ):
        with pytest.raises((NotFound, Forbidden)) as caught:
            refused()
        assert caught.value.code in ("PLAN_NOT_FOUND", "HOUSEHOLDS_FEW")
    assert compare.partners(VIEWER, 1) == {} and redraw.proposals(VIEWER, 1) == ()
    assert {row["households"] for row in plans.misfits(VIEWER, 1)["rows"]} <= {None}
    assert {row.households for row in coverage.uncovered(VIEWER).rows} <= {None}


def test_a_county_with_a_planner_of_one_part(tiny: dict[int, int]) -> None:
    """Whoever plans in a part and looks at the rest sees drafts of the part, none of the whole."""
    both = Actor("both", (Grant(Role.VIEWER), Grant(Role.PLANNER, "339901001")))
    assert {one.id for one in plans.list_plans(both)} == {1}
    part = plans.create_empty(SYSTEM, "分区草案", "339901001000")
    assert plans.get(both, part).id == part
    with pytest.raises(NotFound):
        plans.get(VIEWER, part)
    plans.archive(SYSTEM, part)


def test_undecided_plans_tell_nothing(tiny: dict[int, int]) -> None:
    """Between coming into force and the worker's decision no number is told, and "withheld" stays so afterwards."""
    with transaction() as session:
        before = session.execute(sa.text("SELECT grid_id, shown FROM household_place WHERE plan_id = 1")).all()
        session.execute(sa.text("UPDATE household_place SET shown = -3 WHERE plan_id = 1"))
    rows = plans.grids(VIEWER, 1, limit=1000).rows
    assert {one.households for one in rows} == {None} and {one.households_text for one in rows} == {"—"}
    summary = plans.get(VIEWER, 1)
    assert (summary.households, summary.population, summary.unassigned_households) == (None, None, None)
    assert all(row.households is None for row in coverage.coverage(VIEWER).rows)
    households.ask_if_due()
    with transaction() as session:
        waiting = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'publish_households' AND status = 'todo'"
        assert session.scalar(sa.text(waiting))
        assert households.publish(session)
        after = session.execute(sa.text("SELECT grid_id, shown FROM household_place WHERE plan_id = 1")).all()
    assert sorted(after, key=str) == sorted(before, key=str)


def test_counts_of_regions_and_estimates(tiny: dict[int, int]) -> None:
    for seen, exact in zip(regions.tree(VIEWER), regions.tree(EXACT[0]), strict=True):
        assert seen.households == exact.households and seen.estimated_households is None
        assert abs(seen.estimated_share - exact.estimated_share) <= 0.025 + 1e-9
    few = next(one for one in regions.tree(VIEWER) if one.level == "community" and one.households)
    with transaction() as session:
        session.execute(sa.text("UPDATE household_region SET shown = -1 WHERE region_id = :id"), {"id": few.id})
    try:
        assert regions.get(VIEWER, few.code).households is None
        assert regions.get(EXACT[0], few.code).households == few.households
        shut = {row.code: row.households for row in coverage.coverage(VIEWER, region=few.code[:9]).rows}
        assert shut[few.code] is None
        total = coverage.coverage(VIEWER, region=few.code[:9]).total
        assert total is not None and total.households is None
    finally:
        with transaction() as session:
            told = {"id": few.id, "n": few.households}
            session.execute(sa.text("UPDATE household_region SET shown = :n WHERE region_id = :id"), told)
            raise_version(session, "plans")
