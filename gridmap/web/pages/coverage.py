"""Coverage: whether every building lies in a grid and every grid is in standard, from the county down."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, render_template, request, url_for
from flask_babel import gettext

from gridmap.services import coverage, plans, regions
from gridmap.services.days import today
from gridmap.web.forms import calendar_day, row_number
from gridmap.web.session import current_actor

pages = Blueprint("coverage", __name__, url_prefix="/coverage")

#: Grids of a community that are listed.
GRIDS_SHOWN = 200


def init_app(app: Flask) -> None:
    app.register_blueprint(pages)


@pages.get("")
def index() -> str:
    actor = current_actor()
    asked = request.args.get("date", "")
    code = request.args.get("region", "") or None
    day = calendar_day(asked) if asked else today()
    crumbs = regions.breadcrumb(actor, code) if code else ()
    chosen = request.args.get("plan", type=row_number)
    found = coverage.coverage(actor, plan_id=chosen, on=day, region=code)
    if code is None and len(found.rows) == 1:  # one county: its parts say more than itself
        found = coverage.coverage(actor, plan_id=chosen, on=day, region=found.rows[0].code)
    kept: dict[str, Any] = {name: request.args[name] for name in ("plan", "date") if request.args.get(name)}
    page = None
    if found.plan_id is not None and crumbs and crumbs[-1].level == "community":
        page = plans.grids(actor, found.plan_id, region=code, limit=GRIDS_SHOWN)
    trail = [(gettext("覆盖"), url_for("coverage.index", **kept))] if crumbs else []
    trail += [(one.name, url_for("coverage.index", region=one.code, **kept)) for one in crumbs[:-1] if one.open]
    return render_template(
        "coverage/index.html",
        title=crumbs[-1].name if crumbs else gettext("覆盖"),
        trail=trail,
        coverage=found,
        plan=None if found.plan_id is None else plans.get(actor, found.plan_id),
        grids=page.rows if page else (),
        total=page.total if page else 0,
        region=code,
        date=asked,
        day=day,
        kept=kept,
    )
