"""Whatever is drawn, units tile their communities and conserve every household."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.units import Barriers, Buildings, Compounds, UnitOptions, Units, build_county

X0, Y0, SIZE = 500_000.0, 3_400_000.0, 600.0


def communities(rng: np.random.Generator) -> list[shapely.Polygon]:
    """Voronoi cells of a few points in a square, their borders bent but shared."""
    frame = shapely.box(X0, Y0, X0 + SIZE, Y0 + SIZE)
    seeds = shapely.multipoints(rng.random((int(rng.integers(1, 5)), 2)) * SIZE + (X0, Y0))
    cells = shapely.get_parts(shapely.voronoi_polygons(seeds, extend_to=frame))
    return list(shapely.intersection(cells, frame)) if len(cells) else [frame]


def barriers(rng: np.random.Generator, count: int, lattice: bool) -> Barriers:
    """Random walks; on a lattice they overlap, cross at vertices and run along borders."""
    lines = []
    for _ in range(count):
        start = rng.random(2) * SIZE
        steps = np.cumsum(rng.normal(0, 150, (int(rng.integers(2, 6)), 2)), axis=0) + start
        lines.append(shapely.LineString((np.round(steps, -2) if lattice else steps) + (X0, Y0)))
    rivers = [line.buffer(float(rng.uniform(3, 25))) if rng.random() < 0.2 else line for line in lines]
    kinds = np.where(
        [shape.geom_type != "LineString" for shape in rivers], "water", rng.choice(["road", "wall"], count)
    )
    return Barriers.of(rivers, kinds.tolist(), rng.choice(["river", "primary", "", "footway"], count).tolist())


def buildings(rng: np.random.Generator, count: int) -> Buildings:
    xy = rng.random((count, 2)) * (SIZE * 1.1) + (X0, Y0)
    width = rng.uniform(4, 60, (2, count))
    shapes = np.where(rng.random(count) < 0.5, shapely.points(xy), shapely.box(*xy.T, *(xy.T + width)))
    return Buildings.of(shapes, rng.integers(0, 60, count), rng.integers(0, 160, count), rng.integers(-1, 3, count))


def assert_sound(units: Units, given: list[shapely.Polygon], people: Buildings) -> None:
    assert shapely.coverage_is_valid(units.geometry)
    assert set(shapely.get_type_id(units.geometry)) == {3}
    assert shapely.is_valid(units.geometry).all()
    whole = shapely.coverage_union_all(units.geometry)
    assert abs(shapely.area(units.geometry).sum() - whole.area) < 1e-6  # no overlap
    assert shapely.symmetric_difference(whole, shapely.union_all(given)).area < 0.1  # no gap
    for row in range(len(given)):
        assert shapely.equals(
            shapely.coverage_union_all(units.geometry[units.community == row]), units.communities[row]
        )
    inside = units.building_unit >= 0
    for counted, per_building in ((units.households, people.households), (units.population, people.population)):
        assert counted.sum() == per_building[inside].sum()
        assert (counted == np.bincount(units.building_unit[inside], per_building[inside], len(units))).all()
    assert (units.buildings == np.bincount(units.building_unit[inside], minlength=len(units))).all()
    # who is left out touches no community
    touching = shapely.intersects(people.geometry, shapely.union_all(units.communities).buffer(-1e-3))
    assert not (touching & ~inside).any()
    # every unit has a building, unless its community (or its part of it) has none
    for row in np.flatnonzero(units.buildings == 0):
        neighbours = shapely.relate_pattern(units.geometry[row], units.geometry, "F***1****")
        assert not (neighbours & (units.community == units.community[row]) & (units.buildings > 0)).any()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 14), st.integers(0, 60), st.booleans())
def test_units_tile_and_conserve(seed: int, lines: int, houses: int, lattice: bool) -> None:
    rng = np.random.default_rng(seed)
    given_communities, people = communities(rng), buildings(rng, houses)
    outlines = [shapely.box(x, y, x + 120, y + 90) for x, y in rng.random((2, 2)) * SIZE + (X0, Y0)]
    options = UnitOptions(max_households=int(rng.choice([80, 150, 10_000])), cell_households=int(rng.choice([0, 40])))
    units = build_county(given_communities, barriers(rng, lines, lattice), Compounds.of(outlines), people, options)
    assert_sound(units, given_communities, people)
