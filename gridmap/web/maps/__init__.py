"""Folium elements of our own: the map's shell comes from Folium, the data by tiles or fetch, never inlined.

In the application :func:`parts` renders a map for a page under a strict CSP. In a notebook, call
``use_server("http://gridmap.example:8000/static")`` once and add the same elements to any ``folium.Map``.
"""

from gridmap.web.maps.elements import (
    CoverageLayer,
    DifferenceLayer,
    GridLayer,
    GroundLayer,
    HeatLayer,
    Legend,
    RegionLayer,
    SketchLayer,
    TimeSlider,
)
from gridmap.web.maps.shell import MapParts, base_map, parts, use_server
from gridmap.web.maps.standalone import standalone

__all__ = [
    "CoverageLayer",
    "DifferenceLayer",
    "GridLayer",
    "GroundLayer",
    "HeatLayer",
    "Legend",
    "MapParts",
    "RegionLayer",
    "SketchLayer",
    "TimeSlider",
    "base_map",
    "parts",
    "standalone",
    "use_server",
]
