"""What rows get beside what they say: a community, an estimate, an area, an inner point."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geodata.crs import middle_lon, to_metric
from geodata.fields import Kind
from gridmap.db import bulk
from gridmap.services.imports.known import Known

Shapes = NDArray[np.object_]

_GRID_IN_COMMUNITY = 12


def inner_points(shapes: Shapes) -> Shapes:
    """Points as they are, of everything else a point inside; None for None."""
    points: Shapes = shapes.copy()
    other = ~shapely.is_missing(shapes) & (shapely.get_type_id(shapes) != 0)
    points[other] = shapely.point_on_surface(shapes[other])
    return points


def with_community(kind: Kind, frame: pd.DataFrame, shapes: Shapes, known: Known) -> pd.DataFrame:
    """``region_id`` by position (half-open rule), else by the code that the row names; ``point`` of footprints."""
    if kind is Kind.REGIONS or kind is Kind.GRIDS:
        return frame
    points = inner_points(shapes)
    there = ~shapely.is_missing(points) & ~shapely.is_empty(points)
    region = np.full(len(frame), -1, dtype=np.int64)
    region[there] = known.locate(shapely.get_coordinates(points[there]))
    if kind is Kind.BARRIERS:
        region[(frame["kind"] != "compound").to_numpy(bool)] = -1
    region = _by_code(kind, frame, region, known)
    frame = frame.assign(region_id=pd.array(np.where(region >= 0, region, 0), dtype="Int64"))
    frame.loc[region < 0, "region_id"] = pd.NA
    if kind is Kind.BUILDINGS:
        footprint = there & (shapely.get_type_id(shapes) != 0)
        if footprint.any():
            hexes = np.full(len(frame), None, dtype=object)
            hexes[footprint] = bulk.wkb_hex(points[footprint])
            frame = frame.assign(point=pd.Series(hexes, index=frame.index, dtype="str"))
    return frame


def _by_code(kind: Kind, frame: pd.DataFrame, region: NDArray[np.int64], known: Known) -> NDArray[np.int64]:
    for column in ("region_code", "grid_code"):
        lost = region < 0
        if column not in frame or not lost.any():
            continue
        codes = frame[column].str[:_GRID_IN_COMMUNITY]
        named = codes.map(known.id_of_code).fillna(-1).to_numpy(np.int64)
        region = np.where(lost, named, region)
    return region


def estimated(frame: pd.DataFrame, shapes: Shapes, options: Mapping[str, Any]) -> pd.DataFrame:
    """Households and population of buildings where they are not known, marked ``estimated`` beside those stated so."""
    from geodata.estimate import EstimateOptions, estimate_households

    area_m2 = np.zeros(len(frame))
    areal = shapely.get_dimensions(shapes) == 2
    if areal.any():
        area_m2[areal] = shapely.area(to_metric(shapes[areal], middle_lon(shapes[areal])))
    found = estimate_households(
        area_m2,
        floors=_floats(frame["floors"]),
        height_m=_floats(frame["height_m"]),
        kind=frame["kind"].astype(object).where(frame["kind"].notna(), None).to_numpy(),
        households=_floats(frame["households"]),
        population=_floats(frame["population"]),
        options=EstimateOptions(**options),
    )
    # a point without a count has no footprint to estimate from: it stays unknown
    told = areal | frame["households"].notna().to_numpy(bool)
    return frame.assign(
        households=_counts(found.households, told),
        population=_counts(found.population, told),
        estimated=pd.array(found.estimated & told, dtype="boolean") | frame["estimated"],
    )


def _counts(values: NDArray[np.int64], told: NDArray[np.bool_]) -> Any:
    counts = pd.array(values, dtype="Int64")
    counts[~told] = pd.NA
    return counts


def with_area(frame: pd.DataFrame, shapes: Shapes) -> pd.DataFrame:
    """``area_m2`` of regions, in the local metric CRS."""
    area_m2 = np.full(len(frame), np.nan)
    there = ~shapely.is_missing(shapes) & ~shapely.is_empty(shapes)
    if there.any():
        area_m2[there] = np.round(shapely.area(to_metric(shapes[there], middle_lon(shapes[there]))), 3)
    return frame.assign(area_m2=area_m2)


def _floats(column: pd.Series) -> NDArray[np.float64]:
    return np.asarray(column.to_numpy(np.float64, na_value=np.nan))
