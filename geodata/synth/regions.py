"""The tree of regions of one county with codes shaped as GB/T 2260 and GB/T 10114 ask, none of them assigned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geodata.synth import names
from geodata.synth.ground import Ground, boxes
from geodata.synth.layout import Layout

if TYPE_CHECKING:
    import geopandas

SOURCE = "虚构数据"
DATA_DATE = "2026-09-30"


def county_code(index: int) -> str:
    """Six digits of county ``index`` (0-593): Zhejiang (33), prefectures 99, 98 ..., unassigned in GB/T 2260."""
    prefecture, county = divmod(index, 99)
    return f"33{99 - prefecture}{county + 1:02d}"


def regions(
    layout: Layout, ground: Ground, origin: tuple[float, float], index: int, rng: np.random.Generator
) -> tuple[geopandas.GeoDataFrame, list[str]]:
    """The tree with the columns of ``Kind.REGIONS``, and the code of each of the layout's communities."""
    import geopandas

    county = county_code(index)
    *titles, rural_digit = names.subdistricts(index)
    sub_codes = [f"{county}001", f"{county}002", f"{county}{rural_digit}00"]
    urban_side = layout.urban | (np.arange(len(layout.subdistrict)) == layout.seat)
    towns, villages = names.communities(int(urban_side.sum()), rng), names.villages(int((~urban_side).sum()), rng)
    middle = (layout.communities[:, :2] + layout.communities[:, 2:]) / 2
    order = np.lexsort((-middle[:, 1], middle[:, 0], layout.subdistrict))
    codes, titles_of = [""] * len(order), [""] * len(order)
    classes = _classes(layout, middle, rural_digit)
    counter: dict[tuple[int, bool], int] = {}
    for community in order:
        key = int(layout.subdistrict[community]), bool(urban_side[community])
        counter[key] = counter.get(key, 0) + 1
        number = counter[key] + (0 if key[1] else 200)
        codes[community] = f"{sub_codes[key[0]]}{number:03d}"
        titles_of[community] = (towns if key[1] else villages).pop(0)

    grounds = ground.place(boxes(layout.communities + np.tile(origin, 2)))
    parts = [shapely.coverage_union_all(grounds[layout.subdistrict == part]) for part in range(3)]
    rows: list[tuple[object, ...]] = [
        (f"{county}000000", names.county(index), "county", None, None, shapely.coverage_union_all(grounds))
    ]
    for code, title, part in zip(sub_codes, titles, parts, strict=True):
        rows.append((f"{code}000", title, "subdistrict", f"{county}000000", None, part))
    for community in order:
        code = codes[community]
        rows.append((code, titles_of[community], "community", code[:9] + "000", classes[community], grounds[community]))
    columns = ["code", "name", "level", "parent_code", "urban_rural_code", "geometry"]
    frame = pd.DataFrame(rows, columns=columns)
    frame["source"], frame["data_date"] = SOURCE, pd.Timestamp(DATA_DATE)
    return geopandas.GeoDataFrame(frame, geometry="geometry", crs="EPSG:4490"), codes


def _classes(layout: Layout, middle: np.ndarray, rural_digit: str) -> list[str]:
    """Urban/rural class by community: 111 city, 112 its fringe, 121 (210) seat of a town (township), 220 village."""
    found = []
    for community, part in enumerate(layout.subdistrict):
        if part < 2:
            found.append("112" if middle[community, 0] < 420 and middle[community, 1] < 900 else "111")
        elif community == layout.seat:
            found.append("210" if rural_digit == "2" else "121")
        else:
            found.append("220")
    return found
