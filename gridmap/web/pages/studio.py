"""The studio: one screen on which a plan is redrawn."""

from __future__ import annotations

from flask import Flask, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from gridmap.services import checks, mapdata, plans
from gridmap.services.actor import Role
from gridmap.services.plans.access import subtree
from gridmap.services.plans.small import require_households
from gridmap.web.pages.map import STATUSES, status_labels
from gridmap.web.pages.plans import copy_choices, pages
from gridmap.web.pages.town_map import town_map
from gridmap.web.session import current_actor


def init_app(app: Flask) -> None:
    """The views are of the blueprint of plans."""


@pages.get("/<int:plan_id>/studio", endpoint="studio")
def show(plan_id: int) -> ResponseReturnValue:
    """The plan on the desk: map, tools, live figures; read-only where it is no draft or the reader no planner of it."""
    actor = current_actor()
    plan = plans.get(actor, plan_id)
    require_households(actor, subtree(plan.region_code) or "")
    scene = mapdata.scene(actor, plan.region_code)
    if scene.bounds is None:  # the plan reaches beyond the reader's regions
        scene = mapdata.scene(actor)
    if scene.bounds is None:
        return render_template("map/none.html")
    return render_template(
        "studio/index.html",
        plan=plan,
        map=town_map(scene, tiles_shown=False),
        statuses=STATUSES,
        labels=status_labels() | {"unchecked": gettext("无户数标准")},
        may_edit=plan.state == "draft" and actor.may(Role.PLANNER, plan.region_code),
        parts=copy_choices(actor, plan, checks.summary(actor, plan_id).by_region),
        page_data={"plan": plan.id, "state": plan.state, "home": plan.region_code},
    )
