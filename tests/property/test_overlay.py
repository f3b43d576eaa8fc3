"""Any layer of grids: the sums of misfits and assignment agree with the drawing."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.overlay import MisfitKind, overlay_grids
from geodata.units import Barriers, Buildings, Compounds, build_units

SIZE = 400.0


def cells(rng: np.random.Generator, count: int) -> np.ndarray:  # type: ignore[type-arg]
    frame = shapely.box(0, 0, SIZE, SIZE)
    seeds = shapely.multipoints(rng.random((count, 2)) * SIZE)
    found = shapely.get_parts(shapely.voronoi_polygons(seeds, extend_to=frame))
    return np.array(shapely.intersection(found, frame) if len(found) else [frame], dtype=object)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 8), st.floats(-15, 15))
def test_sums_agree(seed: int, count: int, swell_m: float) -> None:
    rng = np.random.default_rng(seed)
    people = Buildings.of(shapely.points(rng.random((40, 2)) * SIZE), rng.integers(0, 40, 40), 0)
    units = build_units(shapely.box(0, 0, SIZE, SIZE), Barriers.of(), Compounds.of(), people)
    grids = shapely.buffer(cells(rng, count), swell_m)
    grids = grids[shapely.area(grids) > 0]
    found = overlay_grids(units.geometry, grids, people, units.building_unit, tolerance_m2=0.0)
    assert ((found.assignment >= -1) & (found.assignment < len(grids))).all()

    drawn = shapely.union_all(grids)
    total = {kind: [m for m in found.misfits if m.kind is kind] for kind in MisfitKind}
    gap_m2 = shapely.difference(shapely.box(0, 0, SIZE, SIZE), drawn).area
    assert sum(m.area_m2 for m in total[MisfitKind.GAP]) == pytest.approx(gap_m2, abs=1)
    in_no_grid = ~shapely.intersects(drawn, people.geometry)
    assert sum(m.households for m in total[MisfitKind.GAP]) == people.households[in_no_grid].sum()
    for m in total[MisfitKind.OVERLAP]:
        i, j = m.grids
        both = shapely.intersects(grids[i], people.geometry) & shapely.intersects(grids[j], people.geometry)
        assert m.households == people.households[both].sum()

    # each unit lies where most of its households were drawn: no other grid holds more
    for unit, grid in enumerate(found.assignment.tolist()):
        mine = units.building_unit == unit
        held = [int(people.households[mine & shapely.intersects(g, people.geometry)].sum()) for g in grids]
        nowhere = int(people.households[mine & in_no_grid].sum())
        if grid >= 0:
            assert held[grid] == max(held)
            assert held[grid] >= nowhere
        elif any(held) or nowhere:
            assert nowhere > max(held, default=0)
    lost = {m.grids[0] for m in total[MisfitKind.LOST_GRID]}
    assert lost == set(range(len(grids))) - set(found.assignment.tolist())
