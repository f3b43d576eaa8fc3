"""T-junctions: a vertex of one polygon on the edge of another, which then gets that vertex too.

A cut through a unit ends on the borders of its neighbours, who know nothing of it. With its ends as vertices of theirs
the polygons tile the ground again edge by edge.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

#: A vertex this near to an edge lies on it.
NEAR_M = 0.01


def with_shared_vertices(geoms: Any, near_m: float = NEAR_M) -> NDArray[np.object_]:
    """Polygons (n,) of a coverage in a metric CRS in whose edges vertices of neighbours were put that lie on them.

    Only edges that do not match a neighbour's are looked at. No outline moves by more than ``near_m``.
    """
    shapes = np.array(geoms, dtype=object)
    unmatched = shapely.coverage_invalid_edges(shapes, gap_width=near_m)
    suspects = np.flatnonzero(~shapely.is_empty(unmatched))
    if not len(suspects):
        return shapes
    kind, xy, offsets = shapely.to_ragged_array(shapes[suspects], include_z=False)
    ring = np.repeat(np.arange(len(offsets[0]) - 1), np.diff(offsets[0]))
    part = np.repeat(np.arange(len(offsets[1]) - 1), np.diff(offsets[1]))
    owner = (np.repeat(np.arange(len(offsets[2]) - 1), np.diff(offsets[2]))[part] if len(offsets) > 2 else part)[ring]
    edge = np.flatnonzero((ring[1:] == ring[:-1]) & (xy[1:] != xy[:-1]).any(axis=1))
    known = _segments(unmatched[suspects])
    edge = edge[
        [bool(known & {(*a, *b), (*b, *a)}) for a, b in zip(xy[edge].tolist(), xy[edge + 1].tolist(), strict=True)]
    ]
    lines = shapely.linestrings(np.stack([xy[edge], xy[edge + 1]], axis=1))
    ends = np.unique(np.concatenate([edge, edge + 1]))
    at, on = shapely.STRtree(np.asarray(lines).tolist()).query(
        shapely.points(xy[ends]), predicate="dwithin", distance=near_m
    )
    at, on = ends[at], edge[on]
    along = xy[on + 1] - xy[on]
    share = ((xy[at] - xy[on]) * along).sum(axis=1) / np.square(along).sum(axis=1)
    new = (owner[at] != owner[on]) & (share > 0) & (share < 1)
    new &= (xy[at] != xy[on]).any(axis=1) & (xy[at] != xy[on + 1]).any(axis=1)
    _, first = np.unique(np.column_stack([on, xy[at]])[new], axis=0, return_index=True)
    at, on, share = at[new][first], on[new][first], share[new][first]
    order = np.lexsort((share, on))
    at, on = at[order], on[order]
    more = np.concatenate([[0], np.cumsum(np.bincount(ring[on], minlength=len(offsets[0]) - 1))])
    shapes[suspects] = shapely.from_ragged_array(
        kind, np.insert(xy, on + 1, xy[at], axis=0), (offsets[0] + more, *offsets[1:])
    )
    return shapes


def _segments(lines: NDArray[np.object_]) -> set[tuple[float, ...]]:
    """The straight pieces of lines: x and y of both ends."""
    xy, line = shapely.get_coordinates(shapely.get_parts(lines), return_index=True)
    follows = line[1:] == line[:-1]
    return {tuple(ends) for ends in np.hstack([xy[:-1], xy[1:]])[follows].tolist()}
