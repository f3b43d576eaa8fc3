"""Barriers as arrays, for building units and for the rules that look at borders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy.orm import Session

from geodata.crs import to_metric
from gridmap.db import bulk
from gridmap.sql import query

if TYPE_CHECKING:
    from geodata.units import Barriers


def read_barriers(session: Session, box: Mapping[str, Any], lon0: float) -> Barriers:
    """Barriers that touch ``box`` (west, south, east, north in degrees), in the local metric CRS of ``lon0``."""
    from geodata.units import Barriers

    table = bulk.columns(session, query("units", "barriers"), box)
    return Barriers(
        to_metric(bulk.shapes(table["geom"]), lon0),
        table["kind"],
        np.array([value or "" for value in table["class"]], dtype=object),
        table["tunnel"].astype(bool),
        table["bridge"].astype(bool),
        table["width_m"].astype(np.float64),
    )
