"""A small county for tests of imports, and the steps of an import in one line each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from gridmap.services import imports
from gridmap.services.actor import SYSTEM, Actor

WEST, SOUTH, STEP = 120.10, 30.20, 0.01
COUNTY = "330102"


def square(column: int, row: int, size: int = 1) -> shapely.Polygon:
    x, y = WEST + column * STEP, SOUTH + row * STEP
    return shapely.box(x, y, x + size * STEP, y + size * STEP)


def region_frame() -> gpd.GeoDataFrame:
    """A county of one subdistrict and four communities, two by two."""
    cells = [(0, 0), (1, 0), (0, 1), (1, 1)]
    codes = [f"{COUNTY}000000", f"{COUNTY}001000", *(f"{COUNTY}001{k:03}" for k in range(1, 5))]
    frame = {
        "区划代码": codes,
        "名称": ["县", "街道", "甲社区", "乙社区", "丙社区", "丁村"],
        "城乡分类代码": [None, None, "111", "111", "112", "220"],
    }
    return gpd.GeoDataFrame(
        frame, geometry=[square(0, 0, 3), square(0, 0, 2), *(square(*c) for c in cells)], crs="EPSG:4490"
    )


def sent(path: Path, kind: str, actor: Actor = SYSTEM, **options: Any) -> int:
    with path.open("rb") as stream:
        return imports.receive(actor, stream, path.name, kind, options=options).id


def staged(batch_id: int, actor: Actor = SYSTEM) -> imports.BatchView:
    imports.prepare(actor, batch_id)
    imports.run_stage(batch_id)
    return imports.get(actor, batch_id)


def accepted(path: Path, kind: str, *, only_good: bool = False, **options: Any) -> imports.Accepted:
    batch_id = sent(path, kind, **options)
    staged(batch_id)
    return imports.accept(SYSTEM, batch_id, only_good=only_good)


def building_frame(n: int = 40, seed: int = 1) -> gpd.GeoDataFrame:
    rng = np.random.default_rng(seed)
    xy = np.column_stack([rng.uniform(WEST, WEST + 2 * STEP, n), rng.uniform(SOUTH, SOUTH + 2 * STEP, n)])
    return gpd.GeoDataFrame(
        {
            "楼栋编号": [f"{k:06}" for k in range(n)],
            "地址": [f"长安路{k}号" for k in range(n)],
            "小区": [f"小区{k % 3}" if k % 4 else None for k in range(n)],
            "户数": [str(rng.integers(1, 60)) for _ in range(n)],
            "更新日期": ["2025.4.3"] * n,
        },
        geometry=shapely.points(xy),
        crs="EPSG:4490",
    )
