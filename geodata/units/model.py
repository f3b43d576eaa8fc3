"""What goes into a build of units and what comes out; every geometry in one local metric CRS, metres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Geometries = NDArray[np.object_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Texts = NDArray[np.object_]

#: Compound or unit that is none.
NONE = -1


def geometries(values: Any) -> Geometries:
    """``values`` as a one-dimensional object array of geometries (a single geometry counts as one)."""
    if hasattr(values, "geom_type"):
        values = [values]
    found = np.empty(len(values), dtype=object)
    found[:] = list(values)
    return found


@dataclass(frozen=True, slots=True)
class Barriers:
    """Roads, water, rail and walls, row by row: lines, or polygons whose banks are the barrier.

    ``kind`` is road, water, rail or wall; ``cls`` the class as in the file (OpenStreetMap or Chinese terms, see
    :mod:`geodata.units.classes`); ``width_m`` is NaN where unknown.
    """

    geometry: Geometries
    kind: Texts
    cls: Texts
    tunnel: Flags
    bridge: Flags
    width_m: Floats

    @classmethod
    def of(
        cls,
        geometry: Any = (),
        kind: str | Sequence[str] = "road",
        classes: str | Sequence[str | None] = "",
        *,
        tunnel: bool | Sequence[bool] = False,
        bridge: bool | Sequence[bool] = False,
        width_m: float | Sequence[float] = float("nan"),
    ) -> Barriers:
        """Barriers from sequences, or from single values that hold for all rows."""
        shapes = geometries(geometry)
        n = len(shapes)
        return cls(
            shapes,
            np.broadcast_to(np.asarray(kind, dtype=object), n).copy(),
            np.array([c or "" for c in np.broadcast_to(np.asarray(classes, dtype=object), n)], dtype=object),
            np.broadcast_to(np.asarray(tunnel, dtype=bool), n).copy(),
            np.broadcast_to(np.asarray(bridge, dtype=bool), n).copy(),
            np.broadcast_to(np.asarray(width_m, dtype=np.float64), n).copy(),
        )


@dataclass(frozen=True, slots=True)
class Compounds:
    """Outlines of compounds (polygons) with the number by which buildings name them (0 or more)."""

    geometry: Geometries
    id: Ints

    @classmethod
    def of(cls, geometry: Any = (), id: Sequence[int] | None = None) -> Compounds:
        shapes = geometries(geometry)
        return cls(shapes, np.arange(len(shapes)) if id is None else np.asarray(id, dtype=np.int64))


@dataclass(frozen=True, slots=True)
class Buildings:
    """Points or footprints with whole counts; ``compound`` is -1 where the building belongs to none."""

    geometry: Geometries
    households: Ints
    population: Ints
    compound: Ints

    @classmethod
    def of(
        cls, geometry: Any = (), households: Any = 0, population: Any = 0, compound: int | Sequence[int] = NONE
    ) -> Buildings:
        """Buildings from sequences, or from single values that hold for all rows."""
        shapes = geometries(geometry)
        n = len(shapes)
        columns = [np.broadcast_to(np.asarray(c, dtype=np.int64), n).copy() for c in (households, population, compound)]
        return cls(shapes, *columns)


@dataclass(frozen=True, slots=True)
class UnitOptions:
    """How units are cut. Lengths in metres, areas in square metres.

    ``cutting`` and ``major`` are sets of "kind/class" ("road/residential"); see :mod:`geodata.units.classes` for the
    defaults taken when they are None.
    """

    cutting: frozenset[str] | None = None
    major: frozenset[str] | None = None
    #: A barrier at least this wide is major whatever its class.
    major_width_m: float = 30.0
    #: A major barrier cuts a compound only where it leaves at least this share of it on two sides.
    compound_cut_share: float = 0.1
    #: A line that ends this near another one is taken to reach it (roads that stop short of a border).
    dangle_m: float = 5.0
    #: Faces smaller or narrower (2 x area / perimeter) than this vanish into a neighbour, with what stands in them.
    sliver_area_m2: float = 100.0
    sliver_width_m: float = 4.0
    #: A unit with more households that is not one compound is divided by Voronoi cells of its buildings ...
    max_households: int = 150
    #: ... of about this many households each; 0 makes a cell of every building.
    cell_households: int = 40
    #: A border leads round a footprint if it would cut off more than this.
    building_cut_m2: float = 0.5
    #: Precision of coordinates; all borders are noded on this lattice.
    precision_m: float = 1e-5


@dataclass(frozen=True, slots=True)
class Units:
    """A valid coverage: ``geometry`` tiles the communities, each unit is one Polygon inside one community.

    Per unit: ``community`` (row of the communities given), ``households``, ``population``, ``buildings`` (sums over the
    buildings inside), ``compound`` (id or -1), ``provenance`` ("face" bounded by barriers, "cell" by Voronoi).
    Per building: ``building_unit`` (-1 outside all communities). Per community: ``communities``, its border with the
    nodes the units put on it (Polygon or MultiPolygon, exactly the union of its units), and ``border_moved_m2``, by
    which that differs from the border given (rounding to the lattice; more where communities overlapped).
    """

    geometry: Geometries
    community: Ints
    households: Ints
    population: Ints
    buildings: Ints
    compound: Ints
    provenance: Texts
    building_unit: Ints
    communities: Geometries
    border_moved_m2: Floats

    def __len__(self) -> int:
        return len(self.geometry)
