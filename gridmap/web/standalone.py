"""A view as one HTML file for somebody without the program, or without a network."""

from __future__ import annotations

from base64 import b64encode
from itertools import pairwise
from pathlib import Path

from flask import current_app, has_app_context

from geodata.density import BREAKS, PALETTE
from geodata.messages import sentence
from gridmap.services import sheets
from gridmap.services.actor import Actor
from gridmap.services.days import today
from gridmap.services.exports.plan import fresh_path

_STATUSES = ("over", "under", "within", "empty", "unchecked")


def map_file(actor: Actor, view: sheets.MapView, *, locale: str | None = None, path: Path | None = None) -> Path:
    """Write the map of a view; where it stands. Raises as :func:`gridmap.services.sheets.embedded`."""
    found = sheets.embedded(actor, view, locale=locale)
    title = found.word("TITLE") if found.heat is not None else found.word("MAP_TITLE")
    path = path or fresh_path(f"{title}-{found.place}-{today():%Y%m%d}.html")
    path.write_text(page(found), "utf-8")
    return path


def page(found: sheets.Embedded) -> str:
    """The file's text."""
    import folium

    from gridmap.web import maps  # Folium is slow to load

    prefix = (current_app.static_url_path if has_app_context() else None) or "/static"
    maps.use_server(prefix)  # what every page of this process sets, for these lists are shared
    word = found.word
    built = maps.base_map(found.bounds)
    maps.SketchLayer(found.water, found.roads, found.borders, name=word("GROUND_LAYER")).add_to(built)
    if found.heat is not None:
        west, south, east, north = found.around
        picture = f"data:image/png;base64,{b64encode(found.heat).decode()}"
        maps.HeatLayer(image=picture, bounds=(south, west, north, east), name=word("HEAT_LAYER")).add_to(built)
    labels = {status: sentence(f"REPORT_STATUS_{status.upper()}", found.locale) for status in _STATUSES}
    labels["households"] = word("HOUSEHOLDS_UNIT")
    outline = found.heat is not None or not found.gridded
    named = word("GRIDS_LAYER" if found.gridded else "REGIONS_LAYER")
    maps.GridLayer(data=found.areas, labels=labels, outline=outline, name=named).add_to(built)
    if found.heat is not None:
        maps.Legend(word("LEGEND"), _classes(), note=word("LEGEND_NOTE", metres=_metres(found))).add_to(built)
    elif found.gridded:
        rows = [(status, labels[status], found.statuses.get(status, 0)) for status in _STATUSES]
        maps.Legend(word("STATUS_LEGEND"), rows).add_to(built)
    folium.LayerControl(position="topright", collapsed=True).add_to(built)
    colon, title = (": ", "en") if found.locale == "en" else ("：", "zh-CN")
    heading = f"{word('TITLE' if found.heat is not None else 'MAP_TITLE')} — {found.place}"
    said = "  ·  ".join(f"{label}{colon}{words}" for label, words in found.filters)
    lines = [said, *([word("IN_MAP", n=f"{found.cases:,}")] if found.heat is not None else [])]
    if not found.gridded:
        lines.append(word("TOO_MANY_GRIDS"))
    foot = [f"{found.source}  ·  {word('ALONE')}"]
    return maps.standalone(built, prefix=prefix, title=heading, lines=lines, foot=foot, language=title)


def _metres(found: sheets.Embedded) -> str:
    label = found.word("BANDWIDTH")
    return next(words.removesuffix(" m") for name, words in found.filters if name == label)


def _classes() -> list[tuple[str, str, int | float | None]]:
    colours = [f"rgba({r},{g},{b},{a / 255:.2f})" for r, g, b, a in PALETTE.tolist()]
    tops = [*(f"{low:,.0f}–{high:,.0f}" for low, high in pairwise(BREAKS)), f"≥ {BREAKS[-1]:,.0f}"]
    return [(colour, text, None) for colour, text in zip(colours, tops, strict=True)]
