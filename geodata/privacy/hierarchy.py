"""Trees from the paths of their leaves: county, subdistrict, community, grid; or year, quarter, month."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import NamedTuple

from geodata.privacy.trees import Tree

Path = tuple[Hashable, ...]


class Hierarchy(NamedTuple):
    """The tree, and the node of every path (and of every beginning of one) by facet: ``nodes[f][path]``.

    What is an only child is the same node as its parent: it has the same count, so nothing else could be published.
    """

    tree: Tree
    nodes: list[dict[Path, int]]


def hierarchy(*facets: Iterable[Path]) -> Hierarchy:
    """One root divided by each facet, each given by the paths of its leaves; the empty path is the root.

    Raises ``ValueError`` where a leaf's path is the beginning of another's.
    """
    parent, facet = [-1], [0]
    nodes: list[dict[Path, int]] = []
    for number, paths in enumerate(facets):
        leaves = list(dict.fromkeys(paths))
        children: dict[Path, dict[Path, None]] = {}
        for path in leaves:
            for depth in range(len(path)):
                children.setdefault(path[:depth], {})[path[: depth + 1]] = None
        if any(path in children for path in leaves if path):
            raise ValueError("a leaf cannot be divided")
        known: dict[Path, int] = {(): 0}
        waiting: list[Path] = [()]
        for above in waiting:  # grows while it is walked: parents before children
            below = children.get(above, {})
            for path in below:
                if len(below) == 1:
                    known[path] = known[above]
                else:
                    known[path] = len(parent)
                    parent.append(known[above])
                    facet.append(number if known[above] == 0 else 0)
            waiting.extend(below)
        nodes.append(known)
    return Hierarchy(Tree.of(parent, facet), nodes)
