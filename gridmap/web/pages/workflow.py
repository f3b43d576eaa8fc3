"""What becomes of a plan: submit, return, approve, publish, roll back; its dossier."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Views of the blueprint of plans."""
