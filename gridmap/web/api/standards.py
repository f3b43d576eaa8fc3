"""The standard profiles that plans are checked against."""

from __future__ import annotations

from typing import Any

from geodata import standards as profiles
from gridmap.errors import NotFound
from gridmap.web.api import Model, endpoint


class StandardOut(Model):
    """A profile by name and title."""

    name: str
    title_zh: str
    title_en: str


class StandardsOut(Model):
    """The shipped profiles."""

    items: list[StandardOut]


class ProfileOut(Model):
    """A profile with all its thresholds."""

    name: str
    profile: dict[str, Any]


@endpoint("/standards", tag="standards", response=StandardsOut)
def list_standards() -> StandardsOut:
    """The profiles that come with the program."""
    found = [profiles.load(name) for name in profiles.shipped()]
    return StandardsOut(items=[StandardOut.model_validate(profile) for profile in found])


@endpoint("/standards/<name>", tag="standards", response=ProfileOut)
def get_standard(name: str) -> ProfileOut:
    """One profile, with every threshold."""
    if name not in profiles.shipped():
        raise NotFound("NOT_FOUND")
    return ProfileOut(name=name, profile=profiles.load(name).to_dict())
