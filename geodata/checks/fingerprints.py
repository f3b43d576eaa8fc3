"""Slim marks of rows, by which millions of them are compared without holding them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geodata.checks.columns import geometry_of, rows_of, text_of
from geodata.coverage import Floats, Geometries, Ints
from geodata.fields import Kind

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

Hashes = NDArray[np.uint64]

_KEYS = {Kind.BUILDINGS: "key", Kind.CASES: "number", Kind.REGIONS: "code", Kind.GRIDS: "code", Kind.UNITS: "key"}
#: What must agree beside the point for two rows to be one thing.
_WITH_POINT = {Kind.BUILDINGS: ("address", "name"), Kind.CASES: ("occurred_at", "category")}


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """64-bit hashes of rows (n,), 0 where there is nothing to compare; 48 bytes a row.

    ``key``: the row's code or number; ``shape``: its geometry, and the layer of a region or grid, for a subdistrict of
    one community has that one's border and departments may share grids; ``thing``: its point and what tells things at
    one point apart (address and name of a building, time and category of a case). ``lon``, ``lat``: centre of its
    bounds.
    Two different values share a hash with a chance of 3e-8 in a million rows.
    """

    rows: Ints
    key: Hashes
    shape: Hashes
    thing: Hashes
    lon: Floats
    lat: Floats

    @classmethod
    def of(cls, kind: Kind, frame: GeoDataFrame) -> Fingerprints:
        """The fingerprints of a frame or of one batch of it."""
        shapes = geometry_of(frame)
        shape = _layered(_shape_hash(shapes), kind, frame)
        bounds = shapely.bounds(shapes)
        name = _KEYS.get(kind)
        key = np.zeros(len(frame), dtype=np.uint64) if name is None else _text_hash(text_of(frame, name))
        thing = np.zeros(len(frame), dtype=np.uint64)
        named = [_text_hash(text_of(frame, column)) for column in _WITH_POINT.get(kind, ())]
        if named:
            told_apart = np.any([h != 0 for h in named], axis=0) & (shape != 0) & (shapely.get_type_id(shapes) == 0)
            mixed = shape.copy()
            for salt, part in enumerate(named, 1):
                mixed = (mixed ^ (part + np.uint64(salt))) * np.uint64(0x9E3779B97F4A7C15)
            thing = np.where(told_apart, mixed | np.uint64(1), np.uint64(0))
        lon, lat = (bounds[:, 0] + bounds[:, 2]) / 2, (bounds[:, 1] + bounds[:, 3]) / 2
        return cls(rows_of(frame), key, shape, thing, lon, lat)

    @classmethod
    def concat(cls, parts: Sequence[Fingerprints]) -> Fingerprints:
        """The fingerprints of all batches, in order."""
        if len(parts) == 1:
            return parts[0]
        return cls(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)))


def _text_hash(text: pd.Series) -> Hashes:
    hashes = pd.util.hash_array(text.fillna("").to_numpy(dtype=object), categorize=False) | np.uint64(1)
    return np.where(text.isna().to_numpy(dtype=bool), np.uint64(0), hashes)


def _layered(shape: Hashes, kind: Kind, frame: GeoDataFrame) -> Hashes:
    """Hashes of geometry told apart by level (regions), or by department and by having a parent (grids)."""
    if kind is Kind.REGIONS:
        code = text_of(frame, "code").fillna("")
        depth = np.where(code.str.endswith("000000"), "1", np.where(code.str.endswith("000"), "2", "3"))
        layer = text_of(frame, "level").fillna("").where(code == "", depth)
    elif kind is Kind.GRIDS:
        micro = text_of(frame, "parent_code").notna().map({True: "/micro", False: ""})
        layer = text_of(frame, "department").fillna("") + micro
    else:
        return shape
    mixed = (shape ^ _text_hash(layer)) * np.uint64(0x9E3779B97F4A7C15)
    return np.where(shape == 0, np.uint64(0), mixed | np.uint64(1))


def _shape_hash(shapes: Geometries) -> Hashes:
    """Equal for equal geometries whatever their starting vertex or direction; 0 for missing and empty ones."""
    gone = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    out = np.zeros(len(shapes), dtype=np.uint64)
    points = (shapely.get_type_id(shapes) == 0) & ~gone
    bits = (shapely.get_coordinates(shapes[points]) + 0.0).view(np.uint64)  # + 0.0: -0.0 is 0.0
    turned = (bits[:, 0] << np.uint64(32)) | (bits[:, 0] >> np.uint64(32))
    mixed = (turned ^ (bits[:, 1] * np.uint64(0x9E3779B97F4A7C15))) * np.uint64(0xBF58476D1CE4E5B9)
    out[points] = (mixed ^ (mixed >> np.uint64(31))) | np.uint64(1)
    other = ~points & ~gone
    if other.any():
        wkb = np.asarray(shapely.to_wkb(shapely.normalize(shapes[other])), dtype=object)
        out[other] = pd.util.hash_array(wkb, categorize=False) | np.uint64(1)
    return out
