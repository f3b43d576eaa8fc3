"""Monthly reports: those that were made, one more, and those that make themselves."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, gettext

from gridmap.services import jobs, monthly
from gridmap.services.monthly import months
from gridmap.web.files import download
from gridmap.web.forms import MENDABLE, row_number
from gridmap.web.session import current_actor

pages = Blueprint("reports", __name__, url_prefix="/reports")
#: So many months can be chosen.
_MONTHS = 36


def init_app(app: Flask) -> None:
    app.register_blueprint(pages)


@pages.get("")
def index() -> str:
    return _show()


@pages.post("")
def ask() -> ResponseReturnValue:
    """Have a report made."""
    try:
        language = request.form.get("language")
        job_id = monthly.ask_report(
            current_actor(), request.form.get("region", ""), request.form.get("month", ""), locale=language
        )
    except MENDABLE as error:
        locale = str(get_locale())
        return _show(f"{error.sentence(locale)} {error.hint(locale)}".strip()), 422
    return redirect(url_for("reports.index", job=job_id))


@pages.post("/schedules")
def schedule() -> ResponseReturnValue:
    """Switch the reports of a region on or off."""
    on = request.form.get("on") == "1"
    monthly.set_schedule(current_actor(), request.form.get("region", ""), on, locale=request.form.get("language"))
    flash(gettext("定期月报已开启。") if on else gettext("定期月报已关闭，已生成的月报保留。"), "success")
    return redirect(url_for("reports.index"))


@pages.get("/<int:report_id>/download")
def file(report_id: int) -> Response:
    """The PDF itself."""
    info, path = monthly.opened(current_actor(), report_id)
    name = f"{gettext('网格事件月报')}-{info.region_name}-{info.month:%Y-%m}.pdf"
    return download(path, f"report-{info.region_code}-{info.month:%Y-%m}", name)


@pages.post("/<int:report_id>/delete")
def delete(report_id: int) -> ResponseReturnValue:
    """Take a report away."""
    monthly.delete(current_actor(), report_id)
    flash(gettext("月报已删除。"), "success")
    return redirect(url_for("reports.index"))


def _show(fault: str = "") -> str:
    actor = current_actor()
    asked = request.args.get("job", type=row_number)
    running = monthly.under_way(actor)
    job = jobs.get(actor, asked) if asked else next(iter(running), None)
    return render_template(
        "reports/index.html",
        fault=fault,
        job=job,
        running=[one for one in running if job is None or one.id != job.id],
        failures=monthly.failures(actor),
        reports=monthly.listed(actor),
        regions=monthly.choices(actor),
        exact=actor.sees_small(),
        schedules=monthly.schedules(actor),
        months=[f"{months.moved(months.last(), -back):%Y-%m}" for back in range(_MONTHS)],
        chosen={name: request.form.get(name) for name in ("region", "month", "language")},
    )
