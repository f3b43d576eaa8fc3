"""The vector files of a redraw as arrays: units with their columns, and barriers."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely

from geodata.crs import middle_lon, stored_transformer, to_metric
from geodata.errors import GeodataError
from geodata.projection import transform_coordinates
from geodata.readers import open_source
from geodata.redraw.barriers import of_table
from geodata.redraw.fit import Geometries
from geodata.redraw.model import Floats
from geodata.units.model import Barriers

_LISTED = 30


@dataclass(frozen=True, slots=True)
class Ground:
    """The units of a file: ``ids`` (n,), columns by the name they were asked for, ground in a local metric CRS.

    ``lon``: the longitude that chose the metric CRS. ``rows``: 1-based record numbers.
    """

    ids: list[str]
    columns: Mapping[str, pd.Series]
    geoms: Geometries
    lon: float
    rows: list[int]

    def __len__(self) -> int:
        return len(self.ids)

    def counts(self, column: str) -> Floats:
        """A column of counts as numbers; raises ``REDRAW_CELL`` with row and id for a cell that is none."""
        return self._numbers(column, "REDRAW_CELL", whole=True)

    def numbers(self, column: str) -> Floats:
        """A column of numbers of zero or more; raises ``REDRAW_CELL_NUMBER`` with row and id for another cell."""
        return self._numbers(column, "REDRAW_CELL_NUMBER", whole=False)

    def words(self, column: str) -> list[str]:
        """A column of names; raises ``REDRAW_CELL_EMPTY`` with row and id for an empty cell."""
        words = [text_of(value) for value in self.columns[column]]
        for at, word in enumerate(words):
            if not word:
                raise GeodataError(
                    "REDRAW_CELL_EMPTY", row=self.rows[at], record=self.rows[at], unit=self.ids[at], column=column
                )
        return words

    def _numbers(self, column: str, code: str, *, whole: bool) -> Floats:
        cells = self.columns[column]
        values = pd.to_numeric(cells.map(_plain_number), errors="coerce").to_numpy(np.float64, na_value=np.nan)
        with np.errstate(invalid="ignore"):
            wrong = ~np.isfinite(values) | (values < 0) | (values > 1e9) | (whole & (values != np.round(values)))
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            raise GeodataError(
                code,
                row=self.rows[at],
                record=self.rows[at],
                unit=self.ids[at],
                column=column,
                value=text_of(cells.iloc[at]),
                cells=int(wrong.sum()),
            )
        return np.asarray(values, dtype=np.float64)


def read_ground(path: Path, id_column: str, columns: Sequence[str], *, layer: str | None, crs: str | None) -> Ground:
    """The units in any vector file, in a local metric CRS.

    ``crs`` holds where the file declares none. Raises ``REDRAW_*`` for a missing column (naming those there), an id
    that is missing or stands twice, a unit without ground or with other ground than polygons, and a file without CRS.
    """
    frame, shapes, rows, declared = _read(path, [id_column, *columns], layer)
    if not rows:
        raise GeodataError("REDRAW_NO_UNITS")
    ids = [text_of(value) for value in frame[id_column]]
    _check_ids(ids, rows)
    kinds = shapely.get_type_id(shapes)
    for at in np.flatnonzero(~np.isin(kinds, (3, 6))).tolist():
        missing = shapes[at] is None or shapes[at].is_empty
        code = "REDRAW_NO_GROUND" if missing else "REDRAW_NOT_POLYGONS"
        kind = "" if missing else shapes[at].geom_type
        raise GeodataError(code, row=rows[at], record=rows[at], unit=ids[at], kind=kind)
    lonlat = _lonlat(shapes, crs or declared, path)
    lon = middle_lon(lonlat)
    return Ground(ids, {name: frame[name] for name in columns}, to_metric(lonlat, lon), lon, rows)


def read_barriers(path: Path, lon: float, *, layer: str | None = None, crs: str | None = None) -> tuple[Barriers, int]:
    """Barriers of any vector file in the metric CRS of longitude ``lon``, and how many rows are none."""
    frame, shapes, _, declared = _read(path, None, layer)
    lonlat = _lonlat(shapes, crs or declared, path)
    columns = {str(name): frame[name].tolist() for name in frame.columns}
    barriers, others = of_table(columns, to_metric(lonlat, lon))
    if not len(barriers.geometry):
        raise GeodataError("REDRAW_NO_BARRIERS", name=path.name, columns=listed(frame.columns))
    return barriers, others


def text_of(value: Any) -> str:
    """A cell as text: whole numbers without decimals, "" for none."""
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()


def _read(
    path: Path, columns: Sequence[str] | None, layer: str | None
) -> tuple[pd.DataFrame, Geometries, list[int], str | None]:
    """Attributes (the wanted ``columns`` or all), shapes and record numbers of a vector file, and its CRS."""
    with tempfile.TemporaryDirectory(prefix="gridmap-redraw-") as scratch:
        source = open_source(path, scratch=scratch, layer=layer)
        if source.geometry_type is None:
            raise GeodataError("REDRAW_NO_MAP", name=path.name)
        for column in columns or ():
            if column not in source.columns:
                raise GeodataError("REDRAW_COLUMN", name=path.name, column=column, columns=listed(source.columns))
        batches = list(source.batches())
    wanted = source.columns if columns is None else list(dict.fromkeys(columns))
    frames = [batch.attributes[wanted] for batch in batches]
    frame = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=wanted)
    shapes = [shape for batch in batches for shape in _shapes(batch.geometry, len(batch))]
    ground = np.empty(len(shapes), dtype=object)
    ground[:] = shapes
    return frame, ground, [int(row) for batch in batches for row in batch.rows], source.crs_wkt


def _shapes(geometry: Geometries | None, rows: int) -> list[Any]:
    return [None] * rows if geometry is None else geometry.tolist()


def _check_ids(ids: Sequence[str], rows: Sequence[int]) -> None:
    first: dict[str, int] = {}
    for row, name in zip(rows, ids, strict=True):
        if not name:
            raise GeodataError("REDRAW_ID_EMPTY", row=row, record=row)
        if name in first:
            raise GeodataError("REDRAW_ID_TWICE", row=row, unit=name, first=first[name], record=row)
        first[name] = row


def _lonlat(shapes: Geometries, crs: str | None, path: Path) -> Geometries:
    if crs is None:
        raise GeodataError("REDRAW_NO_CRS", name=path.name)
    transformer = stored_transformer(crs)
    lonlat: Geometries = shapes if transformer is None else transform_coordinates(shapes, transformer.transform)
    bounds = shapely.bounds(lonlat[~shapely.is_missing(lonlat)])
    with np.errstate(invalid="ignore"):
        if not (np.abs(bounds) <= [180, 90, 180, 90]).all():
            raise GeodataError("REDRAW_WRONG_CRS", name=path.name)
    return lonlat


def _plain_number(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def listed(columns: Any) -> str:
    return "、".join(str(column) for column in list(columns)[:_LISTED])
