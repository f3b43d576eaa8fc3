"""What the ground says of units before anyone lives on them: neighbours, borders, barriers.

This is the costly part of :func:`geodata.redraw.build.units_from_coverage`, and it stays true as long as the polygons
and the barriers do: people may move in and out, grids may be drawn anew. :func:`units_on` adds what changes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely

from geodata.adjacency import SharedBorders, shared_borders
from geodata.coverage import repair
from geodata.redraw.barriers import NEAR_M, Along, along
from geodata.redraw.facing import facing_borders
from geodata.redraw.fit import LEAST_M, Geometries, disagreement_m, held_twice, tiles
from geodata.redraw.model import Bools, Borders, Floats, Ints, Units, whole
from geodata.t_junctions import with_shared_vertices
from geodata.units.model import Barriers, geometries

_CORNER = 0.5  # tolerances: a shorter border may be but a corner
_MOST_STACKED = 100


@dataclass(frozen=True, slots=True)
class Land:
    """n units as ground; ``area_m2``, ``perimeter_m`` (n,) and ``xy_m`` (n, 2) of the middle, in a metric CRS.

    ``borders``: pairs of neighbours with what barriers do to them; ``crossable`` as the ground has it, before anything
    is opened for land where nobody lives. ``stacked`` (s, 2): units on the ground of another one.
    """

    area_m2: Floats
    perimeter_m: Floats
    xy_m: Floats
    borders: Borders
    stacked: Ints

    def take(self, units: Ints) -> Land:
        """The land of some ``units`` (ascending indices): the pairs whose both sides are among them."""
        number = np.full(len(self.area_m2), -1, dtype=np.int64)
        number[units] = np.arange(len(units))
        mine = self.borders
        inside = np.flatnonzero((number[mine.i] >= 0) & (number[mine.j] >= 0))
        stacked = number[self.stacked]
        return Land(
            self.area_m2[units],
            self.perimeter_m[units],
            self.xy_m[units],
            Borders(
                number[mine.i[inside]],
                number[mine.j[inside]],
                mine.length_m[inside],
                mine.barrier_m[inside],
                mine.torn_m[inside],
                mine.crossable[inside],
            ),
            stacked[(stacked >= 0).all(axis=1)],
        )


@dataclass(frozen=True, slots=True)
class Survey:
    """How land was made of polygons; see :class:`geodata.redraw.build.Built` for the names."""

    geoms: Geometries
    tiled: bool
    tolerance_m: float
    disagree_m: float
    corners: int
    along: Along | None


def land_of(
    geoms: Any, barriers: Barriers | None = None, tolerance_m: float | None = None, *, mend: bool = False
) -> tuple[Land, Survey]:
    """The land of (Multi)Polygons in a metric CRS; see :func:`geodata.redraw.build.units_from_coverage`.

    ``mend``: where nothing but T-junctions keeps the polygons from tiling the ground, they are mended first.
    """
    shapes = repair(geometries(geoms)).geometry
    n = len(shapes)
    gap_m = LEAST_M if tolerance_m is None else tolerance_m
    tiled = tiles(shapes, gap_m)
    if mend and not tiled:
        shared = with_shared_vertices(shapes)
        if tiles(shared, gap_m):
            shapes, tiled = shared, True
    disagree_m = 0.0 if tiled else disagreement_m(shapes)
    tolerance = 0.0 if tiled else max(LEAST_M, disagree_m) if tolerance_m is None else max(tolerance_m, 0.01)
    stacked, area_m2 = held_twice(shapes) if not tiled else (np.zeros((0, 2), dtype=np.int64), shapely.area(shapes))
    ground = shapes.copy()
    ground[stacked[:, 0]] = shapely.Polygon()
    pieces = shared_borders(ground) if tiled else facing_borders(ground, tolerance)
    i, j, pair, length_m, hidden_m = _pairs(pieces, n, sides=1 if tiled else 2)
    perimeter_m = shapely.length(ground) + hidden_m
    length_m = _capped(i, j, length_m, perimeter_m)
    corner = _corners(i, j, length_m, n, tolerance)
    met = None if barriers is None else along(pieces, pair, len(i), shapes, barriers, NEAR_M + tolerance / 2)
    none = np.zeros(len(i))
    borders = Borders(
        i,
        j,
        length_m,
        none if met is None else np.minimum(met.barrier_m / (1 if tiled else 2), length_m),
        none if met is None else np.minimum(met.torn_m / (1 if tiled else 2), length_m),
        ~corner if met is None else ~corner & met.crossable,
    )
    land = Land(area_m2, perimeter_m, _places(ground, stacked), borders, stacked)
    return land, Survey(shapes, tiled, tolerance, disagree_m, int(corner.sum()), met)


def units_on(land: Land, households: Any, population: Any = None, **optional: Any) -> tuple[Units, int]:
    """The units of ``land`` with those who live there, and how many borders were opened for empty units shut in.

    ``optional``: group, kind, compound, workload. Raises ``REDRAW_COUNT`` for households or people that are no counts.
    """
    counts = whole("households", households)
    people = counts if population is None else counts + whole("population", population)
    shut = _shut_in(land.borders, people == 0, optional.get("group"))
    crossable = land.borders.crossable.copy()
    crossable[shut] = True
    borders = _with_stacked(replace(land.borders, crossable=crossable), land.stacked)
    given = {name: column for name, column in optional.items() if column is not None}
    if population is not None:
        given["population"] = whole("population", population)
    return Units.of(counts, land.area_m2, land.perimeter_m, land.xy_m, borders, **given), len(shut)


def _pairs(pieces: SharedBorders, n: int, sides: int) -> tuple[Ints, Ints, Ints, Floats, Floats]:
    """Pairs (m,) ``i < j``, the pair of each piece (k,), border of each pair (m,), and outline hidden in units (n,).

    With two ``sides`` each unit has pieces of its own, and a border is the mean of the two. Where only one unit has any
    (it lies inside the other, which has no hole for it), the other's outline has as much more to it.
    """
    low, high = np.minimum(pieces.i, pieces.j), np.maximum(pieces.i, pieces.j)
    keys, inverse = np.unique(low * np.int64(n) + high, return_inverse=True)
    pair: Ints = inverse.astype(np.int64)
    i, j = keys // max(n, 1), keys % max(n, 1)
    length_m = np.bincount(pair, pieces.length_m, len(keys)).astype(np.float64)
    if sides == 1:
        return i, j, pair, length_m, np.zeros(n)
    forth = pieces.i < pieces.j
    own_m = np.bincount(pair[forth], pieces.length_m[forth], len(keys))
    back_m = length_m - own_m
    hidden_m: Floats = np.zeros(n)
    np.add.at(hidden_m, i, np.where(own_m == 0, back_m, 0.0))
    np.add.at(hidden_m, j, np.where(back_m == 0, own_m, 0.0))
    one_sided = (own_m == 0) | (back_m == 0)
    return i, j, pair, np.where(one_sided, length_m, length_m / 2), hidden_m


def _capped(i: Ints, j: Ints, length_m: Floats, perimeter_m: Floats) -> Floats:
    """Border lengths of which no unit has more than its perimeter, so that no union has a negative outline."""
    n = len(perimeter_m)
    shared_m = np.bincount(i, length_m, n) + np.bincount(j, length_m, n)
    fits = np.minimum(1.0, np.divide(perimeter_m, shared_m, out=np.ones(n), where=shared_m > 0))
    return np.asarray(length_m * np.minimum(fits[i], fits[j]), dtype=np.float64)


def _corners(i: Ints, j: Ints, length_m: Floats, n: int, tolerance_m: float) -> Bools:
    """Borders shorter than half the tolerance, which may be but corners; the longest one of a unit is none."""
    longest_m = np.zeros(n)
    for side in (i, j):
        np.maximum.at(longest_m, side, length_m)
    return np.asarray(
        (length_m < _CORNER * tolerance_m) & (length_m < longest_m[i]) & (length_m < longest_m[j]), dtype=bool
    )


def _shut_in(borders: Borders, empty: Bools, group: Any) -> Ints:
    """Borders by which units that nobody lives in and nobody can walk into (water) are part of the ground beside them.

    One border each, the longest: through it a grid can hold the unit, and never reach the other bank.
    """
    n, i, j, length_m, crossable = len(empty), borders.i, borders.j, borders.length_m, borders.crossable
    home = np.zeros(n, dtype=np.int64) if group is None else np.asarray(group)
    inner = home[i] == home[j]
    open_ = np.bincount(np.concatenate([i[crossable & inner], j[crossable & inner]]), minlength=n) > 0
    shut = empty & ~open_
    here, there = np.concatenate([i[inner], j[inner]]), np.concatenate([j[inner], i[inner]])
    border = np.tile(np.flatnonzero(inner), 2)
    mine = shut[here]
    here, there, border = here[mine], there[mine], border[mine]
    order = np.lexsort((border, -length_m[border], shut[there], here))
    _, first = np.unique(here[order], return_index=True)
    return np.unique(border[order][first])


def _with_stacked(borders: Borders, stacked: Ints) -> Borders:
    """Units without ground of their own join the one they lie on, and each other, by borders of no length."""
    if not len(stacked):
        return borders
    stacked = _among(stacked)
    i, j = np.concatenate([np.stack([borders.i, borders.j]), np.sort(stacked, axis=1).T], axis=1)
    order = np.lexsort((j, i))

    def joined(lengths: Floats) -> Floats:
        return np.append(lengths, np.zeros(len(stacked)))[order]

    open_ = np.append(borders.crossable, np.ones(len(stacked), dtype=bool))[order]
    return Borders(
        i[order], j[order], joined(borders.length_m), joined(borders.barrier_m), joined(borders.torn_m), open_
    )


def _among(stacked: Ints) -> Ints:
    """All pairs of units on the same ground; only those with its keeper where they are very many."""
    pairs = [stacked]
    for host in np.unique(stacked[:, 1]):
        units = stacked[stacked[:, 1] == host, 0]
        if len(units) <= _MOST_STACKED:
            low, high = np.triu_indices(len(units), 1)
            pairs.append(np.stack([units[low], units[high]], axis=1))
    return np.concatenate(pairs)


def _places(ground: Geometries, stacked: Ints) -> Floats:
    """Where each unit's households live (n, 2): its centroid, or that of the ground it lies on."""
    solid = ~shapely.is_empty(ground)
    places = np.zeros((len(ground), 2))
    places[solid] = shapely.get_coordinates(shapely.centroid(ground[solid]))
    places[stacked[:, 0]] = places[stacked[:, 1]]
    return places
