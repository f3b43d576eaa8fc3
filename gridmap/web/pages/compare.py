"""Two plans compared: side by side, swiped, as a map of differences, and as a table."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Views of the blueprint of plans."""
