"""Released figures of cases: the page of cases for whoever may not see exact ones."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

from flask import render_template
from flask_babel import gettext

from gridmap.services import mapdata, regions
from gridmap.services.actor import Actor
from gridmap.services.cases import released
from gridmap.services.plans.access import subtree
from gridmap.web.pages.map import status_labels
from gridmap.web.pages.town_map import town_map


def show(actor: Actor) -> str:
    """The page as everybody may see it."""
    known = released.periods(actor)
    scene = mapdata.scene(actor)
    tree = regions.places(actor)
    mine = [one for one in tree if actor.sees_small(subtree(one.code) or "")]
    if scene.bounds is None or not known.releases:
        return render_template("cases/released_none.html", due=known.due, settled=known.settled, mine=mine[:1])
    newest = known.releases[-1]
    # only the number is needed: the grids are those of the release, whatever their plan is now
    plan = SimpleNamespace(id=newest.plan_id, version=0) if newest.plan_id else None
    return render_template(
        "cases/released.html",
        map=town_map(scene, plan=plan, outline=True, labels=status_labels()),
        regions=tree,
        mine=mine[:1] if not actor.sees_small() else [],
        exact=actor.sees_small(),
        periods=spans(known),
        categories=known.categories,
        releases=[(one.since, one.until - timedelta(days=1), one.plan_name) for one in known.releases],
        due=known.due,
        settled=known.settled,
        page_data={
            "plan": newest.plan_id,
            "level": "grid" if known.grids <= mapdata.MAX_FEATURES else "community",
            "months": known.months,
            "releases": [[one.months[0], one.months[-1]] for one in known.releases],
            "regions": [{"code": one.code, "bbox": one.bbox} for one in tree],
            "bounds": scene.bounds,
            "everywhere": "" in actor.prefixes(released.VIEWER),
            "weekdays": [gettext(day) for day in _WEEKDAYS],
        },
    )


_WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")


def spans(known: released.Periods) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Groups of choices of time: (first month, last month, words)."""
    months = known.months
    whole = [(months[0], months[-1], gettext("全部（%(a)s 至 %(b)s）", a=months[0], b=months[-1]))]
    years: dict[str, list[str]] = {}
    quarters: dict[str, list[str]] = {}
    for month in months:
        year, number = month.split("-")
        years.setdefault(year, []).append(month)
        quarters.setdefault(gettext("%(y)s 年第 %(q)s 季度", y=year, q=(int(number) + 2) // 3), []).append(month)

    def choices(groups: dict[str, list[str]]) -> list[tuple[str, str, str]]:
        return [(own[0], own[-1], word) for word, own in reversed(groups.items())]

    told = {
        year
        if len(own) == 12
        else gettext("%(y)s（%(a)s–%(b)s 月）", y=year, a=int(own[0][5:]), b=int(own[-1][5:])): own
        for year, own in years.items()
    }
    return [
        ("", whole),
        (gettext("年"), choices(told)),
        (gettext("季度"), choices(quarters)),
        (gettext("月"), [(month, month, month) for month in reversed(months)]),
    ]
