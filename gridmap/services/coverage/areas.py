"""What a map of coverage draws: child regions with their sums and simplified borders, or grids."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from gridmap.db import bulk
from gridmap.db.engine import engine, service
from gridmap.errors import TooLarge
from gridmap.services.actor import Actor, Role
from gridmap.services.coverage.sums import RegionCoverage, coverage
from gridmap.services.mapdata import MAX_FEATURES, Bounds
from gridmap.services.plans.access import subtree
from gridmap.services.versions import versions
from gridmap.sql import query

#: Parts of the longer side of the map that a border may give up: less than a pixel of a wide screen.
_STEPS = 2500
_kept: OrderedDict[Hashable, dict[str, str]] = OrderedDict()
_lock = threading.Lock()


@service
def areas(
    session: Session,
    actor: Actor,
    *,
    plan_id: int | None = None,
    on: date | None = None,
    region: str | None = None,
    bounds: Bounds | None = None,
    grids: bool = False,
) -> str:
    """The rows of :func:`coverage` with their borders, or the plan's grids there, as GeoJSON (text; EPSG:4490).

    Neighbours keep one border. Raises ``TooLarge`` TOO_MANY_GRIDS beyond 2,000 polygons, and what ``coverage`` raises.
    """
    found = coverage.within(session, actor, plan_id=plan_id, on=on, region=region)
    if found.plan_id is None:
        return '{"type":"FeatureCollection","features":[]}'
    text = _grids(session, actor, found.plan_id, region, bounds) if grids else _regions(session, found.rows)
    if text is None:
        raise TooLarge("TOO_MANY_GRIDS", max=MAX_FEATURES)
    return text


def _grids(session: Session, actor: Actor, plan_id: int, region: str | None, bounds: Bounds | None) -> str | None:
    sides = dict(zip(("west", "south", "east", "north"), bounds or (None,) * 4, strict=True))
    values = {"plan": plan_id, "region": subtree(region) or "", "patterns": actor.patterns(Role.VIEWER), **sides}
    text: str | None = session.scalar(query("coverage", "grid_areas"), values | {"max": MAX_FEATURES})
    return text


def _regions(session: Session, rows: Sequence[RegionCoverage]) -> str | None:
    if len(rows) > MAX_FEATURES:
        return None
    shapes = borders(session, [subtree(row.code) or row.code for row in rows])
    features = []
    for row in rows:
        told = {
            "code": row.code, "name": row.name, "level": row.level, "grids": row.grids, "out": row.over + row.under,
            "share_out": round(row.share_out, 4), "crowded_share": round(row.crowded_share, 4),
            "estimated_share": round(row.estimated_share, 4), "population": row.population,
            "households": row.households, "uncovered_buildings": row.uncovered_buildings,
            "oldest": row.oldest.isoformat() if row.oldest else None,
        }  # fmt: skip
        said = json.dumps(told, ensure_ascii=False)
        border = shapes[subtree(row.code) or row.code]
        features.append(f'{{"type":"Feature","id":"{row.code}","properties":{said},"geometry":{border}}}')
    return f'{{"type":"FeatureCollection","features":[{",".join(features)}]}}'


def borders(session: Session, parts: list[str]) -> dict[str, str]:
    """Borders of regions as GeoJSON, simplified together; kept while regions stay as they are."""
    key = (str(engine().url), versions(session)["regions"], *parts)
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    table = bulk.columns(session, query("coverage", "area_shapes"), {"parts": parts})
    made = dict(zip(table["part"].tolist(), simplified(bulk.shapes(table["geom"])), strict=True))
    with _lock:
        _kept[key] = made
        while len(_kept) > 32:
            _kept.popitem(last=False)
    return made


def simplified(shapes: Any) -> list[str]:
    """GeoJSON of polygons (degrees) that keep the borders they share."""
    import shapely

    if not len(shapes):
        return []
    west, south, east, north = shapely.total_bounds(shapes)
    tolerance = max(east - west, north - south) / _STEPS
    fine = np.asarray(shapely.coverage_simplify(shapes, tolerance))
    rounded = shapely.transform(fine, lambda xy: np.round(xy, 6))
    return [str(text) for text in shapely.to_geojson(rounded)]
