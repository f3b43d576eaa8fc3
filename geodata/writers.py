"""Exports: vector files, CSV and XLSX that other programs open and that our own readers read back with nothing lost."""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from geodata.errors import GeodataError
from geodata.readers.source import ALIASES

if TYPE_CHECKING:
    import geopandas as gpd

#: Suffix and GDAL driver of each vector format.
VECTOR_FORMATS: Mapping[str, tuple[str, str]] = {
    "gpkg": (".gpkg", "GPKG"),
    "geojson": (".geojson", "GeoJSON"),
    "shp": (".zip", "ESRI Shapefile"),
    "fgb": (".fgb", "FlatGeobuf"),
}
_GEOJSON_DECIMALS = 9  # a tenth of a millimetre, the same on both sides of a shared border
_DBF_TEXT_BYTES = 254
_DBF_NAME_BYTES = 10
_DANGEROUS = re.compile(r"^'*[=+\-@\t\r]")
_WIDTH_ROWS = 200
_MAX_WIDTH = 50


def write_vector(frame: gpd.GeoDataFrame, path: Path, format: str, *, layer: str = "gridmap") -> Path:
    """Write ``frame`` (EPSG:4490) whole or not at all to ``path``; ``format`` is gpkg, geojson, shp (a zip) or fgb.

    GeoJSON coordinates have nine decimals; a FlatGeobuf file is sorted by its spatial index. A Shapefile gets ASCII
    field names of ten bytes, UTF-8 with .cpg, ISO text for times, and a table of the full names. Raises
    ``EXPORT_FORMAT`` for another format and ``EXPORT_TOO_LONG`` for text a Shapefile cannot keep.
    """
    if format not in VECTOR_FORMATS:
        raise GeodataError("EXPORT_FORMAT", format=format)
    with _whole(path) as folder:
        if format == "shp":
            _write_shapefile(frame, folder / path.name, folder, layer)
        else:
            _write(frame, folder / path.name, format, layer)
    return path


def write_csv(frame: pd.DataFrame, path: Path) -> Path:
    """Write ``frame`` as CSV for Excel and WPS: UTF-8 with byte order mark, no cell computes, points as lon and lat.

    Moments with a zone are written in Chinese time with their offset.
    """
    with _whole(path) as folder:
        _flat(frame).to_csv(folder / path.name, index=False, encoding="utf-8-sig", lineterminator="\r\n")
    return path


def write_xlsx(sheets: Mapping[str, pd.DataFrame], path: Path) -> Path:
    """Write one sheet a frame: text (and so codes) as text cells, days and Chinese times as dates, frozen header."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    for title, frame in sheets.items():
        _fill(book.create_sheet(_sheet_title(title)), _points_as_columns(frame))
    with _whole(path) as folder:
        book.save(folder / path.name)
    return path


def defused(text: str) -> str:
    """``text`` as a spreadsheet shows it and never computes it: an apostrophe before = + - @; readers take it off."""
    return "'" + text if _DANGEROUS.match(text) else text


def undefused(text: str) -> str:
    """``text`` without the apostrophe that :func:`defused` set."""
    return text[1:] if text.startswith("'") and _DANGEROUS.match(text[1:]) else text


def ascii_names(columns: list[str]) -> dict[str, str]:
    """A unique ASCII name of at most ten bytes for each column: itself where it fits, else its pinyin initials."""
    from pypinyin import Style, lazy_pinyin

    names: dict[str, str] = {}
    taken: set[str] = set()
    for column in columns:
        latin = "".join(lazy_pinyin(column, style=Style.FIRST_LETTER, errors=lambda text: text))
        plain = re.sub(r"[^A-Za-z0-9_]+", "_", latin).strip("_") or "field"
        plain = plain if plain[0].isalpha() else f"f{plain}"
        name, serial = plain[:_DBF_NAME_BYTES], 1
        while name.lower() in taken:
            serial += 1
            name = f"{plain[: _DBF_NAME_BYTES - len(str(serial)) - 1]}_{serial}"
        taken.add(name.lower())
        names[column] = name
    return names


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A folder beside ``path``; what stands in it under the same name takes its place at the end, or nothing does."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".export-") as folder:
        yield Path(folder)
        (Path(folder) / path.name).replace(path)


def _write(frame: gpd.GeoDataFrame, path: Path, format: str, layer: str) -> None:
    import pyogrio

    options: dict[str, Any] = {}
    if format == "geojson":
        options = {"COORDINATE_PRECISION": _GEOJSON_DECIMALS}
    if format == "fgb" and (len(frame) == 0 or frame.geometry.isna().any()):
        options = {"SPATIAL_INDEX": "NO"}
    if format == "gpkg" and "fid" in {str(name).lower() for name in frame.columns}:
        options = {"FID": "gridmap_fid"}
    driver = VECTOR_FORMATS[format][1]
    pyogrio.write_dataframe(frame, path, driver=driver, layer=layer, layer_options=options, use_arrow=True)


def _write_shapefile(frame: gpd.GeoDataFrame, path: Path, folder: Path, layer: str) -> None:
    import pyogrio

    attributes = [str(name) for name in frame.columns if name != frame.geometry.name]
    names = ascii_names(attributes)
    plain = frame.copy()
    for column in attributes:
        plain[column] = _dbf_column(plain[column], column)
    plain = plain.rename(columns=names)
    parts = folder / "parts"
    parts.mkdir()
    stem = re.sub(r'[\\/:*?"<>|\0]+', "_", layer) or "gridmap"
    pyogrio.write_dataframe(
        plain, parts / f"{stem}.shp", driver="ESRI Shapefile", encoding="UTF-8", layer_options={"RESIZE": "YES"}
    )
    aliases = pd.DataFrame({"field": list(names.values()), "name": list(names)})
    aliases.to_csv(parts / ALIASES, index=False, encoding="utf-8-sig", lineterminator="\r\n")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in sorted(parts.iterdir()):
            archive.write(part, part.name)


def _dbf_column(series: pd.Series, name: str) -> pd.Series:
    """What a dBASE field can keep: text of 254 bytes, numbers; flags as 0 and 1, times as ISO text."""
    if pd.api.types.is_bool_dtype(series.dtype):
        return series.astype("Int8").astype("Int32")
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        return _iso(series)
    if isinstance(series.dtype, pd.StringDtype) or series.dtype == object:
        text = series.astype("str")
        if (text.dropna().map(lambda cell: len(cell.encode())) > _DBF_TEXT_BYTES).any():
            raise GeodataError("EXPORT_TOO_LONG", field=name, limit=_DBF_TEXT_BYTES)
        return text
    return series


def _iso(series: pd.Series) -> pd.Series:
    """Days as 2025-04-03, moments with zone in Chinese time with offset, others to the second or finer."""
    if isinstance(series.dtype, pd.DatetimeTZDtype):
        series = series.dt.tz_convert(ZoneInfo("Asia/Shanghai"))
    days = series.dropna()
    whole = not isinstance(series.dtype, pd.DatetimeTZDtype) and (days == days.dt.normalize()).all()
    cells = [None if pd.isna(v) else (v.date() if whole else v).isoformat() for v in series]
    return pd.Series(cells, index=series.index, dtype="str")


def _points_as_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """``frame`` without its geometry; where all of it is points, with lon and lat instead."""
    geometry = getattr(frame, "_geometry_column_name", None)
    if geometry is None or geometry not in frame.columns:
        return frame
    import shapely

    shapes = np.asarray(frame[geometry], dtype=object)
    plain = pd.DataFrame(frame.drop(columns=geometry))
    kinds = shapely.get_type_id(shapes)
    if np.isin(kinds, (-1, 0)).all() and "lon" not in plain and "lat" not in plain:
        plain["lon"], plain["lat"] = shapely.get_x(shapes), shapely.get_y(shapes)
    return plain


def _flat(frame: pd.DataFrame) -> pd.DataFrame:
    """Every cell as CSV text or a number."""
    plain = _points_as_columns(frame).copy()
    for name in plain.columns:
        series = plain[name]
        if pd.api.types.is_datetime64_any_dtype(series.dtype):
            plain[name] = _iso(series)
        elif not pd.api.types.is_numeric_dtype(series.dtype):
            plain[name] = series.map(lambda cell: defused(cell) if isinstance(cell, str) else cell)
    return plain.rename(columns={name: defused(str(name)) for name in plain.columns})


def _fill(sheet: Any, frame: pd.DataFrame) -> None:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    sheet.freeze_panes = "A2"
    for position, name in enumerate(frame.columns, 1):
        sheet.column_dimensions[get_column_letter(position)].width = _width(str(name), frame.iloc[:, position - 1])
    header = []
    for name in frame.columns:
        cell = WriteOnlyCell(sheet, value=_cell_text(str(name)))
        cell.font = Font(bold=True)
        cell.fill = PatternFill("solid", fgColor="DDE6F0")
        cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        header.append(cell)
    sheet.append(header)
    columns = [_sheet_column(sheet, frame.iloc[:, i]) for i in range(frame.shape[1])]
    for row in zip(*columns, strict=True):
        sheet.append(row)


def _sheet_column(sheet: Any, series: pd.Series) -> Iterator[Any]:
    """The cells of one column, typed and formatted."""
    from openpyxl.cell import WriteOnlyCell

    style = None
    if isinstance(series.dtype, pd.DatetimeTZDtype):
        series = series.dt.tz_convert(ZoneInfo("Asia/Shanghai")).dt.tz_localize(None)
        style = "yyyy-mm-dd hh:mm:ss"
    elif pd.api.types.is_datetime64_any_dtype(series.dtype):
        style = "yyyy-mm-dd"
    for value in series:
        if value is None or pd.isna(value):
            yield None
        elif isinstance(value, bool | np.bool_):
            yield bool(value)
        elif isinstance(value, int | np.integer):
            yield int(value)
        elif isinstance(value, float | np.floating):
            yield float(value) if np.isfinite(value) else None
        else:
            moment = isinstance(value, pd.Timestamp)
            cell = WriteOnlyCell(sheet, value=value.to_pydatetime() if moment else _cell_text(str(value)))
            cell.number_format = (style or "General") if moment else "@"
            yield cell


def _cell_text(text: str) -> str:
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    return ILLEGAL_CHARACTERS_RE.sub("", defused(text))


def _sheet_title(title: str) -> str:
    return re.sub(r"[\\/*?:\[\]]+", "_", title)[:31] or "Sheet"


def _width(name: str, series: pd.Series) -> int:
    """Width in characters; Chinese ones count twice."""
    cells = [name, *(str(value) for value in series.head(_WIDTH_ROWS) if not pd.isna(value))]
    return min(_MAX_WIDTH, 2 + max(sum(2 if ord(c) > 0x2E80 else 1 for c in cell) for cell in cells))
