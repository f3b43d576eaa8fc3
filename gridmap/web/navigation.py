"""What the base template shows around every page: navigation, who is signed in, addresses of scripts and styles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, g, request, url_for
from flask_babel import gettext

from gridmap import __version__
from gridmap.services.actor import EXACT, Actor, Role


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of the navigation; ``current`` where the page shown lies in its section."""

    label: str
    href: str
    current: bool


def init_app(app: Flask) -> None:
    app.context_processor(_around)


def navigation(actor: Actor) -> list[Item]:
    """The sections this person may open; one whose blueprint is not installed is left out."""
    sections = [
        ("home", gettext("首页")),
        ("imports", gettext("数据导入")),
        ("regions", gettext("区划")),
        ("plans", gettext("划分方案")),
        ("map", gettext("地图")),
        ("coverage", gettext("覆盖")),
        ("cases", gettext("事件")),
        ("standards", gettext("标准")),
    ]
    if actor.may(Role.ADMINISTRATOR):
        sections += [("users", gettext("用户")), ("audit", gettext("审计"))]
    if any(actor.may(role) for role in EXACT):
        sections.insert(7, ("reports", gettext("月报")))
    sections.append(("help", gettext("帮助")))
    here = request.blueprint
    return [
        Item(label, url_for(f"{section}.index"), section == here)
        for section, label in sections
        if f"{section}.index" in current_app.view_functions
    ]


def _around() -> dict[str, Any]:
    actor: Actor | None = g.get("actor")
    return {
        "actor": actor,
        "Role": Role,
        "navigation": navigation(actor) if actor else [],
        "app_version": __version__,
    }
