"""Home: what needs attention, or, without data, what to do next."""

from __future__ import annotations

from flask import Blueprint, Flask, render_template, url_for
from flask_babel import gettext

from gridmap.services import workflow
from gridmap.services.actor import Role
from gridmap.services.home import CASE_DAYS, RURAL_POPULATION, Overview, overview
from gridmap.web.session import current_actor

pages = Blueprint("home", __name__)


def init_app(app: Flask) -> None:
    app.register_blueprint(pages)


@pages.get("/")
def index() -> str:
    actor = current_actor()
    if not actor.may(Role.VIEWER):
        return render_template("home/no_role.html")
    found = overview(actor)
    return render_template(
        "home/index.html",
        home=found,
        steps=_steps(found),
        waiting=workflow.waiting(actor),
        rural_population=RURAL_POPULATION,
        case_days=CASE_DAYS,
        may_plan=actor.may(Role.PLANNER),
    )


def _steps(found: Overview) -> list[tuple[str, str, str, bool]]:
    """The main job: title, what it takes, address, whether it is done. Empty once a plan is checked."""
    if found.present["checked"]:
        return []
    take = url_for("imports.index")
    return [
        (gettext("导入区划"), gettext("区县、街道、社区（村）的边界，带 12 位代码"), take, found.present["regions"]),
        (gettext("导入道路与水系"), gettext("单元的边界；没有时按楼栋划分"), take, found.present["barriers"]),
        (gettext("导入楼栋"), gettext("楼栋图形或点，带户数；没有户数可估算"), take, found.present["buildings"]),
        (
            gettext("划分单元"),
            gettext("由道路、水系、小区围合的最小地块"),
            url_for("regions.index"),
            found.present["units"],
        ),
        (gettext("导入现有网格"), gettext("叠到单元上，得到方案和不吻合之处"), take, found.present["plans"]),
        (
            gettext("核查方案"),
            gettext("逐条规则核对户数标准，看哪里不符合"),
            url_for("plans.index"),
            found.present["checked"],
        ),
        (gettext("导入事件"), gettext("可选：看事件集中在哪里"), take, found.present["cases"]),
    ]
