"""Drafts for tests of operations: copies of the plan in force, and what a test looks up in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import shapely
import sqlalchemy as sa

from gridmap.db import bulk
from gridmap.db.engine import transaction
from gridmap.db.models import Grid, Plan, PlanOperation
from gridmap.services import operations as ops
from gridmap.services import plans, redraw, workflow
from gridmap.services.actor import SYSTEM, Actor
from gridmap.sql import query

_COPY = """
INSERT INTO plan (name, region_id, profile_name, profile, base_plan_id, checked_version)
SELECT '副本', region_id, profile_name, profile, id, CASE WHEN :checked THEN 1 END FROM plan WHERE id = :base
RETURNING id
"""

_STATUS = """
UPDATE grid g SET status = o.status
FROM grid o, unnest(CAST(:ids AS bigint[]), CAST(:old AS bigint[])) AS m(id, old)
WHERE g.id = m.id AND o.id = m.old
"""
_UNITS = """
SELECT p.unit_id, p.grid_id, u.households, u.population, u.area_m2, ST_AsBinary(u.geom) AS geom,
       coalesce(u.cut_of, 0) AS cut_of
FROM plan_unit p JOIN unit u ON u.id = p.unit_id
WHERE p.plan_id = :plan
"""
_GROUND = """
SELECT sum(area_m2) FROM unit WHERE retired_at IS NULL AND region_id IN
    (SELECT u.region_id FROM plan_unit p JOIN unit u ON u.id = p.unit_id WHERE p.plan_id = :plan)
"""


def copy_of_plan(*, checked: bool = True) -> Draft:
    """A draft that is a copy of the plan in force."""
    with transaction() as session:
        base = session.scalar(sa.select(Plan.id).where(Plan.state == "published"))
        plan_id = session.scalar(sa.text(_COPY), {"base": base, "checked": checked})
        old = session.scalars(sa.select(Grid.id).where(Grid.plan_id == base).order_by(Grid.id)).all()
        ids = bulk.reserve_ids(session, Grid, len(old)).tolist()
        keys = {"base": base, "plan": plan_id, "ids": ids, "old": list(old), "scope": "", "units": [], "grids": []}
        session.execute(query("redraw", "copy_grids"), keys)
        session.execute(query("redraw", "copy_units"), keys)
        if checked:
            session.execute(sa.text(_STATUS), {"ids": ids, "old": list(old)})
        session.add(PlanOperation(plan_id=plan_id, version=1, kind="create", detail={"by": "test"}))
        return Draft(int(plan_id))


def redrawn(actor: Actor, plan_id: int, name: str = "") -> int:
    """A draft of the same ground in which no avoidable error is left.

    The engine is given a time by the clock: where others keep the machine busy the first is too short to get there.
    """
    for seconds in (2.0, 8.0, 32.0):
        wish = redraw.Wish(seconds=seconds, weights=redraw.preset("balanced"), name=name)
        made = int(redraw.propose(actor, plan_id, wish)["plan_id"])
        left = [one.rule for one in workflow.stand(actor, made).errors if one.open]
        if not left:
            return made
        plans.delete(actor, made)
    raise AssertionError(f"errors that the engine neither mends nor proves to be unavoidable: {left}")


@dataclass
class Draft:
    """A plan, as one browser tab (``client``) works on it: ``base`` is the version it last heard of."""

    id: int
    actor: Actor = SYSTEM

    def __post_init__(self) -> None:
        self.client = uuid4()
        self.base = 1

    def tab(self, actor: Actor | None = None) -> Draft:
        """Another tab on the same plan, with the same knowledge."""
        other = Draft(self.id, actor or self.actor)
        other.base = self.base
        return other

    def send(self, *operations: ops.Sent) -> ops.Answer:
        answer = ops.apply(self.actor, self.id, self.base, self.client, operations)
        self.base = answer.version
        return answer

    def move(self, units: list[int], to: int | None, tool: str = "paint") -> ops.Answer:
        return self.send(ops.Sent(uuid4(), tool, (ops.Move(to, units),)))

    def change(self, *changes: ops.Change, moves: tuple[ops.Move, ...] = (), tool: str = "kind") -> ops.Answer:
        return self.send(ops.Sent(uuid4(), tool, moves, changes))

    def undo(self, version: int) -> ops.Answer:
        return self.send(ops.Sent(uuid4(), "undo", undoes=version))

    def cut(self, unit: int, key: UUID | None = None, line: Any = None) -> Any:
        line = across(unit) if line is None else line
        answer = ops.cut(self.actor, self.id, self.base, self.client, key or uuid4(), unit, line)
        self.base = answer.version
        return answer

    def units(self) -> dict[int, int | None]:
        """unit -> grid."""
        with transaction() as session:
            rows = session.execute(
                sa.text("SELECT unit_id, grid_id FROM plan_unit WHERE plan_id = :plan ORDER BY unit_id"),
                {"plan": self.id},
            )
            return dict(rows.all())  # type: ignore[arg-type]

    def grids(self) -> dict[int, dict[str, Any]]:
        """id -> row."""
        with transaction() as session:
            rows = session.execute(sa.text("SELECT * FROM grid WHERE plan_id = :plan ORDER BY code"), {"plan": self.id})
            return {row["id"]: dict(row) for row in rows.mappings()}

    def neighbours(self, least: int = 2) -> tuple[int, int, list[int], list[int]]:
        """Two grids of one community with their units, ``least`` each or more."""
        held: dict[tuple[int, int], list[int]] = {}
        homes = region_of_units()
        for unit, grid in self.units().items():
            if grid is not None:
                held.setdefault((homes[unit], grid), []).append(unit)
        big = [(region, grid) for (region, grid), units in sorted(held.items()) if len(units) >= least]
        for region, first in big:
            for other, second in big:
                if region == other and first != second:
                    return first, second, held[region, first], held[region, second]
        raise AssertionError("no two grids")

    def free_code(self, grid: int, ahead: int = 0) -> str:
        """A code of the community of a grid that nobody has."""
        code = self.grids()[grid]["code"]
        taken = {row["code"] for row in self.grids().values()}
        free = [f"{code[:12]}{n:03d}" for n in range(500, 999) if f"{code[:12]}{n:03d}" not in taken]
        return free[ahead]

    def make(self, near: int, units: list[int] | tuple[int, ...] = (), **fields: Any) -> tuple[int, ops.Answer]:
        """A new grid with the next code of the community of ``near``; its id."""
        grid = reserved()
        values = {"code": self.free_code(near)} | fields
        moves = (ops.Move(grid, list(units)),) if units else ()
        return grid, self.change(ops.Change(grid, values, new=True), moves=moves, tool="new")

    def require_whole(self) -> None:
        """Counts, sums and ground of every grid are those of its units; every unit is there once; the chain holds."""
        with transaction() as session:
            rows = bulk.columns(session, sa.text(_UNITS), {"plan": self.id})
            chosen = sa.text("SELECT *, ST_AsBinary(geom) AS wkb FROM grid WHERE plan_id = :plan")
            shown = session.execute(chosen, {"plan": self.id}).mappings().all()
            ground = float(session.scalar(sa.text(_GROUND), {"plan": self.id}) or 0)
            people = session.scalar(sa.text("SELECT sum(households) FROM unit WHERE retired_at IS NULL"))
        assert abs(rows["area_m2"].sum() - ground) < 0.1, "the plan's units tile its ground"
        assert rows["households"].sum() == people, "grids and unassigned together are all households"
        assert not set(rows["cut_of"]) & set(rows["unit_id"]), "a unit or its pieces, never both"
        shapes = bulk.shapes(rows["geom"])
        homes = bulk.ints(rows["grid_id"])
        parent = {row["id"]: row["parent_id"] for row in shown}
        for row in shown:
            family = [row["id"], *(g for g, above in parent.items() if above == row["id"])]
            mine = np.isin(homes, family)
            assert (row["units"], row["households"], row["population"]) == (
                mine.sum(), rows["households"][mine].sum(), rows["population"][mine].sum()
            )  # fmt: skip
            if not mine.any():
                assert row["wkb"] is None
                continue
            shape, union = shapely.from_wkb(row["wkb"]), shapely.union_all(shapes[mine])
            assert shapely.is_valid(shape)
            assert abs(shapely.area(shape) - shapely.area(shapes[mine]).sum()) < 1e-9 * shapely.area(shape)
            if rows["cut_of"][mine].any():
                assert shapely.area(shapely.symmetric_difference(shape, union)) < 1e-9 * shapely.area(shape)
            else:
                assert shapely.equals(shape, union)
        assert ops.verify(SYSTEM, self.id).intact


def reserved() -> int:
    """The id of a grid to come."""
    with transaction() as session:
        return int(bulk.reserve_ids(session, Grid, 1)[0])


def region_of_units() -> dict[int, int]:
    with transaction() as session:
        return dict(session.execute(sa.text("SELECT id, region_id FROM unit")).all())  # type: ignore[arg-type]


def across(unit: int, share: float = 0.5) -> list[tuple[float, float]]:
    """A straight line from south to north through a unit, at a share of its width."""
    with transaction() as session:
        wkb = session.scalar(sa.text("SELECT ST_AsBinary(geom) FROM unit WHERE id = :unit"), {"unit": unit})
    west, south, east, north = shapely.bounds(shapely.from_wkb(wkb)).tolist()
    lon = west + share * (east - west)
    return [(lon, south - 1e-4), (lon, north + 1e-4)]


def convex(units: list[int]) -> int:
    """Of some units the one that a straight line is surest to cut in two, one with households if there is any."""
    with transaction() as session:
        chosen = sa.text("SELECT id, households > 1, ST_AsBinary(geom) FROM unit WHERE id = ANY(:units)")
        rows = session.execute(chosen, {"units": units}).all()

    def roundness(wkb: bytes) -> float:
        shape = shapely.from_wkb(wkb)
        return float(shapely.area(shape) / shapely.area(shapely.convex_hull(shape)))

    return max((lived_in, roundness(wkb), unit) for unit, lived_in, wkb in rows)[2]
