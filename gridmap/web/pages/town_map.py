"""The map beside a page's tables: Folium's shell with the layers that the page asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from flask import current_app, url_for

from gridmap.services import mapdata
from gridmap.web.config import app_settings

if TYPE_CHECKING:
    import folium

    from gridmap.web.maps import MapParts


class Versioned(Protocol):
    """A plan as far as addresses need it."""

    @property
    def id(self) -> int: ...

    @property
    def version(self) -> int: ...


def town_map(
    scene: mapdata.Scene,
    *,
    plan: Versioned | None = None,
    outline: bool = False,
    query: Mapping[str, Any] | None = None,
    labels: Mapping[str, str] | None = None,
    heat: Mapping[str, Any] | None = None,
    heat_shown: bool = True,
    tiles_shown: bool = True,
    legend: tuple[str, Sequence[tuple[str, str, int | float | None]], str] | None = None,
    slider: Mapping[str, Any] | None = None,
) -> MapParts:
    """A map of ``scene`` (which has bounds): ground, grids of ``plan`` (``outline``: borders only), case heat, borders.

    ``query`` limits the grids (``region``, ``status``, ``rule``); ``heat`` are the parameters of its first image;
    ``legend`` is title, rows and note; ``slider`` the options of a time slider of cases. Without ``tiles_shown`` the
    page's script adds ground and borders to the map.
    """
    from gridmap.web import maps  # Folium is slow to load

    built = ground_map(scene, shown=tiles_shown)
    if heat is not None:
        maps.HeatLayer(url_for("api.heat_image"), params=heat, name=None, show=heat_shown).add_to(built)
    if plan is not None:
        address, tiles = grid_addresses(scene, plan)
        maps.GridLayer(address, tiles, labels=labels, outline=outline, query=query, name=None).add_to(built)
    add_borders(built, scene, shown=tiles_shown)
    if legend is not None:
        title, rows, note = legend
        maps.Legend(title, rows, note=note).add_to(built)
    if slider is not None:
        maps.TimeSlider(url_for("api.case_timeline"), **slider).add_to(built)
    return maps.parts(built)


def ground_map(scene: mapdata.Scene, *, name: str = "map", shown: bool = True) -> folium.Map:
    """A map of ``scene`` that shows the ground; on a page with several maps each needs a ``name``."""
    from gridmap.web import maps

    assert scene.bounds is not None
    config = app_settings()
    maps.use_server(current_app.static_url_path or "/static")
    built = maps.base_map(scene.bounds, tile_url=config.tile_url, attribution=config.tile_attribution, name=name)
    maps.GroundLayer(backdrop(scene)["ground"], name=None, show=shown).add_to(built)
    return built


def grid_addresses(scene: mapdata.Scene, plan: Versioned) -> tuple[str, str]:
    """Where the grids of a plan come from: GeoJSON, and tiles."""
    # operations raise only the version of their plan, checks and imports that of all: the sum rises with either
    tiles = _tiles("api.grid_tile", plan_id=plan.id, version=scene.versions["plans"] + plan.version)
    return url_for("api.grid_features", plan_id=plan.id), tiles


def add_borders(built: folium.Map, scene: mapdata.Scene, *, shown: bool = True) -> None:
    """Borders and names of communities above all else."""
    from gridmap.web import maps

    maps.RegionLayer(backdrop(scene)["regions"], name=None, show=shown).add_to(built)


def backdrop(scene: mapdata.Scene) -> dict[str, str]:
    """Addresses of the tiles of ground and borders, for maps that a page's script makes."""
    ground = scene.versions["barriers"] + scene.versions["buildings"]
    return {
        "ground": _tiles("api.ground_tile", version=ground),
        "regions": _tiles("api.region_tile", version=scene.versions["regions"]),
    }


def _tiles(endpoint: str, **values: int) -> str:
    """An address with ``{z}/{x}/{y}`` left to the browser."""
    address = url_for(endpoint, **{"z": 111, "x": 222, "y": 333, **values})  # type: ignore[arg-type]
    return address.replace("/111/222/333", "/{z}/{x}/{y}")
