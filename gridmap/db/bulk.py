"""Whole columns in and out of the database: COPY for writing, arrays for reading, geometry as WKB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely
import sqlalchemy as sa
from numpy.typing import NDArray
from psycopg import sql
from sqlalchemy.orm import Session

from gridmap.db.models import SRID

Objects = NDArray[np.object_]
Ids = NDArray[np.int64]


def columns(
    session: Session, statement: sa.Executable, parameters: Mapping[str, Any] | None = None
) -> dict[str, Objects]:
    """The result of ``statement`` as object arrays by column name, row order kept."""
    result = session.execute(statement, parameters or {})
    names, rows = list(result.keys()), result.all()
    return {name: _objects([row[k] for row in rows]) for k, name in enumerate(names)}


def _objects(values: list[Any]) -> Objects:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def ints(values: Objects, missing: int = -1) -> Ids:
    """``values`` as int64, None as ``missing``."""
    return np.array([missing if value is None else value for value in values], dtype=np.int64)


def null(values: Objects) -> NDArray[np.bool_]:
    """Where ``values`` are None."""
    return np.array([value is None for value in values], dtype=bool)


def or_none(mask: NDArray[np.bool_], values: Any) -> Objects:
    """``values`` where ``mask`` holds, None elsewhere."""
    found = np.full(len(mask), None, dtype=object)
    found[mask] = np.asarray(values)[mask]
    return found


def shapes(wkb: Objects) -> Objects:
    """Geometries of WKB bytes, None for None; coordinates are lon/lat in the stored CRS."""
    found: Objects = shapely.from_wkb(wkb)
    return found


def wkb_hex(geometry: Any) -> Objects:
    """Hex EWKB of geometries in the stored CRS, as COPY wants them; None for None."""
    placed = shapely.set_srid(np.asarray(geometry, dtype=object), SRID)
    return np.asarray(shapely.to_wkb(placed, hex=True, include_srid=True), dtype=object)


def multi(geometry: Any) -> Objects:
    """Polygons as MultiPolygons; other parts fall away, None and what has no area become None."""
    geometry = np.asarray(geometry, dtype=object)
    parts, owner = shapely.get_parts(geometry, return_index=True)
    if np.isin(shapely.get_type_id(parts), (6, 7)).any():
        parts, inner = shapely.get_parts(parts, return_index=True)
        owner = owner[inner]
    areal = shapely.get_type_id(parts) == 3
    found = np.full(len(geometry), None, dtype=object)
    shapely.multipolygons(parts[areal], indices=owner[areal], out=found)
    return found


def packed(
    session: Session, statement: sa.Executable, parameters: Mapping[str, Any], width: int
) -> NDArray[np.float64]:
    """The numbers of one bytea made by ``string_agg(float8send(...), '')`` as an array (rows, ``width``).

    A tenth of the time that rows of Python floats take.
    """
    content = session.execute(statement, parameters).scalar_one()
    return np.frombuffer(content or b"", dtype=">f8").reshape(-1, width).astype(np.float64)


def packed_ints(session: Session, statement: sa.Executable, parameters: Mapping[str, Any], width: int) -> Ids:
    """As :func:`packed`, of ``int8send``."""
    content = session.execute(statement, parameters).scalar_one()
    return np.frombuffer(content or b"", dtype=">i8").reshape(-1, width).astype(np.int64)


def reserve_ids(session: Session, table: type[Any], count: int) -> Ids:
    """``count`` fresh ids of ``table``, so that rows written by COPY can refer to each other."""
    name = table.__tablename__
    taken = sa.text("SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :count)")
    found = session.scalars(taken, {"name": name, "count": count}).all()
    return np.array(found, dtype=np.int64)


def copy(session: Session, table: str, data: Mapping[str, Sequence[Any] | NDArray[Any]]) -> int:
    """Append rows to ``table`` by COPY; ``data`` holds equally long columns. Returns the number of rows."""
    session.flush()
    cells = [_cells(values) for values in data.values()]
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(sql.Identifier(name) for name in data)
    )
    rows = list(zip(*cells, strict=True))
    cursor = session.connection().connection.driver_connection.cursor()  # type: ignore[union-attr]
    with cursor, cursor.copy(statement) as out:
        for row in rows:
            out.write_row(row)
    return len(rows)


def analyse(session: Session, *tables: str) -> None:
    """Refresh the planner's statistics after a bulk write, for what follows in the same transaction."""
    session.flush()
    session.execute(sa.text(f"ANALYZE {', '.join(tables)}"))


def _cells(values: Any) -> list[Any]:
    """Python values; NaN, NaT and NA mean null."""
    import pandas as pd

    # a list with None must not become floats
    kind = object if isinstance(values, list) else None
    series = values if isinstance(values, pd.Series) else pd.Series(values, dtype=kind)
    if series.dtype.kind == "M":
        series = series.astype("datetime64[us, UTC]" if series.dt.tz is not None else "datetime64[us]")
    cells: list[Any] = series.astype(object).where(series.notna(), None).tolist()
    return cells
