"""Help: the main job in steps, the rules, roles, keys, words; one text a language."""

from __future__ import annotations

from flask import Blueprint, Flask, render_template
from flask_babel import get_locale

pages = Blueprint("help", __name__, url_prefix="/help")


def init_app(app: Flask) -> None:
    app.register_blueprint(pages)


@pages.get("")
def index() -> str:
    language = "en" if str(get_locale()).startswith("en") else "zh"
    return render_template(f"help/{language}.html")
