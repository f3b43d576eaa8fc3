"""Deciding which household figures may be told to those who only look: of regions, and of all plans once in force.

All of it is decided together, for the difference of two plans tells what both hide (:mod:`geodata.privacy.divisions`).
What is told stays told while its community's numbers stay; what was withheld stays withheld. Kept in
``household_place`` and ``household_region``: the number, or why there is none. Drafts are no part of it: who only looks
does not see them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy.orm import Session

from gridmap.db import bulk
from gridmap.db.engine import transaction
from gridmap.services.days import today
from gridmap.services.plans.small import OUTSIDE, SMALL, WITHHELD
from gridmap.services.versions import decide_households, raise_version, render_ahead
from gridmap.sql import query

if TYPE_CHECKING:
    from geodata.privacy.divisions import Division
    from geodata.privacy.suppress import States
    from geodata.privacy.trees import Ints

#: Nothing is decided yet, so nothing is told.
UNDECIDED = -3
#: A "—" of a plan in force is worse than one of a plan of the past.
_CURRENT = 4.0

Told = dict[tuple[int, int | str], int]


def publish_plan(session: Session, plan_id: int) -> None:
    """A plan comes into force: nothing of it is told until the worker has decided."""
    session.execute(query("households", "veil"), {"plan": plan_id})
    decide_households(session)


def ask_if_due() -> None:
    """Have the worker decide where nothing is decided: on a database of an older gridmap, or restored without jobs."""
    with transaction() as session:
        if session.scalar(query("households", "due")):
            decide_households(session)


def run_publish() -> None:
    """What the worker does."""
    with transaction() as session:
        publish(session)


def publish(session: Session) -> bool:
    """Decide for the counts as they are; whether anything is told otherwise than before."""
    from geodata.privacy.divisions import decide

    session.execute(query("households", "alone"))
    ground = _ground(session)
    plans = session.execute(query("households", "plans"), {"day": today()}).all()
    told: Told = {
        (row.plan_id, row.grid_id or row.region_code): row.shown for row in session.execute(query("households", "told"))
    }
    grids = session.execute(query("households", "grids"), {"plans": [plan.id for plan in plans]}).all()
    cells = [_Cells(session, ground, plan.id, [g for g in grids if g.plan_id == plan.id]) for plan in plans]
    divisions = [
        one.division(ground, told, _CURRENT if plan.current else 1.0) for one, plan in zip(cells, plans, strict=True)
    ]
    states = decide(ground.households, [*ground.regions, *divisions])[len(ground.regions) :]
    now: Told = {}
    for one, state in zip(cells, states, strict=True):
        now |= one.shown(state)
    regions = dict(zip(ground.region_id.tolist(), ground.shown.tolist(), strict=True))
    if now == told and regions == _told_of_regions(session):
        return False
    _write(session, now, {g.id: (g.region_code, g.code) for g in grids}, regions)
    raise_version(session, "plans")
    render_ahead(session)
    return True


@dataclass(frozen=True, slots=True)
class _Ground:
    """Units (n,) at their finest: a unit that some plan cut is its pieces. ``leaf`` names the units of each unit's id.

    ``regions``: communities, subdistricts, counties, all; ``shown`` of each region (``region_id``).
    """

    id: Ints
    community: Ints
    households: Ints
    leaves: Mapping[int, list[int]]
    region_id: Ints
    region_code: list[str]
    shown: Ints
    regions: list[Division]


def _ground(session: Session) -> _Ground:
    from geodata.privacy.divisions import Division
    from geodata.privacy.suppress import suppress
    from geodata.privacy.trees import Tree

    rows = session.execute(query("households", "regions")).all()
    at = {row.id: k for k, row in enumerate(rows)}
    parent = np.array([0 if row.parent_id is None else at[row.parent_id] + 1 for row in rows], dtype=np.int64)
    tree = Tree.of(np.concatenate([[-1], parent]))
    counts = tree.fill(np.array([[0], *([int(row.households)] for row in rows)], dtype=np.int64))
    state = suppress(counts, tree, Tree.of([-1])).state[:, 0]
    units = bulk.packed_ints(session, query("households", "units"), {}, 5)
    leaves = _leaves(units)
    finest = np.array(
        [k for k, number in enumerate(units[:, 0].tolist()) if leaves.get(number, [k]) == [k]], dtype=np.int64
    )
    renumbered = dict(zip(finest.tolist(), range(len(finest)), strict=True))
    leaves = {number: [renumbered[k] for k in found] for number, found in leaves.items()}
    units = units[finest]
    node = np.array([at[number] + 1 for number in units[:, 1].tolist()], dtype=np.int64)
    living = units[:, 4] > 0
    regions = []
    level = node
    while len(level):
        regions.append(Division.of(np.where(living, level, -1), state.astype(np.uint8), region=True))
        if not level.any():
            break
        level = np.maximum(tree.parent[level], 0)
    shown = _marks(state, counts[:, 0])[1:]
    return _Ground(
        units[:, 0], node - 1, units[:, 2], leaves, np.array([row.id for row in rows], dtype=np.int64),
        [row.code for row in rows], shown, regions
    )  # fmt: skip


def _leaves(units: Ints) -> dict[int, list[int]]:
    """Rows of the finest pieces of each unit (by id); a unit whose pieces do not add up to it stays whole."""
    row = {number: k for k, number in enumerate(units[:, 0].tolist())}
    pieces: dict[int, list[int]] = {}
    for number, mother in units[:, [0, 3]].tolist():
        if mother in row:
            pieces.setdefault(mother, []).append(number)
    out: dict[int, list[int]] = {}

    def of(number: int) -> list[int]:
        found = [leaf for piece in pieces.get(number, ()) for leaf in of(piece)]
        whole = sum(int(units[k, 2]) for k in found) == int(units[row[number], 2])
        return found if found and whole else [row[number]]

    for number in row:
        out[number] = of(number)
    return out


class _Cells:
    """The grids of a plan, and what lies in none of a community, as cells of the ground."""

    def __init__(self, session: Session, ground: _Ground, plan_id: int, grids: list[Any]) -> None:
        self.plan_id = plan_id
        self.micro = [grid.id for grid in grids if grid.parent_id is not None]
        self.grids = [grid for grid in grids if grid.parent_id is None]
        held = bulk.packed_ints(session, query("households", "cells"), {"plan": plan_id}, 2).tolist()
        at = {grid.id: k for k, grid in enumerate(self.grids)}
        outside: dict[int, int] = {}
        self.cell = np.full(len(ground.id), -1)
        for unit, grid in held:
            for leaf in ground.leaves.get(unit, ()):
                home = int(ground.community[leaf])
                self.cell[leaf] = at[grid] if grid else outside.setdefault(home, len(at) + len(outside))
        self.outside = [ground.region_code[home] for home in outside]
        inside = self.cell >= 0
        self.value = np.bincount(
            self.cell[inside], ground.households[inside], len(self.grids) + len(self.outside)
        ).astype(np.int64)

    @property
    def keys(self) -> list[tuple[int, int | str]]:
        return [(self.plan_id, key) for key in [*(grid.id for grid in self.grids), *self.outside]]

    def division(self, ground: _Ground, told: Told, price: float) -> Division:
        """With what was told before: a number stays told, what was withheld stays so, the rest is free.

        Where a count of a community changed its other numbers are free too: they may have changed as well, and a grid
        that has become small needs partners.
        """
        from geodata.privacy import suppress
        from geodata.privacy.divisions import FREE, Division

        before = np.array([told.get(key, UNDECIDED) for key in self.keys], dtype=np.int64)
        state = np.full(len(before), FREE, dtype=np.uint8)
        inside = self.cell >= 0
        moved = np.zeros(len(ground.region_id), dtype=bool)
        changed = (before >= 0) & (before != self.value)
        moved[ground.community[inside][changed[self.cell[inside]]]] = True
        loose = np.zeros(len(before), dtype=bool)
        loose[self.cell[inside][moved[ground.community[inside]]]] = True
        state[(before == self.value) & ~loose] = suppress.EXACT
        state[before == SMALL] = suppress.SMALL
        state[before == WITHHELD] = suppress.WITHHELD
        free = Division.of(self.cell, state, price=price)
        for k, grid in enumerate(self.grids):
            free.low[k] = 0 if grid.low is None else grid.low
            if grid.high is not None:
                free.high[k] = grid.high
        return free

    def shown(self, state: States) -> Told:
        marks = dict(zip(self.keys, _marks(state, self.value).tolist(), strict=True))
        return marks | {(self.plan_id, grid): WITHHELD for grid in self.micro}


def _marks(state: States, value: Ints) -> Ints:
    return np.where(state == 0, value, np.where(state == 1, SMALL, WITHHELD))


def _told_of_regions(session: Session) -> dict[int, int]:
    return {row.region_id: row.shown for row in session.execute(query("households", "told_of_regions"))}


def _write(session: Session, told: Told, called: Mapping[int, tuple[str, str]], regions: Mapping[int, int]) -> None:
    session.execute(query("households", "forget"), {"plans": sorted({plan for plan, _ in told})})
    session.execute(query("households", "forget_regions"))
    rows: list[tuple[int, int, str, str, str, int | None, int]] = []
    for place, ((plan, key), shown) in enumerate(told.items()):
        if isinstance(key, str):
            rows.append((plan, place, OUTSIDE, key, key, None, shown))
        else:
            rows.append((plan, place, "grid", called[key][1], called[key][0], key, shown))
    names = ("plan_id", "place", "level", "code", "region_code", "grid_id", "shown")
    if rows:
        bulk.copy(session, "household_place", dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
    bulk.copy(session, "household_region", {"region_id": list(regions), "shown": list(regions.values())})
