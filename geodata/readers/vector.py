"""Vector files through GDAL's Arrow stream: Shapefile, GeoPackage, GeoJSON, FlatGeobuf."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geodata.errors import GeodataError
from geodata.problems import Problem
from geodata.readers.arrow import attributes
from geodata.readers.batch import Batch
from geodata.readers.dbf import text_values
from geodata.readers.encoding import BY_FORMAT, Encoding, of_values
from geodata.readers.formats import Format
from geodata.readers.geometry import from_wkb

if TYPE_CHECKING:
    import pyarrow as pa

#: GDAL decodes a .dbf before anyone can ask; Latin-1 maps every byte to one character, so nothing is lost.
_LOSSLESS = "ISO-8859-1"
#: A missing .shx is rebuilt; one GeoJSON object may have 200 MB; FlatGeobuf's own Arrow stream ends the process on a
#: record without geometry (GDAL 3.12), the general one does not.
_SETTINGS = {"SHAPE_RESTORE_SHX": True, "OGR_GEOJSON_MAX_OBJ_SIZE": 200, "OGR_FLATGEOBUF_STREAM_BASE_IMPL": True}
_UNDEFINED_CRS = ("undefined", "unknown engineering")


class VectorReader:
    """A layer of a vector file; ``path`` carries the suffix of its true format, ``title`` the name it came with.

    ``found`` is the encoding the text was in before ``path`` was written; a Shapefile's is found here.
    ``aliases``: full names of fields that were cut to fit a Shapefile.
    """

    def __init__(
        self,
        path: Path,
        form: Format,
        *,
        title: str,
        encoding: str | None,
        found: Encoding,
        layer: str | None,
        aliases: Mapping[str, str] | None = None,
    ) -> None:
        self._path = path
        self._aliases = aliases or {}
        self._shapefile = form is Format.SHAPEFILE
        self.notes: list[Problem] = []
        self.first_line = 1
        self.encoding = self._find_encoding(encoding) if self._shapefile else found
        self.layers, self.layer, self._layer = self._choose(title, form, layer)
        with _gdal(path.name):
            import pyogrio

            info = pyogrio.read_info(path, layer=self._layer, **self._options())
        self.row_count: int | None = int(info["features"]) if info["features"] >= 0 else None
        self.geometry_type: str | None = info["geometry_type"]
        self.crs_wkt = wkt(info["crs"])
        self._raw_columns = [str(name) for name in info["fields"]]
        self.columns = [self._named(name) for name in self._raw_columns]

    def batches(self, size: int) -> Iterator[Batch]:
        import pyogrio

        row = 1
        with ExitStack() as stack:
            with _gdal(self._path.name):
                stream = pyogrio.open_arrow(
                    self._path, layer=self._layer, batch_size=size, use_pyarrow=True, **self._options()
                )
                meta, reader = stack.enter_context(stream)
            geometry_name = meta["geometry_name"] or "wkb_geometry"
            while True:
                with _gdal(self._path.name):
                    part = next(reader, None)
                    if part is None:
                        return
                    rows = np.arange(row, row + part.num_rows, dtype=np.int64)
                    row += part.num_rows
                    batch = self._batch(part, rows, geometry_name)
                yield batch

    def _choose(self, title: str, form: Format, layer: str | None) -> tuple[list[str], str, str | None]:
        """All layers, the chosen one, and its name for GDAL; a format of one layer goes by the name of the file."""
        if form is not Format.GEOPACKAGE:
            if layer not in (None, title):
                raise GeodataError("LAYER_UNKNOWN", layer=layer, layers=title)
            return [title], title, None
        with _gdal(self._path.name):
            import pyogrio

            listed = pyogrio.list_layers(self._path)
        names = [str(name) for name, _kind in listed]
        if not names:
            raise GeodataError("FILE_NO_LAYER", name=title)
        chosen = layer or next((str(name) for name, kind in listed if kind is not None), names[0])
        if chosen not in names:
            raise GeodataError("LAYER_UNKNOWN", layer=chosen, layers="、".join(names[:20]))
        return names, chosen, chosen

    def _batch(self, part: pa.RecordBatch, rows: np.ndarray[Any, np.dtype[np.int64]], geometry_name: str) -> Batch:
        names = part.schema.names
        raw = [name for name in self._raw_columns if name in names]
        frame = attributes(part.select(raw), decode=self._decoded if self._shapefile else None)
        frame.columns = [self._named(name) for name in raw]
        if self.geometry_type is None or geometry_name not in names:
            return Batch(rows, frame)
        shapes, problems = from_wkb(part.column(geometry_name), rows)
        return Batch(rows, frame, shapes, problems)

    def _options(self) -> dict[str, str]:
        return {"encoding": _LOSSLESS} if self._shapefile else {}

    def _decoded(self, text: str) -> str:
        """Undo the lossless detour; half a character at the end of a full field is dropped."""
        if not self._shapefile or text.isascii():
            return text
        return text.encode("latin-1", "replace").decode(self.encoding.name, "ignore")

    def _named(self, field: str) -> str:
        name = self._decoded(field)
        return self._aliases.get(name, name)

    def _find_encoding(self, override: str | None) -> Encoding:
        dbf = self._path.with_suffix(".dbf")
        if not dbf.exists():
            return BY_FORMAT
        cpg = self._path.with_suffix(".cpg")
        declared = cpg.read_bytes()[:40].decode("latin-1") if cpg.exists() else None
        return of_values(lambda: text_values(dbf), declared=declared, override=override)


def wkt(crs: str | None) -> str | None:
    """The declared CRS as WKT2; None where none, or one that says it is undefined, is declared."""
    if not crs:
        return None
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        text = CRS.from_user_input(crs).to_wkt()
    except CRSError:
        return None
    return None if any(word in text[:200].lower() for word in _UNDEFINED_CRS) else text


@contextmanager
def _gdal(name: str) -> Iterator[None]:
    """GDAL's failures as ``FILE_BROKEN``; its remarks (winding order, missing .shx) concern nobody here."""
    import pyarrow as pa
    import pyogrio
    from pyogrio.errors import DataLayerError, DataSourceError, FieldError, GeometryError

    pyogrio.set_gdal_config_options(_SETTINGS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (
        DataSourceError,
        DataLayerError,
        FieldError,
        GeometryError,
        pa.ArrowException,
        OSError,
        RuntimeError,
    ) as error:
        raise GeodataError("FILE_BROKEN", name=name, reason=str(error)[:200]) from error
    except (IndexError, ValueError, UnboundLocalError) as error:  # the last where pyogrio 0.13 meets a CRS not in UTF-8
        raise GeodataError("FILE_BROKEN", name=name, reason=str(error)[:200]) from error
