"""Recognise what a file is by its first bytes; the name only decides between kinds of plain text."""

from __future__ import annotations

import zipfile
from enum import StrEnum
from pathlib import Path

from geodata.errors import GeodataError
from geodata.readers.archive import Limits, opened


class Format(StrEnum):
    """What a file is, whatever it is called."""

    ZIP = "zip"
    SHAPEFILE = "shapefile"
    GEOPACKAGE = "geopackage"
    GEOJSON = "geojson"
    GEOJSONSEQ = "geojsonseq"
    KML = "kml"
    KMZ = "kmz"
    FLATGEOBUF = "flatgeobuf"
    GEOPARQUET = "geoparquet"
    CSV = "csv"
    XLSX = "xlsx"


_MAGIC = (
    (b"SQLite format 3\0", Format.GEOPACKAGE),
    (b"fgb\x03fgb", Format.FLATGEOBUF),
    (b"PAR1", Format.GEOPARQUET),
    ((9994).to_bytes(4, "big"), Format.SHAPEFILE),
)
_REFUSED = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "FORMAT_OLD_OFFICE"),
    (b"\x1f\x8b", "FORMAT_PACKED"),
    (b"7z\xbc\xaf\x27\x1c", "FORMAT_PACKED"),
    (b"Rar!", "FORMAT_PACKED"),
)
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_TABLE_SUFFIXES = {".csv", ".tsv", ".txt"}


def recognise(path: Path, limits: Limits) -> Format:
    """The format of the file at ``path``.

    Raises ``FILE_MISSING``, ``FILE_EMPTY``, ``FILE_TOO_BIG``, ``FORMAT_UNKNOWN`` or a code that names the format
    which is known and not read.
    """
    if not path.is_file():
        raise GeodataError("FILE_MISSING", name=path.name)
    size = path.stat().st_size
    if size == 0:
        raise GeodataError("FILE_EMPTY", name=path.name)
    if size > limits.max_bytes:
        raise GeodataError("FILE_TOO_BIG", name=path.name, mb=size >> 20, limit_mb=limits.max_bytes >> 20)
    with path.open("rb") as stream:
        head = stream.read(65536)
    for magic, found in _MAGIC:
        if head.startswith(magic):
            return found
    for magic, code in _REFUSED:
        if head.startswith(magic):
            raise GeodataError(code, name=path.name)
    if head.startswith(b"PK") and zipfile.is_zipfile(path):
        return _zip_kind(path, limits)
    return _text_kind(path, head)


def _zip_kind(path: Path, limits: Limits) -> Format:
    with opened(path, limits) as (_archive, files):
        names = {info.filename.lower() for info in files}
    if "[content_types].xml" in names:
        if any(name.startswith("xl/") and name.endswith("workbook.xml") for name in names):
            return Format.XLSX
        raise GeodataError("FORMAT_UNKNOWN", name=path.name)
    if names and (path.suffix.lower() == ".kmz" or "doc.kml" in names):
        return Format.KMZ
    return Format.ZIP


def _text_kind(path: Path, head: bytes) -> Format:
    wide = head.startswith(_BOMS[1:])
    text = head.decode("utf-16" if wide else "latin-1", "ignore")
    start = text.removeprefix("\xef\xbb\xbf").lstrip("\ufeff \t\r\n\x1e")
    if start.startswith("{"):
        first_line = start.partition("\n")[0].rstrip()
        lines = start.count("\n{") + start.count("\n\x1e{")
        return (
            Format.GEOJSONSEQ
            if lines and first_line.endswith("}") and _balanced(first_line) and '"FeatureCollection"' not in first_line
            else Format.GEOJSON
        )
    if start.startswith("<"):
        if "<kml" in start or ":kml" in start:
            return Format.KML
        raise GeodataError("FORMAT_HTML" if "<html" in start.lower() else "FORMAT_UNKNOWN", name=path.name)
    if path.suffix.lower() in {".shx", ".dbf", ".prj", ".cpg"}:
        raise GeodataError("SHAPEFILE_PART", name=path.name)
    control = sum(text.count(chr(code)) for code in range(9))
    if not start or control or (path.suffix.lower() not in _TABLE_SUFFIXES and not any(c in start for c in ",\t;")):
        raise GeodataError("FORMAT_UNKNOWN", name=path.name)
    return Format.CSV


def _balanced(line: str) -> bool:
    return line.count("{") == line.count("}")
