"""The audit page, and its export."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import quote
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, Response, render_template, request

from gridmap.errors import Invalid
from gridmap.services.audit_log import AuditFilter, export_events, known_actions, list_events
from gridmap.web.config import app_settings
from gridmap.web.forms import row_number
from gridmap.web.pages.audit_export import as_csv, as_xlsx
from gridmap.web.session import current_actor

pages = Blueprint("audit", __name__, url_prefix="/audit")
PAGE_SIZE = 50
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def init_app(app: Flask) -> None:
    app.register_blueprint(pages)


@pages.get("")
def index() -> str:
    page = max(1, request.args.get("page", 1, type=row_number))
    actor = current_actor()
    events, total = list_events(actor, _wanted(), limit=PAGE_SIZE, offset=(page - 1) * PAGE_SIZE)
    return render_template(
        "audit/index.html", events=events, total=total, page=page, size=PAGE_SIZE, actions=known_actions(actor)
    )


@pages.get("/export.csv")
def export_csv() -> Response:
    return _file(as_csv(export_events(current_actor(), _wanted()), _zone()), "text/csv; charset=utf-8", "csv")


@pages.get("/export.xlsx")
def export_xlsx() -> Response:
    return _file(as_xlsx(export_events(current_actor(), _wanted()), _zone()), _XLSX, "xlsx")


def _zone() -> ZoneInfo:
    return ZoneInfo(app_settings().time_zone)


def _wanted() -> AuditFilter:
    """The filter of the address: days in the configured zone, ``until`` included."""
    until = _day("until")
    return AuditFilter(
        _day("since"),
        until + timedelta(days=1) if until else None,
        request.args.get("login", "").strip(),
        request.args.get("action", "").strip(),
        request.args.get("region", "").strip(),
    )


def _day(name: str) -> datetime | None:
    text = request.args.get(name, "")
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=_zone())
    except ValueError:
        raise Invalid("DAY_FORM", text=text) from None


def _file(content: bytes, mimetype: str, suffix: str) -> Response:
    name = f"审计记录-{datetime.now(_zone()):%Y%m%d-%H%M}.{suffix}"
    disposition = f"attachment; filename=audit.{suffix}; filename*=UTF-8''{quote(name)}"
    return Response(content, mimetype=mimetype, headers={"Content-Disposition": disposition})
