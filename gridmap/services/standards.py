"""Which standard a plan is made or checked by: one that is shipped, or the content of a county's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from geodata import standards
from geodata.errors import GeodataError


def resolve(profile: str | Mapping[str, Any]) -> standards.Profile:
    """The shipped profile of that name, or the profile with that content (parsed TOML or a snapshot).

    Never a path: names come from browsers too, and no file of the server is read for them; the command line reads
    files itself. Raises ``GeodataError`` STANDARD_*.
    """
    if not isinstance(profile, str):
        return standards.from_dict(profile)
    if profile not in standards.shipped():
        raise GeodataError("STANDARD_NOT_FOUND", name=profile, shipped=", ".join(standards.shipped()))
    return standards.load(profile)


def class_of(profile: standards.Profile, settlement: str | None) -> str | None:
    """The class whose bound holds in a community; a standard of micro-grids alone bounds them everywhere."""
    if profile.urban is None and profile.rural is None:
        return "micro"
    return settlement if profile.bound(settlement or "") is not None else None
