"""The studio: one screen on which a plan is redrawn."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Views of the blueprint of plans."""
