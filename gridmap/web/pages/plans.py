"""Plans: the list, new ones, and the page of one plan with its map, findings, misfits, grids and exports."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from flask_wtf.file import FileField
from werkzeug.datastructures import FileStorage
from wtforms import RadioField, SelectField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import Optional

from geodata import standards
from gridmap.errors import GeodataError, Invalid
from gridmap.services import checks, compare, exports, jobs, mapdata, plans, redraw, regions, workflow
from gridmap.services.actor import Actor, Role
from gridmap.services.days import today
from gridmap.services.plans.access import overlap, subtree
from gridmap.web.api.jobs import shipped_standard
from gridmap.web.forms import MENDABLE, Form, at_most, required, row_number
from gridmap.web.i18n import in_language
from gridmap.web.pages.map import STATUSES, status_labels
from gridmap.web.pages.plan_words import export_choices, misfit_words
from gridmap.web.pages.town_map import town_map
from gridmap.web.session import current_actor

pages = Blueprint("plans", __name__, url_prefix="/plans")


class NewPlanForm(Form):
    name = StringField(lazy_gettext("名称"), [required, at_most(120)])
    region = SelectField(lazy_gettext("区划"), [required])
    standard = SelectField(lazy_gettext("标准"), [required], default="national")
    source = RadioField(
        lazy_gettext("从哪里来"),
        choices=[
            SelectChoice("copy", lazy_gettext("复制已有方案")),
            SelectChoice("import", lazy_gettext("导入的网格图形")),
            SelectChoice("table", lazy_gettext("单元归属表")),
            SelectChoice("empty", lazy_gettext("空方案")),
        ],
        default="copy",
    )
    plan = SelectField(lazy_gettext("复制哪个方案"), [Optional()], choices=[])
    batch = SelectField(lazy_gettext("哪次导入"), [Optional()], choices=[])
    table = FileField(
        lazy_gettext("单元归属表文件"),
        description=lazy_gettext("由“单元归属 CSV”导出、可在 WPS 或 Excel 中改过的表，CSV 或 XLSX。"),
        render_kw={"accept": ".csv,.xlsx"},
    )


def init_app(app: Flask) -> None:
    app.register_blueprint(pages)


@pages.get("")
def index() -> ResponseReturnValue:
    return _index(None)


@pages.post("")
def create() -> ResponseReturnValue:
    actor = current_actor()
    actor.require(Role.PLANNER)
    form = _new_form(actor)
    if not form.validate_on_submit():
        return _index(form), 422
    try:
        plan_id = _create(actor, form)
    except MENDABLE as error:
        form.fail(error, {"copy": "plan", "import": "batch", "table": "table"}.get(form.source.data))
        return _index(form), 422
    flash(gettext("方案已建立。"), "success")
    return redirect(url_for("plans.show", plan_id=plan_id))


@pages.get("/<int:plan_id>")
def show(plan_id: int) -> ResponseReturnValue:
    return _show(plan_id)


@pages.post("/<int:plan_id>/check")
def check(plan_id: int) -> ResponseReturnValue:
    """Have the plan checked, by the standard chosen, the one uploaded, or its own."""
    actor = current_actor()
    try:
        job_id = jobs.ask_check(actor, plan_id, _standard(request.files.get("own"), request.form.get("standard")))
    except MENDABLE as error:
        locale = in_language({"locale_zh": "zh", "locale_en": "en"}, "locale")
        flash(f"{error.sentence(locale)} {error.hint(locale)}".strip(), "error")
        return redirect(url_for("plans.show", plan_id=plan_id))
    return redirect(url_for("plans.show", plan_id=plan_id, job=job_id))


@pages.post("/<int:plan_id>/copy")
def copy(plan_id: int) -> ResponseReturnValue:
    """Copy a plan, or one region's part, as a draft; on to the studio or to the draft's page."""
    region, name = request.form.get("region") or None, request.form.get("name", "")[:120]
    made = plans.copy_plan(current_actor(), plan_id, region_code=region, name=name)
    flash(gettext("已复制为草案。"), "success")
    if request.form.get("open") == "plan":
        return redirect(url_for("plans.show", plan_id=made))
    return redirect(url_for("plans.studio", plan_id=made))


@pages.post("/<int:plan_id>/rename")
def rename(plan_id: int) -> ResponseReturnValue:
    plans.rename(current_actor(), plan_id, request.form.get("name", "")[:120])
    flash(gettext("方案已改名。"), "success")
    return redirect(url_for("plans.show", plan_id=plan_id))


@pages.post("/<int:plan_id>/archive")
def archive(plan_id: int) -> ResponseReturnValue:
    plans.archive(current_actor(), plan_id)
    flash(gettext("方案已归档；可在方案列表中勾选“含已归档”查看。"), "success")
    return redirect(url_for("plans.index"))


@pages.post("/<int:plan_id>/unarchive")
def unarchive(plan_id: int) -> ResponseReturnValue:
    plans.unarchive(current_actor(), plan_id)
    flash(gettext("方案已恢复为草案。"), "success")
    return redirect(url_for("plans.show", plan_id=plan_id))


@pages.post("/<int:plan_id>/delete")
def delete(plan_id: int) -> ResponseReturnValue:
    plans.delete(current_actor(), plan_id)
    flash(gettext("草案已删除。"), "success")
    return redirect(url_for("plans.index"))


def reaches(actor: Actor, region_code: str) -> bool:
    """Whether the actor may plan any part of a region."""
    return any(overlap(subtree(region_code) or "", prefix) for prefix in actor.prefixes(Role.PLANNER))


def copy_choices(
    actor: Actor, plan: plans.PlanSummary, by_region: Sequence[Mapping[str, Any]]
) -> list[tuple[str, str]]:
    """Which parts of a plan the actor may copy as a draft: all of it, or a community, those with most errors first."""
    whole = [(plan.region_code, gettext("整个方案：%(region)s", region=plan.region_name))]
    worst = sorted(by_region, key=lambda row: (-row["errors"], -row["warnings"], row["code"]))
    parts = [
        (
            row["code"],
            gettext("%(region)s（%(e)s 个错误，%(w)s 个警告）", region=row["name"], e=row["errors"], w=row["warnings"]),
        )
        for row in worst
        if row["code"] != plan.region_code
    ]
    return [one for one in whole + parts if actor.may(Role.PLANNER, one[0])]


def _index(form: NewPlanForm | None) -> str:
    actor = current_actor()
    archived = bool(request.args.get("archived"))
    known = plans.list_plans(actor, archived=archived)
    return render_template(
        "plans/index.html",
        engine=next((one.id for one in known if one.state != "archived"), None),
        plans=known,
        today=today().isoformat(),
        archived=archived,
        form=form or (_new_form(actor) if actor.may(Role.PLANNER) else None),
        failed=form is not None,
    )


def _new_form(actor: Actor) -> NewPlanForm:
    form = NewPlanForm()
    indent = {"county": "", "subdistrict": "\u00a0\u00a0\u00a0", "community": "\u00a0" * 6}
    form.region.choices = [
        (one.code, f"{indent[one.level]}{one.name} {one.code}")
        for one in regions.places(actor)
        if actor.may(Role.PLANNER, one.code)
    ]
    form.standard.choices = standard_choices()
    known = plans.list_plans(actor)
    form.plan.choices = [(str(one.id), f"{one.name}（{one.region_name}）") for one in known]
    form.batch.choices = [
        (
            f"{one.batch_id}:{one.department or ''}",
            gettext("%(file)s %(of)s（%(n)s 个网格）", file=one.filename, of=one.department or "", n=one.grids),
        )
        for one in plans.sources(actor)
    ]
    if not request.form:  # the first of the sources that there is something to take from
        form.source.data = "copy" if known else "import" if form.batch.choices else "empty"
    elif "source" not in request.form:
        form.source.data = "table" if form.table.data else "empty"
    return form


def standard_choices() -> list[tuple[str, str]]:
    """The shipped standards, by their titles."""
    known = [standards.load(name) for name in standards.shipped()]
    return [(profile.name, in_language(profile, "title")) for profile in known]


def _create(actor: Actor, form: NewPlanForm) -> int:
    name, region, standard = form.name.data or "", form.region.data, form.standard.data
    source = form.source.data
    if source == "copy" and form.plan.data:
        return plans.copy_plan(actor, int(form.plan.data), region_code=region, name=name)
    if source == "import" and form.batch.data:
        batch, _, department = form.batch.data.partition(":")
        return plans.plan_from_source(actor, int(batch), name, profile=standard, department=department or None)
    if source == "empty":
        return plans.create_empty(actor, name, region, profile=standard)
    table: FileStorage | None = form.table.data
    if source != "table" or table is None or not table.filename:
        raise Invalid("PLAN_SOURCE_MISSING")
    with tempfile.TemporaryDirectory(prefix="gridmap-") as folder:
        path = Path(folder) / f"table{Path(table.filename).suffix.lower()[:6]}"
        table.save(path)
        rows, grids = exports.read_assignment(path)
    return plans.from_assignment(actor, name, region, rows, grids, profile=standard)


def _standard(own: FileStorage | None, name: str | None) -> str | dict[str, object] | None:
    if own is not None and own.filename:
        content = own.read(standards.MAX_BYTES + 1)
        if len(content) > standards.MAX_BYTES:
            raise GeodataError("STANDARD_TOO_LARGE", name=own.filename, limit_mb=standards.MAX_BYTES // 1_000_000)
        try:
            return standards.loads(content.decode("utf-8-sig")).to_dict()
        except UnicodeDecodeError:
            raise GeodataError("STANDARD_NOT_UTF8", name=own.filename) from None
    return shipped_standard(name)


def _change(actor: Actor, flow: workflow.Standing) -> compare.Comparison | None:
    """What a plan would change, for who is to decide on it."""
    if flow.replaces_id is None or not (flow.may["approve"] or flow.may["publish"]):
        return None
    return compare.compare(actor, flow.replaces_id, flow.plan_id)


def _show(plan_id: int) -> str:
    actor = current_actor()
    summary = checks.summary(actor, plan_id)
    plan = summary.plan
    scene = mapdata.scene(actor, plan.region_code)
    if scene.bounds is None:  # the plan reaches beyond the reader's regions
        scene = mapdata.scene(actor)
    labels = status_labels()
    legend = (gettext("网格户数与标准"), [(one, labels[one], plan.statuses[one]) for one in STATUSES], "")
    asked = request.args.get("job", type=row_number)
    job = jobs.get(actor, asked) if asked else jobs.active(actor, f"plan:{plan_id}")
    flow = workflow.stand(actor, plan_id)
    kinds = plans.misfits(actor, plan_id, limit=1)["kinds"]
    sees_all = actor.sees_households(subtree(plan.region_code) or "")
    return render_template(
        "plans/show.html",
        plan=plan,
        summary=summary,
        map=town_map(scene, plan=plan, labels=labels, legend=legend),
        labels=labels,
        statuses=STATUSES,
        kinds=kinds,
        kind_words=misfit_words(),
        job=job,
        standards=standard_choices(),
        exports=export_choices(reports=sees_all),
        sees_all=sees_all,
        proposal=redraw.proposal(actor, plan_id),
        may_redraw=plan.state != "archived" and reaches(actor, plan.region_code),
        may_plan=actor.may(Role.PLANNER, plan.region_code),
        partners=compare.partners(actor, plan_id),
        parts=copy_choices(actor, plan, summary.by_region),
        flow=flow,
        change=_change(actor, flow),
        today=today().isoformat(),
        may_archive=plan.state != "archived"
        and actor.may(Role.APPROVER if plan.state == "published" else Role.PLANNER, plan.region_code),
        page_data={
            "plan": plan.id,
            "labels": labels,
            "kinds": misfit_words(),
            "checked": plan.checked_at is not None,
            "may_comment": plan.state != "archived",
        },
    )
