"""Regions, grids and units that should tile the ground: overlaps and gaps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geodata.checks.columns import geometry_of, rows_of, text_of
from geodata.checks.context import CheckContext
from geodata.checks.geometry import AREAS
from geodata.coverage import Geometries, Ints, gaps, overlaps, repair
from geodata.crs import central_meridian, middle_lon, to_lonlat, to_metric
from geodata.fields import Kind
from geodata.problems import Problem, Severity

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

_MOSTLY = 0.5  # a community is meant to be tiled if at least half of it is


def overlapping(kind: Kind, frame: GeoDataFrame, context: CheckContext) -> Iterator[Problem]:
    """Pairs of one layer (regions of one level, grids of one department) that share more than ``sliver_m2``.

    The later row carries the finding. Does not compare a micro-grid with its parent, layers with one another, nor
    with what is already accepted. Invalid polygons are read as their repair.
    """
    for layer in _layers(kind, frame):
        shapes, lon0 = _metric(geometry_of(layer))
        names, rows = _names(kind, layer), rows_of(layer)
        found = overlaps(shapes, context.sliver_m2)
        keep = ~_nested(kind, layer, found.i, found.j)
        ground = to_lonlat(found.geometry[keep], lon0)
        for i, j, common, area_m2 in zip(found.i[keep], found.j[keep], ground, found.area_m2[keep], strict=True):
            params = {
                "name": names[j],
                "other": names[i],
                "other_row": int(rows[i]),
                "area_m2": round(float(area_m2), 1),
            }
            yield Problem("CHECK_OVERLAP", Severity.WARNING, int(rows[j]), common, params)


def uncovered(kind: Kind, frame: GeoDataFrame, context: CheckContext) -> Iterator[Problem]:
    """Gaps of more than ``gap_m2`` in a layer: its holes, and for grids and units what they leave of a community.

    A community counts if the layer covers at least half of it; without known regions only holes are found. Does not
    tell a gap from a lake or an enclave that is meant.
    """
    for layer in _layers(kind, frame):
        shapes, lon0 = _metric(geometry_of(layer))
        within = None if kind is Kind.REGIONS else _meant(shapes, context, lon0)
        found = gaps(shapes, within, context.gap_m2)
        for gap, area_m2 in zip(to_lonlat(found.geometry, lon0), found.area_m2, strict=True):
            yield Problem("CHECK_GAP", Severity.WARNING, None, gap, {"area_m2": round(float(area_m2), 1)})


def _layers(kind: Kind, frame: GeoDataFrame) -> Iterator[GeoDataFrame]:
    """The sets of rows that should each tile by themselves, rows with finite polygons only."""
    if kind not in AREAS:
        return
    usable = frame[(shapely.get_dimensions(geometry_of(frame)) == 2) & _finite(frame)]
    if not len(usable):
        return
    if kind is Kind.REGIONS:
        codes = text_of(usable, "code").fillna("")
        depth = np.where(codes.str.endswith("000000"), 1, np.where(codes.str.endswith("000"), 2, 3))
        stated = text_of(usable, "level").fillna("")
        key = pd.Series(depth, index=usable.index).astype(str) if (codes != "").all() else stated
    elif kind is Kind.GRIDS:
        key = text_of(usable, "department").fillna("") + _micro(usable).map({True: "/micro", False: ""})
    else:
        key = pd.Series("", index=usable.index)
    for _, layer in usable.groupby(key.to_numpy(dtype=object), sort=True):
        yield layer


def _finite(frame: GeoDataFrame) -> NDArray[np.bool_]:
    bounds = shapely.bounds(geometry_of(frame))
    with np.errstate(invalid="ignore"):
        return np.asarray(np.isfinite(bounds).all(axis=1) & (np.abs(bounds) <= 180).all(axis=1))


def _micro(frame: GeoDataFrame) -> pd.Series:
    """Whether a grid lies in a parent that is a grid of the same file."""
    return text_of(frame, "parent_code").isin(text_of(frame, "code").dropna()).astype(bool)


def _nested(kind: Kind, layer: GeoDataFrame, i: Ints, j: Ints) -> NDArray[np.bool_]:
    """Pairs of which one is the other's parent grid."""
    if kind is not Kind.GRIDS:
        return np.zeros(len(i), dtype=bool)
    code = text_of(layer, "code").fillna("").to_numpy(dtype=object)
    parent = text_of(layer, "parent_code").fillna("-").to_numpy(dtype=object)
    return np.asarray((parent[i] == code[j]) | (parent[j] == code[i]), dtype=bool)


def _metric(shapes: Geometries) -> tuple[Geometries, float]:
    lon0 = float(central_meridian(middle_lon(shapes)))
    return repair(to_metric(shapes, lon0)).geometry, lon0


def _meant(shapes: Geometries, context: CheckContext, lon0: float) -> shapely.Geometry | None:
    """Union of the known communities that the layer covers by half or more; None where there is none."""
    known = to_metric(context.communities, lon0)
    if not len(known):
        return None
    near = known[np.unique(shapely.STRtree(known).query(shapely.box(*shapely.total_bounds(shapes))))]
    covered = shapely.area(shapely.intersection(near, shapely.union_all(shapes)))
    meant = near[covered >= _MOSTLY * shapely.area(near)]
    return shapely.union_all(meant) if len(meant) else None


def _names(kind: Kind, layer: GeoDataFrame) -> list[str]:
    """What to call each row: its name, its code, else its row number."""
    key = text_of(layer, "key" if kind is Kind.UNITS else "code")
    rows = pd.Series([f"#{row}" for row in rows_of(layer)], index=layer.index, dtype="string")
    return [str(name) for name in text_of(layer, "name").fillna(key).fillna(rows)]
