"""One door for every upload: ``open_source`` finds out what it is and delivers it batch by batch."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

from geodata.errors import GeodataError
from geodata.personal import is_identifier_header, personal_cells, personal_columns
from geodata.problems import Problem, Severity
from geodata.readers.archive import Limits, unpack
from geodata.readers.batch import Batch, Reader
from geodata.readers.encoding import BY_FORMAT, Encoding, of_file, transcoded
from geodata.readers.formats import Format, recognise
from geodata.readers.kml import KmlReader
from geodata.readers.layout import squeezed
from geodata.readers.parquet import ParquetReader
from geodata.readers.sheets import csv_lines
from geodata.readers.table import TableReader
from geodata.readers.vector import VectorReader

_SUFFIX = {
    Format.SHAPEFILE: ".shp",
    Format.GEOPACKAGE: ".gpkg",
    Format.GEOJSON: ".geojson",
    Format.GEOJSONSEQ: ".geojsons",
    Format.FLATGEOBUF: ".fgb",
    Format.GEOPARQUET: ".parquet",
    Format.CSV: ".csv",
    Format.XLSX: ".xlsx",
}
_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
_DATASETS = frozenset(
    {".shp", ".gpkg", ".geojson", ".json", ".geojsonl", ".geojsons", ".kml", ".fgb", ".parquet", ".csv", ".xlsx"}
)
#: Full names of the fields of a Shapefile, written by :func:`geodata.writers.write_vector`.
ALIASES = "field_aliases.csv"
_SAMPLE_ROWS = 200


class Source:
    """An open upload. Columns with personal data are named in ``personal`` and appear nowhere else.

    ``crs_wkt``: the CRS the file declares (WKT2), None for none; ``row_count`` is None where only reading tells;
    ``geometry_type`` is None for tables; ``first_line``: 1-based line of record 1 on a sheet (1 for vector files);
    ``notes``: what was understood about the file as a whole.
    """

    def __init__(
        self, form: Format, reader: Reader, layers: Sequence[str], layer: str, where: Mapping[str, str]
    ) -> None:
        self.format = form
        self.layers = list(layers)
        self.layer = layer
        self.encoding = reader.encoding
        self.crs_wkt = reader.crs_wkt
        self.row_count = reader.row_count
        self.geometry_type = reader.geometry_type
        self.first_line = reader.first_line
        self._reader = reader
        self._where = dict(where)
        first = next(iter(reader.batches(_SAMPLE_ROWS)), None)
        self.personal = personal_columns(
            pd.DataFrame(columns=list(reader.columns)) if first is None else first.attributes
        )
        self.columns = [name for name in reader.columns if name not in self.personal]
        unknown = [name for name in where if name not in self.columns]
        if unknown:
            raise GeodataError("COLUMN_UNKNOWN", column=unknown[0], columns="、".join(self.columns[:30]))
        if first is not None:
            self._withhold_personal(first)
        self._sample = pd.DataFrame(columns=self.columns) if first is None else first.attributes
        self.header_hash = header_hash(reader.columns)
        self.notes: list[Problem] = list(reader.notes)
        if self.personal:
            self.notes.append(Problem("PERSONAL_COLUMNS", Severity.INFO, params={"columns": "、".join(self.personal)}))

    def preview(self, n: int = 20) -> pd.DataFrame:
        """The first ``n`` records, without geometry."""
        if n <= _SAMPLE_ROWS and not self._where:
            return self._sample.head(n)
        frame = next((batch.attributes for batch in self.batches(max(n, 1))), None)
        return pd.DataFrame(columns=self.columns) if frame is None else frame.head(n)

    def batches(self, size: int = 65536) -> Iterator[Batch]:
        """All records, ``size`` at a time, from the first one on at every call."""
        for batch in self._reader.batches(size):
            self._withhold_personal(batch)
            for column, wanted in self._where.items():
                batch = batch.take((batch.attributes[column].astype("str") == wanted).to_numpy(bool))
            yield batch

    def _withhold_personal(self, batch: Batch) -> None:
        """Take personal columns out, and personal values out of the others, naming row and column."""
        kept = batch.attributes[self.columns]
        for name in self.columns:
            found = personal_cells(kept[name], mobiles=not is_identifier_header(name))
            if found.any():
                kept = kept.assign(**{name: kept[name].mask(found)})
                rows = batch.rows[found].tolist()
                batch.problems += [
                    Problem("PERSONAL_VALUE", Severity.WARNING, row, params={"column": name}) for row in rows
                ]
        batch.attributes = kept


def open_source(
    path: Path | str,
    *,
    scratch: Path | str,
    limits: Limits | None = None,
    encoding: str | None = None,
    layer: str | None = None,
    where: Mapping[str, str] | None = None,
) -> Source:
    """Open the upload at ``path``; what must be unpacked or rewritten goes to ``scratch``.

    ``scratch`` is a folder, empty or new, that outlives the source and that the caller removes.

    ``encoding`` overrides what is found; ``layer`` picks a layer, a sheet, or a data set of an archive; ``where``
    keeps the records whose columns hold these texts. Raises :class:`~geodata.errors.GeodataError` for every file that
    cannot be read.
    """
    path, scratch, limits = Path(path), Path(scratch), limits or Limits()
    scratch.mkdir(parents=True, exist_ok=True)
    form = recognise(path, limits)
    if form in (Format.ZIP, Format.KMZ):
        return _from_archive(path, scratch, limits, encoding, layer, where or {})
    reader = _reader(path, form, path.stem, scratch, limits, encoding, layer)
    return Source(form, reader, reader.layers, reader.layer, where or {})


def header_hash(columns: Sequence[str]) -> str:
    """A name for the set of headers, whatever their order: 16 hexadecimal digits."""
    return hashlib.sha256("\x1f".join(sorted(squeezed(name) for name in columns)).encode()).hexdigest()[:16]


def _from_archive(
    path: Path, scratch: Path, limits: Limits, encoding: str | None, layer: str | None, where: Mapping[str, str]
) -> Source:
    """One data set: its layers are the layers. Several: each is a layer, named by its file."""
    members = unpack(path, scratch / "unpacked", _DATASETS | set(_PARTS), limits)
    datasets = {n: file for n, file in members.items() if file.suffix in _DATASETS and PurePosixPath(n).name != ALIASES}
    if not datasets:
        raise GeodataError("ARCHIVE_NO_DATA", name=path.name)
    names = _short_names(list(datasets))
    if len(datasets) == 1:
        chosen, inner = names[0], layer if layer != names[0] else None
    else:
        chosen, inner = layer or names[0], None
        if chosen not in names:
            raise GeodataError("LAYER_UNKNOWN", layer=chosen, layers="、".join(names[:20]))
    file = list(datasets.values())[names.index(chosen)]
    form = recognise(file, limits_for_member(limits))
    reader = _reader(file, form, chosen, scratch, limits, encoding, inner, _aliases(members))
    single = len(datasets) == 1 and len(reader.layers) > 1
    return Source(form, reader, reader.layers if single else names, reader.layer if single else chosen, where)


def limits_for_member(limits: Limits) -> Limits:
    """A file out of an archive may be as large as archives may inflate."""
    return Limits(limits.max_inflated, limits.max_inflated, limits.max_ratio, limits.max_entries)


def _aliases(members: Mapping[str, Path]) -> dict[str, str]:
    """Field -> full name from the table that our own Shapefile export puts beside the parts."""
    for name, file in members.items():
        if PurePosixPath(name).name == ALIASES:
            rows = csv_lines(file, of_file(file))
            return {row[0]: row[1] for row in rows if len(row) == 2}
    return {}


def _short_names(names: Sequence[str]) -> list[str]:
    """Stems where these are unique, whole names where not."""
    stems = [PurePosixPath(name).stem for name in names]
    return stems if len(set(stems)) == len(stems) else list(names)


def _reader(
    path: Path,
    form: Format,
    title: str,
    scratch: Path,
    limits: Limits,
    encoding: str | None,
    layer: str | None,
    aliases: Mapping[str, str] | None = None,
) -> Reader:
    if form in (Format.ZIP, Format.KMZ):
        raise GeodataError("ARCHIVE_NESTED", name=path.name)
    if form in (Format.CSV, Format.XLSX):
        return TableReader(path, form, encoding=encoding, layer=layer, limits=limits)
    if form is Format.GEOPARQUET:
        return ParquetReader(path, limits)
    if form is Format.KML:
        return KmlReader(path, title=title, encoding=encoding, layer=layer)
    safe, found = _placed(path, form, scratch / "data", encoding)
    return VectorReader(safe, form, title=title, encoding=encoding, found=found, layer=layer, aliases=aliases)


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _placed(path: Path, form: Format, folder: Path, encoding: str | None) -> tuple[Path, Encoding]:
    """The file under a plain name with the suffix of its true format, so that GDAL opens it as nothing else.

    Text in another encoding than UTF-8 is rewritten; the encoding returned is the one it came in.
    """
    found = BY_FORMAT
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"source{_SUFFIX[form]}"
    if form is Format.SHAPEFILE:
        for part in path.parent.iterdir():
            if part.stem == path.stem and part.suffix.lower() in _PARTS and part.is_file():
                shutil.copyfile(part, target.with_suffix(part.suffix.lower()))
        shutil.copyfile(path, target)
        prj = target.with_suffix(".prj")
        if prj.exists():  # with names of places in GBK it is no UTF-8, and GDAL takes nothing else
            text = prj.read_bytes()
            prj.write_text(text.decode("utf-8" if _is_utf8(text) else "gb18030", "ignore"), encoding="utf-8")
        return target, found
    if form in (Format.GEOJSON, Format.GEOJSONSEQ):
        found = of_file(path, encoding)
        if found.name not in ("utf-8", "utf-8-sig"):
            path = transcoded(path, folder / f"text{_SUFFIX[form]}", found.name)
    target.unlink(missing_ok=True)
    target.symlink_to(path.resolve())
    return target, found
