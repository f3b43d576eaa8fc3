"""Units survive the way to longitude and latitude: the stored coverage is as exact as the metric one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely
from pyproj import Transformer

from geodata.crs import local_metric_crs
from geodata.units import Barriers, Buildings, Compounds, build_county

SHANGHAI = Path(__file__).parents[3] / "shared" / "data" / "shanghai_bund_osm.geojson"


def projected(shapes: np.ndarray, transformer: Transformer, back: bool = False) -> np.ndarray:  # type: ignore[type-arg]
    direction = "INVERSE" if back else "FORWARD"
    return shapely.transform(shapes, lambda xy: np.column_stack(transformer.transform(*xy.T, direction=direction)))


def test_coverage_in_lonlat() -> None:
    rng = np.random.default_rng(4)
    to_metric = Transformer.from_crs("EPSG:4490", local_metric_crs(121.5), always_xy=True)
    grid = [shapely.box(121.5 + i / 100, 31.2, 121.51 + i / 100, 31.21) for i in range(3)]
    corners = np.column_stack([121.5 + rng.random(40) * 0.03, 31.2 + rng.random(40) * 0.01]).reshape(-1, 2, 2)
    people = np.column_stack([121.5 + rng.random(300) * 0.03, 31.2 + rng.random(300) * 0.01])
    communities = projected(np.array(grid, dtype=object), to_metric)
    roads = projected(shapely.linestrings(corners), to_metric)
    houses = projected(shapely.points(people), to_metric)
    units = build_county(communities, Barriers.of(roads), Compounds.of(), Buildings.of(houses, 12, 30))
    assert len(units) > 30
    stored = projected(units.geometry, to_metric, back=True)
    assert shapely.coverage_is_valid(stored)
    again = projected(stored, to_metric)
    assert shapely.coverage_is_valid(again)
    # a straight line in metres is not quite straight in degrees: a node inside a border of 1 km lies up to 1 cm beside
    assert shapely.hausdorff_distance(shapely.union_all(stored), shapely.union_all(grid)) < 2e-7
    assert shapely.symmetric_difference(shapely.union_all(again), shapely.union_all(communities)).area < 0.1


@pytest.mark.skipif(not SHANGHAI.exists(), reason="the real files of ../shared/data are not here")
def test_the_bund() -> None:
    """Central Shanghai: a river with banks, tunnels under buildings, footprints everywhere."""
    import geopandas as gpd

    from geodata.estimate import estimate_households

    frame = gpd.read_file(SHANGHAI).to_crs(local_metric_crs(121.5))
    lines = frame[frame["layer"].isin(["roads", "water"])]
    kind = np.where(lines["layer"] == "water", "water", np.where(lines["kind"] == "rail", "rail", "road"))
    cls = lines["kind_detail"].fillna(lines["kind"])
    tunnel = lines["name"].fillna("").str.contains("隧道")
    barriers = Barriers.of(lines.geometry.to_numpy(), kind.tolist(), cls.tolist(), tunnel=tunnel.tolist())
    houses = frame[frame["layer"] == "buildings"]
    shapes = houses.geometry.to_numpy()
    guess = estimate_households(shapely.area(shapes), height_m=houses["height"], kind=houses["kind_detail"])
    people = Buildings.of(shapes, guess.households, guess.population)
    west, south, east, north = lines.total_bounds
    middle = (west + east) / 2
    halves = [shapely.box(west, south, middle, north), shapely.box(middle, south, east, north)]
    units = build_county(halves, barriers, Compounds.of(), people)
    assert guess.estimated.all()
    assert shapely.coverage_is_valid(units.geometry)
    assert shapely.area(units.geometry).sum() == pytest.approx(sum(h.area for h in halves), abs=0.5)
    assert units.households.sum() == guess.households[units.building_unit >= 0].sum()
    assert 400 < len(units) < 1200
    assert (units.buildings > 0).all()
    inside = shapely.covered_by(shapes, halves[0]) | shapely.covered_by(shapes, halves[1])
    held = shapely.area(shapely.intersection(shapes[inside], units.geometry[units.building_unit[inside]]))
    assert (shapely.area(shapes[inside]) - held).max() < 1.0
