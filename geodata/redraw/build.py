"""Units with their borders from any coverage of polygons, and an account of what had to be mended for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from geodata.adjacency import SharedBorders, adjacency, components, shared_borders
from geodata.coverage import repair
from geodata.redraw.barriers import NEAR_M, Along, along
from geodata.redraw.facing import facing_borders
from geodata.redraw.fit import LEAST_M, Geometries, disagreement_m, held_twice, tiles
from geodata.redraw.model import Bools, Borders, Floats, Ints, Units, whole
from geodata.units.model import Barriers, geometries

_CORNER = 0.5  # tolerances: a shorter border may be but a corner
_MOST_STACKED = 100


@dataclass(frozen=True, slots=True)
class Built:
    """What units were made of.

    ``geoms`` (n,): the ground of each unit as drawn, made valid. ``tolerance_m``: up to this far apart two outlines are
    one border; 0 where the polygons tile the ground (``tiled``). ``disagree_m``: how far apart neighbours were measured
    to lie. ``pairs``: neighbours, ``pairs_by_tolerance`` of which share no border in the file as it is; ``corners``
    meet so shortly that nobody is sent across; ``opened`` borders join empty units that are shut in. ``lonely``: units
    without neighbours; ``stacked`` (s, 2): units on the ground of another one; ``parts``: parts of the ground that hold
    together; ``along``: what the barriers did.
    """

    geoms: Geometries
    tiled: bool
    tolerance_m: float
    disagree_m: float
    pairs: int
    pairs_by_tolerance: int
    corners: int
    opened: int
    lonely: Ints
    stacked: Ints
    parts: int
    along: Along | None

    def summary(self) -> dict[str, Any]:
        """The account as JSON data; units by index, lengths in metres."""
        found: dict[str, Any] = {
            "tiled": self.tiled,
            "tolerance_m": round(self.tolerance_m, 3),
            "measured_m": round(self.disagree_m, 3),
            "pairs": self.pairs,
            "pairs_by_tolerance": self.pairs_by_tolerance,
            "corner_contacts": self.corners,
            "opened_for_empty_units": self.opened,
            "parts": self.parts,
            "without_neighbours": self.lonely.tolist(),
            "without_ground": self.stacked[:, 0].tolist(),
        }
        if self.along is not None:
            found["barriers"] = {
                "follow_m": round(float(self.along.barrier_m.sum()), 1),
                "torn_m": round(float(self.along.torn_m.sum()), 1),
                "barred": self.along.barred,
                "crossed": self.along.crossed,
            }
        return found


def units_from_coverage(
    geoms: Any,
    households: Any,
    population: Any = None,
    group: Any = None,
    kind: Any = None,
    compound: Any = None,
    workload: Any = None,
    barriers: Barriers | None = None,
    tolerance_m: float | None = None,
) -> tuple[Units, Built]:
    """Units with neighbours, shared borders and barriers from (Multi)Polygons in a metric CRS.

    ``tolerance_m``: outlines up to this far apart are one border (default: measured, see
    :func:`geodata.redraw.fit.disagreement_m`). The sum of perimeters less twice the shared borders is the perimeter of
    a union, and never negative. Of units on the same ground the first keeps it, and is the neighbour of the others.
    Raises ``REDRAW_COUNT`` for households or people that are no counts.
    """
    counts = whole("households", households)
    shapes = repair(geometries(geoms)).geometry
    n = len(counts)
    tiled = tiles(shapes, LEAST_M if tolerance_m is None else tolerance_m)
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
    crossable = ~corner if met is None else ~corner & met.crossable
    people = counts if population is None else counts + whole("population", population)
    shut = _shut_in(i, j, length_m, crossable, people == 0, group)
    crossable[shut] = True
    none = np.zeros(len(i))
    borders = Borders(
        i,
        j,
        length_m,
        none if met is None else np.minimum(met.barrier_m / (1 if tiled else 2), length_m),
        none if met is None else np.minimum(met.torn_m / (1 if tiled else 2), length_m),
        crossable,
    )
    borders = _with_stacked(borders, stacked)
    optional = {"population": None if population is None else whole("population", population)}
    optional |= {"group": group, "kind": kind, "compound": compound, "workload": workload}
    given = {name: column for name, column in optional.items() if column is not None}
    units = Units.of(counts, area_m2, perimeter_m, _places(ground, stacked), borders, **given)
    open_ = borders.crossable
    parts = components(n, borders.i[open_], borders.j[open_])
    built = Built(
        shapes,
        tiled,
        tolerance,
        disagree_m,
        len(borders.i),
        0 if tiled else _only_by_tolerance(shapes, borders),
        int(corner.sum()),
        len(shut),
        np.flatnonzero(np.bincount(np.concatenate([borders.i, borders.j]), minlength=n) == 0),
        stacked,
        int(parts.max(initial=-1)) + 1,
        met,
    )
    return units, built


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


def _shut_in(i: Ints, j: Ints, length_m: Floats, crossable: Bools, empty: Bools, group: Any) -> Ints:
    """Borders by which units that nobody lives in and nobody can walk into (water) are part of the ground beside them.

    One border each, the longest: through it a grid can hold the unit, and never reach the other bank.
    """
    n = len(empty)
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


def _only_by_tolerance(shapes: Geometries, borders: Borders) -> int:
    """Pairs that share no border in the file as it is."""
    exact = adjacency(shapes)
    n = len(shapes)
    return int((~np.isin(borders.i * n + borders.j, exact.i * n + exact.j)).sum())
