"""Geometry that may be missing or not valid, made fit to compute with; R19 tells of it."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geodata.rules.view import Objects


def given_rows(geometry: Objects) -> NDArray[np.bool_]:
    """True where a row of ``geometry`` is given."""
    return ~np.asarray(shapely.is_missing(geometry), dtype=bool)


def dissolved(parts: Objects) -> BaseGeometry:
    """Union of ``parts``; fast where they are a clean coverage, and still right where they are not."""
    try:
        return shapely.coverage_union_all(parts)
    except shapely.errors.GEOSException:
        return shapely.union_all(parts)


def mended(geometry: Objects) -> Objects:
    """``geometry`` with None made empty and what is invalid made valid."""
    bad = ~shapely.is_valid(geometry)  # None counts as not valid
    if not bad.any():
        return geometry
    out = geometry.copy()
    out[bad] = shapely.make_valid(geometry[bad])
    out[~given_rows(out)] = shapely.Polygon()
    return out
