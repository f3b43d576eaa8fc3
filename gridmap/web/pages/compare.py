"""Two plans compared: side by side, swiped, as a map of differences, and as a table."""

from __future__ import annotations

from flask import Flask, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from gridmap.services import compare, mapdata, plans
from gridmap.services.actor import Actor
from gridmap.web.forms import MENDABLE, row_number
from gridmap.web.i18n import in_language
from gridmap.web.pages import compare_maps
from gridmap.web.pages.map import STATUSES, status_labels
from gridmap.web.pages.plans import pages
from gridmap.web.session import current_actor

MODES = ("side", "swipe", "difference")


def init_app(app: Flask) -> None:
    """Views of the blueprint of plans."""


@pages.get("/compare", endpoint="compare")
def show() -> ResponseReturnValue:
    """Two plans beside each other; without them, a form to choose them."""
    actor = current_actor()
    a, b = (request.args.get(name, type=row_number) for name in ("a", "b"))
    if a is None or b is None:
        return _choose(actor, a, b)
    try:
        found = compare.compare(actor, a, b)
    except MENDABLE as error:
        locale = in_language({"locale_zh": "zh", "locale_en": "en"}, "locale")
        return _choose(actor, a, b, f"{error.sentence(locale)} {error.hint(locale)}".strip()), 422
    return _show(actor, found)


def _choose(actor: Actor, a: int | None, b: int | None, fault: str = "") -> str:
    known = plans.list_plans(actor, archived=True)
    if a is None and b is None and len(known) > 1:  # the plan in force, and the newest other one
        a, b = known[0].id, max(one.id for one in known[1:])
    return render_template("plans/compare_choose.html", plans=known, a=a, b=b, fault=fault)


def _show(actor: Actor, found: compare.Comparison) -> str:
    mode = request.args.get("mode")
    mode = mode if mode in MODES else "side"
    scene = mapdata.scene(actor, found.region_code)
    if scene.bounds is None:  # the ground reaches beyond the reader's regions
        scene = mapdata.scene(actor)
    labels = status_labels()
    if mode == "difference":
        maps = compare_maps.difference(found, scene)
    else:
        maps = (compare_maps.side if mode == "side" else compare_maps.swipe)(found, scene, labels)
    words = change_words()
    regions = {row.region_code: row.region_name for row in found.rows if row.region_code}
    return render_template(
        "plans/compare.html",
        found=found,
        mode=mode,
        modes=[("side", gettext("并排")), ("swipe", gettext("卷帘")), ("difference", gettext("差异图"))],
        maps=maps,
        css=list(dict.fromkeys(address for one in maps for address in one.css)),
        js=list(dict.fromkeys(address for one in maps for address in one.js)),
        plans=plans.list_plans(actor, archived=True),
        regions=sorted(regions.items()),
        labels=labels,
        words=words,
        statuses=STATUSES,
        page_data={
            "a": found.a.id,
            "b": found.b.id,
            "mode": mode,
            "labels": labels,
            "changes": words,
            "names": [found.a.name, found.b.name],
        },
    )


def change_words() -> dict[str, str]:
    """The words for what became of a grid."""
    return {
        "changed": gettext("范围变化"),
        "new": gettext("新增"),
        "gone": gettext("撤并"),
        "renamed": gettext("仅名称等变化"),
        "same": gettext("不变"),
    }
