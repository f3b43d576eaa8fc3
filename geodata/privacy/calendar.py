"""Columns of a release: a closed period by month and day or week, by kind of case, and by hour and weekday."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from geodata.privacy.trees import Ints, Tree


class Columns(NamedTuple):
    """The tree, and the leaf of every value of every facet: ``facets[f][v]`` is the node of value v of facet f."""

    tree: Tree
    facets: list[Ints]


def columns(*facets: list[int]) -> Columns:
    """One root divided by each facet; a facet is the group of each of its values.

    ``[0, 0, 0, 1, 1, 1]`` are six months in two quarters, ``[0, 1, 2]`` three kinds of case without a level between
    (each a group of its own). Facets must be attributes of their own: months and kinds, not months and weeks.
    """
    parent, facet, leaves = [-1], [0], []
    for number, groups in enumerate(facets):
        heads: dict[int, int] = {}
        nodes = []
        for group in groups:
            alone = groups.count(group) == 1
            if not alone and group not in heads:
                heads[group] = len(parent)
                parent.append(0)
                facet.append(number)
            nodes.append(len(parent))
            parent.append(0 if alone else heads[group])
            facet.append(number if alone else 0)
        leaves.append(np.array(nodes, dtype=np.int64))
    return Columns(Tree.of(parent, facet), leaves)


def count(places: Tree, cols: Columns, place: Ints, values: list[Ints]) -> Ints:
    """The table (places, columns) with all totals: ``place`` (cases,) is a leaf, ``values[f]`` (cases,) of facet f."""
    table = np.zeros((len(places), len(cols.tree)), dtype=np.int64)
    for leaves, value in zip(cols.facets, values, strict=True):
        np.add.at(table, (place, leaves[value]), 1)
    return places.fill(cols.tree.fill(table.T).T)
