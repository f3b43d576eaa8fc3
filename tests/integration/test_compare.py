"""Two plans compared, against a plain oracle: after random changes, cuts in one or both, and rebuilt units."""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shapely
import sqlalchemy as sa
from flask import Flask

from gridmap.db.engine import transaction
from gridmap.errors import Invalid, NotFound
from gridmap.services import compare, counts, plans
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from gridmap.services.plans.derive import derive
from gridmap.settings import settings
from tests.drafts import Draft, region_of_units
from tests.web import add_person, make_app, signed_in

HERE = "339901001001"
BASE = 1


@pytest.fixture(autouse=True)
def town(shared_demo_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The demo town; drafts of other tests may stand in it."""
    monkeypatch.setenv("GRIDMAP_DATA_DIR", str(tmp_path))
    settings.cache_clear()
    yield
    settings.cache_clear()


def table(plan_id: int) -> dict[int, tuple[str | None, int, str]]:
    """unit -> (code of its grid, households, community), read in the plainest way."""
    with transaction() as session:
        rows = session.execute(
            sa.text(
                "SELECT p.unit_id, coalesce(t.code, g.code), u.households, r.code FROM plan_unit p"
                " JOIN unit u ON u.id = p.unit_id JOIN region r ON r.id = u.region_id"
                " LEFT JOIN grid g ON g.id = p.grid_id LEFT JOIN grid t ON t.id = g.parent_id WHERE p.plan_id = :plan"
            ),
            {"plan": plan_id},
        )
        return {row[0]: (row[1], row[2], row[3]) for row in rows}


def shuffled(draft: Draft, seed: int, moves: int = 12) -> None:
    """Random units to random grids of their community, some to none."""
    dice = random.Random(seed)
    homes: dict[int, list[int]] = defaultdict(list)
    for id, row in draft.grids().items():
        if row["kind"] == "basic" and row["units"]:
            homes[row["region_id"]].append(id)
    region, now = region_of_units(), draft.units()
    for unit in dice.sample(sorted(now), moves):
        where = [grid for grid in (*homes[region[unit]], None) if grid != now[unit]]
        draft.move([unit], dice.choice(where))


def oracle(a: int, b: int) -> dict[str, Any]:
    """Figures where both plans have the same units and unique codes: a grid is who bears its code."""
    before, after = table(a), table(b)
    assert before.keys() == after.keys()
    found: dict[str, Any] = {"in": Counter(), "out": Counter(), "moved": 0, "assigned": 0, "unassigned": 0}
    found["before"], found["after"], found["touched"] = Counter(), Counter(), set()
    for unit, (was, households, _) in before.items():
        now = after[unit][0]
        if was is not None:
            found["before"][was] += households
        if now is not None:
            found["after"][now] += households
        if was == now:
            continue
        found["touched"] |= {was, now} - {None}
        if was is not None:
            found["out"][was] += households
        if now is not None:
            found["in"][now] += households
        kind = "assigned" if was is None else "unassigned" if now is None else "moved"
        found[kind] += households
    return found


def pieces_of(answer: Any) -> list[int]:
    return [piece["id"] for piece in answer.cut["pieces"]]


@pytest.fixture(scope="module")
def base(shared_demo_url: str) -> int:
    """A copy of the plan in force in which no code stands twice: the oracle knows grids by their codes."""
    plan_id = plans.copy_plan(SYSTEM, BASE)
    with transaction() as session:
        twice = sa.text(
            "UPDATE grid g SET code = left(code, 12) || (600 + id % 300) WHERE plan_id = :plan AND EXISTS"
            " (SELECT FROM grid o WHERE o.plan_id = g.plan_id AND o.code = g.code AND o.id < g.id)"
        )
        assert session.execute(twice, {"plan": plan_id}).rowcount == 1  # type: ignore[attr-defined]
    return plan_id


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_changes_are_told_as_a_plain_count_tells_them(base: int, seed: int) -> None:
    draft = Draft(plans.copy_plan(SYSTEM, base))
    shuffled(draft, seed)
    expected, found = oracle(base, draft.id), compare.compare(SYSTEM, base, draft.id)
    moves = found.moves
    assert (moves.moved, moves.assigned, moves.unassigned) == tuple(
        expected[name] for name in ("moved", "assigned", "unassigned")
    )
    assert moves.moved > 0
    assert (moves.overlaid, moves.only_a, moves.only_b) == (0, 0, 0)
    for row in found.rows:
        assert row.before is not None
        assert row.after is not None
        code = row.after.code
        assert row.before.code == code
        assert (row.moved_in, row.moved_out) == (expected["in"][code], expected["out"][code])
        assert (row.before.households, row.after.households) == (expected["before"][code], expected["after"][code])
        assert row.change == ("changed" if code in expected["touched"] else "same")
    grids = draft.grids().values()
    workers = sum(row["workers"] or 0 for row in grids if row["code"] in expected["touched"])
    assert moves.workers_affected == workers
    assert found.after.households + found.after.unassigned_households == found.before.households + (
        found.before.unassigned_households
    )
    back = compare.compare(SYSTEM, draft.id, base).moves
    assert (back.moved, back.assigned, back.unassigned) == (moves.moved, moves.unassigned, moves.assigned)


def test_new_gone_renamed_and_paired_by_ground() -> None:
    draft = Draft(plans.copy_plan(SYSTEM, BASE))
    first, second, mine, theirs = draft.neighbours(4)
    rows = draft.grids()
    other, _ = draft.make(first, mine[:1], name="新的")
    draft.move(theirs, first, tool="merge")  # `second` has no ground left
    third = next(
        id for id, row in rows.items() if id not in (first, second) and row["units"] and row["kind"] == "basic"
    )
    with transaction() as session:
        session.execute(sa.text("DELETE FROM grid WHERE id = :id"), {"id": second})
        session.execute(sa.text("UPDATE grid SET code = '339901001001990' WHERE id = :id"), {"id": third})
        session.execute(sa.text("UPDATE plan SET version = version + 1 WHERE id = :id"), {"id": draft.id})
    found = {
        row.after.id if row.after else row.before.code: row for row in compare.compare(SYSTEM, BASE, draft.id).rows
    }  # type: ignore[union-attr]
    assert found[other].change == "new"
    assert found[other].before is None
    assert found[rows[second]["code"]].change == "gone"
    assert found[first].change == "changed"
    assert found[third].change == "renamed"
    assert found[third].before.code == rows[third]["code"], "by its ground, as its code is another"  # type: ignore[union-attr]
    units = table(BASE)
    assert found[first].moved_out == sum(units[unit][1] for unit in mine[:1])
    assert found[first].moved_in == sum(units[unit][1] for unit in theirs)


def test_cuts_are_compared_by_their_pieces() -> None:
    one, two = Draft(plans.copy_plan(SYSTEM, BASE)), Draft(plans.copy_plan(SYSTEM, BASE))
    _, second, mine, _ = one.neighbours()
    people = table(BASE)
    unit = max(mine, key=lambda unit: people[unit][1])
    pieces = pieces_of(one.cut(unit))
    same = compare.compare(SYSTEM, BASE, one.id)
    assert (same.moves.moved, same.moves.changes["changed"]) == (0, 0), "a cut alone moves nobody"
    one.move([pieces[0]], second)
    living = table(one.id)[pieces[0]][1]
    for a, b in ((BASE, one.id), (two.id, one.id), (one.id, BASE)):
        moves = compare.compare(SYSTEM, a, b).moves
        assert (moves.moved, moves.only_a, moves.only_b, moves.overlaid) == (living, 0, 0, 0)
    areas = json.loads(compare.difference(SYSTEM, BASE, one.id))["features"]
    assert [area["properties"]["households"] for area in areas] == [living]
    with transaction() as session:
        wkb = session.scalar(sa.text("SELECT ST_AsBinary(geom) FROM unit WHERE id = :id"), {"id": pieces[0]})
    drawn = shapely.geometry.shape(areas[0]["geometry"])
    assert drawn.symmetric_difference(shapely.from_wkb(wkb)).area < drawn.area * 1e-3


def test_cuts_that_differ_are_laid_over_each_other() -> None:
    """One cuts a unit in two, the other elsewhere: what both gave away is counted by where the buildings stand."""
    one, two = Draft(plans.copy_plan(SYSTEM, BASE)), Draft(plans.copy_plan(SYSTEM, BASE))
    _, second, mine, _ = one.neighbours()
    people = table(BASE)
    unit = max(mine, key=lambda unit: people[unit][1])
    with transaction() as session:
        ground = shapely.from_wkb(
            session.scalar(sa.text("SELECT ST_AsBinary(geom) FROM unit WHERE id = :id"), {"id": unit})
        )
    west, south, east, north = ground.bounds
    x, y = ground.representative_point().coords[0]
    one.cut(unit, line=[(x, south - 0.001), (x, north + 0.001)])
    pieces = pieces_of(two.cut(unit, line=[(west - 0.001, y), (east + 0.001, y)]))
    found = compare.compare(SYSTEM, one.id, two.id)
    assert (found.moves.moved, found.moves.only_a, found.moves.only_b) == (0, 0, 0)
    assert found.moves.overlaid == people[unit][1], "households are neither lost nor made"
    codes = {row["code"]: id for id, row in two.grids().items()}
    goal = next(id for code, id in codes.items() if code == one.grids()[second]["code"])
    two.move([pieces[0]], goal)
    assert compare.compare(SYSTEM, one.id, two.id).moves.moved == table(two.id)[pieces[0]][1]


def test_rebuilt_units_are_compared_by_geometry_and_ground_of_one_side_is_said() -> None:
    draft = Draft(plans.copy_plan(SYSTEM, BASE))
    people = table(draft.id)
    gone = min((unit for unit, row in people.items() if row[1]), key=lambda unit: people[unit][1])
    twin = next(unit for unit, row in people.items() if row[1] and unit != gone)
    with transaction() as session:  # as a rebuild does: the same ground under another number, one unit without ground
        new = session.scalar(
            sa.text(
                "INSERT INTO unit (region_id, number, geom, area_m2, households, population, buildings,"
                " estimated_households, missing_households, retired_at)"
                " SELECT region_id, number, geom, area_m2, households, population, buildings, estimated_households,"
                " missing_households, now() FROM unit WHERE id = :id RETURNING id"
            ),
            {"id": twin},
        )
        session.execute(
            sa.text("UPDATE plan_unit SET unit_id = :new WHERE plan_id = :plan AND unit_id = :id"),
            {"new": new, "plan": draft.id, "id": twin},
        )
        key = {"plan": draft.id, "unit": gone}
        lost = sa.text("DELETE FROM plan_unit WHERE plan_id = :plan AND unit_id = :unit RETURNING grid_id")
        grid = session.scalar(lost, key)
        derive(session, [grid])
        counts.sum_grids(session, [grid])
        session.execute(sa.text("UPDATE plan SET version = version + 1 WHERE id = :id"), {"id": draft.id})
    found = compare.compare(SYSTEM, BASE, draft.id)
    assert (found.moves.moved, found.moves.overlaid) == (0, people[twin][1])
    assert (found.moves.only_a, found.moves.only_b) == (people[gone][1], 0)
    assert found.before.cases == found.after.cases + _cases(gone), "cases of a retired unit are found by their points"


def _cases(unit: int) -> int:
    with transaction() as session:
        return int(
            session.scalar(
                sa.text(
                    "SELECT count(*) FROM case_record, (SELECT max(occurred_at) AS until FROM case_record) t"
                    " WHERE unit_id = :id AND occurred_at > until - interval '1 year'"
                ),
                {"id": unit},
            )
            or 0
        )


def test_a_part_is_compared_where_both_reach_and_the_reader_may_look() -> None:
    draft = Draft(plans.copy_plan(SYSTEM, BASE, region_code=HERE))
    shuffled(draft, 5, 3)
    found = compare.compare(SYSTEM, BASE, draft.id)
    assert found.region_code == HERE
    assert {row.region_code for row in found.rows} == {HERE}
    expected = sum(row[1] for row in table(draft.id).values())
    assert found.before.households + found.before.unassigned_households == expected
    neighbour = Actor("neighbour", (Grant(Role.APPROVER, "339901001002"),))
    there = compare.compare(neighbour, 1, 2)
    assert there.before.households + there.before.unassigned_households == sum(
        row[1] for row in table(1).values() if row[2] == "339901001002"
    )
    with pytest.raises(NotFound):
        compare.compare(neighbour, BASE, draft.id)
    other = plans.copy_plan(SYSTEM, BASE, region_code="339901001002")
    with pytest.raises(Invalid) as refused:
        compare.compare(SYSTEM, draft.id, other)
    assert refused.value.code == "COMPARE_APART"
    with pytest.raises(Invalid) as refused:
        compare.compare(SYSTEM, 1, 1)
    assert refused.value.code == "COMPARE_SAME"


def test_rows_are_filtered_ordered_and_paged() -> None:
    draft = Draft(plans.copy_plan(SYSTEM, BASE))
    shuffled(draft, 7, 20)
    whole = compare.page(SYSTEM, BASE, draft.id, limit=500)
    every = compare.page(SYSTEM, BASE, draft.id, change=compare.CHANGES, limit=500)
    assert 0 < whole.total < every.total
    ordered = compare.page(SYSTEM, BASE, draft.id, order="moved", limit=500).rows
    sizes = [row.moved_in + row.moved_out for row in ordered]
    assert sizes == sorted(sizes, reverse=True)
    pages = [compare.page(SYSTEM, BASE, draft.id, order="moved", limit=7, offset=n) for n in range(0, whole.total, 7)]
    assert [row for part in pages for row in part.rows] == list(ordered)
    here = compare.page(SYSTEM, BASE, draft.id, region=HERE, change=compare.CHANGES, limit=500).rows
    assert {row.region_code for row in here} == {HERE}
    code = ordered[0].after.code  # type: ignore[union-attr]
    assert [row.after.code for row in compare.page(SYSTEM, BASE, draft.id, text=code).rows if row.after] == [code]


def test_partners() -> None:
    draft = plans.copy_plan(SYSTEM, 2)
    found = compare.partners(SYSTEM, draft)
    assert (found["base"].id, found["in_force"].id) == (2, 1)
    assert "in_force" not in compare.partners(SYSTEM, 1)


def test_pages_api_and_files(base: int, tmp_path: Path) -> None:
    add_person("boss")
    app: Flask = make_app(tmp_path)
    client = signed_in(app, "boss")
    draft = Draft(plans.copy_plan(SYSTEM, base))
    shuffled(draft, 11)
    pair = f"a={base}&b={draft.id}"
    told = client.get(f"/api/v1/plans/compare?{pair}").get_json()
    assert told["moves"]["moved"] == oracle(base, draft.id)["moved"]
    rows = client.get(f"/api/v1/plans/compare/grids?{pair}&order=moved&limit=5").get_json()
    assert len(rows["items"]) == min(5, rows["total"])
    areas = client.get(f"/api/v1/plans/compare/difference.geojson?{pair}").get_json()["features"]
    assert (
        sum(one["properties"]["households"] for one in areas if one["properties"]["kind"] == "moved")
        == told["moves"]["moved"]
    )
    for fmt in ("xlsx", "csv"):
        assert len(client.get(f"/api/v1/plans/compare/exports/{fmt}?{pair}").data) > 500
    assert client.get(f"/api/v1/plans/compare/exports/pdf?{pair}").status_code == 422
    assert client.get("/api/v1/plans/compare?a=1").status_code == 422
