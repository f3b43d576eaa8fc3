"""The figures of the incident view as sheets of a workbook, the filters and the date on the first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gridmap.services.sheets.view import Shown

if TYPE_CHECKING:
    import pandas as pd

_DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


def case_frames(shown: Shown) -> Mapping[str, pd.DataFrame]:
    """Title of each sheet and its table."""
    word = shown.word
    sheets = {
        word("SHEET_ABOUT"): about(shown),
        word("BY_CATEGORY"): _pairs(shown, "categories", "CATEGORY"),
        word("BY_MONTH"): _pairs(shown, "months", "MONTH"),
        word("BY_WEEK"): _week(shown),
    }
    if shown.plan is not None:
        sheets |= {word("RANKING"): _ranking(shown), word("SPOTS"): _spots(shown)}
        if shown.why_no_places is None:
            sheets |= {word("STACKS"): _stacks(shown)}
    if shown.compared is not None:
        sheets |= {word("PERIODS"): _periods(shown)}
    return sheets


def _periods(shown: Shown) -> pd.DataFrame:
    import pandas as pd

    word, found = shown.word, shown.compared
    assert found is not None
    parts = (
        ("SUM", (found.whole,)),
        ("CATEGORY", found.categories),
        ("COMMUNITY", found.regions),
        ("GRID", found.grids),
    )
    rows = [
        (
            word(part),
            one.code,
            one.name or None,
            one.before,
            one.after,
            one.ratio,
            one.low,
            one.high,
            word(f"IS_{one.word.upper()}"),
        )
        for part, many in parts
        for one in many
    ]
    names = ("OF", "CODE", "NAME", "BEFORE_CASES", "CASES", "RATIO_DAYS", "RATIO_LOW", "RATIO_HIGH", "CHANGED")
    return pd.DataFrame(rows, columns=[word(name) for name in names])


def about(shown: Shown) -> pd.DataFrame:
    """Filters, date and sums."""
    import pandas as pd

    word, sums = shown.word, shown.sums
    rows: list[tuple[str, object]] = [(word("TITLE"), shown.place), *shown.filters]
    rows += [
        (word("TOTAL"), sums["total"]),
        (word("LOCATED"), sums["located"]),
        (word("STILL_OPEN"), sums["open"]),
        (word("MADE_AT"), shown.made_at),
        (word("MADE_BY"), shown.made_by),
        (word("NOTES"), word("METHOD")),
    ]
    if shown.why_no_places is not None:
        rows.append((word("STACKS"), shown.why_no_places))
    return pd.DataFrame(rows, columns=[word("ITEM"), word("CONTENT")], dtype=object)


def _pairs(shown: Shown, key: str, name: str) -> pd.DataFrame:
    import pandas as pd

    total = shown.sums["total"]
    rows = [(one, count, round(100 * count / total, 2)) for one, count in shown.sums[key]]
    return pd.DataFrame(rows, columns=[shown.word(name), shown.word("CASES"), shown.word("SHARE")])


def _week(shown: Shown) -> pd.DataFrame:
    import pandas as pd

    rows = [(shown.word(day), *hours, sum(hours)) for day, hours in zip(_DAYS, shown.sums["week"], strict=True)]
    return pd.DataFrame(
        rows, columns=[shown.word("WEEKDAY"), *(f"{hour:02d}" for hour in range(24)), shown.word("SUM")]
    )


def _ranking(shown: Shown) -> pd.DataFrame:
    import pandas as pd

    word = shown.word
    rows = [
        (
            k,
            one["code"],
            one["name"],
            one["region_name"],
            one["region_code"],
            one["households"],
            one["cases"],
            one["per_1000_households"],
            one["smoothed"],
        )
        for k, one in enumerate(shown.grids, start=1)
    ]
    names: tuple[str, ...] = (
        "RANK",
        "GRID_CODE",
        "GRID_NAME",
        "COMMUNITY",
        "COMMUNITY_CODE",
        "HOUSEHOLDS",
        "CASES",
        "PER_1000",
    )
    names += ("SMOOTHED",)
    return pd.DataFrame(rows, columns=[word(name) for name in names])


def _spots(shown: Shown) -> pd.DataFrame:
    import pandas as pd

    assert shown.spots is not None
    word = shown.word
    rows = [
        (
            k,
            one.sentence,
            word(f"SPOT_{one.kind.upper()}") if one.kind else None,
            shown.comma.join(code for _, code, _ in one.grids),
            one.cases,
            one.before,
            one.households,
            None if one.rate is None else round(one.rate, 2),
            None if one.ratio is None else round(one.ratio, 2),
            round(one.excess, 1),
            one.q,
        )
        for k, one in enumerate(shown.spots.spots, start=1)
    ]
    names = ("RANK", "SENTENCE", "KIND", "GRIDS", "CASES", "BEFORE", "HOUSEHOLDS", "PER_1000", "RATIO", "EXCESS", "Q")
    return pd.DataFrame(rows, columns=[word(name) for name in names])


def _stacks(shown: Shown) -> pd.DataFrame:
    import pandas as pd

    assert shown.spots is not None
    word = shown.word
    rows = [
        (one.place, one.cases, one.addresses, word("YES") if one.unplaced else None, *one.lonlat)
        for one in shown.spots.stacks
    ]
    names = ("PLACE", "CASES", "ADDRESSES", "UNPLACED", "LON", "LAT")
    return pd.DataFrame(rows, columns=[word(name) for name in names])
