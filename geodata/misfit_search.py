"""Search for misfits between a drawn layer of grids and the units, kind by kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import shapely

from geodata.locate import locate_all
from geodata.misfits import Misfit, MisfitKind
from geodata.units.assign import shares
from geodata.units.model import NONE, Buildings, Flags, Floats, Geometries, Ints, geometries
from geodata.units.topology import sum_pairs

_AREAL = (3, 6)


@dataclass(frozen=True, slots=True)
class Layer:
    """What all the findings are computed from: who lies where, by area and by households."""

    units: Geometries
    grids: Geometries
    buildings: Buildings
    building_unit: Ints
    # pairs of unit and grid with common ground
    unit: Ints
    grid: Ints
    area_m2: Floats
    # a point (n, 2) of each building, and pairs of building and grid that holds it
    where: Floats
    member: Ints
    member_grid: Ints
    # ground in no grid, in parts
    gaps: Geometries
    tolerance_m2: float


def pieces(shape: Any, tolerance_m2: float) -> Geometries:
    """Polygons of a shape that are larger than noise: over the area, and wider than 5 cm."""
    parts = shapely.get_parts(shape)
    area_m2 = shapely.area(parts)
    return geometries(parts[(area_m2 > tolerance_m2) & (2 * area_m2 > 0.05 * shapely.length(parts))])


@dataclass(frozen=True, slots=True)
class Table:
    """Households of units in grids, as pairs sorted by unit; ``nowhere`` those of each unit in no grid."""

    unit: Ints
    grid: Ints
    households: Floats
    nowhere: Floats


def find_misfits(layer: Layer, table: Table, assignment: Ints, cut_share: float) -> Iterator[Misfit]:
    """Every misfit of a layer; ``assignment`` is the grid of each unit, -1 none."""
    yield from _overlaps(layer)
    yield from _gaps(layer)
    yield from _outside(layer)
    yield from _unit_cuts(layer, table, cut_share)
    yield from _building_cuts(layer)
    yield from _compound_splits(layer)
    yield from _lost(layer, assignment)
    yield from _moved(layer, assignment)


def rows_of(owner: Ints, value: Any) -> slice:
    """Where ``value`` stands in the sorted ``owner``."""
    return slice(*np.searchsorted(owner, [value, value + 1]).tolist())


def _place(shape: Any, layer: Layer) -> Any:
    """What of ``shape`` is more than noise, None where nothing is."""
    parts = pieces(shape, layer.tolerance_m2)
    return None if not len(parts) else (parts[0] if len(parts) == 1 else shapely.multipolygons(parts))


def _overlaps(layer: Layer) -> list[Misfit]:
    from scipy.sparse import coo_array

    i, j = shapely.STRtree(layer.grids).query(layer.grids, predicate="intersects")
    i, j = i[i < j], j[i < j]
    common = shapely.intersection(layer.grids[i], layer.grids[j])
    ones = np.ones(len(layer.member), dtype=np.int64)
    shape = (len(layer.buildings.households), len(layer.grids))
    belongs = coo_array((ones, (layer.member, layer.member_grid)), shape=shape).tocsr()
    weights = layer.buildings.households[layer.member]
    households = (coo_array((weights, (layer.member_grid, layer.member)), shape=shape[::-1]).tocsr() @ belongs).tocsr()
    found = []
    for a, b, shape_ab in zip(i, j, common, strict=True):
        if (place := _place(shape_ab, layer)) is not None:
            found.append(Misfit(MisfitKind.OVERLAP, place, (int(a), int(b)), place.area, int(households[a, b])))
    return found


def _gaps(layer: Layer) -> list[Misfit]:
    households = _households_in(layer, layer.gaps)
    return [Misfit(MisfitKind.GAP, part, (), part.area, int(h)) for part, h in zip(layer.gaps, households, strict=True)]


def _households_in(layer: Layer, parts: Geometries) -> Ints:
    """Households of buildings in no grid, by the part they stand in."""
    loose = np.ones(len(layer.buildings.households), dtype=bool)
    loose[layer.member] = False
    rows = np.flatnonzero(loose)
    row, part = locate_all(layer.where[rows], parts)
    return np.bincount(part, layer.buildings.households[rows[row]], len(parts)).astype(np.int64)


def _outside(layer: Layer) -> list[Misfit]:
    inside_m2 = np.bincount(layer.grid, layer.area_m2, len(layer.grids))
    rows = np.flatnonzero(shapely.area(layer.grids) > inside_m2 + layer.tolerance_m2)
    if not len(rows):
        return []
    ground = shapely.coverage_union_all(layer.units)
    found = []
    for row in rows:
        if (place := _place(shapely.difference(layer.grids[row], ground), layer)) is not None:
            away = layer.member[layer.member_grid == row]
            away = away[layer.building_unit[away] == NONE]
            households = int(layer.buildings.households[away].sum())
            found.append(Misfit(MisfitKind.OUTSIDE, place, (int(row),), place.area, households))
    return found


def _unit_cuts(layer: Layer, table: Table, cut_share: float) -> list[Misfit]:
    """Units with households in several grids (or some in none), or with more than a sliver of ground in several."""
    n = len(layer.units)
    totals = np.bincount(table.unit, table.households, n) + table.nowhere
    several = np.bincount(table.unit[table.households > 0], minlength=n) + (table.nowhere > 0) > 1
    unit_m2 = shapely.area(layer.units)
    large = layer.area_m2 > np.maximum(cut_share * unit_m2[layer.unit], layer.tolerance_m2)
    ground = np.bincount(layer.unit[large], minlength=n)
    part_m2 = np.bincount(layer.unit, layer.area_m2, n)
    partly = (ground == 1) & (unit_m2 - part_m2 > np.maximum(cut_share * unit_m2, layer.tolerance_m2))
    found = []
    for unit in np.flatnonzero(several | (ground > 1) | partly):
        by_people = bool(several[unit])
        owner, use = (table.unit, table.households > 0) if by_people else (layer.unit, large)
        rows = rows_of(owner, unit)
        grids = (table.grid if by_people else layer.grid)[rows][use[rows]]
        sizes = (table.households if by_people else layer.area_m2)[rows][use[rows]]
        whole = totals[unit] if by_people else unit_m2[unit]
        order = np.lexsort((grids, -sizes))
        held = (sizes[order] / whole).tolist()
        names = [int(g) for g in grids[order]]
        if (left := 1 - sum(held)) > (0 if by_people else cut_share) + 1e-9:
            names, held = [*names, NONE], [*held, left]
        moved = round(totals[unit] * (1 - max(held))) if by_people else 0
        found.append(
            Misfit(
                MisfitKind.UNIT_CUT, layer.units[unit], tuple(names), float(unit_m2[unit] * (1 - max(held))), moved,
                unit=int(unit), shares=tuple(held),
            )
        )  # fmt: skip
    return found


def _building_cuts(layer: Layer) -> list[Misfit]:
    footprints = layer.buildings.geometry
    rows = np.flatnonzero(np.isin(shapely.get_type_id(footprints), _AREAL))
    if not len(rows):
        return []
    row, grid, area_m2 = shares(footprints[rows], layer.grids)
    whole_m2 = shapely.area(footprints[rows])[row]
    through = (area_m2 > layer.tolerance_m2) & (area_m2 < whole_m2 - layer.tolerance_m2)
    found = []
    row, grid, area_m2, whole_m2 = row[through], grid[through], area_m2[through], whole_m2[through]
    for cut in np.unique(row):
        mine = rows_of(row, cut)
        building = int(rows[cut])
        held = area_m2[mine] / whole_m2[mine]
        found.append(
            Misfit(
                MisfitKind.BUILDING_CUT, footprints[building], tuple(int(g) for g in grid[mine]),
                float(whole_m2[mine][0] * (1 - held.max())), int(layer.buildings.households[building]),
                building=building, shares=tuple(float(h) for h in held),
            )
        )  # fmt: skip
    return found


def _compound_splits(layer: Layer) -> list[Misfit]:
    compound = layer.buildings.compound[layer.member]
    named = compound != NONE
    households = layer.buildings.households[layer.member].astype(np.float64)
    n = max(int(compound.max(initial=0)) + 1, len(layer.grids))
    owner, grid, inside = sum_pairs(compound[named], layer.member_grid[named], households[named], n)
    owner, grid, inside = owner[inside > 0], grid[inside > 0], inside[inside > 0]
    found = []
    by_compound = np.argsort(layer.buildings.compound, kind="stable")
    for split in np.unique(owner)[np.unique(owner, return_counts=True)[1] > 1]:
        pairs = rows_of(owner, split)
        mine = pairs.start + np.argsort(-inside[pairs], kind="stable")
        rows = by_compound[rows_of(layer.buildings.compound[by_compound], split)]
        total = inside[mine].sum()
        place = shapely.convex_hull(shapely.geometrycollections(layer.buildings.geometry[rows]))
        found.append(
            Misfit(
                MisfitKind.COMPOUND_SPLIT, place, tuple(int(g) for g in grid[mine]), float(shapely.area(place)),
                int(total - inside[mine].max()), compound=int(split), shares=tuple((inside[mine] / total).tolist()),
            )
        )  # fmt: skip
    return found


def _lost(layer: Layer, assignment: Ints) -> list[Misfit]:
    lost = np.setdiff1d(np.arange(len(layer.grids)), assignment)
    households = np.bincount(layer.member_grid, layer.buildings.households[layer.member], len(layer.grids))
    return [
        Misfit(MisfitKind.LOST_GRID, layer.grids[g], (int(g),), float(layer.grids[g].area), int(households[g]))
        for g in lost
    ]


def _moved(layer: Layer, assignment: Ints) -> list[Misfit]:
    """Ground that was drawn in one grid (or none) and goes to another with its unit, by pair of grids."""
    target = assignment[layer.unit]
    away = (target != layer.grid) & (layer.area_m2 > 0)
    unit, source, target = layer.unit[away], layer.grid[away], target[away]
    ground = shapely.intersection(layer.units[unit], layer.grids[source])
    if len(layer.gaps):
        gap, at = shapely.STRtree(layer.units).query(layer.gaps, predicate="intersects")
        gap, at = gap[assignment[at] != NONE], at[assignment[at] != NONE]
        filled = shapely.intersection(layer.units[at], layer.gaps[gap])
        unit, source = np.concatenate([unit, at]), np.concatenate([source, np.full(len(at), NONE)])
        target, ground = np.concatenate([target, assignment[at]]), np.concatenate([ground, filled])
    drawn = target != NONE
    ground[drawn] = shapely.difference(ground[drawn], layer.grids[target[drawn]])
    households = _households_moved(layer, assignment)
    found = []
    order = np.lexsort((target, source))
    source, target, ground = source[order], target[order], ground[order]
    starts = np.flatnonzero((np.diff(source, prepend=-2) != 0) | (np.diff(target, prepend=-2) != 0))
    for start, end in pairwise([*starts.tolist(), len(source)]):
        a, b = int(source[start]), int(target[start])
        if (place := _place(shapely.union_all(ground[start:end]), layer)) is not None:
            found.append(Misfit(MisfitKind.BORDER_MOVED, place, (a, b), place.area, households.get((a, b), 0)))
    return found


def _households_moved(layer: Layer, assignment: Ints) -> dict[tuple[int, int], int]:
    """Households by (grid drawn, grid of their unit), where their unit's grid is none that was drawn round them."""
    n = len(layer.buildings.households)
    target = np.where(layer.building_unit != NONE, np.append(assignment, NONE)[layer.building_unit], NONE)
    stays: Flags = np.zeros(n, dtype=bool)
    stays[layer.member[layer.member_grid == target[layer.member]]] = True
    first = np.full(n, NONE, np.int64)
    first[layer.member[::-1]] = layer.member_grid[::-1]
    away = np.flatnonzero(~stays & (layer.building_unit != NONE) & (first != target))
    totals: dict[tuple[int, int], int] = {}
    for a, b, h in zip(
        first[away].tolist(), target[away].tolist(), layer.buildings.households[away].tolist(), strict=True
    ):
        totals[a, b] = totals.get((a, b), 0) + h
    return totals
