"""The demo town: every layer of it from one seed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geodata.synth.barriers import barriers, compound_names
from geodata.synth.cases import cases
from geodata.synth.departments import department_grids
from geodata.synth.footprints import build
from geodata.synth.grids import grids
from geodata.synth.ground import Ground, county_origin
from geodata.synth.layout import lay_out
from geodata.synth.people import OLD_DATES, buildings
from geodata.synth.regions import county_code, regions

if TYPE_CHECKING:
    import geopandas

BUILDINGS, HOUSEHOLDS, CASES = 12_000, 60_000, 50_000
#: Below this share of a county nothing is built.
LEAST_SIZE = 0.05
ROOM = 0.99
LAYERS = ("regions", "barriers", "buildings", "grids", "department_grids", "cases")


@dataclass(frozen=True, slots=True)
class Town:
    """Frames in EPSG:4490 (lon, lat) with the columns of :mod:`geodata.fields`; ``faults`` counts what is wrong."""

    regions: geopandas.GeoDataFrame
    barriers: geopandas.GeoDataFrame
    buildings: geopandas.GeoDataFrame
    grids: geopandas.GeoDataFrame
    department_grids: geopandas.GeoDataFrame
    cases: geopandas.GeoDataFrame
    faults: Mapping[str, int]

    def digest(self) -> str:
        """SHA-256 over every value and coordinate; equal seeds give equal digests on every machine."""
        seen = hashlib.sha256()
        for layer in LAYERS:
            frame = getattr(self, layer)
            seen.update(frame.drop(columns="geometry").to_csv(index=False).encode())
            seen.update(b"".join(shapely.to_wkb(frame.geometry.to_numpy(), byte_order=1).tolist()))
        return seen.hexdigest()


def synthesise(seed: int = 1, size: float = 1.0) -> Town:
    """A town of ``size`` counties, each of 30 communities, 12,000 buildings, 60,000 households and 50,000 cases.

    A pure function of its arguments. Larger sizes add ground, not density; for sizes that do not fit into memory see
    :func:`synthesise_tiles`. A rest under 0.05 of a county is left out. Raises ``ValueError`` where
    ``size`` is under 0.05 or over 594.
    """
    import geopandas

    towns = list(synthesise_tiles(seed, size))
    if len(towns) == 1:
        return towns[0]
    faults: Counter[str] = Counter()
    for town in towns:
        faults.update(town.faults)
    faults["cases_on_one_point"] = max(town.faults["cases_on_one_point"] for town in towns)
    joined = {
        layer: geopandas.GeoDataFrame(
            pd.concat([getattr(town, layer) for town in towns], ignore_index=True), geometry="geometry", crs="EPSG:4490"
        )
        for layer in LAYERS
    }
    return Town(**joined, faults=dict(faults))


def synthesise_tiles(seed: int = 1, size: float = 1.0) -> Iterator[Town]:
    """The counties of :func:`synthesise` one by one: side by side on the ground, no code in two of them."""
    if not LEAST_SIZE <= size <= 594:
        raise ValueError(f"size {size} is outside {LEAST_SIZE}..594")
    whole = int(size)
    rest = size - whole
    for index in range(whole):
        yield _county(seed, index, 1.0)
    if rest >= LEAST_SIZE:
        yield _county(seed, whole, rest)


def _county(seed: int, index: int, share: float) -> Town:
    rng = np.random.default_rng([seed, index])
    ground, origin = Ground.from_seed(seed), county_origin(index)
    while True:  # a layout without room for the town's buildings is drawn anew
        layout = lay_out(rng, share)
        placed = build(layout, ground, origin, round(BUILDINGS * share), rng)
        if len(placed) >= ROOM * round(BUILDINGS * share):
            break
    tree, codes = regions(layout, ground, origin, index, rng)
    community_names = tree.set_index("code")["name"].loc[codes].tolist()
    closed = compound_names(layout, rng)
    lines = barriers(layout, ground, origin, closed, rng)
    homes = buildings(
        layout, placed, ground, origin, codes, community_names, closed, lines, round(HOUSEHOLDS * share), rng
    )
    today, faults = grids(layout, placed, homes, ground, origin, codes, community_names, rng)
    departments = department_grids(layout, ground, origin, county_code(index), rng)
    events, most = cases(layout, placed, homes, ground, origin, index, round(CASES * share), rng)
    faults |= {
        "households_missing": int(homes["households"].isna().sum()),
        "households_out_of_date": int(homes["data_date"].isin(pd.to_datetime(list(OLD_DATES))).sum()),
        "cases_on_one_point": most,
    }
    return Town(tree, lines, homes, today, departments, events, faults)
