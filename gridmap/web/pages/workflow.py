"""What becomes of a plan: submit, return, approve, publish, roll back; its dossier."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from gridmap.services import plans, workflow
from gridmap.services.actor import Role
from gridmap.services.days import today
from gridmap.web.forms import MENDABLE, calendar_day
from gridmap.web.i18n import in_language
from gridmap.web.pages.plans import pages
from gridmap.web.session import current_actor


def init_app(app: Flask) -> None:
    """The views are of the blueprint of plans."""


@pages.post("/<int:plan_id>/submit")
def submit(plan_id: int) -> ResponseReturnValue:
    """Hand the draft in, with the reasons written on the page."""
    reasons = {name[7:]: text for name, text in request.form.items() if name.startswith("reason-")}
    comment = request.form.get("comment", "")
    return _do(
        plan_id,
        lambda: workflow.submit(current_actor(), plan_id, reasons=reasons, comment=comment),
        gettext("方案已提交审批。"),
    )


@pages.post("/<int:plan_id>/reasons")
def reasons(plan_id: int) -> ResponseReturnValue:
    """Keep the reasons written on the page without handing the draft in."""
    written = {name[7:]: text for name, text in request.form.items() if name.startswith("reason-")}
    return _do(plan_id, lambda: workflow.save_reasons(current_actor(), plan_id, written), gettext("理由已保存。"))


@pages.post("/<int:plan_id>/withdraw")
def withdraw(plan_id: int) -> ResponseReturnValue:
    """Take the plan back."""
    return _do(plan_id, lambda: workflow.withdraw(current_actor(), plan_id), gettext("方案已撤回为草案。"))


@pages.post("/<int:plan_id>/return")
def give_back(plan_id: int) -> ResponseReturnValue:
    """Return the plan with what is to be mended."""
    comment = request.form.get("comment", "")
    return _do(plan_id, lambda: workflow.give_back(current_actor(), plan_id, comment), gettext("方案已退回修改。"))


@pages.post("/<int:plan_id>/approve")
def approve(plan_id: int) -> ResponseReturnValue:
    """Approve the plan."""
    comment = request.form.get("comment", "")
    return _do(plan_id, lambda: workflow.approve(current_actor(), plan_id, comment), gettext("方案已审批通过。"))


@pages.post("/<int:plan_id>/publish")
def publish(plan_id: int) -> ResponseReturnValue:
    """Put the plan in force from a day on, and go to the plan that is in force then."""
    current_actor().require(Role.APPROVER)
    made = plan_id

    def work() -> None:
        nonlocal made
        made = workflow.publish(current_actor(), plan_id, calendar_day(request.form.get("on", "")))

    return _do(plan_id, work, gettext("方案已发布。"), lambda: made)


@pages.post("/<int:plan_id>/restore")
def restore(plan_id: int) -> ResponseReturnValue:
    """Put the plan before this one in force again."""
    made = plan_id

    def work() -> None:
        nonlocal made
        made = workflow.restore(current_actor(), plan_id)

    return _do(plan_id, work, gettext("已恢复上一版方案。"), lambda: made)


@pages.get("/in-force")
def in_force() -> ResponseReturnValue:
    """The plan that was, is or will be in force on a day: on to its page."""
    asked = request.args.get("date", "")
    day = calendar_day(asked) if asked else today()
    return redirect(
        url_for("plans.show", plan_id=plans.held_on(current_actor(), day, request.args.get("region") or None))
    )


def _do(
    plan_id: int, work: Callable[[], object], done: str, where: Callable[[], int] | None = None
) -> ResponseReturnValue:
    """Do a step and go back to the plan; what is not allowed is said there."""
    try:
        work()
    except MENDABLE as error:
        locale = in_language({"locale_zh": "zh", "locale_en": "en"}, "locale")
        flash(f"{error.sentence(locale)} {error.hint(locale)}".strip(), "error")
        return redirect(url_for("plans.show", plan_id=plan_id, open="submit"))
    flash(done, "success")
    return redirect(url_for("plans.show", plan_id=where() if where else plan_id))
