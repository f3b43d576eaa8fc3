"""Counts kept right by set-based sums: after a change only the units and grids it touches are counted again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from gridmap.db import bulk
from gridmap.db.models import Grid
from gridmap.services import pieces
from gridmap.services.placing import lock_units, place
from gridmap.services.versions import decide_households, raise_version, render_ahead
from gridmap.sql import query


def recount(session: Session, unit_ids: Sequence[int] | None = None) -> int:
    """Sum buildings into the living units ``unit_ids`` (None: all) and the pieces that plans cut them in, then these
    into every grid that holds them.

    Plans whose grids changed move on by one version, so their last check counts as out of date. Returns the number of
    grids counted again.
    """
    units = session.scalars(query("counts", "units"), {"units": None if unit_ids is None else list(unit_ids)}).all()
    if not units:
        return 0
    # plans before their grids, as a check locks them, and before looking where the units are: they may just move
    session.execute(query("counts", "lock_plans"), {"units": list(units)})
    family = [*units, *pieces.recount(session, units)]
    touched = session.scalars(query("counts", "touched_grids"), {"units": family}).all()
    grids = [grid for grid in touched if grid is not None]
    session.execute(query("counts", "raise_plans"), {"grids": grids})
    sum_grids(session, grids)
    raise_version(session, "units", "plans")
    render_ahead(session)
    decide_households(session)
    return len(grids)


def sum_grids(session: Session, grid_ids: Sequence[int]) -> None:
    """Sum units into the grids and set their status by the plan's own standard.

    Before its first check or operation a plan's grids are all "unchecked".
    """
    session.execute(query("counts", "grids"), {"grids": list(grid_ids)})


def sum_plan(session: Session, plan_id: int) -> None:
    """:func:`sum_grids` for all grids of a plan."""
    sum_grids(session, session.scalars(sa.select(Grid.id).where(Grid.plan_id == plan_id)).all())


def place_buildings(session: Session, batch_id: int | None = None, *, also: Sequence[int] = ()) -> int:
    """Give buildings without a unit (of one import batch, or all) the living unit they stand in, and recount those.

    ``also`` are units to be counted again with them. Returns the number of buildings placed.
    """
    units = _place(session, "building", batch_id)
    touched = np.union1d(units, np.asarray(also, dtype=np.int64))
    if len(touched):
        recount(session, touched.tolist())
    return len(units)


def place_cases(session: Session, batch_id: int | None = None) -> int:
    """Give cases without a unit (of one import batch, or all) the living unit they lie in; the number placed."""
    return len(_place(session, "case_record", batch_id))


def home_units(session: Session, lonlat: Any) -> tuple[bulk.Ids, bulk.Ids]:
    """The living unit (id) of each point (n, 2) by the half-open rule, and its community (id); -1 outside all."""
    from geodata.crs import middle_lon, to_metric
    from geodata.locate import locate

    none = np.full(len(lonlat), -1)
    if not len(lonlat):
        return none, none
    units = bulk.columns(session, query("counts", "living_units_within"), _box(lonlat))
    if not len(units["id"]):
        return none, none
    polygons = bulk.shapes(units["geom"])
    lon0 = middle_lon(polygons)
    at = locate(to_metric(lonlat, lon0), to_metric(polygons, lon0))
    unit_ids, region_ids = (np.append(units[name], -1).astype(np.int64) for name in ("id", "region_id"))
    return unit_ids[at], region_ids[at]


def _place(session: Session, table: str, batch_id: int | None) -> bulk.Ids:
    """The unit of each row that found one."""
    lock_units(session, shared=True)
    name = "unplaced_buildings" if table == "building" else "unplaced_cases"
    loose = bulk.columns(session, query("counts", name), {"batch": batch_id})
    units, regions = home_units(session, np.column_stack([loose["lon"], loose["lat"]]).astype(np.float64))
    inside = units >= 0
    if inside.any():
        place(session, table, loose["id"][inside], units[inside], regions[inside])
    return units[inside]


def _box(lonlat: Any) -> dict[str, float]:
    (west, south), (east, north) = lonlat.min(axis=0).tolist(), lonlat.max(axis=0).tolist()
    return {"west": west, "south": south, "east": east, "north": north}
