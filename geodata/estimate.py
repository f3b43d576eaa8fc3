"""Households of buildings where no count is known, from footprint, floors and floor area per household.

An estimate is never passed off as a count: every result comes with the mask ``estimated``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Words in a building's kind that mean nobody lives there (OpenStreetMap values and Chinese ledgers).
NOT_DWELLING = frozenset({
    "commercial", "retail", "office", "industrial", "warehouse", "school", "kindergarten", "university",
    "college", "hospital", "hotel", "church", "temple", "place_of_worship", "mosque", "public", "civic",
    "government", "train_station", "transportation", "station", "garage", "garages", "carport", "parking",
    "shed", "roof", "hut", "kiosk", "bank", "mall", "shop", "supermarket", "construction", "ruins", "stadium",
    "sports_hall", "museum", "library", "theatre", "arts_centre", "attraction", "tower",
    "communications_tower", "embassy", "service", "barn", "farm_auxiliary", "greenhouse", "toilets",
    "pavilion", "bridge", "building_part",
})  # fmt: skip
NOT_DWELLING_WORDS = (
    "商业", "商场", "商铺", "办公", "写字楼", "厂房", "工业", "仓库", "学校", "幼儿园", "医院", "酒店",
    "宾馆", "寺", "教堂", "车站", "车库", "停车", "公厕", "市场", "银行", "政府", "机关", "体育", "图书馆",
    "博物馆", "剧院", "配电", "泵站", "在建", "工地", "公建", "非住宅",
)  # fmt: skip
#: Shops below, dwellings above: half of the floors count.
MIXED_WORDS = ("商住", "综合楼", "mixed")


@dataclass(frozen=True, slots=True)
class EstimateOptions:
    """Assumptions of the estimate. 100 m2 of gross floor and 2.62 people a household: census of 2020 (七人普)."""

    m2_per_household: float = 100.0
    people_per_household: float = 2.62
    storey_height_m: float = 3.0
    default_floors: float = 3.0
    #: Smaller footprints are sheds and kiosks.
    min_footprint_m2: float = 25.0
    #: Whether a building of unknown kind is taken for a dwelling.
    unknown_is_dwelling: bool = True


@dataclass(frozen=True, slots=True)
class Estimate:
    """``households`` and ``population`` (n,) int64, known values kept; ``estimated`` marks what is no count."""

    households: NDArray[np.int64]
    population: NDArray[np.int64]
    estimated: NDArray[np.bool_]


def estimate_households(
    footprint_m2: Any,
    *,
    floors: Any = np.nan,
    height_m: Any = np.nan,
    kind: Any = None,
    households: Any = np.nan,
    population: Any = np.nan,
    options: EstimateOptions | None = None,
) -> Estimate:
    """Fill unknown ``households`` and ``population`` (NaN) of buildings; all arguments are (n,) or one value for all.

    Floors are taken as given, else from height (rounded down, at least one), else ``default_floors``. A dwelling has at
    least one household; a kind that is no dwelling has none. Population unknown beside known households is estimated
    from them, and counts as estimated too.
    """
    options = options or EstimateOptions()
    area_m2 = np.nan_to_num(np.asarray(footprint_m2, dtype=np.float64).reshape(-1))
    n = len(area_m2)
    storeys = _column(floors, n)
    by_height = np.maximum(np.floor(_column(height_m, n) / options.storey_height_m), 1)
    storeys = np.where(np.isfinite(storeys) & (storeys > 0), storeys, by_height)
    storeys = np.where(np.isfinite(storeys), storeys, options.default_floors)
    known_households, known_population = _column(households, n), _column(population, n)

    share = dwelling_share(kind, n, options)
    lived_in = (share > 0) & (area_m2 >= options.min_footprint_m2)
    guess = np.where(lived_in, np.maximum(np.rint(area_m2 * storeys * share / options.m2_per_household), 1), 0)
    final = np.where(np.isfinite(known_households), known_households, guess)
    people = np.where(np.isfinite(known_population), known_population, np.rint(final * options.people_per_household))
    estimated = ~np.isfinite(known_households) | ~np.isfinite(known_population)
    return Estimate(final.astype(np.int64), people.astype(np.int64), estimated)


def dwelling_share(kind: Any, n: int, options: EstimateOptions | None = None) -> NDArray[np.float64]:
    """Part of each building's floor that is lived in: 1, 0.5 for mixed use, 0 for kinds that are no dwelling."""
    options = options or EstimateOptions()
    kinds = np.broadcast_to(np.asarray(kind, dtype=object), n)
    known: dict[str, float] = {}
    shares = np.empty(n)
    for row, value in enumerate(kinds):
        word = "" if value is None or value != value else str(value).strip().lower()
        if word not in known:
            known[word] = _share(word, options)
        shares[row] = known[word]
    return shares


def _share(word: str, options: EstimateOptions) -> float:
    if word in ("", "yes", "building", "其他", "未知"):
        return float(options.unknown_is_dwelling)
    if any(part in word for part in MIXED_WORDS):
        return 0.5
    if word in NOT_DWELLING or any(part in word for part in NOT_DWELLING_WORDS):
        return 0.0
    return 1.0


def _column(values: Any, n: int) -> NDArray[np.float64]:
    return np.broadcast_to(np.asarray(values, dtype=np.float64), n)
