"""The check report as a PDF to print on A4: title, map, sums, findings community by community."""

from __future__ import annotations

from pathlib import Path

import shapely
from sqlalchemy.orm import Session

from geodata.crs import middle_lon, to_metric
from gridmap import ROOT
from gridmap.db import bulk
from gridmap.db.engine import service
from gridmap.db.models import Region
from gridmap.services import audit, plans
from gridmap.services.actor import Actor, Role
from gridmap.services.exports.plan import fresh_path
from gridmap.services.plans.access import visible
from gridmap.services.plans.read import STATUSES
from gridmap.services.reports import map_svg
from gridmap.services.reports.content import CheckReport, read
from gridmap.sql import query

#: Findings printed for one community; the workbook has all.
MOST_PRINTED = 200


@service
def check_pdf(
    session: Session, actor: Actor, plan_id: int, *, locale: str | None = None, path: Path | None = None
) -> Path:
    """Write the report of the last check as PDF; where it stands. Raises ``Conflict`` REPORT_NOT_CHECKED_YET."""
    plan, region = visible(session, actor, plan_id)
    report = read(session, actor, plan_id, locale)
    path = path or fresh_path(f"{plan.name}-{report.word('TITLE')}-v{plan.version}.pdf")
    path.write_bytes(_printed(report, _map(session, actor, plan_id, region)))
    audit.record(session, actor, "plan.report", "plan", plan_id, region_code=region.code, format="pdf")
    return path


def _printed(report: CheckReport, svg: str) -> bytes:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup
    from weasyprint import HTML

    pages = Environment(
        loader=FileSystemLoader(ROOT / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    html = pages.get_template("reports/check.html").render(
        report=report,
        plan=report.summary.plan,
        word=report.word,
        map=Markup(svg),  # noqa: S704 - drawn by map_svg, which escapes its texts
        swatches={status: Markup(map_svg.swatch(status)) for status in STATUSES},  # noqa: S704
        statuses=STATUSES,
        most=MOST_PRINTED,
    )
    printed: bytes = HTML(string=html, base_url=str(ROOT), url_fetcher=_nothing).write_pdf()
    return printed


def _nothing(url: str) -> dict[str, object]:
    """The report stands alone: whatever it would fetch is a mistake."""
    raise ValueError(f"the report must not fetch {url}")


def _map(session: Session, actor: Actor, plan_id: int, region: Region) -> str:
    """The map of the grids the actor may see; empty where no grid has a place."""
    table = plans.outlines.within(session, actor, plan_id)
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
    return map_svg.draw(content)
