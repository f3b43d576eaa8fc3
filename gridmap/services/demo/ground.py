"""The layers of a synthetic town, written straight into their tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from sqlalchemy.orm import Session

from geodata.crs import middle_lon, to_metric
from gridmap.db import bulk
from gridmap.db.models import Barrier, Building, Case, Compound, ImportBatch, Region, SourceGrid
from gridmap.services import counts

if TYPE_CHECKING:
    import geopandas

_PREFIX_DIGITS = {"county": 6, "subdistrict": 9, "community": 12}


def batch(session: Session, kind: str, layer: str, rows: int, *, seed: int, size: float) -> ImportBatch:
    """The batch that the rows of a demo layer belong to, accepted as it is."""
    found = ImportBatch(
        sha256=f"demo-{seed}-{size:g}-{layer}",
        filename=f"demo_town_{layer}",
        size_bytes=0,
        kind=kind,
        state="accepted",
        rows_total=rows,
        rows_bad=0,
        rows_accepted=rows,
        progress=1.0,
        options={"demo": {"seed": seed, "size": size}},
    )
    session.add(found)
    session.flush()
    return found


def write_regions(session: Session, frame: geopandas.GeoDataFrame, batch_id: int) -> dict[str, int]:
    """County, subdistricts, communities; the id of each code."""
    ids = bulk.reserve_ids(session, Region, len(frame))
    id_of = dict(zip(frame["code"], ids.tolist(), strict=True))
    codes, levels = frame["code"].tolist(), frame["level"].tolist()
    geometry = _column(frame)
    bulk.copy(
        session,
        "region",
        {
            "id": ids,
            "code": codes,
            "prefix": [code[: _PREFIX_DIGITS[level]] for code, level in zip(codes, levels, strict=True)],
            "name": frame["name"],
            "level": levels,
            "settlement": [_settlement(value) for value in frame["urban_rural_code"].tolist()],
            "urban_rural_code": frame["urban_rural_code"],
            "parent_id": [id_of.get(code) for code in frame["parent_code"].tolist()],
            "geom": bulk.wkb_hex(bulk.multi(geometry)),
            "area_m2": np.round(shapely.area(to_metric(geometry, middle_lon(geometry))), 1),
            "source": frame["source"],
            "data_date": frame["data_date"],
            "import_batch_id": [batch_id] * len(frame),
        },
    )
    return id_of


def _settlement(urban_rural_code: Any) -> str | None:
    """Urban or rural by the statistics bureau's class: 1xx urban, 2xx rural."""
    return {"1": "urban", "2": "rural"}.get(str(urban_rural_code or "")[:1])


def write_barriers(session: Session, frame: geopandas.GeoDataFrame, batch_id: int) -> None:
    """Roads, water, rail, walls; outlines of compounds are left out."""
    lines = frame[frame["kind"] != "compound"]
    names = ("kind", "class", "name", "tunnel", "bridge", "width_m")
    bulk.copy(
        session,
        Barrier.__tablename__,
        {name: lines[name] for name in names}
        | {"geom": bulk.wkb_hex(_column(lines)), "import_batch_id": [batch_id] * len(lines)},
    )


def write_compounds(
    session: Session,
    frame: geopandas.GeoDataFrame,
    regions: geopandas.GeoDataFrame,
    id_of: dict[str, int],
    batch_id: int,
) -> dict[str, int]:
    """Compounds from the barriers' rows of that kind; the id of each name."""
    outlines = frame[frame["kind"] == "compound"]
    ids = bulk.reserve_ids(session, Compound, len(outlines))
    shapes = _column(outlines)
    community = regions[regions["level"] == "community"]
    row, at = shapely.STRtree(_column(community)).query(shapely.point_on_surface(shapes), predicate="within")
    home = np.full(len(outlines), None, dtype=object)
    home[row] = community["code"].map(id_of).to_numpy(dtype=object)[at]
    bulk.copy(
        session,
        Compound.__tablename__,
        {
            "id": ids,
            "name": outlines["name"],
            "region_id": home,
            "geom": bulk.wkb_hex(bulk.multi(shapes)),
            "import_batch_id": [batch_id] * len(outlines),
        },
    )
    return dict(zip(outlines["name"], ids.tolist(), strict=True))


def write_buildings(
    session: Session, frame: geopandas.GeoDataFrame, id_of: dict[str, int], compound_of: dict[str, int], batch_id: int
) -> None:
    shapes = _column(frame)
    names = ("key", "name", "address", "kind", "floors", "households", "population", "data_date")
    bulk.copy(
        session,
        Building.__tablename__,
        {name: frame[name] for name in names}
        | {
            "compound_id": frame["compound"].map(compound_of).astype("Int64"),
            "region_id": frame["region_code"].map(id_of),
            "geom": bulk.wkb_hex(shapes),
            "point": bulk.wkb_hex(shapely.point_on_surface(shapes)),
            "import_batch_id": [batch_id] * len(frame),
        },
    )


def write_source_grids(session: Session, frame: geopandas.GeoDataFrame, batch_id: int) -> None:
    """Grids as they were drawn."""
    names = ("department", "code", "name", "kind", "parent_code", "workers", "data_date")
    counts = {name: frame[name] for name in ("households", "population") if name in frame}
    bulk.copy(
        session,
        SourceGrid.__tablename__,
        {name: frame[name] for name in names}
        | counts
        | {"geom": bulk.wkb_hex(bulk.multi(_column(frame))), "import_batch_id": [batch_id] * len(frame)},
    )


def write_cases(session: Session, frame: geopandas.GeoDataFrame, batch_id: int) -> None:
    """Cases with the unit they lie in, so that no row is written twice."""
    shapes = _column(frame)
    units, regions = counts.home_units(session, shapely.get_coordinates(shapes))
    names = ("number", "category", "level", "source", "occurred_at", "reported_at", "closed_at", "place")
    bulk.copy(
        session,
        Case.__tablename__,
        {name: frame[name] for name in names}
        | {
            "unit_id": bulk.or_none(units >= 0, units),
            "region_id": bulk.or_none(regions >= 0, regions),
            "point": bulk.wkb_hex(shapes),
            "import_batch_id": [batch_id] * len(frame),
        },
    )


def _column(frame: geopandas.GeoDataFrame) -> bulk.Objects:
    found: bulk.Objects = frame.geometry.to_numpy()
    return found
