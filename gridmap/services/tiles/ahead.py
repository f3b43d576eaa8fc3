"""Small scales made ahead: the tiles of plans in force up to zoom 11, with lines simplified as one coverage.

Neighbours keep the same border because all grids are simplified together (``shapely.coverage_simplify``); one by one
they would part. A tile lies under the name that a reader asks for, so one of an older state is never found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.db.reader import read
from gridmap.services.plans.access import overlap
from gridmap.services.tiles import cache, key_of, seen
from gridmap.services.tiles.square import BUFFER, EXTENT, HALF_M, square
from gridmap.services.tiles.state import state_of
from gridmap.sql import plain

MAX_AHEAD = 11
#: Coarser than this one sees nothing of grids: these share its lines.
_COARSEST = 6
#: Steps of a tile's own raster (1/4096 of its side) that a line may give up: half a pixel of a dense screen.
_STEPS = 4
_R_M = HALF_M / np.pi


def render_in_force() -> int:
    """Make what is missing of every plan in force; the number of tiles made."""
    return sum(render(plan_id) for (plan_id,) in read(plain("tiles", "in_force"), {}))


def render(plan_id: int) -> int:
    """Make the missing tiles of a plan up to zoom 11 for every set of regions that somebody has; their number."""
    state = state_of("grids", plan_id)
    if state.prefix is None:
        return 0
    rows = read(plain("tiles", "whole_grids"), {"plan_id": plan_id})
    if not rows or state_of("grids", plan_id) != state:  # the next job has what comes now
        return 0
    ids, codes = np.array([row[0] for row in rows], dtype=np.int64), [row[1] for row in rows]
    shapes = mercator(shapely.from_wkb([bytes(row[2]) for row in rows]))
    parts = [(one, _within(codes, one)) for one in _readers(state.prefix)]
    made, kept = 0, None
    for z in range(MAX_AHEAD, -1, -1):
        if z >= _COARSEST or kept is None:
            kept = None
            boxes = None
        for x, y in _squares(shapely.total_bounds(shapes), z):
            for regions, mask in parts:
                key = key_of(state, regions, z, x, y)
                if cache.find(key) is not None:
                    continue
                if kept is None:
                    kept = simplified(shapes, z)
                    boxes = shapely.bounds(kept)
                assert boxes is not None
                inside = mask & _touching(boxes, z, x, y)
                values = {"ids": ids[inside].tolist(), "shapes": shapely.to_wkb(kept[inside]).tolist()}
                [(content,)] = read(plain("tiles", "simplified"), {**square(z, x, y), **values})
                if state_of("grids", plan_id) != state:
                    return made
                cache.keep(key, bytes(content))
                made += 1
    return made


def simplified(shapes: NDArray[Any], z: int) -> NDArray[Any]:
    """The shapes (metres, Web Mercator) as zoom ``z`` shows them; neighbours share their borders as before."""
    step = 2 * HALF_M / (1 << max(z, _COARSEST)) / EXTENT
    return np.asarray(shapely.coverage_simplify(shapes, _STEPS * step))


def mercator(shapes: NDArray[Any]) -> NDArray[Any]:
    """Lon/lat (degrees) in Web Mercator (metres)."""

    def project(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        lon, lat = np.radians(lonlat).T
        return _R_M * np.column_stack([lon, np.log(np.tan(np.pi / 4 + lat / 2))])

    return np.asarray(shapely.transform(shapes, project))


def _readers(plan_prefix: str) -> list[tuple[str, ...]]:
    """The different parts of a plan that somebody may look at; all of it first."""
    found: set[tuple[str, ...]] = {("",)}
    for (prefixes,) in read(plain("tiles", "readers"), {}):
        mine = tuple(sorted(prefixes))
        if any(overlap(plan_prefix, one) for one in mine):
            found.add(seen(mine, plan_prefix))
    return sorted(found)


def _within(codes: Sequence[str], prefixes: tuple[str, ...]) -> NDArray[np.bool_]:
    return np.array([code.startswith(prefixes) for code in codes], dtype=bool)


def _squares(bounds: NDArray[np.float64], z: int) -> Iterable[tuple[int, int]]:
    side, margin = 2 * HALF_M / (1 << z), 2 * HALF_M / (1 << z) * BUFFER / EXTENT
    west, south, east, north = bounds + np.array([-margin, -margin, margin, margin])
    last = (1 << z) - 1
    xs = range(max(0, int((west + HALF_M) // side)), min(last, int((east + HALF_M) // side)) + 1)
    ys = range(max(0, int((HALF_M - north) // side)), min(last, int((HALF_M - south) // side)) + 1)
    return [(x, y) for x in xs for y in ys]


def _touching(boxes: NDArray[np.float64], z: int, x: int, y: int) -> NDArray[np.bool_]:
    at, margin = square(z, x, y), 2 * HALF_M / (1 << z) * BUFFER / EXTENT
    across = (boxes[:, 0] <= at["me"] + margin) & (boxes[:, 2] >= at["mw"] - margin)
    return np.asarray(across & (boxes[:, 1] <= at["mn"] + margin) & (boxes[:, 3] >= at["ms"] - margin))
