"""Today's grids of one county as people drew them over the years, faults included."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geodata.synth.footprints import Footprints
from geodata.synth.ground import Geometries, Ground, boxes, noded_boxes
from geodata.synth.landuse import SPECIAL
from geodata.synth.layout import Ints, Layout
from geodata.synth.wounds import Draft, spoil, spoil_codes

if TYPE_CHECKING:
    import geopandas

URBAN_BOUND, RURAL_BOUND = (300, 500), (200, 300)
#: Ways of drawing a community's grids: aimed households a grid (urban, rural), and how often it is met (urban, rural).
_HABITS = {
    "standard": (385, 250, 14, 3),
    "coarse": (620, 420, 5, 2),
    "one": (1300, 10_000, 1, 3),
    "fine": (215, 130, 2, 0),
}


def grids(
    layout: Layout,
    placed: Footprints,
    buildings: geopandas.GeoDataFrame,
    ground: Ground,
    origin: tuple[float, float],
    codes: list[str],
    community_names: list[str],
    rng: np.random.Generator,
) -> tuple[geopandas.GeoDataFrame, dict[str, int]]:
    """Today's grids with the columns of ``Kind.GRIDS``, and how many faults of each sort stand in them."""
    import geopandas

    known = buildings["households"].fillna(0).to_numpy(np.int64), buildings["population"].fillna(0).to_numpy(np.int64)
    plot = _plot_of(layout, placed)
    households, population = (np.bincount(plot, count, len(layout.plots)).astype(np.int64) for count in known)
    draft = _drawn(layout, households, rng)
    order = _reading_order(layout, draft)
    faults = _status(layout, draft, households, population)
    faults |= _compounds(layout, draft, households)
    faults |= spoil(layout, draft, placed, rng)
    faults["torn"] = int((shapely.get_num_geometries(np.array(draft.shape, dtype=object)) > 1).sum())
    rows = []
    number: dict[int, int] = {}
    for i in order:
        community = draft.community[i]
        number[community] = number.get(community, 0) + 1
        label = community_names[community]
        special = draft.special[i]
        rows.append(
            {
                "code": f"{codes[community]}{number[community]:03d}",
                "name": f"{label}{special}专属网格" if special else f"{label}第{chinese(number[community])}网格",
                "kind": "special" if special else "basic",
                "department": "综合",
                "parent_code": None,
                "workers": int(rng.choice([0, 1, 2, 3], p=[0.04, 0.66, 0.24, 0.06])),
                "households": int(households[draft.plots[i]].sum() * rng.choice([1.0, 1.0, 0.96, 1.05, 0.88])),
                "population": int(population[draft.plots[i]].sum() * rng.choice([1.0, 1.0, 0.97, 1.06])),
                "region_code": codes[community],
                "data_date": pd.Timestamp("2025-12-31"),
            }
        )
    faults |= spoil_codes(rows, rng)
    faults["without_worker"] = sum(row["workers"] == 0 for row in rows)
    shapes: Geometries = np.array([draft.shape[i] for i in order], dtype=object)
    shapes = shapely.transform(shapes, lambda uv: uv + np.array(origin))
    return geopandas.GeoDataFrame(pd.DataFrame(rows), geometry=ground.place(shapes), crs="EPSG:4490"), faults


def chinese(number: int) -> str:
    """A number up to 99 in Chinese numerals."""
    digits = "零一二三四五六七八九"
    tens, ones = divmod(number, 10)
    if tens == 0:
        return digits[ones]
    return ("" if tens == 1 else digits[tens]) + "十" + (digits[ones] if ones else "")


def _plot_of(layout: Layout, placed: Footprints) -> Ints:
    """The plot each building stands on."""
    point, plot = shapely.STRtree(boxes(layout.plots)).query(shapely.points(placed.uv), predicate="within")
    found = np.zeros(len(placed), np.int64)
    found[point] = plot
    return found


def _drawn(layout: Layout, households: Ints, rng: np.random.Generator) -> Draft:
    """Draw each community by its habit: special-purpose blocks aside, the rest in compact parts."""
    draft = Draft()
    block_plots = np.split(np.argsort(layout.plot_block, kind="stable"), np.cumsum(np.bincount(layout.plot_block))[:-1])
    for community, (habit, urban) in enumerate(_habits(layout, rng)):
        items: list[Ints] = []
        for block in np.flatnonzero(layout.block_community == community):
            special = SPECIAL.get(str(layout.block_use[block]))
            if special and habit in ("standard", "fine") and rng.random() < 0.3:
                _add(draft, layout, community, special, block_plots[block])
            elif habit != "fine" and households[block_plots[block]].sum() <= 460:
                items.append(block_plots[block])
            else:
                items.extend(np.array([p]) for p in block_plots[block])
        total = sum(int(households[item].sum()) for item in items)
        count = max(1, round(total / _HABITS[habit][0 if urban else 1]))
        for part in _bisect(layout, items, households, count):
            _add(draft, layout, community, None, part)
    return draft


def _habits(layout: Layout, rng: np.random.Generator) -> list[tuple[str, bool]]:
    """The habit of each community and whether it counts as urban; the mix is the same in every county."""
    urban = layout.urban | (np.arange(len(layout.communities)) == layout.seat)
    drawn = np.full(len(urban), "standard")
    for members, column in ((np.flatnonzero(urban), 2), (np.flatnonzero(~urban), 3)):
        deck = np.repeat(list(_HABITS), [habit[column] for habit in _HABITS.values()])
        rounds = [rng.permutation(deck) for _ in range(len(members) // len(deck) + 1)]
        drawn[members] = np.concatenate(rounds)[: len(members)]
    return list(zip(drawn.tolist(), urban.tolist(), strict=True))


def _add(draft: Draft, layout: Layout, community: int, special: str | None, plots: Ints) -> None:
    draft.community.append(community)
    draft.special.append(special)
    draft.plots.append(plots)
    draft.shape.append(shapely.coverage_union_all(noded_boxes(layout.plots[plots])))


def _bisect(layout: Layout, items: list[Ints], households: Ints, count: int) -> list[Ints]:
    """Divide items into ``count`` parts of like households by straight cuts across the longer extent."""
    if count <= 1 or len(items) <= 1:
        return [np.concatenate(items)] if items else []
    middle = np.array([(layout.plots[i, :2].min(axis=0) + layout.plots[i, 2:].max(axis=0)) / 2 for i in items])
    axis = int(np.argmax(np.ptp(middle, axis=0)))
    order = np.argsort(middle[:, axis], kind="stable")
    sums = np.cumsum([households[items[i]].sum() for i in order])
    goal = sums[-1] * (count // 2) / count
    cut = int(np.clip(np.argmin(np.abs(sums - goal)) + 1, 1, len(items) - 1))
    first, second = [items[i] for i in order[:cut]], [items[i] for i in order[cut:]]
    return _bisect(layout, first, households, count // 2) + _bisect(layout, second, households, count - count // 2)


def _reading_order(layout: Layout, draft: Draft) -> Ints:
    """Grids by community, then north to south in bands and west to east, as their numbers run."""
    middle = np.array([shapely.get_coordinates(shapely.centroid(s))[0] for s in draft.shape])
    return np.lexsort((middle[:, 0], -np.round(middle[:, 1] / 250), np.array(draft.community)))


def _status(layout: Layout, draft: Draft, households: Ints, population: Ints) -> dict[str, int]:
    """How many grids keep the standard, and how many do not."""
    found = dict.fromkeys(("within", "over", "under", "empty", "rural_over_2000_people"), 0)
    for community, plots in zip(draft.community, draft.plots, strict=True):
        rural = layout.subdistrict[community] == 2 and community != layout.seat
        low, high = RURAL_BOUND if rural else URBAN_BOUND
        count = int(households[plots].sum())
        found["empty" if count == 0 else "under" if count < low else "over" if count > high else "within"] += 1
        found["rural_over_2000_people"] += bool(rural and population[plots].sum() > 2000)
    return found


def _compounds(layout: Layout, draft: Draft, households: Ints) -> dict[str, int]:
    """Compounds in more than one grid although one could hold them, and compounds that no grid could hold."""
    grid = np.zeros(len(layout.plots), np.int64)
    for i, plots in enumerate(draft.plots):
        grid[plots] = i
    table = pd.DataFrame({"block": layout.plot_block, "grid": grid, "households": households})
    table = table[np.isin(layout.plot_use, ("slab", "mid", "tower"))]
    by_block = table.groupby("block").agg(grids=("grid", "nunique"), households=("households", "sum"))
    fits = by_block["households"] <= URBAN_BOUND[1]
    return {"split_compounds": int((fits & (by_block["grids"] > 1)).sum()), "compounds_over_bound": int((~fits).sum())}
