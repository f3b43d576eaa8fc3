"""The two axes of a published table: places and columns, each a tree in which children add up to their parent.

A node may be divided in several ways at once, each called a *facet*: a year into months, and also into kinds of case.
A facet is an attribute of a case of its own; the same attribute is never divided again under another facet.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Tree:
    """``parent`` (n,) of each node, -1 for the root, which is node 0; ``facet`` (n,) by which its parent is divided.

    Parents stand before their children. Raises ``ValueError`` for anything else.
    """

    parent: Ints
    facet: Ints

    @classmethod
    def of(cls, parent: ArrayLike, facet: ArrayLike | None = None) -> Tree:
        """A tree from any arrays; without ``facet`` each node is divided in one way only."""
        up = np.asarray(parent, dtype=np.int64)
        by = np.zeros(len(up), dtype=np.int64) if facet is None else np.asarray(facet, dtype=np.int64)
        if not len(up) or up[0] != -1 or len(by) != len(up) or ((up[1:] < 0) | (up[1:] >= np.arange(1, len(up)))).any():
            raise ValueError("a tree has one root, node 0, and parents before their children")
        return cls(up, by)

    def __len__(self) -> int:
        return len(self.parent)

    @cached_property
    def group(self) -> Ints:
        """Number (n,) of the set of siblings that each node belongs to: one division of one parent; -1 for the root."""
        key = self.parent * (self.facet.max() + 1) + self.facet
        group = np.full(len(self), -1, dtype=np.int64)
        group[1:] = np.unique(key[1:], return_inverse=True)[1]
        return group

    @cached_property
    def siblings(self) -> list[Ints]:
        """Members of each set of siblings, by its number."""
        order = np.argsort(self.group, kind="stable")[1:]
        cuts = np.flatnonzero(np.diff(self.group[order])) + 1
        return np.split(order, cuts) if len(order) else []

    @cached_property
    def levels(self) -> list[Ints]:
        """Nodes of each depth, the root first."""
        depth = np.zeros(len(self), dtype=np.int64)
        for node, up in enumerate(self.parent.tolist()):
            depth[node] = depth[up] + 1 if up >= 0 else 0
        order = np.argsort(depth, kind="stable")
        return np.split(order, np.flatnonzero(np.diff(depth[order])) + 1)

    @cached_property
    def is_leaf(self) -> Bools:
        """Whether a node (n,) is not divided."""
        leaf = np.ones(len(self), dtype=bool)
        leaf[self.parent[1:]] = False
        return leaf

    def fill(self, counts: Ints) -> Ints:
        """Counts (n, k) of all nodes from those of the leaves. Raises ``ValueError`` where two facets disagree."""
        full = np.where(self.is_leaf[:, None], counts, 0)
        known = self.is_leaf.copy()
        for level in reversed(self.levels[1:]):
            for facet in np.unique(self.facet[level]).tolist():
                these = level[self.facet[level] == facet]
                parents, place = np.unique(self.parent[these], return_inverse=True)
                total = np.zeros((len(parents), full.shape[1]), dtype=full.dtype)
                np.add.at(total, place, full[these])
                again = known[parents]
                if (full[parents[again]] != total[again]).any():
                    raise ValueError("the facets of a node do not add up to the same total")
                full[parents] = total
                known[parents] = True
        return full

    def spread_down(self, mask: Bools) -> Bools:
        """``mask`` (n, k) and, below every node where it holds, all descendants."""
        out = mask.copy()
        for level in self.levels[1:]:
            out[level] |= out[self.parent[level]]
        return out

    def cover(self, leaves: Iterable[int]) -> list[int]:
        """The fewest nodes that hold exactly the given leaves of one facet path: whole years before single months."""
        wanted = np.zeros(len(self), dtype=bool)
        wanted[list(leaves)] = True
        for level in reversed(self.levels[:-1]):
            for node in level.tolist():
                for members in self.divisions(node):
                    wanted[node] |= bool(wanted[members].all())
        return [n for n in np.flatnonzero(wanted).tolist() if n == 0 or not wanted[self.parent[n]]]

    def divisions(self, node: int) -> list[Ints]:
        """The sets of children of ``node``, one a facet."""
        children = np.flatnonzero(self.parent == node)
        return [self.siblings[group] for group in np.unique(self.group[children]).tolist()]
