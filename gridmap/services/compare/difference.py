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
_DRAWN = 8  # maps kept of one comparison
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
    prefix = subtree(region)
    if bounds is None and prefix in found.drawn:
        return found.drawn[prefix]
    text = _draw(session, found, bounds, prefix)
    if bounds is None and len(found.drawn) < _DRAWN:
        found.drawn[prefix] = text
    return text


def _draw(
    session: Session, found: Comparison, bounds: tuple[float, float, float, float] | None, prefix: str | None
) -> str:
    flows, pieces = found.flows, found.common.pieces
    chosen = np.flatnonzero(flows.changed & _inside(found, prefix))
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
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(len(ways) + 1))
    members = [order[starts[k] : starts[k + 1]] for k in kept.tolist()]
    areas = np.array([*(_union(ground[mine], found.common.overlaid[chosen[mine]]) for mine in members), None])[:-1]
    labels = shapely.get_coordinates(shapely.point_on_surface(areas)).round(7).tolist()
    places = shapely.to_geojson(shapely.transform(areas, lambda lonlat: np.round(lonlat, 7))).tolist()
    features = [
        _feature(found, ways[k], chosen[mine], label, place)
        for k, mine, label, place in zip(kept.tolist(), members, labels, places, strict=True)
    ]
    return f'{{"type":"FeatureCollection","features":[{",".join(features)}]}}'


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


def _union(ground: bulk.Objects, overlaid: Any) -> Any:
    """Units meet exactly along their borders; parts that geometry found need not."""
    if len(ground) == 1:
        return ground[0]
    return shapely.union_all(ground) if overlaid.any() else shapely.coverage_union_all(ground)


def _feature(found: Comparison, way: Any, mine: Any, label: list[float], place: str) -> str:
    """A GeoJSON feature as text; ``place`` is its geometry."""
    kind, a, b = (int(value) for value in way)
    properties = {
        "kind": _KINDS[kind],
        "from": _grid(found.half_a, a),
        "to": _grid(found.half_b, b),
        "households": int(found.common.pieces.households[mine].sum()),
        "population": int(found.common.pieces.population[mine].sum()),
        "label": label,
    }
    told = json.dumps(properties, ensure_ascii=False, separators=(",", ":"))
    return f'{{"type":"Feature","properties":{told},"geometry":{place}}}'


def _grid(half: Half, row: int) -> dict[str, Any] | None:
    if row < 0:
        return None
    return {"id": int(half.grids["id"][row]), "code": half.grids["code"][row], "name": half.grids["name"][row]}
