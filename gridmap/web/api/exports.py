"""Plans and reports as files."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from flask import Response
from pydantic import Field

from gridmap.errors import Invalid
from gridmap.services import exports, reports, sheets
from gridmap.services.cases import CaseFilter
from gridmap.services.heat.chosen import check_span
from gridmap.web.api import Model, endpoint
from gridmap.web.files import download
from gridmap.web.session import current_actor
from gridmap.web.standalone import map_file

#: What a plan is exported as, the report of its check, and the dossier for its approval.
FORMATS = (*exports.FORMATS, *reports.REPORTS)


class ReportQuery(Model):
    """The language of a report."""

    language: Literal["zh", "en"] | None = Field(default=None)


@endpoint("/plans/<int:plan_id>/exports/<string:fmt>", tag="plans", query=ReportQuery, errors=[409])
def export_plan(plan_id: int, fmt: str, query: ReportQuery) -> Response:
    """A plan as gpkg, geojson, shp (zip), xlsx, csv or units-csv; its check as report-*, its dossier as dossier-*."""
    actor = current_actor()
    if fmt not in FORMATS:
        raise Invalid("EXPORT_UNKNOWN_FORMAT", format=fmt, known=", ".join(FORMATS))
    if fmt in reports.REPORTS:
        path = reports.REPORTS[fmt](actor, plan_id, locale=query.language)
    else:
        path = exports.plan(actor, plan_id, fmt)
    return download(path, f"plan-{plan_id}-{fmt}")


class MapQuery(Model):
    """What a map that stands alone shows: grids by status, or with ``heat`` the density of the cases chosen."""

    region: str | None = Field(default=None, pattern=r"^[0-9]{12}$")
    status: list[Literal["over", "under", "within", "empty", "unchecked"]] | None = None
    rule: str | None = Field(default=None, pattern=r"^R[0-9]{2}$")
    heat: bool = False
    since: datetime | None = None
    until: datetime | None = None
    category: list[str] | None = None
    bandwidth: Annotated[float, Field(ge=100, le=1000)] = 250.0
    language: Literal["zh", "en"] | None = None


@endpoint("/plans/<int:plan_id>/map.html", tag="plans", query=MapQuery)
def export_map(plan_id: int, query: MapQuery) -> Response:
    """The map of a plan as one HTML file that opens without a network."""
    heat = None
    if query.heat:
        check_span(query.since, query.until)
        heat = CaseFilter(tuple(query.category or ()), query.since, query.until, query.region)
    view = sheets.MapView(plan_id, query.region, tuple(query.status or ()), query.rule, heat, query.bandwidth)
    return download(map_file(current_actor(), view, locale=query.language), f"map-{plan_id}")
