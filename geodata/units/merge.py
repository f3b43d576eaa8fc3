"""Faces that cannot stand alone join the neighbour with the longest shared border, inside their community."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geodata.units.model import Flags, Floats, Ints


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Pairs of faces of one community that share ``length_m`` of border, ``open_m`` of it not along a major barrier."""

    i: Ints
    j: Ints
    length_m: Floats
    open_m: Floats

    def among(self, kept: Flags) -> Neighbours:
        """Only pairs of which both are ``kept``."""
        both = kept[self.i] & kept[self.j]
        return Neighbours(self.i[both], self.j[both], self.length_m[both], self.open_m[both])


def join_weak(weak: Flags, area_m2: Floats, neighbours: Neighbours) -> Ints:
    """Group of each face after every ``weak`` one (no building, or a sliver) has joined a group that stands.

    A weak face joins the standing group with which it shares the longest border, first across borders that are no
    major barrier; faces without such a neighbour wait until one has grown to them, and only then cross a river, a
    railway or a trunk road. Where nothing stands (a community without buildings), the largest face does.
    """
    group = np.arange(len(weak))
    standing = ~weak
    while True:
        for length_m in (neighbours.open_m, neighbours.length_m):
            while _grow(group, standing, neighbours, length_m):
                pass
        if standing.all():
            return group
        _seed(standing, area_m2, neighbours)


def _grow(group: Ints, standing: Flags, neighbours: Neighbours, length_m: Floats) -> bool:
    i = np.concatenate([neighbours.i, neighbours.j])
    j = np.concatenate([neighbours.j, neighbours.i])
    length = np.concatenate([length_m, length_m])
    use = ~standing[i] & standing[j] & (length > 0)
    if not use.any():
        return False
    n = len(group)
    keys, inverse = np.unique(i[use] * n + group[j[use]], return_inverse=True)
    total = np.bincount(inverse, length[use])
    face, target = keys // n, keys % n
    order = np.lexsort((target, -total, face))
    face, target = face[order], target[order]
    first = np.flatnonzero(np.diff(face, prepend=-1))
    group[face[first]] = target[first]
    standing[face[first]] = True
    return True


def _seed(standing: Flags, area_m2: Floats, neighbours: Neighbours) -> None:
    """Let the largest face of each connected part that has no standing face stand."""
    part = components(len(standing), neighbours.i, neighbours.j)
    left = np.flatnonzero(~standing)
    order = left[np.lexsort((left, -area_m2[left], part[left]))]
    standing[order[np.flatnonzero(np.diff(part[order], prepend=-1))]] = True


def components(n: int, i: Ints, j: Ints) -> Ints:
    """Connected part of each of ``n`` nodes under the links i-j."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(i), dtype=bool), (i, j)), shape=(n, n))
    return connected_components(graph, directed=False)[1].astype(np.int64)
