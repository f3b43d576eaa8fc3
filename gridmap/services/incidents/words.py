"""A hot spot in one sentence, as somebody would say it in a meeting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from geodata import messages

if TYPE_CHECKING:
    from gridmap.services.incidents.spots import Spot

_GRIDS_MAX = 4


def sentence(spot: Spot, locale: str) -> str:
    """Where, how many, how much more than elsewhere, since when, of what kind, and at which places."""
    zh = locale.startswith("zh")
    comma = "、" if zh else ", "

    def say(name: str, **values: object) -> str:
        return messages.sentence(name, locale, **values)

    rate = "—" if spot.rate is None else f"{spot.rate:,.1f}"
    ratio = "—" if spot.ratio is None else f"{spot.ratio:.1f}"
    told = [say("SPOT_HOT", where=where(spot.grids, locale), cases=f"{spot.cases:,}", rate=rate, ratio=ratio)]
    if spot.kind is not None and spot.before is not None:
        told.append(say(f"SPOT_{spot.kind.upper()}", before=f"{spot.before:,}"))
    if spot.categories:
        name, count = spot.categories[0]
        told.append(say("SPOT_KIND", category=name, share=f"{100 * count / spot.detailed:.0f}"))
    if spot.places:
        told.append(say("SPOT_PLACES", places=comma.join(say("SPOT_PLACE", place=p, cases=n) for p, n in spot.places)))
    return ("" if zh else " ").join(told)


def where(grids: Sequence[tuple[int, str, str]], locale: str) -> str:
    """The first grids (id, code, community) of a hot spot by community, and how many there are."""
    comma = "、" if locale.startswith("zh") else ", "
    by_region: dict[str, list[str]] = {}
    for _, code, region in grids[:_GRIDS_MAX]:
        by_region.setdefault(region, []).append(code[-3:])
    listed = comma.join(
        messages.sentence(
            "SPOT_WHERE", locale, region=_apart(region) if locale.startswith("zh") else region, grids=comma.join(codes)
        )
        for region, codes in by_region.items()
    )
    return listed if len(grids) <= _GRIDS_MAX else messages.sentence(
        "SPOT_GRIDS_MORE", locale, listed=listed, count=len(grids))  # fmt: skip


def _apart(name: str) -> str:
    """A name that ends in a digit or a Latin letter keeps its distance from the number that follows."""
    return f"{name} " if name[-1:].isascii() and name[-1:].isalnum() else name
