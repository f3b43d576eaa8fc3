"""Adopting a plan in parts: grids that exchange units belong together, whatever else of the plan is taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geodata.adjacency import components
from geodata.redraw.model import Ints


@dataclass(frozen=True, slots=True)
class Cluster:
    """Grids (ascending) joined by moves between them, and the ``units`` (ascending) that change grid among them.

    The units that these grids hold after are those they held before and units of no grid: adopting whole clusters,
    any of them, leaves every other grid as it is.
    """

    grids: tuple[int, ...]
    units: Ints


def clusters(start: Ints, plan: Ints) -> list[Cluster]:
    """The clusters of what ``plan`` (n,) changes in ``start`` (n,; -1 is in no grid), in the order of their units."""
    units = np.flatnonzero(start != plan)
    grids, slot = np.unique(np.stack([start[units], plan[units]]), return_inverse=True)
    before, after = slot.reshape(2, -1)
    held = grids >= 0
    both = held[before] & held[after]
    part = components(len(grids), before[both], after[both])
    mine = part[np.where(held[after], after, before)]
    _, first = np.unique(mine, return_index=True)
    return [
        Cluster(tuple(grids[held & (part == one)].tolist()), units[mine == one])
        for one in mine[np.sort(first)].tolist()
    ]
