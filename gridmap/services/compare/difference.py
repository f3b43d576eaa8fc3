"""The map of differences: the ground that changed hands, one area for each way from a grid to another."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import shapely
from sqlalchemy.orm import Session

from gridmap.db import bulk
from gridmap.db.engine import service
from gridmap.errors import TooLarge
from gridmap.services.actor import Actor
from gridmap.services.compare.load import Half, shapes
from gridmap.services.compare.pair import Comparison, compare
from gridmap.services.plans.access import subtree

#: More areas than this are not sent at once.
MAX_AREAS = 2000
_KINDS = ("moved", "assigned", "unassigned")


@service
def difference(
    session: Session,
    actor: Actor,
    a_id: int,
    b_id: int,
    *,
    bounds: tuple[float, float, float, float] | None = None,
    region: str | None = None,
) -> str:
    """Areas that changed hands as a GeoJSON FeatureCollection (text; lon/lat, EPSG:4490), with a point for the label.

    ``kind`` is "moved", "assigned" or "unassigned"; ``from`` and ``to`` are code and name of the grids, null for none.
    ``region`` is a code or a prefix. Raises ``TooLarge`` COMPARE_TOO_MANY beyond :data:`MAX_AREAS`.
    """
    found = compare.within(session, actor, a_id, b_id)
    flows, pieces = found.flows, found.common.pieces
    chosen = np.flatnonzero(flows.changed & _inside(found, subtree(region)))
    kind = np.select([flows.moved[chosen], flows.assigned[chosen]], [0, 1], 2)
    ways = np.column_stack([kind, pieces.grid_a[chosen], pieces.grid_b[chosen]])
    ways, group = np.unique(ways, axis=0, return_inverse=True)
    if len(ways) > MAX_AREAS and bounds is None:
        raise TooLarge("COMPARE_TOO_MANY", n=len(ways), max=MAX_AREAS)
    ground = _ground(session, found, chosen)
    if bounds is not None:
        near = shapely.intersects(ground, shapely.box(*bounds))
        kept = np.unique(group[near])
        if len(kept) > MAX_AREAS:
            raise TooLarge("COMPARE_TOO_MANY", n=len(kept), max=MAX_AREAS)
    else:
        kept = np.arange(len(ways))
    features = []
    for k in kept.tolist():
        mine = group == k
        area = shapely.union_all(ground[mine]) if mine.sum() > 1 else ground[mine][0]
        features.append(_feature(found, ways[k], chosen[mine], area))
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False, separators=(",", ":"))


def _inside(found: Comparison, prefix: str | None) -> Any:
    """(p,) pieces whose grid after, else before, has its home under ``prefix``."""
    if not prefix:
        return np.ones(len(found.common.row_a), bool)
    pieces = found.common.pieces
    homes = [
        np.array([*((code or "").startswith(prefix) for code in half.grids["region_code"]), False, False])
        for half in (found.half_a, found.half_b)
    ]
    return np.where(pieces.grid_b >= 0, homes[1][pieces.grid_b], homes[0][pieces.grid_a])


def _ground(session: Session, found: Comparison, chosen: Any) -> bulk.Objects:
    """Polygons (lon/lat) of pieces."""
    common = found.common
    ground = np.empty(len(chosen), dtype=object)
    laid = common.overlaid[chosen]
    ground[laid] = common.parts.geom[chosen[laid] - int((~common.overlaid).sum())]
    plain = chosen[~laid]
    row_a, row_b = common.row_a[plain], common.row_b[plain]
    finer = found.half_b.area_m2[row_b] <= found.half_a.area_m2[row_a]
    units = np.where(finer, found.half_b.unit[row_b], found.half_a.unit[row_a])
    unique, at = np.unique(units, return_inverse=True)
    ground[~laid] = shapes(session, unique)[at] if len(unique) else []
    return ground


def _feature(found: Comparison, way: Any, mine: Any, area: Any) -> dict[str, Any]:
    kind, a, b = (int(value) for value in way)
    label = shapely.point_on_surface(area)
    geometry = shapely.transform(area, lambda lonlat: np.round(lonlat, 7))
    return {
        "type": "Feature",
        "properties": {
            "kind": _KINDS[kind],
            "from": _grid(found.half_a, a),
            "to": _grid(found.half_b, b),
            "households": int(found.common.pieces.households[mine].sum()),
            "population": int(found.common.pieces.population[mine].sum()),
            "label": [round(label.x, 7), round(label.y, 7)],
        },
        "geometry": json.loads(shapely.to_geojson(geometry)),
    }


def _grid(half: Half, row: int) -> dict[str, Any] | None:
    if row < 0:
        return None
    return {"id": int(half.grids["id"][row]), "code": half.grids["code"][row], "name": half.grids["name"][row]}
