"""What the checks know beside the rows themselves."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import shapely

from geodata.coverage import Geometries, repair

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

CHINA_TIME = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class CheckContext:
    """Known ground, known codes and limits.

    ``now`` is timezone-aware. ``known_regions``: accepted regions with columns code, name, level and geometry in
    EPSG:4490. ``known_codes`` and ``known_grid_codes``: codes a row may refer to; None: not known, so not checked.
    ``sliver_m2``, ``gap_m2``: overlaps and gaps up to this size are not reported. ``border_m``: how far outside the
    regions a place may lie and still be taken for an inexact border. ``grid_code_length``: of the profile.
    """

    now: datetime
    known_regions: GeoDataFrame | None = None
    known_codes: Set[str] | None = None
    known_grid_codes: Set[str] | None = None
    sliver_m2: float = 1.0
    gap_m2: float = 1.0
    border_m: float = 50.0
    grid_code_length: int = 15

    @cached_property
    def ground(self) -> shapely.Geometry | None:
        """Union of the known regions in longitude, latitude, prepared for many questions; None without regions."""
        shapes = self._shapes()
        if not len(shapes):
            return None
        union = shapely.union_all(shapes)
        shapely.prepare(union)
        return union

    @cached_property
    def communities(self) -> Geometries:
        """Known regions that hold no other (by code: not ending in 000), longitude, latitude."""
        shapes = self._shapes()
        if self.known_regions is None or "code" not in self.known_regions or not len(shapes):
            return shapes
        codes = self.known_regions["code"].astype("string")
        leaf = ~codes.str.endswith("000").fillna(False).to_numpy(dtype=bool)
        return repair(np.asarray(self.known_regions.geometry.values)[leaf]).geometry if leaf.any() else shapes

    def _shapes(self) -> Geometries:
        if self.known_regions is None:
            return np.empty(0, dtype=object)
        return repair(np.asarray(self.known_regions.geometry.values)).geometry
