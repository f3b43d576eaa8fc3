"""Cases: their density on the map, counts by grid, and how they fall in time."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from flask import Blueprint, Flask, current_app, render_template, request
from flask_babel import gettext

from geodata.density import BREAKS, PALETTE
from gridmap.services import cases, heat, mapdata, plans, regions
from gridmap.services.plans.access import subtree
from gridmap.web.config import app_settings
from gridmap.web.forms import row_number
from gridmap.web.pages import cases_released
from gridmap.web.pages.map import status_labels
from gridmap.web.pages.town_map import backdrop, town_map
from gridmap.web.session import current_actor

pages = Blueprint("cases", __name__, url_prefix="/cases")
DEFAULT_BANDWIDTH_M = 250


def init_app(app: Flask) -> None:
    app.register_blueprint(pages)


@pages.get("")
def index() -> str:
    actor = current_actor()
    if not current_app.testing:
        heat.get_ready()
    tree = regions.places(actor)
    region = next((one.code for one in tree if one.code == request.args.get("region")), None)
    if not actor.sees_small(subtree(region) or ""):
        return cases_released.show(actor)
    scene = mapdata.scene(actor)
    categories = cases.categories(actor, region)
    if scene.bounds is None or not categories:
        return render_template("cases/none.html")
    known = [one for one in plans.names(actor) if one.state != "archived"]
    asked = request.args.get("plan", type=row_number)
    plan = next((one for one in known if one.id == asked), known[0] if known else None)
    bandwidth_m = request.args.get("bandwidth", type=int)
    if bandwidth_m not in heat.BANDWIDTHS_M:
        bandwidth_m = DEFAULT_BANDWIDTH_M
    zone = app_settings().time_zone
    legend = (gettext("事件密度（件/平方公里）"), _classes(), gettext("颜色不随缩放变化"))
    known_kinds = [name for name, _ in categories]
    chosen = [name for name in request.args.getlist("category") if name in known_kinds]
    # where the map opens: else it would fetch the whole county first
    bounds = next((one.bbox for one in tree if one.code == region), scene.bounds)
    return render_template(
        "cases/index.html",
        # the first image waits for the script, which knows the filters of the address
        map=town_map(
            replace(scene, bounds=bounds),
            plan=plan,
            outline=True,
            query={"region": region} if region else None,
            labels=status_labels(),
            heat={},
            heat_shown=False,
            legend=legend,
            slider={
                "params": {"region": region or "", "category": chosen},
                "container": "timeline",
                "labels": _slider_words(),
            },
        ),
        wall=request.args.get("wall") == "1",
        plans=known,
        plan=plan,
        regions=tree if actor.sees_small("") else [one for one in tree if actor.sees_small(subtree(one.code) or "")],
        categories=categories,
        bandwidths=heat.BANDWIDTHS_M,
        bandwidth=bandwidth_m,
        page_data={
            "plan": plan.id if plan else None,
            "wall": request.args.get("wall") == "1",
            "whole": actor.sees_small(""),
            "raw": actor.sees_raw(subtree(region) or ""),
            "bounds": scene.bounds,
            "tiles": backdrop(scene),
            "most": mapdata.MAX_FEATURES,
            "categories": known_kinds,
            "bandwidth": bandwidth_m,
            "zone": zone,
            "known": [day.isoformat() for day in cases.known(actor) or ()],
            "regions": [{"code": one.code, "bbox": one.bbox} for one in tree],
            "weekdays": [
                gettext("周一"),
                gettext("周二"),
                gettext("周三"),
                gettext("周四"),
                gettext("周五"),
                gettext("周六"),
                gettext("周日"),
            ],
        },
    )


@pages.get("/released")
def released() -> str:
    """What everybody who looks at a region may see."""
    return cases_released.show(current_actor())


def _slider_words() -> dict[str, str]:
    """What the time slider says."""
    return {
        "slider": gettext("时间轴"),
        "start": gettext("开始日期"),
        "end": gettext("结束日期"),
        "window": gettext("移动时间窗"),
        "play": gettext("播放"),
        "pause": gettext("暂停"),
        "back": gettext("后退一步"),
        "forward": gettext("前进一步"),
        "length": gettext("时间窗"),
        "step": gettext("步长"),
        "speed": gettext("速度"),
        "own": gettext("自选"),
        "days": gettext("{n} 天"),
        "cases": gettext("{n} 件"),
        "none": gettext("这些条件下没有事件。"),
        "outside": gettext("所选时间不在有事件的时间之内。"),
        "failed": gettext("时间轴未能取回。"),
    }


def _classes() -> list[tuple[str, str, int | float | None]]:
    """Legend rows of the density classes: colour, bounds in cases per km2."""
    colours = [f"rgba({r},{g},{b},{a / 255:.2f})" for r, g, b, a in PALETTE.tolist()]
    tops = [*(f"{low:,.0f}–{high:,.0f}" for low, high in pairwise(BREAKS)), f"≥ {BREAKS[-1]:,.0f}"]
    return [(colour, text, None) for colour, text in zip(colours, tops, strict=True)]
