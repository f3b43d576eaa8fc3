"""Pages for A4: a template printed to PDF that fetches nothing, and the map of a plan drawn for it."""

from __future__ import annotations

from typing import Any

import shapely
from sqlalchemy.orm import Session

from geodata.crs import middle_lon, to_metric
from gridmap import ROOT
from gridmap.db import bulk
from gridmap.db.models import Region
from gridmap.services import plans
from gridmap.services.actor import Actor, Role
from gridmap.services.plans.read import STATUSES
from gridmap.services.reports import map_svg
from gridmap.sql import query


def printed(template: str, **told: Any) -> bytes:
    """A template as PDF. Values whose names begin with ``map`` are SVG drawn for it, one or several by name."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup
    from weasyprint import HTML

    pages = Environment(
        loader=FileSystemLoader(ROOT / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    drawn = {
        name: {key: Markup(one) for key, one in svg.items()} if isinstance(svg, dict) else Markup(svg)  # noqa: S704 - escaped by who drew it
        for name, svg in told.items()
        if name.startswith("map")
    }
    swatches = {status: Markup(map_svg.swatch(status)) for status in STATUSES}  # noqa: S704
    html = pages.get_template(template).render(**{**told, **drawn}, swatches=swatches, statuses=STATUSES)
    made: bytes = HTML(string=html, base_url=str(ROOT), url_fetcher=_pictures_only()).write_pdf()
    return made


def _pictures_only() -> Any:
    """The report stands alone: pictures lie in the page itself, and whatever else it would fetch is a mistake."""
    from weasyprint.urls import URLFetcher

    return URLFetcher(allowed_protocols=("data",), fail_on_errors=True)


def plan_map(
    session: Session, actor: Actor, plan_id: int, region: Region, *, width_mm: float = 176.0, height_mm: float = 150.0
) -> str:
    """The grids of a plan inside a region that the actor may see, as SVG; empty where no grid has a place."""
    table = plans.outlines.within(session, actor, plan_id, region=region.code)
    chosen = table["kind"] != "micro"
    table = {name: column[chosen] for name, column in table.items()}
    if not len(table["id"]):
        return ""
    lon0 = middle_lon(table["geom"])
    sides = dict(zip(("west", "south", "east", "north"), shapely.total_bounds(table["geom"]).tolist(), strict=True))
    key = {**sides, "prefix": region.prefix, "prefixes": list(actor.prefixes(Role.VIEWER))}
    layers = {
        name: to_metric(bulk.shapes(bulk.columns(session, query("exports", f"map_{name}"), key)["geom"]), lon0)
        for name in ("communities", "water", "roads")
    }
    labels = [str(code)[-3:] if code else "" for code in table["code"]]
    content = map_svg.MapContent(to_metric(table["geom"], lon0), list(table["status"]), labels, **layers)
    return map_svg.draw(content, width_mm=width_mm, height_mm=height_mm)
