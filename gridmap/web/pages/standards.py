"""Standards: the profiles that come with the program, with every threshold."""

from __future__ import annotations

from flask import Blueprint, Flask, render_template

from geodata import standards

pages = Blueprint("standards", __name__, url_prefix="/standards")


def init_app(app: Flask) -> None:
    app.register_blueprint(pages)


@pages.get("")
def index() -> str:
    return render_template("standards/index.html", profiles=[standards.load(name) for name in standards.shipped()])
