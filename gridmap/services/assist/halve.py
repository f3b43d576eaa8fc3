"""One grid into two: such as fit best, or as a drawn line parts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy.orm import Session

from geodata.redraw.model import Bools, Ints
from gridmap.db import bulk
from gridmap.db.engine import service
from gridmap.errors import Conflict, Invalid
from gridmap.services.actor import Actor, Role
from gridmap.services.assist.at import around
from gridmap.services.assist.suggest import Names, Suggestion, suggest
from gridmap.services.redraw.ground import Ground
from gridmap.sql import query


@dataclass(frozen=True, slots=True)
class Halves:
    """Unit ids of the part that stays in the grid and of the one for a new grid; ``exact``: proved the best two."""

    parts: tuple[tuple[int, ...], tuple[int, ...]]
    suggestion: Suggestion
    exact: bool


def halve(
    actor: Actor, plan_id: int, version: int, grid_id: int, line: Sequence[tuple[float, float]] | None = None
) -> Halves:
    """Part a grid in two; ``line`` (lon, lat) goes on straight at both ends, and units go by a point inside them.

    Raises as :func:`gridmap.services.assist.at.around`, ``Conflict`` ASSIST_CLOSED, ``Invalid`` ASSIST_LINE_MISSES,
    ``GeodataError`` REDRAW_HALVE_*.
    """
    from geodata.redraw.parting import part_in_two

    ground, grid = around(actor, plan_id, version, grid_id)
    instance = ground.instance
    if grid in instance.closed:
        raise Conflict("ASSIST_CLOSED", code_=Names(ground, instance.start, actor.locale).code(grid))
    if line is None:
        parted = part_in_two(instance, instance.start, grid)
        leaves, exact = parted.leaves, parted.exact
    else:
        leaves, exact = _by_line(actor, ground, grid, line), False
    plan = instance.start.copy()
    plan[leaves] = len(ground.grid_ids)
    stays = np.flatnonzero(plan == grid)
    ids = ground.unit_ids
    parts = (tuple(ids[stays].tolist()), tuple(ids[leaves].tolist()))
    return Halves(parts, suggest(ground, plan, actor.locale), exact)


def _by_line(actor: Actor, ground: Ground, grid: int, line: Sequence[tuple[float, float]]) -> Ints:
    """The units on the side of ``line`` with fewer households."""
    units = np.flatnonzero(ground.instance.start == grid)
    side = _side(actor, ground.unit_ids[units].tolist(), line)
    if side.all() or not side.any():
        raise Invalid("ASSIST_LINE_MISSES")
    households = ground.instance.units.households[units]
    if households[side].sum() > households[~side].sum():
        side = ~side
    return np.asarray(units[side], dtype=np.int64)


@service
def _side(session: Session, actor: Actor, units: list[int], line: Sequence[tuple[float, float]]) -> Bools:
    """Which of ``units`` (ids) lie on one side of ``line``."""
    from geodata.redraw.parting import beside_line

    actor.require(Role.PLANNER)
    table = bulk.columns(session, query("assist", "inside"), {"units": units})
    order = np.argsort(table["id"].astype(np.int64))
    lonlat = np.stack([table["lon"], table["lat"]], axis=1).astype(np.float64)[order]
    side = np.zeros(len(units), dtype=bool)
    side[np.argsort(units)] = beside_line(lonlat, np.array(line, dtype=np.float64))
    return side
