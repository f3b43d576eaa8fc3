"""The maps of a comparison: two beside each other, two plans in one to swipe, or what changed hands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import url_for
from flask_babel import gettext

from gridmap.services import mapdata
from gridmap.services.compare import Comparison
from gridmap.web.pages.map import STATUSES
from gridmap.web.pages.town_map import add_borders, grid_addresses, ground_map

if TYPE_CHECKING:
    import folium

    from gridmap.web.maps import MapParts

LINE_A: Mapping[str, Any] = {"color": "#5d2a86", "weight": 2, "dashArray": [6, 5]}
LINE_B: Mapping[str, Any] = {"color": "#14212e", "weight": 2}


def side(found: Comparison, scene: mapdata.Scene, labels: Mapping[str, str]) -> list[MapParts]:
    """Plan A in one map, plan B in another."""
    from gridmap.web import maps

    built = [ground_map(scene, name=name) for name in ("a", "b")]
    for one, name in zip(built, ("a", "b"), strict=True):
        _grids(one, found, scene, name, labels=labels)
        add_borders(one, scene)
    _legend(built[1], found, labels)
    return [maps.parts(one) for one in built]


def swipe(found: Comparison, scene: mapdata.Scene, labels: Mapping[str, str]) -> list[MapParts]:
    """Both plans in one map, a pane each."""
    from gridmap.web import maps

    built = ground_map(scene, name="a")
    for name, order in (("a", 401), ("b", 402)):
        _grids(built, found, scene, name, labels=labels, pane=f"plan-{name}", order=order)
    add_borders(built, scene)
    _legend(built, found, labels)
    return [maps.parts(built)]


def difference(found: Comparison, scene: mapdata.Scene) -> list[MapParts]:
    """What changed hands, under the borders of both plans."""
    from gridmap.web import maps

    built = ground_map(scene, name="a")
    words = {
        "moved": gettext("换了网格"),
        "assigned": gettext("新分到网格"),
        "unassigned": gettext("变为未分配"),
        "households": gettext("户"),
        "none": gettext("未分配"),
    }
    address = url_for("api.compare_areas", a=found.a.id, b=found.b.id)
    maps.DifferenceLayer(address, labels=words, name=None).add_to(built)
    _grids(built, found, scene, "a", outline=True, quiet=True, line=LINE_A, pane="plan-a", order=411)
    _grids(built, found, scene, "b", outline=True, quiet=True, line=LINE_B, pane="plan-b", order=410)
    add_borders(built, scene)
    counts = {"moved": found.moves.moved, "assigned": found.moves.assigned, "unassigned": found.moves.unassigned}
    rows: list[tuple[str, str, int | float | None]] = [(name, words[name], counts[name]) for name in counts]
    rows += [
        (f"dash {LINE_A['color']}", gettext("“前”的网格界线"), None),
        (f"line {LINE_B['color']}", gettext("“后”的网格界线"), None),
    ]
    maps.Legend(gettext("变化（户）"), rows).add_to(built)
    return [maps.parts(built)]


def _grids(built: folium.Map, found: Comparison, scene: mapdata.Scene, name: str, **options: Any) -> None:
    from gridmap.web import maps

    address, tiles = grid_addresses(scene, found.a if name == "a" else found.b)
    query = {"region": found.region_code}
    layer = maps.GridLayer(address, tiles, query=query, name=None, **options)
    layer._id = name
    layer.add_to(built)


def _legend(built: folium.Map, found: Comparison, labels: Mapping[str, str]) -> None:
    from gridmap.web import maps

    rows: list[tuple[str, str, int | float | None]] = [(one, labels[one], None) for one in STATUSES]
    maps.Legend(gettext("网格户数与标准"), rows).add_to(built)
