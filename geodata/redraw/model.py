"""What a redraw is about: units and their borders, the band, today's plan, locks and weights. Arrays only.

A *plan* is one integer column: the grid of each unit. Grids of the start plan keep their numbers ``0 .. n_start - 1``;
new grids take numbers from ``n_start`` on. Households, people, square metres and metres are the only units of measure.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.errors import GeodataError

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: A grid as compact as this costs nothing, so that the number of grids is not paid for by their shapes. Among grids of
#: about ten blocks the best reachable mean is near it (docs/redraw.md).
REFERENCE_COMPACTNESS = 0.7
NO_LIMIT = np.iinfo(np.int64).max // 4


@dataclass(frozen=True, slots=True)
class Borders:
    """Pairs of units that share ground's edge, ``i < j`` (m,), each pair once.

    ``length_m``: border they share. ``barrier_m``: how much of it runs along a barrier that a grid's border should
    follow. ``torn_m``: how much of it runs along a barrier that tears a grid in two if it lies inside (trunk road,
    rail, river without a crossing). ``crossable``: False where nobody can walk across; no grid holds together there.
    """

    i: Ints
    j: Ints
    length_m: Floats
    barrier_m: Floats
    torn_m: Floats
    crossable: Bools

    @classmethod
    def plain(cls, i: Any, j: Any, length_m: Any) -> Borders:
        """Borders without any barrier."""
        i, j = np.asarray(i, dtype=np.int64), np.asarray(j, dtype=np.int64)
        none = np.zeros(len(i))
        return cls(i, j, np.asarray(length_m, dtype=np.float64), none, none, np.ones(len(i), dtype=bool))


@dataclass(frozen=True, slots=True)
class Units:
    """The n smallest pieces of ground; every array is (n,) or (n, 2).

    ``xy_m``: where its households live, in a metric CRS. ``group``: community or whatever a grid must not leave,
    0 .. n_groups - 1. ``kind``: index of the band that holds for it, one per group. ``compound``: -1 for none.
    ``workload``: whatever a grid worker's day is made of (visits, cases, hours); zeros where unknown.
    """

    households: Ints
    population: Ints
    area_m2: Floats
    perimeter_m: Floats
    xy_m: Floats
    borders: Borders
    group: Ints
    kind: Ints
    compound: Ints
    workload: Floats

    def __len__(self) -> int:
        return len(self.households)

    @classmethod
    def of(
        cls,
        households: Any,
        area_m2: Any,
        perimeter_m: Any,
        xy_m: Any,
        borders: Borders,
        **optional: Any,
    ) -> Units:
        """Units with what is not given left neutral: no population, one group, one kind, no compounds, no workload."""
        n = len(households)
        zeros = np.zeros(n, dtype=np.int64)
        column: dict[str, Ints | Floats] = {
            "population": zeros,
            "group": zeros,
            "kind": zeros,
            "compound": zeros - 1,
            "workload": np.zeros(n),
        }
        unknown = set(optional) - set(column)
        if unknown:
            raise TypeError(f"no such column: {', '.join(sorted(unknown))}")
        given: dict[str, Any] = {
            name: np.asarray(optional.get(name, neutral), dtype=neutral.dtype) for name, neutral in column.items()
        }
        return cls(
            households=whole("households", households),
            area_m2=np.asarray(area_m2, dtype=np.float64),
            perimeter_m=np.asarray(perimeter_m, dtype=np.float64),
            xy_m=np.asarray(xy_m, dtype=np.float64).reshape(n, 2),
            borders=borders,
            **given,
        )


@dataclass(frozen=True, slots=True)
class Band:
    """Households, and people if bounded, that one grid may hold; both ends included."""

    households_min: int
    households_max: int
    population_min: int = 0
    population_max: int = NO_LIMIT

    @property
    def middle(self) -> float:
        """Households halfway between the ends."""
        return (self.households_min + self.households_max) / 2


@dataclass(frozen=True, slots=True)
class Weights:
    """What one unit of each part of the objective costs; the score is their sum, smaller is better.

    The scale: 1 is one grid's whole compactness (Polsby-Popper from 0 to 1). The parts, in SI units or counts:

    ==============  ===============================================================================================
    ``moved``       households whose grid differs from the start plan
    ``compactness`` sum over grids of ``REFERENCE_COMPACTNESS - Polsby-Popper``
    ``extent``      household-metres: households of a grid times the root mean square distance to their common centre
    ``open_border`` metres of border between two grids of one group that follow no barrier
    ``torn``        metres of tearing barrier inside grids
    ``cut_edges``   pairs of neighbouring units in different grids
    ``compounds``   grids more than one that a compound lies in
    ``balance``     households by which grids differ from the middle of their band
    ``workload``    workload by which grids differ from their fair share (their group's, per household in mid-band)
    ==============  ===============================================================================================
    """

    moved: float = 0.03
    compactness: float = 1.0
    extent: float = 0.0
    open_border: float = 0.0005
    torn: float = 0.002
    cut_edges: float = 0.0
    compounds: float = 0.3
    balance: float = 0.0
    workload: float = 0.0

    def array(self) -> Floats:
        """The weights in the order of :data:`PARTS` (9,)."""
        return np.array([getattr(self, part) for part in PARTS], dtype=np.float64)


PARTS: tuple[str, ...] = tuple(item.name for item in fields(Weights))


@dataclass(frozen=True, slots=True)
class Instance:
    """One redraw task: units, a band per kind, the start plan with its locks, and the weights.

    ``start`` (n,): the grid of each unit today, -1 where unassigned. ``locked`` (n,): units that stay in their grid.
    ``closed``: grids (numbers of the start plan) that stay exactly as they are.
    """

    units: Units
    bands: tuple[Band, ...]
    start: Ints
    locked: Bools
    closed: frozenset[int] = frozenset()
    weights: Weights = field(default_factory=Weights)

    @classmethod
    def of(
        cls,
        units: Units,
        bands: tuple[Band, ...] | Band,
        *,
        start: Any = None,
        locked: Any = None,
        closed: Any = (),
        weights: Weights | None = None,
    ) -> Instance:
        """A checked instance; raises ``GeodataError`` with a ``REDRAW_*`` code for what makes no sense."""
        n = len(units)
        made = cls(
            units,
            (bands,) if isinstance(bands, Band) else tuple(bands),
            np.full(n, -1, dtype=np.int64) if start is None else np.asarray(start, dtype=np.int64),
            np.zeros(n, dtype=bool) if locked is None else np.asarray(locked, dtype=bool),
            frozenset(int(grid) for grid in closed),
            weights or Weights(),
        )
        from geodata.redraw.sanity import check

        check(made)
        return made

    @property
    def n_start(self) -> int:
        """Number of grids of the start plan (their numbers are below it)."""
        return int(self.start.max(initial=-1)) + 1

    def with_weights(self, **weights: float) -> Instance:
        """The same task with some weights changed."""
        return replace(self, weights=replace(self.weights, **weights))

    def held(self) -> Bools:
        """Units (n,) that cannot change grid: locked ones and those of closed grids."""
        return np.asarray(self.locked | self.in_closed(), dtype=bool)

    def in_closed(self) -> Bools:
        """Units (n,) of closed grids."""
        return np.isin(self.start, list(self.closed))


def whole(name: str, values: Any) -> Ints:
    """``values`` as counts; raises ``REDRAW_COUNT`` for one that is missing, negative or not whole."""
    given = np.asarray(values)
    if given.dtype == object:
        given = np.array([np.nan if value is None else value for value in given], dtype=np.float64)
    with np.errstate(invalid="ignore"):
        wrong = ~np.isfinite(given) | (given < 0) | (given != np.round(given)) | (given > NO_LIMIT / 1e6)
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise GeodataError("REDRAW_COUNT", row=at, column=name, value=str(given[at]), rows=int(wrong.sum()))
    return given.astype(np.int64)
