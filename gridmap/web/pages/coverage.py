"""Coverage: whether every building lies in a grid and every grid is in standard, from the county down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, render_template, request, url_for
from flask_babel import gettext

from gridmap.services import coverage, mapdata, plans, regions
from gridmap.services.days import today
from gridmap.web.forms import calendar_day, row_number
from gridmap.web.pages.map import STATUSES, status_labels
from gridmap.web.pages.town_map import add_borders, grid_addresses, ground_map
from gridmap.web.session import current_actor

if TYPE_CHECKING:
    from gridmap.web.maps import MapParts

pages = Blueprint("coverage", __name__, url_prefix="/coverage")

#: Grids of a community that are listed, and places in no grid.
GRIDS_SHOWN, PLACES_SHOWN = 200, 50
MODES = ("status", "people", "estimated", "age")


def init_app(app: Flask) -> None:
    app.register_blueprint(pages)


@pages.get("")
def index() -> str:
    actor = current_actor()
    asked, code = request.args.get("date", ""), request.args.get("region", "") or None
    day = calendar_day(asked) if asked else today()
    crumbs = regions.breadcrumb(actor, code) if code else ()
    chosen = request.args.get("plan", type=row_number)
    found = coverage.coverage(actor, plan_id=chosen, on=day, region=code)
    here = code
    if code is None and len(found.rows) == 1:  # one county: its parts say more than itself
        here = found.rows[0].code
        found = coverage.coverage(actor, plan_id=chosen, on=day, region=here)
    kept: dict[str, Any] = {name: request.args[name] for name in ("plan", "date", "mode") if request.args.get(name)}
    community = bool(crumbs) and crumbs[-1].level == "community"
    grids = community or request.args.get("of") == "grids"
    known = plans.names(actor)
    plan = next((one for one in known if one.id == found.plan_id), None)
    page = plans.grids(actor, plan.id, region=code, limit=GRIDS_SHOWN) if plan and community else None
    scene = mapdata.scene(actor, here)
    if scene.bounds is None:
        scene = mapdata.scene(actor)
    mode = request.args.get("mode") if request.args.get("mode") in MODES else "status"
    query = {name: value for name, value in {**kept, "region": here}.items() if value and name != "mode"}
    total = found.total
    places = None
    if total is not None and total.uncovered_buildings:
        places = coverage.uncovered(actor, plan_id=chosen, on=day, region=here, limit=PLACES_SHOWN)
    trail = [(gettext("覆盖"), url_for("coverage.index", **kept))] if crumbs else []
    trail += [(one.name, url_for("coverage.index", region=one.code, **kept)) for one in crumbs[:-1] if one.open]
    return render_template(
        "coverage/index.html",
        title=crumbs[-1].name if crumbs else gettext("覆盖"),
        trail=trail,
        coverage=found,
        plan=plan,
        plans=known,
        grids=page.rows if page else (),
        total=page.total if page else 0,
        places=places,
        region=code,
        here=here,
        community=community,
        of="grids" if grids else "regions",
        modes=list(mode_words().items()),
        mode=mode,
        date=asked,
        day=day,
        kept=kept,
        query=query,
        map=_map(scene, plan, mode or "status", query, grids) if plan and found.rows and scene.bounds else None,
        page_data={
            "plan": plan.id if plan else None,
            "region": here,
            "bounds": scene.bounds,
            "kept": kept,
            "of": "grids" if grids else "regions",
            "mode": mode,
            "titles": _titles(grids),
            "words": _breaks(),
        },
    )


def mode_words() -> dict[str, str]:
    """What the map may be coloured by."""
    return {
        "status": gettext("达标情况"),
        "people": gettext("超 2000 人"),
        "estimated": gettext("估算占比"),
        "age": gettext("数据日期"),
    }


def _titles(grids: bool) -> dict[str, str]:
    """Titles of the legend."""
    if grids:
        return {
            "status": gettext("网格户数与标准"),
            "people": gettext("网格人口"),
            "estimated": gettext("户数中估算的占比"),
            "age": gettext("最旧户数数据"),
        }
    return {
        "status": gettext("不达标网格占比"),
        "people": gettext("超 2000 人网格的人口占比"),
        "estimated": gettext("户数中估算的占比"),
        "age": gettext("最旧户数数据"),
    }


def _breaks() -> dict[str, Any]:
    """The words of classes, the last for what has no value; breaks stand in maps/coverage.js."""
    none = gettext("无数据")
    labels = status_labels()
    people = gettext("人")
    return {
        "statuses": [[one, labels[one]] for one in STATUSES],
        "shares": ["0%", "≤ 10%", "≤ 25%", "≤ 50%", "> 50%", none],
        "people": [*(f"≤ {n:,} {people}" for n in (1000, 1500, 2000, 3000)), f"> 3,000 {people}"],
        "years": [
            gettext("1 年以内"),
            *(gettext("%(n)s 年以内", n=n) for n in (2, 3, 5)),
            gettext("5 年以上"),
            none,
        ],
    }


def _map(scene: mapdata.Scene, plan: plans.PlanName, mode: str, query: Mapping[str, Any], grids: bool) -> MapParts:
    from gridmap.web import maps  # Folium is slow to load

    built = ground_map(scene)
    _, tiles = grid_addresses(scene, plan)
    labels = {**status_labels(), **mode_words(), "grids": gettext("个网格")}
    asked = {**query, "of": "grids" if grids else "regions"}
    maps.CoverageLayer(url_for("api.coverage_areas"), tiles, mode=mode, labels=labels, query=asked, name=None).add_to(
        built
    )
    add_borders(built, scene)
    maps.Legend(_titles(grids)[mode], []).add_to(built)
    return maps.parts(built)
