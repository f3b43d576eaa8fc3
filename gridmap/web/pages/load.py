"""Load under another plan: what a draft does to the grids' cases, beside the plan in force."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Flask, render_template, request, url_for
from flask_babel import get_locale, gettext

from gridmap.services import cases, load, mapdata, plans
from gridmap.services.actor import Actor
from gridmap.services.plans.access import subtree
from gridmap.web.forms import calendar_day, row_number
from gridmap.web.pages.compare import change_words
from gridmap.web.pages.plans import pages
from gridmap.web.pages.town_map import add_borders, grid_addresses, ground_map
from gridmap.web.session import current_actor

ROWS_SHOWN = 100
ORDERS = ("by", "cases", "rate", "code")


def init_app(app: Flask) -> None:
    """Views of the blueprint of plans; templates ask whether to lead there."""
    app.add_template_global(_shown_to, "may_see_load")


def _shown_to(actor: Actor, region_code: str) -> bool:
    return actor.sees_small(subtree(region_code) or "")


@pages.get("/<int:plan_id>/load", endpoint="load")
def show(plan_id: int) -> str:
    """Cases and households of each grid under a plan, beside another plan."""
    actor = current_actor()
    wanted = _wanted()
    found = load.load(actor, plan_id, other_id=request.args.get("other", type=row_number), wanted=wanted)
    order = request.args.get("order") if request.args.get("order") in ORDERS else "by" if found.other else "cases"
    query = _query(found, wanted)
    built = _maps(actor, found, query)
    return render_template(
        "plans/load.html",
        found=found,
        said=load.sentences(found, str(get_locale())),
        rows=load.ordered(found.rows, order or "by")[:ROWS_SHOWN],
        order=order,
        orders=_order_words(found),
        wanted=wanted,
        query=query,
        plans=[one for one in plans.names(actor) if one.id != plan_id],
        categories=[name for name, _ in cases.categories(actor, found.region_code)],
        words=change_words(),
        maps=built,
        css=list(dict.fromkeys(address for one in built for address in one.css)),
        js=list(dict.fromkeys(address for one in built for address in one.js)),
        page_data={
            "values": url_for("api.plan_load_values", plan_id=plan_id, **query),
            "limit": found.limit,
            "rate": _mean_rate(found),
            "titles": {"cases": gettext("事件（件）"), "rate": gettext("每千户事件（件）")},
            "single": found.other is None,
            "regions": load.many(found.rows),
        },
    )


def _wanted() -> load.Wanted:
    days: list[date | None] = []
    for name in ("since", "until"):
        text = request.args.get(name, "")
        days.append(calendar_day(text) if text else None)
    limit = request.args.get("most", type=row_number)
    return load.Wanted(days[0], days[1], tuple(one for one in request.args.getlist("category") if one), limit)


def _query(found: load.Load, wanted: load.Wanted) -> dict[str, Any]:
    """What is shown, as the API takes it."""
    told: dict[str, Any] = {"since": found.since.isoformat(), "until": found.until.isoformat(), "most": found.limit}
    if found.other is not None:
        told["other"] = found.other.id
    return told | ({"category": list(wanted.categories)} if wanted.categories else {})


def _order_words(found: load.Load) -> list[tuple[str, str]]:
    words = [("cases", gettext("事件最多")), ("rate", gettext("每千户最多")), ("code", gettext("按编码"))]
    return [("by", gettext("变化最大")), *words] if found.other else words


def _mean_rate(found: load.Load) -> float:
    """Cases per 1,000 households of the whole, which the map's classes go by."""
    whole = found.before or found.after
    return round(1000 * whole.cases / whole.households, 2) if whole.households and whole.cases else 1.0


def _maps(actor: Actor, found: load.Load, query: dict[str, Any]) -> list[Any]:
    """A small map for each plan, coloured by the page's script."""
    from gridmap.web import maps

    scene = mapdata.scene(actor, found.region_code)
    if scene.bounds is None:
        scene = mapdata.scene(actor)
    if scene.bounds is None:
        return []
    labels = {"cases": gettext("事件（件）"), "rate": gettext("每千户"), "households": gettext("户")}
    labels |= {"cases": gettext("每网格事件（件）"), "grids": gettext("个网格")} if load.many(found.rows) else {}
    built = []
    for name, plan in (("a", found.other), ("b", found.plan)):
        if plan is None:
            continue
        one = ground_map(scene, name=name)
        _, tiles = grid_addresses(scene, plan)
        asked = {"plan": plan.id, "region": found.region_code, "of": "regions" if load.many(found.rows) else "grids"}
        layer = maps.CoverageLayer(
            url_for("api.coverage_areas"), tiles, mode="cases", labels=labels, query=asked, name=None
        )
        layer._id = name
        layer.add_to(one)
        add_borders(one, scene)
        if name == "b":
            maps.Legend(labels["cases"], []).add_to(one)
        built.append(maps.parts(one))
    return built
