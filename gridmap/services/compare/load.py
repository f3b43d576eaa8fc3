"""One plan of two as arrays: units with the row of their grid, grids with what a table shows of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from geodata import standards
from geodata.comparison import Floats, Ints
from gridmap.db import bulk
from gridmap.db.models import Plan
from gridmap.services.sensitive import sensitive
from gridmap.sql import query


@dataclass(frozen=True, slots=True)
class Half:
    """A plan inside the scope: units (n,) in order of id, ``grid`` their row in ``grids`` or -1, area in m2.

    ``cases`` by grid; None where they are not the reader's to see.
    """

    plan: Plan
    unit: Ints
    region: Ints
    households: Ints
    population: Ints
    area_m2: Floats
    grid: Ints
    living: Ints
    grids: dict[str, bulk.Objects]
    cases: Ints | None
    errors: int | None
    warnings: int | None

    def sums(self, values: Any) -> Ints:
        """``values`` of the units summed by grid."""
        held = self.grid >= 0
        return np.bincount(self.grid[held], np.asarray(values)[held], len(self.grids["id"])).astype(np.int64)


def half(
    session: Session, plan: Plan, patterns: Sequence[str], since: datetime, until: datetime, *, cases: bool
) -> Half:
    """Read a plan where the region code fits one of ``patterns``, with the ``cases`` between two moments by grid."""
    key = {"plan": plan.id, "patterns": list(patterns)}
    table = bulk.packed(session, query("compare", "units"), key, 7)
    table = table[np.argsort(table[:, 0])]
    unit, region, households, population, _, grid_id, living = table.T.astype(np.int64)
    held = np.unique(grid_id[grid_id >= 0])
    grids = bulk.columns(session, query("compare", "grids"), {**key, "held": held.tolist()})
    ids = grids["id"].astype(np.int64)
    order = np.argsort(ids)
    row = order[np.searchsorted(ids[order], np.where(grid_id >= 0, grid_id, ids[:1].sum()))] if len(ids) else grid_id
    grid = np.where(grid_id >= 0, row, -1)
    found = session.execute(query("compare", "findings"), key).one()
    checked = plan.checked_version == plan.version
    made = Half(
        plan,
        unit,
        region,
        households,
        population,
        table[:, 4],
        grid,
        living,
        grids,
        None,
        found.errors if checked else None,
        found.warnings if checked else None,
    )
    grids["status"] = _statuses(made)
    return replace(made, cases=made.sums(_cases(session, made, since, until))) if cases else made


def _statuses(half: Half) -> bulk.Objects:
    """The status of each grid; where nobody checked it, by its households and the plan's standard."""
    profile = standards.from_dict(half.plan.profile)
    households = half.sums(half.households).tolist()
    found = half.grids["status"].copy()
    for k in np.flatnonzero(found == "unchecked"):
        kind = half.grids["kind"][k]
        bound = profile.bound({"special": "", "micro": "micro"}.get(kind, half.grids["settlement"][k] or ""))
        if bound is not None and bound.households_min is not None and bound.households_max is not None:
            n, low, high = households[k], bound.households_min, bound.households_max
            found[k] = "empty" if n == 0 else "under" if n < low else "over" if n > high else "within"
    return found


def _cases(session: Session, half: Half, since: datetime, until: datetime) -> Ints:
    """Cases of each unit: by the unit they lie in; those of cut and retired units by their point."""
    key: dict[str, Any] = {"plan": half.plan.id, "since": since, "until": until, "sensitive": sensitive()}
    cases = np.zeros(len(half.unit), np.int64)
    rows = session.execute(query("compare", "cases_by_unit"), key).all()
    if rows:
        ids, counts = np.array([tuple(row) for row in rows], dtype=np.int64).T
        at = np.minimum(np.searchsorted(half.unit, ids), max(len(half.unit) - 1, 0))
        mine = half.unit[at] == ids if len(half.unit) else np.zeros(len(ids), bool)
        cases[at[mine]] = counts[mine]
    away = np.flatnonzero(half.living == 0)
    if not len(away):
        return cases
    from geodata.crs import middle_lon, to_metric
    from geodata.locate import locate

    polygons = shapes(session, half.unit[away])
    points = bulk.packed(session, query("compare", "cases_elsewhere"), key | box(polygons), 2)
    if len(points):
        lon0 = middle_lon(polygons)
        at = locate(to_metric(points, lon0), to_metric(polygons, lon0))
        np.add.at(cases, away[at[at >= 0]], 1)
    return cases


def shapes(session: Session, units: Ints) -> bulk.Objects:
    """Polygons (lon/lat) of units by id, in the order given."""
    table = bulk.columns(session, query("compare", "shapes"), {"units": units.tolist()})
    return bulk.shapes(table["geom"])[np.searchsorted(table["id"].astype(np.int64), units)]


def box(polygons: bulk.Objects) -> dict[str, float]:
    """West, south, east, north of polygons, in degrees."""
    import shapely

    return dict(zip(("west", "south", "east", "north"), shapely.total_bounds(polygons).tolist(), strict=True))
