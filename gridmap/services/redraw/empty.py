"""Ground where nobody lives and that barriers cut off: it goes with a neighbour, for nobody has to walk there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from geodata.adjacency import components
from geodata.redraw.model import Units


def joined(units: Units) -> Units:
    """``units`` in which every uninhabited part of a group hangs on an inhabited one by its longest border.

    By one border only, so that no grid comes to lie on both sides of a river through the empty land along it. A group
    that holds together, or where nobody lives at all, stays as it is.
    """
    borders = units.borders
    same = units.group[borders.i] == units.group[borders.j]
    crossable = borders.crossable.copy()
    by_length = np.argsort(-borders.length_m, kind="stable")
    while True:
        part = components(len(units), borders.i[crossable & same], borders.j[crossable & same])
        empty = np.bincount(part, units.households + units.population) == 0
        one = empty[part[borders.i]] != empty[part[borders.j]]
        ways = by_length[(same & ~crossable & one)[by_length]]
        if not len(ways):
            return replace(units, borders=replace(borders, crossable=crossable))
        side = np.where(empty[part[borders.i[ways]]], part[borders.i[ways]], part[borders.j[ways]])
        crossable[ways[np.unique(side, return_index=True)[1]]] = True
