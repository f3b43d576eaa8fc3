"""Grids drawn elsewhere laid over units: the plan they make, and every place where they do not fit.

Each unit goes whole to the grid that holds the largest share of its households (of its area where it has none). What
the drawing says and the units cannot follow becomes a misfit with geometry and numbers, never a silent repair. Metric
coordinates; one layer of grids at a time (departments' layers that lie over each other are laid one by one).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from geodata.locate import locate_all
from geodata.misfit_search import Layer, Table, find_misfits, pieces
from geodata.misfits import Misfit, MisfitKind
from geodata.units.assign import shares
from geodata.units.model import NONE, Buildings, Floats, Geometries, Ints, geometries

__all__ = ["Misfit", "MisfitKind", "Overlay", "overlay_grids"]


@dataclass(frozen=True, slots=True)
class Overlay:
    """``assignment`` (units,) is the grid row of each unit, -1 unassigned; ``misfits`` in order of kind, then row."""

    assignment: Ints
    misfits: list[Misfit] = field(default_factory=list)


@np.errstate(divide="ignore", invalid="ignore")  # GEOS leaves stray floating-point flags
def overlay_grids(
    unit_geometry: Any,
    grid_geometry: Any,
    buildings: Buildings | None = None,
    building_unit: Any = (),
    *,
    tolerance_m2: float = 1.0,
    cut_share: float = 0.05,
) -> Overlay:
    """Lay ``grid_geometry`` over the units, a valid coverage; see the module for the rule.

    ``building_unit`` is the unit of each building. Misfits of less than ``tolerance_m2`` count as noise of drawing;
    a unit counts as cut where it has households in several grids, or more than ``cut_share`` of its ground. A unit that
    lies mostly in no grid stays unassigned.
    """
    buildings = Buildings.of() if buildings is None else buildings
    layer = _layer(geometries(unit_geometry), geometries(grid_geometry), buildings, building_unit, tolerance_m2)
    table = _unit_households(layer)
    assignment = _assign(layer, table)
    return Overlay(assignment, list(find_misfits(layer, table, assignment, cut_share)))


def _layer(
    units: Geometries, grids: Geometries, buildings: Buildings, building_unit: Any, tolerance_m2: float
) -> Layer:
    grids = _repaired(grids)
    unit, grid, area_m2 = shares(units, grids)
    real = area_m2 > 0
    home = np.asarray(building_unit, dtype=np.int64)
    where = _places(units, buildings.geometry, home)
    member, member_grid = locate_all(where, grids)
    ground = shapely.coverage_union_all(units)
    gaps = pieces(shapely.difference(ground, shapely.union_all(grids)), tolerance_m2)
    return Layer(
        units, grids, buildings, home, unit[real], grid[real], area_m2[real],
        where, member, member_grid, gaps, tolerance_m2,
    )  # fmt: skip


def _places(units: Geometries, buildings: Geometries, home: Ints) -> Floats:
    """A point of each building (n, 2), inside its unit where it has one."""
    points = shapely.point_on_surface(buildings)
    away = np.flatnonzero(home != NONE)
    away = away[~shapely.intersects(points[away], units[home[away]])]
    part = shapely.intersection(buildings[away], units[home[away]])
    points[away] = np.where(shapely.is_empty(part), points[away], shapely.point_on_surface(part))
    return np.column_stack([shapely.get_x(points), shapely.get_y(points)])


def _repaired(grids: Geometries) -> Geometries:
    grids = grids.copy()
    grids[shapely.is_missing(grids)] = shapely.Polygon()
    invalid = ~shapely.is_valid(grids)
    grids[invalid] = shapely.make_valid(grids[invalid])
    return grids


def _unit_households(layer: Layer) -> Table:
    households = layer.buildings.households.astype(np.float64)
    n, k = len(layer.units), len(layer.grids)
    home = layer.building_unit[layer.member]
    known = home != NONE
    keys, inverse = np.unique(home[known] * k + layer.member_grid[known], return_inverse=True)
    sums = np.bincount(inverse, households[layer.member[known]], len(keys)).astype(np.float64)
    loose = layer.building_unit != NONE
    loose[layer.member] = False
    nowhere = np.bincount(layer.building_unit[loose], households[loose], n).astype(np.float64)
    return Table(keys // max(k, 1), keys % max(k, 1), sums, nowhere)


def _assign(layer: Layer, table: Table) -> Ints:
    """The grid of each unit: most households, then most area, then the lower row; none where "no grid" has more."""
    n, k = len(layer.units), max(len(layer.grids), 1)
    uncovered = np.zeros(n)
    if len(layer.gaps):
        unit, _, area_m2 = shares(layer.units, layer.gaps)
        uncovered = np.bincount(unit, area_m2, n).astype(np.float64)
    area_keys = layer.unit * k + layer.grid
    keys = np.unique(np.concatenate([area_keys, table.unit * k + table.grid]))
    households, area_m2 = np.zeros(len(keys)), np.zeros(len(keys))
    np.add.at(households, np.searchsorted(keys, table.unit * k + table.grid), table.households)
    np.add.at(area_m2, np.searchsorted(keys, area_keys), layer.area_m2)
    unit, grid = keys // k, keys % k
    order = np.lexsort((grid, -area_m2, -households, unit))
    best = order[np.flatnonzero(np.diff(unit[order], prepend=-1))]
    assignment = np.full(n, NONE, np.int64)
    peopled = (households[best] > 0) | (table.nowhere[unit[best]] > 0)
    kept = np.where(peopled, households[best] >= table.nowhere[unit[best]], area_m2[best] >= uncovered[unit[best]])
    assignment[unit[best][kept]] = grid[best][kept]
    return assignment
