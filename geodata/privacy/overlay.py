"""Grids of a second plan beside those of the first: their common pieces, so that both are published from one table."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from geodata.privacy.trees import Ints, Tree


class TwoPlans(NamedTuple):
    """``places``: the first plan's tree with a piece below each grid for every second grid in it.

    ``piece`` (units,) is the node that each unit lies in; ``second`` names, for each grid of the second plan, the nodes
    that make it up: whole grids of the first plan where it can, pieces else.
    """

    places: Tree
    piece: Ints
    second: dict[int, list[int]]


def two_plans(places: Tree, grid: Ints, other: Ints) -> TwoPlans:
    """Overlay of two plans: ``grid`` (units,) the leaf of ``places`` of each unit, ``other`` its grid in the second.

    A grid that both plans have is one piece. Published from one tree, grids of 42 and 30 households before, 40 and 32
    after, do not give away the two households that moved: the sums that would are withheld. The first plan is the one
    already published; the second gives way.
    """
    width = int(other.max(initial=0)) + 1
    keys, at = np.unique(grid * width + other, return_inverse=True)
    nodes = len(places) + np.arange(len(keys))
    tree = Tree.of(np.concatenate([places.parent, keys // width]))
    second: dict[int, list[int]] = {}
    pieces_of = np.bincount(keys // width, minlength=len(places))
    for node, key in zip(nodes.tolist(), keys.tolist(), strict=True):
        first, name = divmod(key, width)
        second.setdefault(name, []).append(first if pieces_of[first] == 1 else node)
    return TwoPlans(tree, nodes[at], second)
