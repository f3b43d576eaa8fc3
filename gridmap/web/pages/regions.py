"""Regions: the tree with what lives in it, and the page of one region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Flask, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from gridmap.services import jobs, mapdata, plans, regions
from gridmap.services.actor import Actor, Role
from gridmap.services.plans.access import subtree
from gridmap.web.forms import row_number
from gridmap.web.pages.map import STATUSES, status_labels
from gridmap.web.pages.town_map import town_map
from gridmap.web.session import current_actor

if TYPE_CHECKING:
    from gridmap.web.maps import MapParts

pages = Blueprint("regions", __name__, url_prefix="/regions")
GRIDS_SHOWN = 200
REGIONS_SHOWN = 500


def init_app(app: Flask) -> None:
    app.register_blueprint(pages)


@pages.get("")
def index() -> str:
    actor = current_actor()
    found = regions.tree(actor)
    # of a city the communities stand on the pages of their subdistricts
    short = len(found) > REGIONS_SHOWN
    rows = [one for one in found if one.level != "community"] if short else found
    return render_template("regions/index.html", regions=rows or found, short=short and bool(rows))


@pages.get("/<string:code>")
def show(code: str) -> str:
    actor = current_actor()
    region = regions.get(actor, code)
    crumbs = regions.breadcrumb(actor, code)
    plan = next((one for one in plans.list_plans(actor) if _holds(one, region)), None)
    job_id = request.args.get("job", type=row_number)
    job = jobs.get(actor, job_id) if job_id else jobs.active(actor, f"region:{code}")
    page = None
    if plan is not None and region.level == "community":
        page = plans.grids(actor, plan.id, region=code, limit=GRIDS_SHOWN)
    return render_template(
        "regions/show.html",
        region=region,
        trail=[(gettext("区划"), url_for("regions.index"))]
        + [(one.name, url_for("regions.show", code=one.code)) for one in crumbs[:-1] if one.open],
        level_names={
            "county": gettext("区县"),
            "subdistrict": gettext("街道（乡镇）"),
            "community": gettext("社区（村）"),
        },
        above=" › ".join(one.name for one in crumbs[:-1] if not one.open),
        children=regions.children(actor, code),
        plan=plan,
        grids=page.rows if page else (),
        more=page is not None and page.total > len(page.rows),
        map=_map(actor, region, plan),
        job=job,
        may_plan=actor.may(Role.PLANNER, code),
        question=_question(region),
        page_data={"plan": plan.id if plan else None},
    )


@pages.post("/<string:code>/units")
def build(code: str) -> ResponseReturnValue:
    """Have the units of the region built anew."""
    job_id = jobs.ask_build(current_actor(), code)
    return redirect(url_for("regions.show", code=code, job=job_id))


def _holds(plan: plans.PlanSummary, region: regions.RegionInfo) -> bool:
    """Whether the plan covers the region or lies in it."""
    outer, inner = (subtree(code) or "" for code in (plan.region_code, region.code))
    return inner.startswith(outer) or outer.startswith(inner)


def _map(actor: Actor, region: regions.RegionInfo, plan: plans.PlanSummary | None) -> MapParts:
    labels = status_labels()
    legend = (gettext("网格户数与标准"), [(one, labels[one], region.statuses[one]) for one in STATUSES], "")
    scene = mapdata.scene(actor, region.code)
    return town_map(scene, plan=plan, query={"region": region.code}, labels=labels, legend=legend if plan else None)


def _question(region: regions.RegionInfo) -> str:
    """What building units will do, before it is done."""
    counts = {"communities": region.communities, "units": region.units}
    if not region.units:
        return str(gettext("将为 %(communities)s 个社区（村）划分单元。", **counts))
    return str(
        gettext(
            "将为 %(communities)s 个社区（村）重新划分单元：现有 %(units)s 个单元退役。"
            "已有方案仍保留原来的单元，新方案使用新单元。",
            **counts,
        )
    )
