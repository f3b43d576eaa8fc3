"""Units with their borders from any coverage of polygons, and an account of what had to be mended for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from geodata.adjacency import adjacency, components
from geodata.redraw.barriers import Along
from geodata.redraw.fit import Geometries
from geodata.redraw.land import land_of, units_on
from geodata.redraw.model import Borders, Ints, Units, whole
from geodata.units.model import Barriers


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
    counts = whole("households", households)  # refused before the costly part
    land, survey = land_of(geoms, barriers, tolerance_m)
    units, opened = units_on(land, counts, population, group=group, kind=kind, compound=compound, workload=workload)
    n, borders, open_ = len(units), units.borders, units.borders.crossable
    parts = components(n, borders.i[open_], borders.j[open_])
    built = Built(
        survey.geoms,
        survey.tiled,
        survey.tolerance_m,
        survey.disagree_m,
        len(borders.i),
        0 if survey.tiled else _only_by_tolerance(survey.geoms, borders),
        survey.corners,
        opened,
        np.flatnonzero(np.bincount(np.concatenate([borders.i, borders.j]), minlength=n) == 0),
        land.stacked,
        int(parts.max(initial=-1)) + 1,
        survey.along,
    )
    return units, built


def _only_by_tolerance(shapes: Geometries, borders: Borders) -> int:
    """Pairs that share no border in the file as it is."""
    exact = adjacency(shapes)
    n = len(shapes)
    return int((~np.isin(borders.i * n + borders.j, exact.i * n + exact.j)).sum())
