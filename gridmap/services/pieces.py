"""Who lives in the pieces of a cut unit: its buildings by their points; sums that always equal the unit's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from sqlalchemy.orm import Session

from gridmap.db import bulk
from gridmap.sql import query

#: Sums of a unit that its pieces share.
SHARED = ("households", "population", "buildings", "estimated_households", "missing_households")


def count(session: Session, parent: int, pair: Any) -> tuple[list[dict[str, Any]], bool]:
    """Counts of the two pieces ``pair`` (Polygons, lon/lat) of the unit ``parent``, and whether they are estimated.

    Buildings count where their point lies, by the half-open rule; without buildings the unit's sums are shared by area.
    """
    from geodata.crs import middle_lon, to_metric

    chain = session.execute(query("pieces", "chain_of_cuts"), {"unit": parent}).all()
    housed = bulk.columns(session, query("pieces", "housed"), {"unit": chain[0].id})
    for cut in chain[1:]:
        shapes = bulk.shapes(np.array([cut.geom, cut.sibling_geom], dtype=object))
        housed = _rows(housed, _home(housed, shapes) == 0)
    home = _home(housed, pair)
    area_m2 = shapely.area(to_metric(np.asarray(pair, dtype=object), middle_lon(np.asarray(pair, dtype=object))))
    known = bulk.ints(housed["households"])
    weights = {
        "households": np.maximum(known, 0),
        "population": bulk.ints(housed["population"], missing=0),
        "buildings": np.ones(len(home), dtype=np.int64),
        "estimated_households": np.where(housed["estimated"].astype(bool), np.maximum(known, 0), 0),
        "missing_households": (known < 0).astype(np.int64),
    }
    whole = session.execute(query("pieces", "unit_counts"), {"unit": parent}).mappings().one()
    found: list[dict[str, Any]] = [{}, {}]
    for name in SHARED:
        parts = share(whole[name], np.bincount(home, weights[name], 2).astype(np.int64), area_m2)
        for k in (0, 1):
            found[k][name] = parts[k]
    for k in (0, 1):
        dates = [date for date in housed["data_date"][home == k] if date is not None]
        found[k]["oldest_data"] = min(dates, default=whole["oldest_data"])
    return found, not len(home)


def share(total: int, weights: Sequence[int] | Any, fallback: Any) -> tuple[int, int]:
    """``total`` in two whole numbers by ``weights``, by ``fallback`` where those are all zero."""
    first, second = (float(w) for w in (weights if sum(weights) > 0 else fallback))
    part = round(total * first / (first + second))
    return part, total - part


def _home(housed: Mapping[str, bulk.Objects], pair: Any) -> bulk.Ids:
    """0 or 1 for each building: the piece its point belongs to; a point outside both belongs to the nearer one."""
    from geodata.crs import middle_lon, to_metric
    from geodata.locate import locate

    polygons = np.asarray(pair, dtype=object)
    if not len(housed["id"]):
        return np.zeros(0, dtype=np.int64)
    lon0 = middle_lon(polygons)
    ground = to_metric(polygons, lon0)
    points = to_metric(np.column_stack([housed["lon"], housed["lat"]]).astype(np.float64), lon0)
    home = locate(points, ground)
    lost = home < 0
    away = shapely.distance(shapely.points(points[lost])[:, None], ground[None, :])
    home[lost] = away.argmin(axis=1)
    return home


def _rows(table: Mapping[str, bulk.Objects], where: Any) -> dict[str, bulk.Objects]:
    return {name: column[where] for name, column in table.items()}


def recount(session: Session, units: Sequence[int]) -> list[int]:
    """Count the pieces of ``units`` (ids, and pieces of pieces) again, in all plans; the pieces that there are."""
    pairs = session.execute(query("pieces", "pairs_below"), {"units": list(units)}).all()
    for pair in pairs:
        shapes = bulk.shapes(np.array([pair.geom, pair.sibling_geom], dtype=object))
        counted, estimated = count(session, pair.cut_of, shapes)
        for piece, values in zip((pair.id, pair.sibling), counted, strict=True):
            session.execute(query("pieces", "recount_piece"), {"id": piece, "guess": estimated, **values})
    return [piece for pair in pairs for piece in (pair.id, pair.sibling)]
