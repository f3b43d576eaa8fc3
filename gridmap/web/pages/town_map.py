"""The map beside a page's tables: Folium's shell with the layers that the page asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from flask import current_app, url_for

from gridmap.services import mapdata
from gridmap.services.plans import PlanSummary
from gridmap.web.config import app_settings

if TYPE_CHECKING:
    from gridmap.web.maps import MapParts


def town_map(
    scene: mapdata.Scene,
    *,
    plan: PlanSummary | None = None,
    outline: bool = False,
    query: Mapping[str, Any] | None = None,
    labels: Mapping[str, str] | None = None,
    heat: Mapping[str, Any] | None = None,
    heat_shown: bool = True,
    legend: tuple[str, Sequence[tuple[str, str, int | float | None]], str] | None = None,
) -> MapParts:
    """A map of ``scene`` (which has bounds): ground, grids of ``plan`` (``outline``: borders only), case heat, borders.

    ``query`` limits the grids (``region``, ``status``, ``rule``); ``heat`` are the parameters of its first image;
    ``legend`` is title, rows and note.
    """
    from gridmap.web import maps  # Folium is slow to load

    assert scene.bounds is not None
    config = app_settings()
    maps.use_server(current_app.static_url_path or "/static")
    built = maps.base_map(scene.bounds, tile_url=config.tile_url, attribution=config.tile_attribution)
    ground = scene.versions["barriers"] + scene.versions["buildings"]
    maps.GroundLayer(_tiles("api.ground_tile", version=ground), name=None).add_to(built)
    if heat is not None:
        maps.HeatLayer(url_for("api.heat_image"), params=heat, name=None, show=heat_shown).add_to(built)
    if plan is not None:
        # operations raise only the version of their plan, checks and imports that of all: the sum rises with either
        tiles = _tiles("api.grid_tile", plan_id=plan.id, version=scene.versions["plans"] + plan.version)
        address = url_for("api.grid_features", plan_id=plan.id)
        maps.GridLayer(address, tiles, labels=labels, outline=outline, query=query, name=None).add_to(built)
    maps.RegionLayer(_tiles("api.region_tile", version=scene.versions["regions"]), name=None).add_to(built)
    if legend is not None:
        title, rows, note = legend
        maps.Legend(title, rows, note=note).add_to(built)
    return maps.parts(built)


def _tiles(endpoint: str, **values: int) -> str:
    """An address with ``{z}/{x}/{y}`` left to the browser."""
    address = url_for(endpoint, **{"z": 111, "x": 222, "y": 333, **values})  # type: ignore[arg-type]
    return address.replace("/111/222/333", "/{z}/{x}/{y}")
