"""What the engine offers at the desk: repairs that hold, halves that fit, filling, merging; locks, versions, roles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from geodata.errors import GeodataError
from gridmap.db.engine import transaction
from gridmap.db.models import Grid, Region
from gridmap.errors import CodedError, Conflict, Forbidden, Invalid, NotFound
from gridmap.services import assist
from gridmap.services.actor import SYSTEM, Actor
from gridmap.services.redraw import Wish
from tests.integration import desk
from tests.integration.desk import APPROVER, ELSEWHERE, LOOKER, PLAN
from tests.web import add_person, csrf_of, make_app, signed_in

ASKS: dict[str, Callable[[Actor, int, int], object]] = {
    "heal": lambda actor, version, grid: assist.heal(actor, PLAN, version, grid),
    "halve": lambda actor, version, grid: assist.halve(actor, PLAN, version, grid),
    "merges": lambda actor, version, grid: assist.merges(actor, PLAN, version, grid),
    "fill": lambda actor, version, grid: assist.fill(actor, PLAN, version),
    "preview": lambda actor, version, grid: assist.ask_preview(actor, PLAN, version, Wish(desk.TOWN, 1.0)),
}


@pytest.fixture(scope="module")
def shared(shared_demo_url: str) -> Iterator[str]:
    desk.make_draft()
    yield shared_demo_url


@pytest.fixture
def now(shared: str) -> int:
    """The version of the draft; tests leave its units as they found them."""
    return desk.version()


def out_of_band() -> list[Grid]:
    return [grid for grid in desk.grids() if grid.status in ("under", "over")]


def test_repairs_hold(now: int) -> None:
    healed = 0
    for grid in out_of_band()[:12]:
        found = assist.heal(SYSTEM, PLAN, now, grid.id)
        assert bool(found.repairs) != bool(found.reason)
        ground = desk.ground_of(grid)
        assert found.why and found.explanation is not None and found.explanation["grid"] == grid.id
        assert all("{" not in sentence for sentence in found.why)
        for repair in found.repairs:
            suggestion = repair.suggestion
            told = len(suggestion.sentences) - bool(repair.left)
            kept = assist.Suggestion(*(suggestion.moves, suggestion.households, suggestion.before, suggestion.after),
                                     suggestion.sentences[:told])  # fmt: skip
            grids, row = desk.check(ground, kept)
            if not repair.left and grid.id in row:
                at = row[grid.id]
                assert (grids.excess[at], grids.pieces[at]) == (0, 1)
                healed += 1
            before, were = desk.table(ground, ground.instance.start)
            for name, at in row.items():
                assert grids.excess[at] <= (before.excess[were[name]] if name in were else 0)
        costs = [one.suggestion.households for one in found.repairs]
        assert costs == sorted(costs)
    assert healed >= 3


def test_a_repair_is_adopted_as_an_ordinary_operation(now: int) -> None:
    for grid in out_of_band():
        for repair in assist.heal(SYSTEM, PLAN, now, grid.id).repairs:
            suggestion = repair.suggestion
            if all(isinstance(move["to"], int) for move in suggestion.moves):
                before = {move["from"]: [] for move in suggestion.moves}
                for move in suggestion.moves:
                    before[move["from"]] += move["units"]
                desk.apply([(move["to"], move["units"]) for move in suggestion.moves], tool="heal")
                stand = {one.id: (one.units, one.households) for one in desk.grids()}
                for figure in suggestion.after:
                    assert stand.get(int(figure.grid), (0, 0)) == (figure.units, figure.households)
                desk.apply(before.items(), tool="paint")
                return
    pytest.fail("no repair without a new grid")


def test_sentences_are_in_the_readers_language(now: int) -> None:
    from dataclasses import replace

    grid = out_of_band()[0]
    zh = assist.heal(SYSTEM, PLAN, now, grid.id)
    en = assist.heal(replace(SYSTEM, locale="en"), PLAN, now, grid.id)
    assert zh.why[0].startswith("网格 ") and en.why[0].startswith("Grid ")
    assert grid.code not in zh.why[0] and grid.code[12:] in zh.why[0], "within a community the number is enough"


def test_a_grid_that_is_fine_needs_no_repair(now: int) -> None:
    ground = None
    for grid in desk.grids():
        if grid.status == "within":
            found = assist.heal(SYSTEM, PLAN, now, grid.id)
            ground = desk.ground_of(grid)
            at = int(np.flatnonzero(ground.grid_ids == grid.id)[0])
            measured, row = desk.table(ground, ground.instance.start)
            if measured.pieces[row[grid.id]] == 1 and found.reason and at >= 0:
                assert found.repairs == () and found.why == () and found.explanation is None
                return
    pytest.skip("no such grid")


def test_locks_are_respected(now: int) -> None:
    grid = next(one for one in out_of_band() if assist.merges(SYSTEM, PLAN, now, one.id))
    beside = [int(one.other) for one in assist.merges(SYSTEM, PLAN, now, grid.id)]
    shut = desk.lock(beside[:1])
    assert beside[0] not in [one.other for one in assist.merges(SYSTEM, PLAN, shut, grid.id)]
    for repair in assist.heal(SYSTEM, PLAN, shut, grid.id).repairs:
        assert beside[0] not in {move[side] for move in repair.suggestion.moves for side in ("to", "from")}
    shut = desk.lock([grid.id])
    found = assist.heal(SYSTEM, PLAN, shut, grid.id)
    assert found.repairs == () and found.reason and "锁定" in found.reason
    assert assist.merges(SYSTEM, PLAN, shut, grid.id) == ()
    with pytest.raises(Conflict) as caught:
        assist.halve(SYSTEM, PLAN, shut, grid.id)
    assert caught.value.code == "ASSIST_CLOSED" and caught.value.sentence("zh")
    desk.lock([grid.id, beside[0]], locked=False)


@pytest.mark.parametrize("ask", ASKS)
def test_an_old_version_is_told_what_changed(ask: str, now: int) -> None:
    grid = desk.grids()[0]
    old = now
    desk.apply(grids=[(grid.id, {"name": f"改名{ask}"})], tool="rename")
    with pytest.raises(Conflict) as caught:
        ASKS[ask](SYSTEM, old, grid.id)
    error = caught.value
    assert error.code == "PLAN_CHANGED" and error.params["version"] == old + 1 and error.params["grids"] == [grid.code]
    assert grid.code in error.sentence("zh")
    with pytest.raises(Conflict):
        ASKS[ask](SYSTEM, old + 2, grid.id)


@pytest.mark.parametrize("ask", ASKS)
def test_who_may_ask(ask: str, now: int) -> None:
    grid = desk.grids()[0].id
    with pytest.raises(Forbidden):
        ASKS[ask](APPROVER, now, grid)
    for actor in (LOOKER, ELSEWHERE):
        with pytest.raises(NotFound):
            ASKS[ask](actor, now, grid)


@pytest.mark.parametrize("ask", ["heal", "halve", "merges"])
def test_grids_that_the_engine_does_not_draw(ask: str, now: int) -> None:
    special = desk.grids(kind="special")[0].id
    for grid, error, code in ((special, Invalid, "ASSIST_GRID_SPECIAL"), (10**9, NotFound, "ASSIST_GRID_UNKNOWN")):
        with pytest.raises(error) as caught:
            ASKS[ask](SYSTEM, now, grid)
        assert caught.value.code == code


def test_a_community_without_a_bound(now: int) -> None:
    grid = out_of_band()[0]
    home = Region.code == desk.home_of(desk.units_of(grid.id)[0])
    with transaction() as session:
        was = session.scalars(sa.select(Region.settlement).where(home)).one()
        session.execute(sa.update(Region).where(home).values(settlement=None))
    with pytest.raises(Invalid) as caught:
        assist.heal(SYSTEM, PLAN, now, grid.id)
    with transaction() as session:
        session.execute(sa.update(Region).where(home).values(settlement=was))
    assert caught.value.code == "PLAN_REDRAW_NO_BOUND"


def test_halves_fit_where_any_do(now: int) -> None:
    parted = 0
    for grid in sorted(desk.grids(), key=lambda one: -one.households)[:12]:
        try:
            found = assist.halve(SYSTEM, PLAN, now, grid.id)
        except GeodataError as error:
            assert error.code in ("REDRAW_HALVE_ONE", "REDRAW_HALVE_PIECES") and error.sentence("zh")
            continue
        grids, row = desk.check(desk.ground_of(grid), found.suggestion)
        assert sorted([*found.parts[0], *found.parts[1]]) == desk.units_of(grid.id)
        assert [move["to"] for move in found.suggestion.moves] == ["new:0"]
        assert tuple(found.suggestion.moves[0]["units"]) == found.parts[1]
        assert grids.pieces[[row[grid.id], row["new:0"]]].tolist() == [1, 1]
        assert grids.households[row[grid.id]] >= grids.households[row["new:0"]]
        assert found.exact
        parted += 1
    assert parted >= 2


def test_a_line_parts_a_grid_by_the_side_of_its_units(now: int) -> None:
    grid = max(desk.grids(), key=lambda one: one.units)
    with transaction() as session:
        box = sa.text("SELECT ST_XMin(geom), ST_YMin(geom), ST_XMax(geom), ST_YMax(geom) FROM grid WHERE id = :grid")
        west, south, east, north = session.execute(box, {"grid": grid.id}).one()
        points = dict(
            session.execute(
                sa.text(
                    "SELECT u.id, ST_X(ST_PointOnSurface(u.geom)) FROM unit u JOIN plan_unit p ON p.unit_id = u.id"
                    " WHERE p.plan_id = :plan AND p.grid_id = :grid"
                ),
                {"plan": PLAN, "grid": grid.id},
            ).all()
        )
    middle = (west + east) / 2
    found = assist.halve(SYSTEM, PLAN, now, grid.id, [(middle, south), (middle, north)])
    sides = [{points[unit] < middle for unit in part} for part in found.parts]
    assert sides in ([{True}, {False}], [{False}, {True}])
    with pytest.raises(Invalid) as caught:
        assist.halve(SYSTEM, PLAN, now, grid.id, [(west - 1, south), (west - 1, north)])
    assert caught.value.code == "ASSIST_LINE_MISSES"


def test_merges_are_ranked_by_what_they_do_for_the_band(now: int) -> None:
    grid = next(one for one in out_of_band() if one.status == "under" and assist.merges(SYSTEM, PLAN, now, one.id))
    found = assist.merges(SYSTEM, PLAN, now, grid.id)
    ground = desk.ground_of(grid)
    excess = []
    for one in found:
        grids, _ = desk.check(ground, one.suggestion)
        excess.append(grids.excess.sum())
        gone, kept = sorted(one.suggestion.before, key=lambda figure: figure.households)
        assert [move["from"] for move in one.suggestion.moves] == [gone.grid] and gone.households <= kept.households
        assert one.fits == all(figure.status in ("within", "empty") for figure in one.suggestion.after)
    assert excess == sorted(excess)


def test_erased_units_are_filled_in_again(now: int) -> None:
    homes = {grid.id: desk.units_of(grid.id) for grid in desk.grids() if grid.units > 3}
    erased = {grid: units[:1] for grid, units in homes.items()}
    then = desk.apply([(None, [unit for units in erased.values() for unit in units])], tool="erase")
    found = assist.fill(SYSTEM, PLAN, then)
    placed = {unit for _, one in found.communities for move in one.moves for unit in move["units"]}
    left = {unit for one in found.left for unit in one.units}
    assert placed and placed | left == {unit for units in erased.values() for unit in units} and not placed & left
    for _, one in found.communities:
        ground = desk.ground_of(desk.grids(within=next(str(figure.code) for figure in one.after))[0])
        desk.check(ground, one)
        assert one.households == 0 and all(move["from"] is None for move in one.moves)
    assert all(one.reason and one.code.startswith("REDRAW_FILL_") for one in found.left)
    part = assist.fill(SYSTEM, PLAN, then, desk.TOWN)
    assert {code for code, _ in part.communities} == {
        code for code, _ in found.communities if code.startswith(desk.TOWN[:9])
    }
    desk.apply(list(erased.items()))


def test_what_lies_beside_locked_grids_alone_is_left(now: int) -> None:
    grid = next(one for one in desk.grids() if one.units > 3)
    home = desk.home_of(desk.units_of(grid.id)[0])
    unit = desk.units_of(grid.id)[0]
    desk.apply([(None, [unit])], tool="erase")
    beside = [one.id for one in desk.grids(within=home)]
    shut = desk.lock(beside)
    found = assist.fill(SYSTEM, PLAN, shut, home)
    assert found.communities == () and [one.units for one in found.left] == [(unit,)]
    assert found.left[0].code in ("REDRAW_FILL_CLOSED", "REDRAW_FILL_CUT_OFF", "REDRAW_FILL_ALONE")
    desk.lock(beside, locked=False)
    desk.apply([(grid.id, [unit])])


def test_over_the_api(shared: str, tmp_path: Path) -> None:
    app = make_app(tmp_path)
    add_person("planner", "planner")
    client = signed_in(app, "planner")
    headers = {"X-CSRFToken": csrf_of(client, "/account"), "Accept": "application/json"}
    grid = next(one for one in out_of_band() if assist.heal(SYSTEM, PLAN, desk.version(), one.id).repairs)

    def ask(what: str, **body: Any) -> Any:
        return client.post(f"/api/v1/plans/{PLAN}/{what}", headers=headers, json={"version": desk.version(), **body})

    healed = ask("heal", grid=grid.id).json
    assert set(healed["repairs"][0]["moves"][0]) == {"to", "from", "units", "households"}
    assert {"before", "after", "sentences", "left", "households"} <= set(healed["repairs"][0])
    assert len(ask("halve", grid=max(desk.grids(), key=lambda one: one.units).id, line=[[0, 0], [1, 1]]).json) > 2
    assert {"moves", "left"} <= set(ask("fill").json)
    assert "merges" in ask("merges", grid=grid.id).json
    assert ask("heal", grid=10**9).status_code == 404
    stale = client.post(f"/api/v1/plans/{PLAN}/heal", headers=headers, json={"version": 10**6, "grid": grid.id})
    assert (stale.status_code, stale.json["code"]) == (409, "PLAN_CHANGED")
    assert stale.json["details"]["version"] == desk.version()
    asked = ask("previews", region=desk.TOWN, seconds=1)
    assert asked.status_code == 202
    view = client.get(f"/api/v1/previews/{asked.json['job']}").json
    assert (view["state"], view["plans"]) == ("waiting", [])
    url = f"/api/v1/previews/{asked.json['job']}/stop"
    assert client.post(url, headers=headers, json={"how": "cancel"}).json["error_code"] == "JOB_CANCELLED"


def test_every_error_has_its_sentences() -> None:
    for code in ("ASSIST_GRID_MICRO", "ASSIST_GRID_EMPTY", "ASSIST_CLOSED"):
        assert CodedError(code, code_="1").sentence("zh") != CodedError(code, code_="1").sentence("en")


def test_an_open_studio_makes_the_process_ready(shared: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(assist, "get_ready", lambda: asked.append("ready"))
    app = make_app(tmp_path)
    add_person("early", "planner")
    client = signed_in(app, "early")
    app.testing = False
    assert client.get("/api/v1/regions").status_code == 200 and asked == []
    assert client.get("/api/v1/plans/987654/studio").status_code == 404 and asked == []
    assert client.get(f"/api/v1/plans/{PLAN}/studio").status_code == 200 and asked == ["ready"]
