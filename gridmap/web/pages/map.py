"""The map: grids by status over the ground, with filters, list and cards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Flask, Response, render_template, request
from flask_babel import gettext

from gridmap.errors import Invalid
from gridmap.services import checks, mapdata, plans, regions, sheets
from gridmap.services.actor import Actor
from gridmap.services.checks.read import RULE_IDS
from gridmap.web.files import download
from gridmap.web.forms import calendar_day, row_number
from gridmap.web.i18n import in_language
from gridmap.web.pages.town_map import town_map
from gridmap.web.session import current_actor
from gridmap.web.standalone import map_file

pages = Blueprint("map", __name__, url_prefix="/map")

STATUSES = ("over", "under", "within", "empty", "unchecked")


def init_app(app: Flask) -> None:
    app.register_blueprint(pages)


def status_labels() -> dict[str, str]:
    """The words for the statuses of grids."""
    return {
        "over": gettext("超出标准"),
        "under": gettext("低于标准"),
        "within": gettext("符合标准"),
        "empty": gettext("无住户"),
        "unchecked": gettext("未核查"),
        "households": gettext("户"),
    }


@pages.get("")
def index() -> str:
    actor = current_actor()
    scene = mapdata.scene(actor)
    if scene.bounds is None:
        return render_template("map/none.html")
    known = plans.list_plans(actor, archived=True)
    day, plan = _chosen(actor, known)
    tree = regions.places(actor)
    labels = status_labels()
    return render_template(
        "map/index.html",
        map=_map(scene, plan, labels, heat=actor.sees_small()),
        plans=[one for one in known if one.state != "archived" or one is plan],
        plan=plan,
        day=day,
        regions=tree,
        rules=[(rule, checks.rule_title(rule, _language())) for rule in RULE_IDS],
        statuses=STATUSES,
        labels=labels,
        page_data={
            "plan": plan.id if plan else None,
            "date": day,
            "none": gettext("%(day)s 没有生效的方案。", day=day) if day else None,
            "bounds": scene.bounds,
            "labels": labels,
            "regions": [{"code": one.code, "bbox": one.bbox} for one in tree],
            "hits": {
                "grid": gettext("网格"),
                "region": gettext("区划"),
                "compound": gettext("小区"),
                "building": gettext("楼栋"),
            },
            "layers": [
                ["grids", gettext("网格")],
                ["regions", gettext("社区界线")],
                *([["heat", gettext("事件热力")]] if actor.sees_small() else []),
                ["ground", gettext("道路、水系、建筑")],
            ],
        },
    )


@pages.get("/export.html")
def export() -> Response:
    """The map with the filters of the address as one file that opens without a network."""
    actor = current_actor()
    known = plans.list_plans(actor, archived=True)
    _, plan = _chosen(actor, known)
    region, rule = request.args.get("region") or None, request.args.get("rule") or None
    statuses = tuple(one for one in request.args.getlist("status") if one)
    wrong = [one for one in statuses if one not in STATUSES]
    if wrong or (rule is not None and rule not in RULE_IDS):
        raise Invalid("SHEET_PARAMETER", value=",".join([*wrong, rule or ""])[:80])
    view = sheets.MapView(None if plan is None else plan.id, region, statuses, rule)
    return download(map_file(actor, view, locale=_language()), "map")


def _chosen(actor: Actor, known: Sequence[plans.PlanSummary]) -> tuple[str | None, plans.PlanSummary | None]:
    """The day asked for, and the plan that the map shows: of that day, the one chosen, or the one in force."""
    asked = request.args.get("date", "")
    if asked:
        day = calendar_day(asked)
        number = plans.to_show(actor, day)
        return day.isoformat(), next((one for one in known if one.id == number), None)
    number = request.args.get("plan", type=row_number)
    chosen = next((one for one in known if one.id == number), None)
    if chosen is None:
        number = plans.to_show(actor)
        chosen = next((one for one in known if one.id == number), None)
    return None, chosen


def _language() -> str:
    return in_language({"name_zh": "zh", "name_en": "en"}, "name")


def _map(scene: mapdata.Scene, plan: plans.PlanSummary | None, labels: dict[str, str], *, heat: bool) -> Any:
    """The map with the filters that stand in the address; ``heat`` for those who may see it, made but not shown."""
    query = {name: request.args.getlist(name) for name in ("region", "status", "rule") if request.args.getlist(name)}
    legend = None
    if plan is not None:
        rows = [(status, labels[status], plan.statuses[status]) for status in STATUSES]
        legend = (gettext("网格户数与标准"), rows, gettext("≈ 含估算户数") if plan.estimated_share else "")
    first: dict[str, Any] | None = {} if heat else None
    return town_map(scene, plan=plan, query=query, labels=labels, heat=first, heat_shown=False, legend=legend)
