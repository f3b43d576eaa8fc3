"""Whatever two tabs do to a plan, at once and from stale knowledge: nothing is lost, nothing counted twice.

A driver draws operations of every kind, undo, redo and cuts, from two tabs. A plain dictionary is the oracle: it says
what an operation does, and what an undo must bring back. After every step the plan is compared with it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from geodata.errors import CodedError
from gridmap.db.engine import transaction
from gridmap.db.models import Plan, PlanOperation
from gridmap.errors import Conflict
from gridmap.services import operations as ops
from gridmap.services import plans
from gridmap.services.actor import SYSTEM
from tests.drafts import Draft, across, copy_of_plan, region_of_units, reserved

pytestmark = pytest.mark.usefixtures("shared_demo_url")

STEPS = 45
#: What may stand in the way of an operation that the driver drew without looking.
REFUSALS = {"CUT_MISSES", "CUT_PIECES", "CUT_SLIVER", "CUT_LOCKED", "PLAN_CHANGED", "OPERATION_DEPENDED_ON"} | {
    f"OPERATION_{name}" for name in ("LOCKED", "EMPTY", "HAS_MICRO", "COMMUNITY", "PARENT", "CODE_MICRO")
}
KINDS = ["paint"] * 6 + ["undo"] * 5 + ["cut", "redo"] * 2
KINDS += ["erase", "new", "split", "merge", "delete", "rename", "recode", "kind", "lock", "unlock", "micro"]
ATTRS = ("code", "name", "kind", "workers", "locked", "parent_id")


@dataclass
class Oracle:
    """The plan in plain Python: unit -> grid, grid -> attributes, and both as they were at every version."""

    units: dict[int, int | None]
    grids: dict[int, dict[str, Any]]
    past: dict[int, tuple[dict[int, int | None], dict[int, dict[str, Any]]]] = field(default_factory=dict)

    def keep(self, version: int) -> None:
        self.past[version] = (dict(self.units), deepcopy(self.grids))

    def change(self, sent: ops.Sent) -> None:
        for change in sent.grids:
            if change.new:
                blank = {"name": None, "kind": "basic", "workers": None, "locked": False, "parent_id": None}
                self.grids[change.id] = blank | dict(change.fields)
            elif not change.gone:
                self.grids[change.id] |= change.fields
                if self.grids[change.id]["kind"] != "micro":
                    self.grids[change.id]["parent_id"] = None
        for move in sent.moves:
            for unit in move.units:
                self.units[unit] = move.to
        for change in sent.grids:
            if change.gone:
                self.units |= {unit: None for unit, grid in self.units.items() if grid == change.id}
                del self.grids[change.id]

    def take_back(self, version: int) -> None:
        """Bring back what ``version`` changed: the difference between it and the version before it."""
        (units, grids), (units_then, grids_then) = self.past[version - 1], self.past[version]
        for unit in units.keys() | units_then.keys():
            if units.get(unit, -1) != units_then.get(unit, -1):
                if unit in units:
                    self.units[unit] = units[unit]
                else:
                    del self.units[unit]
        for grid in grids.keys() | grids_then.keys():
            was, then = grids.get(grid), grids_then.get(grid)
            if was is None or then is None:
                if was is None:
                    del self.grids[grid]
                else:
                    self.grids[grid] = dict(was)
            elif was != then:
                self.grids[grid] |= {name: was[name] for name in was if was[name] != then[name]}


class Driver:
    """Two tabs on one plan, drawing operations at random."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.first = copy_of_plan()
        self.tabs = [self.first, self.first.tab()]
        self.homes = region_of_units()
        self.oracle = Oracle(self.first.units(), self.attributes())
        self.oracle.keep(1)
        self.replay_from = (dict(self.oracle.units), deepcopy(self.oracle.grids))
        self.done = {"sent": 0, "refused": 0}
        self.kinds: set[str] = set()

    def attributes(self) -> dict[int, dict[str, Any]]:
        return {grid: {name: row[name] for name in ATTRS} for grid, row in self.first.grids().items()}

    def units_of(self, grid: int | None) -> list[int]:
        return [unit for unit, home in self.oracle.units.items() if home == grid]

    def some(self, values: list[Any], most: int) -> list[Any]:
        return self.rng.sample(values, min(len(values), self.rng.randint(1, most))) if values else []

    def draw(self) -> tuple[str, Any]:
        """The next step: what it is called, and what is sent."""
        rng, grids = self.rng, self.oracle.grids
        grid = rng.choice(sorted(grids))
        kind = rng.choice(KINDS)
        unit = rng.choice(sorted(self.oracle.units))
        near = [u for u in self.oracle.units if self.homes[u] == self.homes[unit]]
        units = self.some(near, 4)
        homes = [self.oracle.units[u] for u in near if self.oracle.units[u] is not None]
        to = rng.choice(homes) if homes else grid
        code = f"{grids[grid]['code'][:12]}{rng.randint(300, 999):03d}"
        fresh = all(row["code"] != code for row in grids.values())
        new = ops.Change(reserved(), {"code": code}, new=True)
        if kind == "paint":
            return kind, ops.Sent(uuid4(), kind, (ops.Move(to, units),))
        if kind == "erase":
            return kind, ops.Sent(uuid4(), kind, (ops.Move(None, units),))
        if kind in ("new", "split") and fresh:
            return kind, ops.Sent(uuid4(), kind, (ops.Move(new.id, units),) if kind == "split" else (), (new,))
        if kind == "merge" and to != grid:
            return kind, ops.Sent(uuid4(), kind, (ops.Move(to, self.units_of(grid)),), (ops.Change(grid, gone=True),))
        if kind == "delete":
            return kind, ops.Sent(uuid4(), kind, (), (ops.Change(grid, gone=True),))
        if kind == "micro" and self.units_of(to):
            code = f"{grids[to]['code']}{rng.randint(10, 99)}"
            small = ops.Change(new.id, {"code": code, "kind": "micro", "parent_id": to}, new=True)
            if all(row["code"] != small.fields["code"] for row in grids.values()):
                return kind, ops.Sent(uuid4(), "new", (ops.Move(new.id, self.some(self.units_of(to), 2)),), (small,))
        if kind in ("undo", "redo") and max(self.oracle.past) > 1:
            return kind, rng.choice(sorted(self.oracle.past)[1:])
        if kind == "cut":
            return kind, unit
        fields: dict[str, dict[str, Any]] = {
            "rename": {"name": f"名{rng.randint(0, 9)}"},
            "recode": {"code": code if fresh and grids[grid]["kind"] != "micro" else grids[grid]["code"]},
            "kind": {"kind": rng.choice(["basic", "special"]), "workers": rng.randint(0, 5)},
            "lock": {"locked": True},
            "unlock": {"locked": False},
        }
        locked = [g for g, row in grids.items() if row["locked"]]
        if kind == "unlock" and locked:
            grid = rng.choice(locked)
        if kind not in fields or (kind == "kind" and grids[grid]["kind"] == "micro"):
            kind = "rename"
        return kind, ops.Sent(uuid4(), "kind", (), (ops.Change(grid, fields[kind]),))

    def step(self) -> None:
        """One operation from one tab, that may not have heard of the other's; checked against the oracle."""
        tab = self.rng.choice(self.tabs)
        kind, sent = self.draw()
        before = (self.first.units(), self.first.grids()) if self.rng.random() < 0.1 else None
        try:
            answer = self._send(tab, kind, sent)
        except CodedError as refused:
            assert refused.code in REFUSALS, (kind, refused.code, refused.params)
            self.done["refused"] += 1
            if before is not None:
                assert (self.first.units(), self.first.grids()) == before
            if isinstance(refused, Conflict) and refused.code == "PLAN_CHANGED":
                assert refused.params["version"] > tab.base and refused.params["since"]
                tab.base = refused.params["version"]
            return
        self.done["sent"] += 1
        self.kinds.add(kind)
        self._apply(kind, sent, answer)
        self.oracle.keep(answer.version)
        self._compare(answer)

    def _send(self, tab: Draft, kind: str, sent: Any) -> ops.Answer:
        if kind in ("undo", "redo"):
            return tab.undo(sent)
        if kind == "cut":
            return tab.cut(sent, line=across(sent, self.rng.uniform(0.3, 0.7)))
        return tab.send(sent)

    def _apply(self, kind: str, sent: Any, answer: ops.Answer) -> None:
        if kind in ("undo", "redo"):
            self.oracle.take_back(sent)
        elif kind == "cut":
            grid = self.oracle.units.pop(sent)
            for piece in answer.saved[-1].cut["pieces"]:
                self.oracle.units[piece] = grid
                self.homes[piece] = self.homes[sent]
        else:
            self.oracle.change(sent)

    def _compare(self, answer: ops.Answer) -> None:
        assert self.first.units() == self.oracle.units
        assert self.attributes() == self.oracle.grids
        now = self.first.grids()
        for grid in answer.grids:
            assert {name: now[grid["id"]][name] for name in grid} == grid
        assert answer.totals["unassigned_units"] == sum(home is None for home in self.oracle.units.values())

    def replay(self) -> tuple[dict[int, int | None], dict[int, dict[str, Any]]]:
        """The log from the start, as anybody could replay it."""
        units, grids = self.replay_from
        with transaction() as session:
            chosen = sa.select(PlanOperation.detail).where(PlanOperation.plan_id == self.first.id)
            details = session.scalars(chosen.order_by(PlanOperation.version)).all()[1:]
        for detail in details:
            for move in detail["moves"]:
                for unit in move["units"]:
                    assert units[unit] == move["from"]
                    units[unit] = move["to"]
            for one in detail["grids"]:
                if one["after"] is None:
                    del grids[one["id"]]
                else:
                    grids[one["id"]] = {name: one["after"][name] for name in ATTRS}
            if cut := detail["cut"]:
                gone, come = [cut["unit"]], cut["pieces"]
                for unit in come if cut["joined"] else gone:
                    assert units.pop(unit) == cut["grid"]
                units |= dict.fromkeys(gone if cut["joined"] else come, cut["grid"])
        return units, grids


@pytest.fixture
def drivers(shared_demo_url: str) -> Iterator[list[Driver]]:
    made: list[Driver] = []
    yield made
    for driver in made:
        plans.delete(SYSTEM, driver.first.id)


@pytest.mark.parametrize("seed", range(6))
def test_two_tabs_do_whatever_they_like(drivers: list[Driver], seed: int) -> None:
    driver = Driver(seed)
    drivers.append(driver)
    for number in range(STEPS):
        driver.step()
        if number % 9 == 8:
            driver.first.require_whole()
    driver.first.require_whole()
    assert driver.replay() == (driver.oracle.units, driver.oracle.grids)
    assert driver.done["sent"] > STEPS / 4 and len(driver.kinds) > 5, (driver.done, driver.kinds)
    assert ops.verify(SYSTEM, driver.first.id).operations == driver.done["sent"] + 1


def test_everything_can_be_undone_to_the_start_and_redone_to_the_end(drivers: list[Driver]) -> None:
    driver = Driver(99)
    drivers.append(driver)
    start = (driver.first.units(), driver.attributes())
    for _ in range(30):
        driver.step()
    end, last = (driver.first.units(), driver.attributes()), driver.first
    with transaction() as session:
        top = session.get_one(Plan, last.id).version
    last.base = top
    undos = [last.undo(version).version for version in range(top, 1, -1)]
    assert (last.units(), driver.attributes()) == start
    last.require_whole()
    for version in reversed(undos):
        last.undo(version)
    assert (last.units(), driver.attributes()) == end
    last.require_whole()


def test_a_queue_sent_twice_after_a_lost_answer_counts_once(drivers: list[Driver]) -> None:
    driver = Driver(7)
    drivers.append(driver)
    draft = driver.first
    _, second, mine, _ = draft.neighbours()
    keys: list[UUID] = [uuid4() for _ in range(3)]
    queue = [ops.Sent(key, "paint", (ops.Move(to, mine[:1]),)) for key, to in zip(keys, (second, None), strict=False)]
    draft.send(*queue)
    draft.base = 1
    answer = draft.send(*queue, ops.Sent(keys[2], "undo", undoes_key=keys[1]))
    assert [entry.version for entry in answer.saved] == [2, 3, 4]
    assert draft.units()[mine[0]] == second
    draft.require_whole()
