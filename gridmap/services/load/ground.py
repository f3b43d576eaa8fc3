"""Two plans over the same ground as columns: which grid became which, with the cases of each. No polygon is read."""

from __future__ import annotations

from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from geodata.comparison import flows
from gridmap.db import bulk
from gridmap.db.models import Plan
from gridmap.services.actor import Actor
from gridmap.services.cases.filters import CaseFilter
from gridmap.services.cases.grids import GridTable, Units, count_by_grid, units
from gridmap.services.compare.ground import common
from gridmap.services.compare.load import Half
from gridmap.services.load.rows import Bools, Ints, Rows, Sides
from gridmap.sql import query

_NAMED = ("code", "name", "kind", "workers")


class Seen:
    """The part of a plan that is seen: its grids in order of code, and its units with the row of their grid."""

    def __init__(
        self, session: Session, actor: Actor, plan: Plan, prefixes: tuple[str, ...], wanted: CaseFilter
    ) -> None:
        table, cases = count_by_grid(session, actor, plan.id, wanted)
        ground = units(session)
        at = ground.at(table.unit)
        mine = _homes(session, ground, prefixes)[at]
        held = np.zeros(len(table.id) + 1, dtype=bool)
        held[table.grid_of[mine]] = True
        seen = held[:-1] | _within(table, prefixes)
        order = table.by_code[seen[table.by_code]]
        row = np.full(len(table.id) + 1, -1, dtype=np.int64)
        row[order] = np.arange(len(order))
        self.grid, self.at, self.unit = row[table.grid_of[mine]], at[mine], table.unit[mine]
        self.plan, self.ground = plan, ground
        inside = self.grid >= 0
        homes = np.bincount(self.grid[inside], ground.households[self.at[inside]], len(order)).astype(np.int64)
        self.named = {name: getattr(table, name)[order] for name in (*_NAMED, "region_code", "region_name")}
        workers = bulk.ints(self.named["workers"])
        self.sides = Sides(table.id[order], self.named["code"], self.named["name"], homes, workers, cases[order])

    def half(self) -> Half:
        """As a comparison takes it, for which ground both plans have in common."""
        of, at = self.ground, self.at
        grids = {"id": self.sides.id.astype(object)}
        people, living = np.zeros(len(at), dtype=np.int64), np.ones(len(at), dtype=np.int64)
        columns: dict[str, Any] = {"unit": self.unit, "region": of.region[at], "households": of.households[at]}
        return Half(
            self.plan, **columns, population=people, area_m2=of.area_m2[at], grid=self.grid, living=living,
            grids=grids, cases=None, errors=None, warnings=None,
        )  # fmt: skip


def alone(seen: Seen) -> Rows:
    """The grids of one plan."""
    n = len(seen.sides)
    same = np.full(n, "same", dtype=object)
    nothing = Sides.of(())
    homes = seen.named["region_code"], seen.named["region_name"]
    return Rows(same, *homes, nothing, seen.sides, np.full(n, -1, dtype=np.int64), np.arange(n))


def paired(session: Session, a: Seen, b: Seen) -> Rows:
    """A row for each pair, each new and each gone grid, in order of the code after, else before."""
    found = flows(common(session, a.half(), b.half()).pieces, a.sides.code.tolist(), b.sides.code.tolist())
    gone = np.flatnonzero(found.became < 0)
    was = np.concatenate([found.was, gone])
    now = np.concatenate([np.arange(len(b.sides)), np.full(len(gone), -1, dtype=np.int64)])
    both = (was >= 0) & (now >= 0)
    ground = np.append(found.left_n, 0)[was] + np.append(found.came_n, 0)[now] > 0
    alike = np.zeros(len(was), dtype=bool)
    alike[both] = _alike(a, was[both], b, now[both])
    change = np.select([now < 0, was < 0, ground, alike], ["gone", "new", "changed", "same"], "renamed").astype(object)

    def told(name: str) -> bulk.Objects:
        return np.concatenate([b.named[name], a.named[name][gone]])

    order = np.lexsort((now < 0, told("code").astype(str)))
    rows = Rows(change, told("region_code"), told("region_name"), a.sides, b.sides, was, now)
    return rows.taken(order)


def _alike(a: Seen, was: Ints, b: Seen, now: Ints) -> Bools:
    """Which pairs are called the same, of one kind, with as many workers."""
    same = np.ones(len(was), dtype=bool)
    for name in _NAMED:
        before, after = a.named[name][was], b.named[name][now]
        if name == "name":  # an empty name is none
            before, after = np.where(before == "", None, before), np.where(after == "", None, after)
        same &= before == after
    return same


def _homes(session: Session, ground: Units, prefixes: tuple[str, ...]) -> Bools:
    """Which units lie below one of ``prefixes``."""
    if "" in prefixes:
        return np.ones(len(ground.id), dtype=bool)
    rows = session.execute(query("coverage", "places"))
    return np.isin(ground.region, [row.id for row in rows if row.code.startswith(prefixes)])


def _within(table: GridTable, prefixes: tuple[str, ...]) -> Bools:
    return np.array([(code or "").startswith(prefixes) for code in table.region_code], dtype=bool)
