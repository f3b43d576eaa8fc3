"""Who lives where: households, population, addresses and the state of the ledger for each building of one county."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geodata.synth.footprints import Footprints
from geodata.synth.ground import Ground
from geodata.synth.landuse import USES
from geodata.synth.layout import Ints, Layout
from geodata.synth.regions import DATA_DATE

if TYPE_CHECKING:
    import geopandas

MISSING_SHARE = 0.012
OLD_DATES = ("2025-06-30", "2024-12-31", "2023-10-31")
URBAN_PERSONS, RURAL_PERSONS = 2.6, 3.0


def buildings(
    layout: Layout,
    placed: Footprints,
    ground: Ground,
    origin: tuple[float, float],
    codes: list[str],
    community_names: list[str],
    compound_names: list[str | None],
    barriers: geopandas.GeoDataFrame,
    households_total: int,
    rng: np.random.Generator,
) -> geopandas.GeoDataFrame:
    """All buildings with the columns of ``Kind.BUILDINGS``; known counts add up to ``households_total``."""
    import geopandas

    lonlat, _ = placed.polygons(ground, origin)
    owner = layout.block_community[placed.block]
    households, missing = _households(layout, placed, households_total, rng)
    persons = np.where(layout.urban[owner], URBAN_PERSONS, RURAL_PERSONS)
    population = households + rng.binomial(4 * households, (persons - 1) / 4)
    number = _rank(placed.block)
    compound = np.array(compound_names, dtype=object)[placed.block]
    kinds = np.array([USES[name].kind for name in layout.block_use], dtype=object)[placed.block]
    region = np.array(codes, dtype=object)[owner]
    street, first = _streets(layout, ground, origin, placed, community_names, barriers)
    frame = pd.DataFrame(
        {
            "key": [f"{code}{n:04d}" for code, n in zip(region, _rank(owner) + 1, strict=True)],
            "name": [
                f"{closed}{n + 1}幢" if closed else f"{kind}{n + 1}号楼" if kind in _NAMED else None
                for closed, kind, n in zip(compound, kinds, number, strict=True)
            ],
            "address": [
                f"{road}{start}号{n + 1}幢" if shared else f"{road}{start + n}号"
                for road, start, n, shared in zip(
                    street[placed.block], first[placed.block], number, _shared(layout)[placed.block], strict=True
                )
            ],
            "compound": compound,
            "kind": kinds,
            "floors": pd.array(placed.floors, dtype="Int64"),
            "households": pd.array(households, dtype="Int64"),
            "population": pd.array(population, dtype="Int64"),
            "data_date": _dates(layout, placed, rng),
            "region_code": region,
        }
    )
    frame.loc[missing, ["households", "population"]] = pd.NA
    return geopandas.GeoDataFrame(frame, geometry=lonlat, crs="EPSG:4490")


_NAMED = frozenset({"商场", "学校", "医院", "写字楼", "厂房", "车站"})


def _rank(group: Ints) -> Ints:
    """The running number (from 0) of each element within its group."""
    return np.asarray(pd.Series(group).groupby(group).cumcount(), dtype=np.int64)


def _shared(layout: Layout) -> np.ndarray:
    """Blocks whose buildings share one house number."""
    return ~np.isin(layout.block_use, ("old", "infill", "hamlet", "shop", "field"))


def _households(layout: Layout, placed: Footprints, total: int, rng: np.random.Generator) -> tuple[Ints, np.ndarray]:
    """Households by building, and which counts are missing. Flats are scaled so that the known ones are ``total``."""
    use = layout.block_use[placed.block]
    per_floor = np.array([USES[name].per_floor for name in layout.block_use])[placed.block]
    standard_m = np.array([USES[name].length_m for name in layout.block_use])[placed.block]
    flats = np.array([USES[name].compound for name in layout.block_use])[placed.block]
    mean = per_floor * placed.floors * placed.size_m[:, 0] / standard_m
    houses = np.where(use == "hamlet", 1 + rng.poisson(0.12, len(use)), rng.poisson(mean))
    empty = rng.random(len(use)) < 0.06
    houses = np.where(empty | flats | (per_floor == 0), 0, houses)
    missing = ((per_floor > 0) & (rng.random(len(use)) < MISSING_SHARE)) & (houses + mean > 0)
    wanted = max(total - int(houses[~missing].sum()), 0)
    raw = np.where(flats, mean * rng.uniform(0.86, 1.0, len(use)), 0.0)
    raw *= wanted / raw[~missing].sum()
    known = np.flatnonzero(flats & ~missing)
    whole = np.floor(raw).astype(np.int64)
    short = wanted - int(whole[known].sum())
    whole[known[np.argsort(whole[known] - raw[known], kind="stable")[:short]]] += 1
    return houses + whole, missing


def _dates(layout: Layout, placed: Footprints, rng: np.random.Generator) -> pd.Series:
    """When the counts were taken: block by block, some of them more than twelve months ago."""
    stale = rng.random(len(layout.blocks)) < 0.06
    day = np.where(stale, rng.choice(OLD_DATES, len(stale)), DATA_DATE)
    return pd.Series(pd.to_datetime(day)[placed.block])


def _streets(
    layout: Layout,
    ground: Ground,
    origin: tuple[float, float],
    placed: Footprints,
    community_names: list[str],
    barriers: geopandas.GeoDataFrame,
) -> tuple[np.ndarray, Ints]:
    """Street (or hamlet) and first house number of every block, so that no two buildings share an address."""
    middle = (layout.blocks[:, :2] + layout.blocks[:, 2:]) / 2 + np.array(origin)
    named = barriers[(barriers["kind"] == "road") & barriers["name"].notna()]
    points = shapely.points(ground.lonlat(ground.metres(middle)))
    nearest = shapely.STRtree(named.geometry.to_numpy()).nearest(points)
    street = named["name"].to_numpy(dtype=object)[nearest]
    rural = np.isin(layout.block_use, ("hamlet", "field", "factory")) & ~layout.urban[layout.block_community]
    group = _rank(layout.block_community[rural]) + 1
    street[rural] = [
        f"{community_names[layout.block_community[b]]}{g}组" for b, g in zip(np.flatnonzero(rural), group, strict=True)
    ]
    used = np.where(_shared(layout), 1, np.bincount(placed.block, minlength=len(street)))
    before = pd.Series(used).groupby(street).cumsum().to_numpy() - used
    return street, before + 1
