"""Home: what needs attention."""

from __future__ import annotations

from flask import Blueprint, Flask, render_template

pages = Blueprint("home", __name__)


def init_app(app: Flask) -> None:
    app.register_blueprint(pages)


@pages.get("/")
def index() -> str:
    return render_template("home/index.html")
