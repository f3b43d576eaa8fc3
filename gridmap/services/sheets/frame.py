"""A view of the ground laid into a rectangle of paper: the web map's projection, so that heat lies on it unwarped."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from gridmap.services.mapdata import Bounds
from gridmap.services.sheets.drawing import FRAME, INK, Drawing, Shapes, Words

_EARTH_M = 6_378_137.0
_LEAST_M = 300.0  # nobody reads a map of less ground than this


@dataclass(frozen=True, slots=True)
class Frame:
    """``bounds`` (west, south, east, north in degrees) fill ``width`` x ``height`` mm at ``x``, ``y``."""

    bounds: Bounds
    x: float
    y: float
    width: float
    height: float

    @classmethod
    def around(cls, bounds: Bounds, x: float, y: float, width: float, height: float, *, margin: float = 0.03) -> Frame:
        """A frame that shows all of ``bounds``, and more beside or above it as the rectangle wants."""
        west, south, east, north = bounds
        left, right = math.radians(west), math.radians(east)
        bottom, top = _up(south), _up(north)
        least = _LEAST_M / (_EARTH_M * math.cos(math.radians((south + north) / 2)))
        half = max((right - left) * (0.5 + margin), (top - bottom) * (0.5 + margin) * width / height, least / 2)
        across, up = (left + right) / 2, (bottom + top) / 2
        tall = half * height / width
        box = (
            math.degrees(across - half),
            _latitude(up - tall),
            math.degrees(across + half),
            _latitude(up + tall),
        )
        return cls(
            (max(box[0], -180.0), max(box[1], -85.0), min(box[2], 180.0), min(box[3], 85.0)), x, y, width, height
        )

    @property
    def mm_per_m(self) -> float:
        """Millimetres of paper for a metre in the middle of the view."""
        west, south, east, north = self.bounds
        across = math.radians(east - west) * _EARTH_M * math.cos(math.radians((south + north) / 2))
        return self.width / across

    def paper(self, lonlat: Any) -> Any:
        """Shapes in degrees as shapes in mm, cut at the rectangle; what lies outside is empty."""
        west, south, east, north = self.bounds
        scale_x = self.width / math.radians(east - west)
        top = _up(north)
        scale_y = self.height / (top - _up(south))

        def placed(xy: np.ndarray) -> np.ndarray:
            up = np.arcsinh(np.tan(np.radians(np.clip(xy[:, 1], -85.0, 85.0))))
            return np.column_stack(
                [self.x + (np.radians(xy[:, 0]) - math.radians(west)) * scale_x, self.y + (top - up) * scale_y]
            )

        drawn = shapely.transform(np.asarray(lonlat, dtype=object), placed)
        return shapely.clip_by_rect(drawn, self.x, self.y, self.x + self.width, self.y + self.height)

    def furnish(self, drawing: Drawing) -> None:
        """Border, scale bar at the lower left, arrow to the north at the upper right."""
        drawing.box(self.x, self.y, self.width, self.height, stroke=FRAME, line=0.3)
        wanted_m = min(35.0, self.width / 4) / self.mm_per_m
        unit = 10 ** math.floor(math.log10(wanted_m))
        metres = int(max(step * unit for step in (1, 2, 5) if step * unit <= wanted_m)) or 1
        long, x, y = metres * self.mm_per_m, self.x + 4, self.y + self.height - 4
        drawing.box(x - 2, y - 6, long + 4, 8, fill="#ffffff")
        drawing.add(
            Shapes(
                [shapely.LineString([(x, y - 1.4), (x, y), (x + long, y), (x + long, y - 1.4)])], stroke=INK, line=0.45
            )
        )
        text = f"{metres // 1000} km" if metres >= 1000 else f"{metres} m"
        drawing.add(Words(x + long / 2, y - 2, text, size=2.8, anchor="middle"))
        x, y = self.x + self.width - 7, self.y + 2
        drawing.box(x - 4, y, 8, 12.5, fill="#ffffff")
        arrow = shapely.Polygon([(x, y + 4), (x + 2.3, y + 11.5), (x, y + 9.8), (x - 2.3, y + 11.5)])
        drawing.add(Shapes([arrow], fill=INK), Words(x, y + 3.4, "N", size=3, anchor="middle"))


def _up(latitude: float) -> float:
    return math.asinh(math.tan(math.radians(min(max(latitude, -85.0), 85.0))))


def _latitude(up: float) -> float:
    return math.degrees(math.atan(math.sinh(up)))
