"""Two years of cases: each category with its places, hours, weekdays, season and trend."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geodata.synth.categories import CATEGORIES, LEVELS, SOURCES, Category
from geodata.synth.footprints import Footprints
from geodata.synth.ground import RIVER_V, Floats, Ground
from geodata.synth.layout import Ints, Layout

if TYPE_CHECKING:
    import geopandas

FIRST_DAY, DAYS = np.datetime64("2024-11-01"), 730
END = np.datetime64("2026-10-31T16:00:00")  # midnight of 2026-11-01 in China, in UTC
CHINA = np.timedelta64(8, "h")
#: Numbers a county may give out in one day; keeps case numbers of neighbouring counties apart.
NUMBERS_A_DAY = 230


def cases(
    layout: Layout,
    placed: Footprints,
    buildings: geopandas.GeoDataFrame,
    ground: Ground,
    origin: tuple[float, float],
    index: int,
    count: int,
    rng: np.random.Generator,
) -> tuple[geopandas.GeoDataFrame, int]:
    """``count`` cases in order of report with the columns of ``Kind.CASES``, and the most that share one point."""
    import geopandas

    spots = _spots(layout, rng)
    category = rng.choice(len(CATEGORIES), count, p=[kind.share for kind in CATEGORIES.values()])
    known = buildings["households"].fillna(0).to_numpy(float)
    parts = []
    for number, kind in enumerate(CATEGORIES.values()):
        size = int((category == number).sum())
        at = rng.choice(len(placed), size, p=_weights(kind, layout, placed, known, spots, rng))
        occurred = _times(kind, size, rng)
        source = rng.choice(len(SOURCES), size, p=kind.sources)
        parts.append((np.full(size, number), at, occurred, source))
    category, at, occurred, source = (np.concatenate(column) for column in zip(*parts, strict=True))
    level = rng.choice(4, count, p=(0.8, 0.15, 0.035, 0.015))
    reported = np.minimum(occurred + _minutes(rng.lognormal(3.3, 1.1, count)), END - np.timedelta64(1, "s"))
    taken = np.array([52.0, 40.0, 30.0, 6.0])[level] * rng.lognormal(0, 0.9, count)
    closed = reported + _minutes(60 * taken)
    closed[(closed >= END) | (rng.random(count) < 0.012)] = np.datetime64("NaT")

    lonlat, stacked = _points(layout, placed, at, ground, origin, rng)
    address = buildings["address"].to_numpy(object)[at]
    indoors = rng.random(count) < 0.3
    place = np.where(indoors | stacked, address, address + "附近")
    key = np.where(indoors & ~stacked, buildings["key"].to_numpy(object)[at], None)
    order = np.argsort(reported, kind="stable")
    frame = pd.DataFrame(
        {
            "number": _numbers(reported[order], index),
            "category": np.array(list(CATEGORIES), dtype=object)[category[order]],
            "level": np.array(LEVELS, dtype=object)[level[order]],
            "source": np.array(SOURCES, dtype=object)[source[order]],
            "occurred_at": _utc(occurred[order]),
            "reported_at": _utc(reported[order]),
            "closed_at": _utc(closed[order]),
            "place": place[order],
            "building_key": key[order],
        }
    )
    lonlat = lonlat[order]
    most = int(np.unique(lonlat, axis=0, return_counts=True)[1].max())
    return geopandas.GeoDataFrame(frame, geometry=shapely.points(lonlat), crs="EPSG:4490"), most


def _spots(layout: Layout, rng: np.random.Generator) -> dict[str, Ints]:
    """Blocks of the market street, the bar street, the station and the two schools with the worst gates."""
    middle = (layout.blocks[:, :2] + layout.blocks[:, 2:]) / 2
    central = np.argsort(np.hypot(middle[:, 0] - 1500, middle[:, 1] - RIVER_V), kind="stable")
    shops = central[layout.block_use[central] == "shop"]
    schools = np.flatnonzero(layout.block_use == "school")
    return {
        "market": shops[:1],
        "bar": shops[min(3, len(shops) - 1) :][:1],
        "station": np.flatnonzero(layout.block_use == "station"),
        "school": rng.permutation(schools)[:2],
    }


def _weights(
    kind: Category,
    layout: Layout,
    placed: Footprints,
    households: Floats,
    spots: dict[str, Ints],
    rng: np.random.Generator,
) -> Floats:
    """Chance of each building: use and households, a lasting difference between blocks, the special places."""
    by_block = rng.lognormal(0, 0.8, len(layout.blocks))
    for spot, factor in kind.spots.items():
        by_block[spots[spot]] = factor * 1.5
    use = np.array([kind.uses.get(name, 0.0) for name in layout.block_use])[placed.block]
    weight = (use + kind.a_household * households + 1e-6) * by_block[placed.block]
    shares: Floats = weight / weight.sum()
    return shares


def _times(kind: Category, size: int, rng: np.random.Generator) -> np.ndarray:
    """When cases occur, UTC to the second: day by trend, season and weekday, then hour by the category's peaks."""
    day = np.arange(DAYS)
    date = FIRST_DAY + day
    weekday = (date.astype(np.int64) + 3) % 7
    day_of_year = (date - date.astype("datetime64[Y]")).astype(np.int64)
    season = 1 + kind.season[1] * np.cos(2 * np.pi * (day_of_year - kind.season[0]) / 365.25)
    weight = (1 + kind.trend * day / DAYS) * season * np.array(kind.week)[weekday] * rng.lognormal(0, 0.1, DAYS)
    chosen = rng.choice(DAYS, size, p=weight / weight.sum())
    peaks = np.array([*kind.hours, (14.0, 5.0, 0.35)])
    peak = rng.choice(len(peaks), size, p=peaks[:, 2] / peaks[:, 2].sum())
    hour = rng.normal(peaks[peak, 0], peaks[peak, 1]) % 24
    seconds = (chosen * 86400 + hour * 3600).astype(np.int64).astype("timedelta64[s]")
    occurred: np.ndarray = FIRST_DAY.astype("datetime64[s]") + seconds - CHINA
    latest: np.ndarray = np.minimum(occurred, END - np.timedelta64(600, "s"))
    return latest


def _minutes(minutes: Floats) -> np.ndarray:
    spans: np.ndarray = (60 * minutes).astype(np.int64).astype("timedelta64[s]")
    return spans


def _points(
    layout: Layout, placed: Footprints, at: Ints, ground: Ground, origin: tuple[float, float], rng: np.random.Generator
) -> tuple[Floats, np.ndarray]:
    """Where cases lie (n, 2): beside the building, or on the one point a geocoder gives for a whole community."""
    centre, heading, _ = ground.axes(placed.uv + np.array(origin))
    side = rng.integers(0, 4, len(at))
    away = placed.size_m[at] / 2 + rng.exponential(3.5, (len(at), 2)) + 0.5
    along = rng.uniform(-1, 1, len(at))
    du = np.where(side < 2, np.where(side == 0, -1, 1) * away[:, 0], along * away[:, 0])
    dv = np.where(side < 2, along * away[:, 1], np.where(side == 2, -1, 1) * away[:, 1])
    cos, sin = np.cos(heading[at]), np.sin(heading[at])
    xy = centre[at] + np.column_stack([cos * du - sin * dv, sin * du + cos * dv])
    community = layout.block_community[placed.block]
    office = np.array(
        [np.flatnonzero(community == c)[0] if (community == c).any() else 0 for c in range(len(layout.communities))]
    )
    stacked = rng.random(len(at)) < 0.07
    xy[stacked] = centre[office[community[at[stacked]]]]
    return ground.lonlat(xy), stacked


def _numbers(reported: np.ndarray, index: int) -> list[str]:
    """Case numbers: the day of the report in China, and a running number of that day."""
    day = (reported + CHINA).astype("datetime64[D]")
    running = pd.Series(day).groupby(day).cumcount().to_numpy() + 1
    assert running.max() <= NUMBERS_A_DAY
    date = np.char.replace(np.datetime_as_string(day), "-", "")
    return [f"{d}-{n:05d}" for d, n in zip(date.tolist(), (running + index * NUMBERS_A_DAY).tolist(), strict=True)]


def _utc(moment: np.ndarray) -> pd.Series:
    return pd.Series(moment).dt.tz_localize("UTC")
