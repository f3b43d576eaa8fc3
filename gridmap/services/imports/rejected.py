"""Rejected rows as a file: as they stood, with the reason in a column, to be mended and sent again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from geodata.messages import hint, sentence
from geodata.readers import Format, Source
from geodata.writers import write_csv, write_vector, write_xlsx
from gridmap.db.engine import service
from gridmap.db.models import ImportProblem
from gridmap.errors import Conflict, Invalid
from gridmap.services.actor import Actor
from gridmap.services.exports.plan import fresh_path
from gridmap.services.imports import batches, files

if TYPE_CHECKING:
    import geopandas as gpd

#: What a file of each format is given back as.
_BACK = {
    Format.CSV: "csv",
    Format.XLSX: "xlsx",
    Format.SHAPEFILE: "shp",
    Format.GEOJSON: "geojson",
    Format.GEOJSONSEQ: "geojson",
    Format.FLATGEOBUF: "fgb",
}
_SUFFIX = {"csv": ".csv", "xlsx": ".xlsx", "shp": ".zip", "geojson": ".geojson", "fgb": ".fgb", "gpkg": ".gpkg"}
#: The added columns; a file sent again may keep them, no field is mapped to them.
REASON, ROW = "gridmap_reason", "gridmap_row"


@service
def rejected_file(session: Session, actor: Actor, batch_id: int, fmt: str | None = None) -> Path:
    """Write the rows that could not be accepted, with ``gridmap_reason`` and ``gridmap_row``; the path of the file.

    ``fmt``: csv, xlsx, gpkg, geojson, shp or fgb; None: as the file came in. Columns with personal data are left out.
    Headers stay as they were, so the mended file maps itself. Raises ``Conflict`` IMPORT_NO_REJECTED, ``Invalid``
    IMPORT_FORMAT, ``NotFound`` UPLOAD_GONE.
    """
    batch = batches.find(session, actor, batch_id)
    batches.looked_at(session, actor, batch, "rejected")
    told = (ImportProblem.batch_id == batch_id, ImportProblem.severity == "E", ImportProblem.row.is_not(None))
    chosen = sa.select(ImportProblem.row).where(*told).distinct().order_by(ImportProblem.row)
    rows = np.array(session.scalars(chosen).all(), dtype=np.int64)
    if not len(rows):
        raise Conflict("IMPORT_NO_REJECTED")
    reasons = _reasons(session, batch_id, actor.locale)
    with files.opened(batch) as source:
        wanted = fmt or _BACK.get(source.format, "gpkg")
        if wanted not in _SUFFIX:
            raise Invalid("IMPORT_FORMAT", format=wanted[:20], formats="、".join(_SUFFIX))
        table, shapes = _records(source, rows)
        table[ROW] = rows
        table[REASON] = [reasons.get(int(row), "") for row in rows]
        path = fresh_path(f"rejected-{batch_id}{_SUFFIX[wanted]}")
        _write(table, shapes, source, path, wanted)
    return path


def _reasons(session: Session, batch_id: int, locale: str) -> dict[int, str]:
    """The sentences of each row's errors, with hints, one after the other."""
    query = (
        sa.select(ImportProblem.row, ImportProblem.code, ImportProblem.params)
        .where(ImportProblem.batch_id == batch_id, ImportProblem.severity == "E", ImportProblem.row.is_not(None))
        .order_by(ImportProblem.row, ImportProblem.id)
    )
    told: dict[int, list[str]] = {}
    for row, code, params in session.execute(query):
        if row is None:
            continue
        parts = (sentence(code, locale, **params), hint(code, locale, **params))
        told.setdefault(row, []).append(" ".join(filter(None, parts)))
    return {row: "；".join(dict.fromkeys(parts)) for row, parts in told.items()}


def _records(source: Source, rows: NDArray[np.int64]) -> tuple[pd.DataFrame, NDArray[np.object_] | None]:
    """The records ``rows`` as they stand in the file, geometry in the file's own CRS."""
    kept = [batch.take(np.isin(batch.rows, rows)) for batch in source.batches()]
    table = pd.concat([batch.attributes for batch in kept], ignore_index=True)
    shapes = [batch.geometry for batch in kept if batch.geometry is not None]
    return table, np.concatenate(shapes) if shapes else None


def _write(table: pd.DataFrame, shapes: NDArray[np.object_] | None, source: Source, path: Path, wanted: str) -> None:
    if shapes is None or wanted in ("csv", "xlsx"):
        plain = table if shapes is None else _with_lonlat(table, shapes)
        if wanted == "xlsx":
            write_xlsx({source.layer: plain}, path)
        elif wanted == "csv":
            write_csv(plain, path)
        else:
            raise Invalid("IMPORT_FORMAT", format=wanted, formats="csv、xlsx")
        return
    write_vector(_framed(table, shapes, source), path, wanted)


def _framed(table: pd.DataFrame, shapes: NDArray[np.object_], source: Source) -> gpd.GeoDataFrame:
    import geopandas as gpd

    return gpd.GeoDataFrame(table, geometry=shapes, crs=source.crs_wkt)


def _with_lonlat(table: pd.DataFrame, shapes: NDArray[Any]) -> pd.DataFrame:
    """Coordinates of points as columns; a table cannot hold other shapes."""
    import shapely

    points = shapes.copy()
    points[shapely.get_type_id(shapes) != 0] = None
    if {"lon", "lat"} & set(table.columns):
        return table
    return table.assign(lon=shapely.get_x(points), lat=shapely.get_y(points))
