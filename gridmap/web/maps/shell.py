"""The shell: a Folium map without any foreign address, rendered in parts so that a page can put a nonce on each."""

from __future__ import annotations

from dataclasses import dataclass

import folium
from branca.element import CssLink, Figure, JavascriptLink

from gridmap.web.maps.elements import OWN_ELEMENTS, View

Bounds = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class MapParts:
    """What a page needs of a map: addresses of style sheets and scripts, the element, and the script that fills it."""

    css: tuple[str, ...]
    js: tuple[str, ...]
    html: str
    script: str
    name: str


def use_server(static: str = "/static") -> None:
    """Take Leaflet and our layers from the address ``static`` of a gridmap server instead of from the internet.

    Folium keeps these lists on its classes, so this is done once per process, before the first map.
    """
    static = static.rstrip("/")
    folium.Map.default_js = [("leaflet", f"{static}/vendor/leaflet/leaflet.js")]
    folium.Map.default_css = [("leaflet_css", f"{static}/vendor/leaflet/leaflet.css")]
    for element in OWN_ELEMENTS:
        element.default_js = [(name, f"{static}/{name}") for name in element.scripts]
        element.default_css = [(name, f"{static}/{name}") for name in element.styles]


def base_map(bounds: Bounds, *, tile_url: str | None = None, attribution: str = "", name: str = "map") -> folium.Map:
    """A canvas map of ``bounds`` (west, south, east, north in degrees), with raster tiles only where configured."""
    west, south, east, north = bounds
    built = folium.Map(
        location=((south + north) / 2, (west + east) / 2),
        tiles=None,
        prefer_canvas=True,
        zoom_snap=0.5,
        min_zoom=6,
        max_zoom=20,
    )
    built._id = name
    View([(south, west), (north, east)]).add_to(built)
    if tile_url:
        folium.TileLayer(tile_url, attr=attribution or " ", name="底图", control=True).add_to(built)
    return built


def parts(built: folium.Map) -> MapParts:
    """Render ``built`` in parts; the figure's own header, which styles the whole page, is left out."""
    figure = built.get_root()
    assert isinstance(figure, Figure)
    figure.render()
    header = list(figure.header._children.values())
    return MapParts(
        css=tuple(child.url for child in header if isinstance(child, CssLink)),
        js=tuple(child.url for child in header if isinstance(child, JavascriptLink)),
        html=figure.html.render(),
        script=figure.script.render(),
        name=built.get_name(),
    )
