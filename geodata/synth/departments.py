"""The layers that departments drew for themselves: coarser, by other borders, over one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geodata.synth.grids import chinese
from geodata.synth.ground import Ground, boxes
from geodata.synth.layout import Layout, split

if TYPE_CHECKING:
    import geopandas


def department_grids(
    layout: Layout, ground: Ground, origin: tuple[float, float], county: str, rng: np.random.Generator
) -> geopandas.GeoDataFrame:
    """Grids of 城管 (own streets, overlapping), 公安 (pairs of communities), 应急 (drawn round stations)."""
    import geopandas

    land = shapely.union_all(boxes(layout.communities))
    low, high = layout.communities[:, :2].min(axis=0), layout.communities[:, 2:].max(axis=0)
    pieces, *_ = split(np.array([[*low, *high]]), 1_300_000.0, rng)
    management = shapely.intersection(shapely.buffer(boxes(pieces), 9.0, join_style="mitre"), land)
    order = np.lexsort((layout.communities[:, 0], layout.communities[:, 1], layout.subdistrict))
    police = [shapely.union_all(boxes(layout.communities[order[i : i + 2]])) for i in range(0, len(order), 2)]
    stations = rng.uniform(low, high, (max(3, len(layout.communities) // 4), 2))
    emergency = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(stations), extend_to=land))
    emergency = shapely.intersection(emergency, land)
    layers = (
        ("城管", "CG", "城管网格", management),
        ("公安", "GA", "警务区", police),
        ("应急", "YJ", "应急网格", emergency),
    )
    rows, shapes = [], []
    for department, prefix, title, layer in layers:
        for number, shape in enumerate((s for s in layer if s.area > 5_000), start=1):
            rows.append(
                {
                    "code": f"{prefix}{county}{number:03d}",
                    "name": f"第{chinese(number)}{title}",
                    "kind": "department",
                    "department": department,
                    "parent_code": None,
                    "workers": int(rng.integers(1, 5)),
                    "region_code": None,
                    "data_date": pd.Timestamp("2024-06-30"),
                }
            )
            shapes.append(shape)
    drawn = shapely.transform(np.array(shapes, dtype=object), lambda uv: uv + np.array(origin))
    return geopandas.GeoDataFrame(pd.DataFrame(rows), geometry=ground.place(drawn, 240.0), crs="EPSG:4490")
