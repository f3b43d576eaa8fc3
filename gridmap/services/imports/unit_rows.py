"""Units as they are: drawn elsewhere, made one exact coverage, and if need be given a community to lie in."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import shapely
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from geodata.closing import Closed, close_micro_gaps
from geodata.crs import middle_lon, to_lonlat, to_metric
from gridmap.db import bulk
from gridmap.db.models import ImportBatch, Region, Unit
from gridmap.errors import Conflict, Invalid
from gridmap.services import counts
from gridmap.services.actor import Actor, Role
from gridmap.services.versions import raise_version
from gridmap.sql import query

#: Gaps and overlaps narrower than this come from simplifying each polygon on its own.
TOLERANCE_M = 15.0
#: Where a file of units is its own community: a county code that GB/T 2260 gives to no place.
_NOWHERE = "990000"
_COUNTY_DIGITS = 6


def take_units(session: Session, actor: Actor, batch: ImportBatch, *, replace: bool) -> tuple[int, dict[str, Any]]:
    """Write the good rows of ``batch`` as living units; how many, and what closing the gaps between them changed.

    Raises ``Invalid`` IMPORT_NO_COMMUNITY where rows lie in no known community and none is to be derived,
    ``Conflict`` IMPORT_UNITS_LIVE where units live there already and are not to be replaced.
    """
    rows = bulk.columns(session, query("imports", "units"), {"batch": batch.id})
    ground = bulk.shapes(rows["geom"])
    lon0 = middle_lon(ground)
    tolerance_m = float(batch.options.get("tolerance_m", TOLERANCE_M))
    closed = close_micro_gaps(to_metric(ground, lon0), tolerance_m)
    kept = ~shapely.is_empty(closed.geoms)
    region = _communities(session, actor, batch, rows, closed.geoms, lon0)
    _make_room(session, np.unique(region[kept]).tolist(), replace)
    ids = bulk.reserve_ids(session, Unit, int(kept.sum()))
    bulk.copy(session, "unit", _columns(rows, closed.geoms, region, kept, ids, lon0, batch.id))
    placed = counts.place_buildings(session), counts.place_cases(session)
    report = _report(closed, tolerance_m) | {"placed_buildings": placed[0], "placed_cases": placed[1]}
    if batch.options.get("derive"):
        raise_version(session, "regions")
    return int(kept.sum()), report


def _columns(
    rows: dict[str, bulk.Objects],
    metric: NDArray[np.object_],
    region: NDArray[np.int64],
    kept: NDArray[np.bool_],
    ids: bulk.Ids,
    lon0: float,
    batch_id: int,
) -> dict[str, Any]:
    regions = region[kept]
    order = np.argsort(regions, kind="stable")
    number = np.empty(len(regions), np.int64)
    number[order] = np.arange(len(regions)) - np.searchsorted(regions[order], regions[order]) + 1
    missing = rows["missing"][kept].astype(bool)
    return {
        "id": ids,
        "region_id": regions,
        "number": number,
        "key": rows["key"][kept],
        "name": rows["name"][kept],
        "geom": bulk.wkb_hex(bulk.multi(to_lonlat(metric[kept], lon0))),
        "area_m2": np.round(shapely.area(metric[kept]), 3),
        "households": rows["households"][kept].astype(np.int64),
        "population": rows["population"][kept].astype(np.int64),
        "missing_households": missing.astype(np.int64),
        "oldest_data": rows["data_date"][kept],
        "provenance": [json.dumps({"by": "import", "batch": batch_id})] * len(regions),
    }


def _make_room(session: Session, regions: list[int], replace: bool) -> None:
    living = sa.select(sa.func.count()).where(Unit.region_id.in_(regions), Unit.retired_at.is_(None))
    count = session.scalar(living) or 0
    if count and not replace:
        raise Conflict("IMPORT_UNITS_LIVE", count=count)
    session.execute(query("imports", "let_go_of_units"), {"regions": regions})
    session.execute(query("units", "retire"), {"communities": regions})
    session.execute(query("units", "remove_unused"), {"communities": regions})


def _communities(
    session: Session,
    actor: Actor,
    batch: ImportBatch,
    rows: dict[str, bulk.Objects],
    metric: NDArray[np.object_],
    lon0: float,
) -> NDArray[np.int64]:
    """Region id of every row: the community it lies in, else one made of the rows themselves."""
    known = bulk.ints(rows["region_id"])
    derive = batch.options.get("derive")
    if not derive:
        lost = np.flatnonzero(known < 0)
        if len(lost):
            raise Invalid("IMPORT_NO_COMMUNITY", count=len(lost), first=int(rows["row"][lost[0]]))
        return known
    name = batch.filename.rsplit(".", 1)[0]
    labels = np.array([name] * len(known) if derive == "whole" else [str(c or name) for c in rows["community"]])
    base = str(batch.options.get("region") or _NOWHERE)[:_COUNTY_DIGITS].ljust(_COUNTY_DIGITS, "0")
    actor.require(Role.PLANNER, base)
    if session.scalar(sa.select(sa.exists().where(Region.code.startswith(base)))):
        raise Conflict("IMPORT_REGION_TAKEN", region=base)
    names, community = np.unique(labels, return_inverse=True)
    if len(names) > 999:
        raise Invalid("IMPORT_TOO_MANY_COMMUNITIES", count=len(names))
    parts = np.array([shapely.union_all(metric[community == k]) for k in range(len(names))], dtype=object)
    whole = shapely.union_all(parts)
    county = _region(session, batch, f"{base}000000", name, "county", whole, lon0, None)
    subdistrict = _region(session, batch, f"{base}001000", name, "subdistrict", whole, lon0, county)
    ids = [
        _region(session, batch, f"{base}001{k + 1:03}", str(label), "community", part, lon0, subdistrict)
        for k, (label, part) in enumerate(zip(names, parts, strict=True))
    ]
    return np.array(ids, dtype=np.int64)[community]


def _region(
    session: Session, batch: ImportBatch, code: str, name: str, level: str, metric: Any, lon0: float, parent: int | None
) -> int:
    digits = {"county": 6, "subdistrict": 9, "community": 12}[level]
    region = Region(
        code=code,
        prefix=code[:digits],
        name=name,
        level=level,
        parent_id=parent,
        geom=sa.func.ST_GeomFromEWKB(_ewkb(to_lonlat(metric, lon0))),
        area_m2=round(float(shapely.area(metric)), 3),
        source=batch.filename,
        import_batch_id=batch.id,
    )
    session.add(region)
    session.flush()
    return region.id


def _ewkb(shape: Any) -> bytes:
    areal = bulk.multi(np.array([shape, None], dtype=object)[:1])[0]
    found: bytes = shapely.to_wkb(shapely.set_srid(areal, 4490), include_srid=True)
    return found


def _report(closed: Closed, tolerance_m: float) -> dict[str, Any]:
    return {
        "tolerance_m": tolerance_m,
        "gaps_closed": closed.gaps_closed,
        "gaps_closed_m2": round(closed.gaps_closed_m2, 1),
        "overlaps_removed": closed.overlaps_removed,
        "overlaps_removed_m2": round(closed.overlaps_removed_m2, 1),
        "moved_m2": round(float(closed.moved_m2.sum()) / 2, 1),
        "wide_overlaps": len(closed.wide_overlaps),
        "wide_overlaps_m2": round(float(shapely.area(closed.wide_overlaps).sum()), 1),
        "gaps_left": len(closed.gaps_left),
        "gaps_left_m2": round(float(shapely.area(closed.gaps_left).sum()), 1),
        "vanished": len(closed.vanished),
    }
