"""A plan redrawn by machine: asked for, followed, stopped, and the proposals that came of it."""

from __future__ import annotations

from flask import Flask, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from wtforms import IntegerField, RadioField, SelectField, StringField
from wtforms.fields import SelectChoice

from gridmap.services import jobs, plans, redraw, regions
from gridmap.services.actor import Actor, Role
from gridmap.services.plans.access import subtree
from gridmap.web.forms import MENDABLE, Form, at_most, required, row_number
from gridmap.web.pages.plans import pages
from gridmap.web.session import current_actor


class RedrawForm(Form):
    region = SelectField(lazy_gettext("划分范围"), [required])
    preset = RadioField(
        lazy_gettext("取向"),
        [required],
        default="balanced",
        choices=[
            SelectChoice("few", lazy_gettext("少动：尽量少让住户换网格")),
            SelectChoice("balanced", lazy_gettext("均衡：达标、少动与形状兼顾")),
            SelectChoice("shapes", lazy_gettext("形状：网格紧凑，边界沿道路")),
        ],
    )
    seconds = SelectField(
        lazy_gettext("计算时间"),
        [required],
        default="15",
        choices=[
            SelectChoice("5", lazy_gettext("5 秒")),
            SelectChoice("15", lazy_gettext("15 秒")),
            SelectChoice("60", lazy_gettext("1 分钟")),
            SelectChoice("300", lazy_gettext("5 分钟")),
        ],
        description=lazy_gettext("随时可以提前结束，采用已找到的最好结果。"),
    )
    locks = StringField(
        lazy_gettext("保持不动的网格（可选）"),
        [at_most(4000)],
        description=lazy_gettext("网格编码，用空格或逗号分开。专属网格总是不动。"),
    )
    seed = IntegerField(
        lazy_gettext("随机种子"), [required], default=1, description=lazy_gettext("换一个数，得到另一个建议。")
    )
    name = StringField(
        lazy_gettext("建议方案名称（可选）"), [at_most(120)], description=lazy_gettext("不填则为原方案名加日期时间。")
    )


def init_app(app: Flask) -> None:
    """The views are of the blueprint of plans."""


@pages.get("/<int:plan_id>/redraw", endpoint="redraw")
def show(plan_id: int) -> ResponseReturnValue:
    """What can be redrawn, the redraw under way, and the proposals made so far."""
    actor = current_actor()
    return _show(actor, plan_id, None)


@pages.post("/<int:plan_id>/redraw", endpoint="start_redraw")
def start(plan_id: int) -> ResponseReturnValue:
    """Have a region of the plan redrawn."""
    actor = current_actor()
    actor.require(Role.PLANNER)
    form = _form(actor, plan_id)
    if form.region.data:
        actor.require(Role.PLANNER, form.region.data)
    if not form.validate_on_submit():
        return _show(actor, plan_id, form), 422
    locks = tuple((form.locks.data or "").replace(",", " ").replace("，", " ").replace("、", " ").split())
    weights = redraw.preset(form.preset.data)
    try:
        wish = redraw.Wish(
            form.region.data, float(form.seconds.data), form.seed.data, weights, locks, form.name.data or ""
        )
        job_id = redraw.ask_redraw(actor, plan_id, wish)
    except MENDABLE as error:
        field = {"PLAN_REDRAW_LOCK_UNKNOWN": "locks", "PLAN_REDRAW_SEED": "seed"}.get(error.code, "region")
        form.fail(error, field)
        return _show(actor, plan_id, form), 422
    return redirect(url_for("plans.redraw", plan_id=plan_id, job=job_id))


@pages.post("/<int:plan_id>/redraw/<int:job_id>/stop", endpoint="stop_redraw")
def stop(plan_id: int, job_id: int) -> ResponseReturnValue:
    """End a redraw: keep the best plan so far, or drop it."""
    redraw.stop(current_actor(), job_id, "keep" if request.form.get("how") == "keep" else "cancel")
    return redirect(url_for("plans.redraw", plan_id=plan_id, job=job_id))


@pages.post("/<int:plan_id>/discard", endpoint="discard")
def discard(plan_id: int) -> ResponseReturnValue:
    """Put a proposal away."""
    plans.archive(current_actor(), plan_id)
    flash(gettext("建议方案已放弃（归档）；原方案没有任何改动。"), "success")
    base = request.form.get("base", type=row_number)
    return redirect(url_for("plans.redraw", plan_id=base) if base else url_for("plans.index"))


def _show(actor: Actor, plan_id: int, form: RedrawForm | None) -> str:
    asked = request.args.get("job", type=row_number)
    job = jobs.get(actor, asked) if asked else jobs.active(actor, f"redraw:{plan_id}")
    if form is None:
        form = _form(actor, plan_id)
        form.region.data = None if job is None else job.region_code
    found = redraw.proposals(actor, plan_id)
    made = job.result.get("plan_id") if job is not None and job.state == "done" else None
    return render_template(
        "plans/redraw.html",
        plan=plans.get(actor, plan_id),
        form=form,
        job=job,
        made=next((one for one in found if one.plan_id == made), None),
        proposals=found,
        may_stop=job is not None and actor.may(Role.PLANNER, job.region_code),
    )


def _form(actor: Actor, plan_id: int) -> RedrawForm:
    form = RedrawForm()
    home = subtree(plans.get(actor, plan_id).region_code) or ""
    indent = {"county": "", "subdistrict": "\u00a0\u00a0\u00a0", "community": "\u00a0" * 6}
    form.region.choices = [
        (one.code, f"{indent[one.level]}{one.name} {one.code}")
        for one in regions.places(actor)
        if one.code.startswith(home) and actor.may(Role.PLANNER, one.code)
    ]
    return form
