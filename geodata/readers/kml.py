"""KML placemarks, one after the other: GDAL's driver holds the whole file and rewrites Chinese field names as "____".

Source: OGC KML 2.3 (12-007r2): coordinates are lon,lat[,altitude] in WGS-84.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import numpy as np
import pandas as pd
import shapely
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse
from shapely.errors import GEOSException
from shapely.geometry.base import BaseGeometry

from geodata.errors import GeodataError
from geodata.problems import Problem, Severity
from geodata.readers.batch import Batch
from geodata.readers.encoding import of_file
from geodata.readers.geometry import flat
from geodata.readers.vector import wkt

_MULTI = {"Point": shapely.MultiPoint, "LineString": shapely.MultiLineString, "Polygon": shapely.MultiPolygon}
_SHAPES = ("Point", "LineString", "LinearRing", "Polygon", "MultiGeometry", "Track", "MultiTrack", "Model")
_MAX_DEPTH = 20
_MAX_COLUMNS = 1000


class KmlReader:
    """All placemarks of a KML file as one layer; the folder of each stands in the column "folder"."""

    def __init__(self, path: Path, *, title: str, encoding: str | None, layer: str | None) -> None:
        if layer not in (None, title):
            raise GeodataError("LAYER_UNKNOWN", layer=layer, layers=title)
        self._path = path
        self._title = title
        self.encoding = of_file(path, encoding)
        self.layers = [title]
        self.layer = title
        self.crs_wkt = wkt("EPSG:4326")
        self.geometry_type: str | None = "Unknown"
        self.first_line = 1
        self.notes: list[Problem] = []
        columns: dict[str, None] = {}
        count = 0
        for values, _shape in self._placemarks():
            count += 1
            if len(columns) < _MAX_COLUMNS:
                columns |= dict.fromkeys(values)
        self.columns = list(columns)
        self.row_count: int | None = count

    def batches(self, size: int) -> Iterator[Batch]:
        placemarks = self._placemarks()
        row = 1
        while part := list(itertools.islice(placemarks, size)):
            rows = np.arange(row, row + len(part), dtype=np.int64)
            row += len(part)
            cells = {name: pd.Series([values.get(name) for values, _ in part], dtype="str") for name in self.columns}
            yield Batch(rows, pd.DataFrame(cells, columns=self.columns), *_checked([s for _, s in part], rows))

    def _placemarks(self) -> Iterator[tuple[dict[str, str], BaseGeometry | str]]:
        """The values of each placemark, and its shape or the code of what is wrong with it."""
        path: list[Element] = []
        with _broken(self._title), self._path.open(encoding=self.encoding.name, errors="replace") as stream:
            for event, element in iterparse(stream, events=("start", "end"), forbid_dtd=True):
                if event == "start":
                    path.append(element)
                    continue
                path.pop()
                tag = _tag(element)
                if tag == "Placemark":
                    yield _values(element, path), _shape(element)
                if path and tag in ("Placemark", "Style", "StyleMap", "Schema", "GroundOverlay"):
                    path[-1].remove(element)


def _values(placemark: Element, path: list[Element]) -> dict[str, str]:
    folders = [_child_text(element, "name") for element in path if _tag(element) == "Folder"]
    found = {"name": _child_text(placemark, "name"), "description": _child_text(placemark, "description")}
    found["folder"] = "/".join(name for name in folders if name)
    for element in placemark.iter():
        tag = _tag(element)
        name = element.get("name")
        if tag == "Data" and name:
            found[name] = _child_text(element, "value")
        elif tag == "SimpleData" and name:
            found[name] = (element.text or "").strip()
    return {name: text for name, text in found.items() if text}


def _shape(placemark: Element) -> BaseGeometry | str:
    for child in placemark:
        if _tag(child) in _SHAPES:
            try:
                return _built(child, 0)
            except (ValueError, GEOSException):
                return "GEOMETRY_BROKEN"
    return "GEOMETRY_MISSING"


def _built(element: Element, depth: int) -> BaseGeometry:
    """The shapely object of a KML geometry; ``ValueError`` for one that is none or of a kind not read."""
    tag = _tag(element)
    if tag == "Point":
        return shapely.Point(_coordinates(element)[0])
    if tag in ("LineString", "LinearRing"):
        return shapely.LineString(_coordinates(element))
    if tag == "Polygon":
        outer = [_coordinates(ring) for side in element if _tag(side) == "outerBoundaryIs" for ring in side]
        inner = [_coordinates(ring) for side in element if _tag(side) == "innerBoundaryIs" for ring in side]
        if len(outer) != 1:
            raise ValueError("a polygon has one outer ring")
        return shapely.Polygon(outer[0], inner)
    if tag != "MultiGeometry" or depth > _MAX_DEPTH:
        raise ValueError(f"{tag} is not read")
    parts = [_built(child, depth + 1) for child in element if _tag(child) in _SHAPES]
    kinds = {part.geom_type for part in parts}
    build: Any = _MULTI.get(kinds.pop(), shapely.GeometryCollection) if len(kinds) == 1 else shapely.GeometryCollection
    built: BaseGeometry = build(parts)
    return built


def _coordinates(element: Element) -> list[tuple[float, float]]:
    pairs = []
    for token in _child_text(element, "coordinates").split():
        lon, lat, *_altitude = token.split(",")
        pairs.append((float(lon), float(lat)))
    if not pairs:
        raise ValueError("no coordinates")
    return pairs


def _checked(shapes: list[BaseGeometry | str], rows: np.ndarray[Any, np.dtype[np.int64]]) -> tuple[Any, list[Problem]]:
    geometry = np.full(len(shapes), None, dtype=object)
    codes: list[str | None] = [shape if isinstance(shape, str) else None for shape in shapes]
    for i, shape in enumerate(shapes):
        geometry[i] = None if isinstance(shape, str) else shape
    geometry, finite = flat(geometry)
    for i in np.flatnonzero(~finite | shapely.is_empty(geometry)).tolist():
        codes[i] = "GEOMETRY_MISSING" if finite[i] else "GEOMETRY_BROKEN"
        geometry[i] = None
    return geometry, [Problem(code, Severity.ERROR, int(rows[i])) for i, code in enumerate(codes) if code]


def _tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _child_text(element: Element, tag: str) -> str:
    return next(((child.text or "").strip() for child in element if _tag(child) == tag), "")


@contextmanager
def _broken(name: str) -> Iterator[None]:
    try:
        yield
    except DefusedXmlException as error:
        raise GeodataError("XML_ENTITIES", name=name) from error
    except (ParseError, LookupError) as error:
        raise GeodataError("XML_BROKEN", name=name) from error
