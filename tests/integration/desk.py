"""What tests of the desk share: a draft to work on, operations on it, and what a suggestion makes of the plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import uuid4

import numpy as np
import sqlalchemy as sa

from geodata.redraw.measure import Grids, tabulate
from geodata.redraw.model import Ints
from gridmap.db.engine import transaction
from gridmap.db.models import Grid, Plan, PlanUnit, Region, Unit
from gridmap.services import operations
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from gridmap.services.assist import Suggestion
from gridmap.services.redraw import Wish
from gridmap.services.redraw.ground import Ground, read

PLAN = 1
TOWN = "339901001000"
LOOKER = Actor("looker", (Grant(Role.VIEWER),))
APPROVER = Actor("approver", (Grant(Role.APPROVER),))
ELSEWHERE = Actor("elsewhere", (Grant(Role.ADMINISTRATOR, "110101"),))


def make_draft() -> int:
    """The plan in force as a draft; its version."""
    with transaction() as session:
        session.execute(sa.update(Plan).where(Plan.id == PLAN).values(state="draft"))
        return session.get_one(Plan, PLAN).version


def version() -> int:
    with transaction() as session:
        return session.scalars(sa.select(Plan.version).where(Plan.id == PLAN)).one()


def apply(
    moves: Iterable[tuple[int | None, Sequence[int]]] = (),
    grids: Iterable[tuple[int, Mapping[str, Any]]] = (),
    tool: str = "paint",
) -> int:
    """Move units to grids and change grids, as somebody at another desk would; the version after."""
    sent = operations.Sent(
        uuid4(),
        tool,
        [operations.Move(to, units) for to, units in moves],
        [operations.Change(grid, fields) for grid, fields in grids],
    )
    return operations.apply(SYSTEM, PLAN, version(), uuid4(), [sent]).version


def lock(grids: Iterable[int], locked: bool = True) -> int:
    return apply(grids=[(grid, {"locked": locked}) for grid in grids], tool="lock")


def grids(*, kind: str = "basic", within: str = "") -> list[Grid]:
    """Grids of the draft with units, by code."""
    chosen = sa.select(Grid).where(
        Grid.plan_id == PLAN, Grid.kind == kind, Grid.units > 0, Grid.code.like(f"{within}%")
    )
    with transaction() as session:
        return list(session.scalars(chosen.order_by(Grid.code)))


def units_of(grid: int) -> list[int]:
    with transaction() as session:
        chosen = sa.select(PlanUnit.unit_id).where(PlanUnit.plan_id == PLAN, PlanUnit.grid_id == grid)
        return list(session.scalars(chosen.order_by(PlanUnit.unit_id)))


def home_of(unit: int) -> str:
    with transaction() as session:
        chosen = sa.select(Region.code).join(Unit, Unit.region_id == Region.id).where(Unit.id == unit)
        return session.scalars(chosen).one()


def ground_of(grid: Grid) -> Ground:
    return read(SYSTEM, PLAN, Wish(home_of(units_of(grid.id)[0])))


def made(ground: Ground, moves: Iterable[Mapping[str, Any]]) -> Ints:
    """The plan of ``ground`` after ``moves``, each of which must speak of units as they are."""
    plan = ground.instance.start.copy()
    number = {int(grid): at for at, grid in enumerate(ground.grid_ids)}
    row = {int(unit): at for at, unit in enumerate(ground.unit_ids)}
    for move in moves:
        rows = [row[unit] for unit in move["units"]]
        origin = -1 if move["from"] is None else number[move["from"]]
        assert (ground.instance.start[rows] == origin).all()
        assert ground.instance.units.households[rows].sum() == move["households"]
        target = move["to"]
        new = isinstance(target, str)
        plan[rows] = len(ground.grid_ids) + int(target.removeprefix("new:")) if new else number[target]
    return plan


def table(ground: Ground, plan: Ints) -> tuple[Grids, dict[int | str, int]]:
    """The grids of ``plan`` as measured, and the row of each by its name in a suggestion."""
    grids, known = tabulate(ground.instance, plan), len(ground.grid_ids)
    names: list[int | str] = [
        int(ground.grid_ids[grid]) if grid < known else f"new:{grid - known}" for grid in grids.grid.tolist()
    ]
    return grids, {name: at for at, name in enumerate(names)}


def check(ground: Ground, suggestion: Suggestion) -> tuple[Grids, dict[int | str, int]]:
    """That the figures of a suggestion are those of the plan it makes, and that closed grids and groups are kept."""
    plan = made(ground, suggestion.moves)
    start, instance = ground.instance.start, ground.instance
    for figures, at in ((suggestion.before, start), (suggestion.after, plan)):
        grids, row = table(ground, at)
        for one in figures:
            if one.grid not in row:
                assert (one.units, one.households, one.status) == (0, 0, "empty")
                continue
            k = row[one.grid]
            told = (one.units, one.households, one.population, one.pieces, one.status)
            known = ("within", "under", "over")[grids.status[k]]
            assert told == (grids.units[k], grids.households[k], grids.population[k], grids.pieces[k], known)
            assert abs(one.compactness - grids.polsby_popper[k]) < 1e-4
    shut = instance.in_closed()
    assert (plan[shut] == start[shut]).all() and not np.isin(plan[~shut], list(instance.closed)).any()
    assert suggestion.households == instance.units.households[(start >= 0) & (plan != start)].sum()
    assert len(suggestion.sentences) == len(suggestion.moves) + len(suggestion.after)
    assert not any("{" in sentence for sentence in suggestion.sentences)
    return table(ground, plan)
