"""Whatever the seed: communities tile the county, every building has one community and room of its own."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st

from geodata.synth import synthesise

METRIC = "+proj=tmerc +lat_0=30.2 +lon_0=120.1 +ellps=GRS80"


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), size=st.sampled_from([0.05, 0.2, 1.0]))
@example(seed=314363339, size=0.05)  # an emergency grid with a neck narrower than its borders bend between two vertices
def test_every_town_is_sound(seed: int, size: float) -> None:
    town = synthesise(seed, size)
    for stored in (town.regions, town.regions.to_crs(METRIC)):
        county = stored[stored["level"] == "county"].geometry.iloc[0]
        for level in ("subdistrict", "community"):
            parts = stored[stored["level"] == level].geometry.to_numpy()
            assert shapely.coverage_is_valid(parts)
            assert shapely.equals(shapely.coverage_union_all(parts), county)
            assert (shapely.get_type_id(parts) == 3).all()

    homes = town.buildings.geometry.to_numpy()
    communities = town.regions[town.regions["level"] == "community"]
    home, community = shapely.STRtree(communities.geometry.to_numpy()).query(homes, predicate="within")
    assert np.array_equal(np.sort(home), np.arange(len(homes)))
    assert (town.buildings["region_code"].to_numpy()[home] == communities["code"].to_numpy()[community]).all()

    first, second = shapely.STRtree(homes).query(homes, predicate="intersects")
    assert (first == second).all()
    roads = town.barriers[town.barriers["kind"] == "road"]
    assert not len(shapely.STRtree(roads.geometry.to_numpy()).query(homes, predicate="intersects")[0])
    carriageway = roads.to_crs(METRIC).buffer(roads["width_m"] / 2).to_numpy()
    on_it = np.unique(shapely.STRtree(carriageway).query(town.buildings.to_crs(METRIC).geometry, "intersects")[0])
    assert len(on_it) <= 0.02 * len(homes)

    assert len(homes) == pytest.approx(12_000 * size, rel=0.02)
    assert town.buildings["households"].sum() == round(60_000 * size)
    assert (town.buildings["households"].dropna() >= 0).all()
    assert len(town.cases) == round(50_000 * size)
    for layer in (town.barriers, town.grids, town.department_grids, town.buildings):
        assert layer.geometry.is_valid.all()
        assert not layer.geometry.is_empty.any()
    water = town.barriers[town.barriers["kind"] == "water"].geometry.to_numpy()
    assert not len(shapely.STRtree(water).query(homes, predicate="intersects")[0])
    codes = town.grids["code"]
    assert codes.duplicated().sum() == town.faults["duplicate_codes"]
    assert (codes.str[:12] != town.grids["region_code"]).sum() == town.faults["foreign_codes"]
