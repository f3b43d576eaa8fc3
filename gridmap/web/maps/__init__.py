"""Folium elements of our own: the map's shell comes from Folium, the data by tiles or fetch, never inlined.

In the application :func:`parts` renders a map for a page under a strict CSP. In a notebook, :func:`connect` takes the
address of a server and a token, and the same elements go on any ``folium.Map``. :func:`standalone` makes one file.
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
from gridmap.web.maps.remote import Remote, RemotePlan, Token, connect
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
    "Remote",
    "RemotePlan",
    "SketchLayer",
    "TimeSlider",
    "Token",
    "base_map",
    "connect",
    "parts",
    "standalone",
    "use_server",
]
