"""The summary of a month in sentences, as somebody would read it out."""

from __future__ import annotations

from geodata.incidents.periods import Change, compared
from gridmap.services.monthly import months
from gridmap.services.monthly.content import Counted, Month

#: A change less sure than this is called one within chance.
SURE = 0.05


def change(month: Month, before: int, *, by: int) -> Change:
    """The month against the one ``by`` months away, by exact comparison of two Poisson counts."""
    other = months.moved(month.month, by)
    return compared(before, month.total.now, months.days(other), months.days(month.month))


def summary(month: Month) -> list[str]:
    """Sentences on cases, their kinds, hot spots, and coverage."""
    word, total = month.word, month.total
    told = [word("SAID_TOTAL", month=month.title, region=month.region_name, n=f"{total.now:,}", open=f"{month.open:,}")]
    for name, before, by in (("MONTH", total.before, -1), ("YEAR", total.year_ago, -12)):
        told.append(_against(month, name, before, by))
    if month.categories and total.now:
        first, counted = month.categories[0]
        share = f"{100 * counted.now / total.now:.0f}"
        told.append(word("SAID_MOST", category=first, n=f"{counted.now:,}", share=share))
        name, grown = max(month.categories, key=lambda one: _grown(one[1]))
        if _grown(grown) > 0:
            told.append(word("SAID_GROWN", category=name, n=f"{_grown(grown):,}", before=f"{grown.before:,}"))
    if month.spots is not None:
        told.append(_spots(month))
    cover = None if month.cover is None else month.cover.total
    if cover is None:
        told.append(word("SAID_NO_PLAN"))
    else:
        share = f"{100 * cover.within / cover.grids:.0f}" if cover.grids else "0"
        told.append(
            word("SAID_COVER", n=cover.grids, within=cover.within, share=share, over=cover.over, under=cover.under)
        )
        loose = {"n": f"{cover.uncovered_buildings:,}", "households": f"{cover.uncovered_households:,}"}
        told.append(word("SAID_LOOSE", **loose) if cover.uncovered_buildings else word("SAID_WHOLE"))
    return told


def percent(now: int, before: int) -> str:
    """The change of a count, signed; a dash where there was nothing before."""
    if now == before:
        return "0%"
    return f"{100 * (now - before) / before:+.0f}%" if before else "—"


def _grown(counted: Counted) -> int:
    return counted.now - counted.before


def _against(month: Month, name: str, before: int, by: int) -> str:
    word, now = month.word, month.total.now
    if not before:
        return word(f"SAID_{name}_NONE")
    way = word("SAME" if now == before else "MORE" if now > before else "LESS")
    share = f"{abs(100 * (now - before) / before):.0f}"
    sure = word("SURE" if change(month, before, by=by).p < SURE else "CHANCE")
    return word(f"SAID_{name}", way=way, share=share, before=f"{before:,}", sure=sure)


def _spots(month: Month) -> str:
    assert month.spots is not None
    kinds = [spot.kind for spot in month.spots.spots]
    hot = len(kinds) - kinds.count("fading")
    if not hot:
        return month.word("SAID_NO_SPOTS")
    return month.word("SAID_SPOTS", n=hot, new=kinds.count("new"), fading=kinds.count("fading"))
