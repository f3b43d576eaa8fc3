"""Which edges of a graph with one-way and two-way edges lie on a directed cycle that uses each edge once.

In a table of counts, rows and columns are the nodes and hidden cells the edges: a cycle is a change of single cases
that leaves every total as it is (Gusfield 1988). A one-way edge lies on one if its ends are strongly connected; a
two-way edge if, besides, it is no bridge there, for a strong mixed graph without bridges has a strong orientation
(Boesch & Tindell 1980).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def on_cycle(tail: Ints, head: Ints, forward: Bools, backward: Bools) -> Bools:
    """Whether each edge (m,) ``tail``-``head`` lies on a cycle, given the directions in which it may be walked."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not len(tail):
        return np.zeros(0, dtype=bool)
    names, ends = np.unique(np.concatenate([tail, head]), return_inverse=True)
    u, v = ends[: len(tail)], ends[len(tail) :]
    start, end = np.concatenate([u[forward], v[backward]]), np.concatenate([v[forward], u[backward]])
    graph = coo_array((np.ones(len(start), dtype=np.int8), (start, end)), shape=(len(names), len(names)))
    strong = connected_components(graph, directed=True, connection="strong")[1]
    good: Bools = (strong[u] == strong[v]) & (forward | backward)
    inside = np.flatnonzero(good)
    two_way = forward[inside] & backward[inside]
    good[inside[two_way & bridges(u[inside], v[inside], len(names))]] = False
    return good


def bridges(u: Ints, v: Ints, n: int) -> Bools:
    """Whether each undirected edge (m,) of a graph of ``n`` nodes is a bridge; parallel edges never are.

    Every edge off a spanning forest gets a random number, every tree edge the exclusive-or of those that pass over
    it: nought means that none does. Wrong in one case of 2**64 an edge, and then it says bridge, the safe side.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import breadth_first_order, connected_components

    m = len(u)
    weight = np.arange(1, m + 1, dtype=np.int64)
    plain = coo_array((weight, (u, v)), shape=(n, n))
    count, piece = connected_components(plain, directed=False)
    first = np.unique(piece, return_index=True)[1]  # one node of every piece hangs on an added root, n
    hung = coo_array(
        (np.ones(m + count), (np.concatenate([u, first]), np.concatenate([v, np.full(count, n)]))), shape=(n + 1, n + 1)
    )
    order, above = breadth_first_order(hung.tocsr(), n, directed=False)
    tree_key = np.minimum(np.arange(n), above[:n]).astype(np.int64) * (n + 1) + np.maximum(np.arange(n), above[:n])
    key = np.minimum(u, v) * np.int64(n + 1) + np.maximum(u, v)
    edges, one = np.unique(key, return_index=True)  # of parallel edges one may be in the tree
    at = np.minimum(np.searchsorted(edges, tree_key), max(len(edges) - 1, 0))
    in_tree = edges[at] == tree_key if len(edges) else np.zeros(n, dtype=bool)
    tree_edge = np.where(in_tree, one[at] if len(edges) else 0, -1)  # of each node, the edge to the one above
    off = np.ones(m, dtype=bool)
    off[tree_edge[in_tree]] = False
    labels = np.random.default_rng(0).integers(1, 2**63, int(off.sum()), dtype=np.uint64)
    passes = np.zeros(n + 1, dtype=np.uint64)
    np.bitwise_xor.at(passes, u[off], labels)
    np.bitwise_xor.at(passes, v[off], labels)
    depth = np.zeros(n + 1, dtype=np.int64)
    for node in order[1:].tolist():
        depth[node] = depth[above[node]] + 1
    by_depth = np.argsort(depth, kind="stable")
    for nodes in reversed(np.split(by_depth, np.flatnonzero(np.diff(depth[by_depth])) + 1)[1:]):
        np.bitwise_xor.at(passes, above[nodes], passes[nodes])
    found = np.zeros(m, dtype=bool)
    lone = np.flatnonzero(in_tree & (passes[:n] == 0))
    found[tree_edge[lone]] = True
    return found
