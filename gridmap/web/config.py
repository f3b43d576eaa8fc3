"""The settings the running app was made with."""

from __future__ import annotations

from typing import cast

from flask import current_app

from gridmap.settings import Settings


def app_settings() -> Settings:
    """The ``Settings`` that ``create_app`` got."""
    return cast(Settings, current_app.extensions["gridmap.settings"])
