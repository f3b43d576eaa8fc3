"""GeoParquet 1.x (WKB) and plain Parquet, row group by row group.

Source: GeoParquet specification 1.1, file metadata "geo".
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from geodata.errors import GeodataError
from geodata.problems import Problem
from geodata.readers.archive import Limits
from geodata.readers.arrow import attributes
from geodata.readers.batch import Batch
from geodata.readers.encoding import BY_FORMAT
from geodata.readers.geometry import from_wkb
from geodata.readers.vector import wkt


class ParquetReader:
    """A Parquet file; its one layer is called "parquet"."""

    def __init__(self, path: Path, limits: Limits) -> None:
        import pyarrow.parquet as pq

        self._path = path
        self.notes: list[Problem] = []
        self.first_line = 1
        self.encoding = BY_FORMAT
        self.layers = [self.layer] = ["parquet"]
        with _broken(path.name), pq.ParquetFile(path) as file:
            inflated = sum(file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups))
            if inflated > limits.max_inflated:
                raise GeodataError("ARCHIVE_BOMB", mb=limits.max_inflated >> 20)
            geo = json.loads((file.schema_arrow.metadata or {}).get(b"geo", b"{}"))
            names = list(dict.fromkeys(file.schema_arrow.names))
            self.row_count: int | None = file.metadata.num_rows
            self._geometry, self.geometry_type, self.crs_wkt = _geometry(geo, names)
        extra = set(geo.get("columns", {})) | {"bbox"} if self._geometry else set()
        self.columns = [name for name in names if name not in extra]

    def batches(self, size: int) -> Iterator[Batch]:
        import pyarrow.parquet as pq

        row = 1
        wanted = [*self.columns, *([self._geometry] if self._geometry else [])]
        with _broken(self._path.name), pq.ParquetFile(self._path) as file:
            for part in file.iter_batches(batch_size=size, columns=wanted):
                rows = np.arange(row, row + part.num_rows, dtype=np.int64)
                row += part.num_rows
                frame = attributes(part.select(self.columns))
                frame.columns = list(self.columns)
                if self._geometry is None:
                    yield Batch(rows, frame)
                else:
                    shapes, problems = from_wkb(part.column(self._geometry), rows)
                    yield Batch(rows, frame, shapes, problems)


def _geometry(geo: dict[str, Any], names: list[str]) -> tuple[str | None, str | None, str | None]:
    """Column, type and CRS of the primary geometry; (None, None, None) for a plain table."""
    if not geo:
        return None, None, None
    name = geo["primary_column"]
    column = geo["columns"][name]
    if column["encoding"] != "WKB" or name not in names:
        raise GeodataError("GEOPARQUET_ENCODING", encoding=str(column["encoding"])[:40])
    types = column.get("geometry_types") or []
    declared = column.get("crs", "OGC:CRS84")
    crs = wkt(json.dumps(declared) if isinstance(declared, dict) else declared)
    return name, types[0] if len(types) == 1 else "Unknown", crs


@contextmanager
def _broken(name: str) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise GeodataError("FILE_BROKEN", name=name, reason=str(error)[:200]) from error
