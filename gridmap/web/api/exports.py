"""Plans and reports as files."""

from __future__ import annotations

from typing import Literal

from flask import Response
from pydantic import Field

from gridmap.errors import Invalid
from gridmap.services import exports, reports
from gridmap.web.api import Model, endpoint
from gridmap.web.files import download
from gridmap.web.session import current_actor

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
