"""Grids laid over four blocks: who gets which unit, and what does not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from shapely.geometry import Point, Polygon, box

from geodata.messages import catalogue
from geodata.overlay import Misfit, MisfitKind, Overlay, overlay_grids
from geodata.problems import Severity
from geodata.units import Buildings

#: south-west, south-east, north-west, north-east
UNITS = [box(0, 0, 100, 100), box(100, 0, 200, 100), box(0, 100, 100, 200), box(100, 100, 200, 200)]
HOUSES = Buildings.of([Point(50, 50), Point(150, 50), Point(50, 150), Point(150, 150)], [10, 20, 30, 40], 0)
HOME = [0, 1, 2, 3]


def lay(grids: list[Any], buildings: Buildings = HOUSES, home: Any = HOME, **more: Any) -> Overlay:
    return overlay_grids(UNITS, grids, buildings, home, **more)


def only(found: Overlay, kind: MisfitKind) -> Misfit:
    (misfit,) = [m for m in found.misfits if m.kind is kind]
    return misfit


def kinds(found: Overlay) -> list[str]:
    return [m.kind.value for m in found.misfits]


def test_grids_along_units_fit_without_a_word() -> None:
    found = lay([box(0, 0, 200, 100), box(0, 100, 200, 200)])
    assert found.assignment.tolist() == [0, 0, 1, 1]
    assert found.misfits == []


def test_two_grids_that_claim_the_same_ground() -> None:
    found = lay([box(0, 0, 200, 120), box(0, 100, 200, 200)])
    assert found.assignment.tolist() == [0, 0, 1, 1]
    overlap = only(found, MisfitKind.OVERLAP)
    assert (overlap.grids, overlap.area_m2, overlap.households) == ((0, 1), pytest.approx(4000), 0)
    assert overlap.geometry.equals(box(0, 100, 200, 120))
    deep = only(lay([box(0, 0, 200, 160), box(0, 100, 200, 200)]), MisfitKind.OVERLAP)
    assert deep.households == 70


def test_ground_in_no_grid() -> None:
    found = lay([box(0, 0, 200, 100), box(0, 100, 100, 200)])
    assert found.assignment.tolist() == [0, 0, 1, -1]
    gap = only(found, MisfitKind.GAP)
    assert (gap.area_m2, gap.households) == (pytest.approx(10_000), 40)
    assert gap.geometry.equals(UNITS[3])


def test_a_unit_goes_to_the_larger_share_of_households_not_of_ground() -> None:
    people = Buildings.of([Point(10, 50), Point(90, 50)], [5, 6], 0)
    found = lay([box(0, 0, 80, 200), box(80, 0, 200, 200)], people, [0, 0])
    assert found.assignment.tolist() == [1, 1, 0, 1]
    cut = next(m for m in found.misfits if m.kind is MisfitKind.UNIT_CUT and m.unit == 0)
    assert cut.grids == (1, 0)
    assert cut.shares == pytest.approx((6 / 11, 5 / 11))
    assert cut.households == 5
    moved = [m for m in found.misfits if m.kind is MisfitKind.BORDER_MOVED]
    by_pair = {m.grids: (round(m.area_m2), m.households) for m in moved}
    assert by_pair == {(0, 1): (8000, 5), (1, 0): (2000, 0)}


def test_a_unit_mostly_in_no_grid_stays_unassigned() -> None:
    people = Buildings.of([Point(10, 50), Point(90, 50)], [5, 6], 0)
    found = lay([box(0, 0, 80, 200), box(100, 0, 200, 200)], people, [0, 0])
    assert found.assignment.tolist() == [-1, 1, 0, 1]


def test_equal_shares_go_to_more_ground_then_to_the_lower_row() -> None:
    people = Buildings.of([Point(10, 50), Point(90, 50)], [5, 5], 0)
    assert lay([box(0, 0, 40, 200), box(40, 0, 200, 200)], people, [0, 0]).assignment[0] == 1
    assert lay([box(50, 0, 200, 200), box(0, 0, 50, 200)], people, [0, 0]).assignment[0] == 0


def test_a_footprint_under_a_border() -> None:
    people = Buildings.of([box(90, 40, 115, 60)], [12], 0)
    found = lay([box(0, 0, 100, 200), box(100, 0, 200, 200)], people, [1])
    cut = only(found, MisfitKind.BUILDING_CUT)
    assert (cut.building, cut.grids, cut.households) == (0, (0, 1), 12)
    assert cut.shares == pytest.approx((0.4, 0.6))
    assert cut.area_m2 == pytest.approx(200)


def test_a_building_that_leans_out_of_the_communities_counts_in_its_unit() -> None:
    people = Buildings.of([box(190, 40, 240, 60)], [12], 0)
    found = lay([box(0, 0, 200, 100), box(0, 100, 200, 200)], people, [1])
    assert found.assignment.tolist() == [0, 0, 1, 1]


def test_a_compound_in_two_grids() -> None:
    people = Buildings.of(HOUSES.geometry, HOUSES.households, 0, [5, 5, -1, -1])
    found = lay([box(0, 0, 100, 200), box(100, 0, 200, 200)], people)
    split = only(found, MisfitKind.COMPOUND_SPLIT)
    assert (split.compound, split.grids, split.households) == (5, (1, 0), 10)
    assert split.shares == pytest.approx((2 / 3, 1 / 3))


def test_a_grid_that_reaches_outside() -> None:
    found = lay([box(0, 0, 200, 100), box(0, 100, 230, 200)])
    outside = only(found, MisfitKind.OUTSIDE)
    assert (outside.grids, outside.area_m2) == ((1,), pytest.approx(3000))
    assert kinds(found) == ["outside"]


def test_a_grid_smaller_than_a_unit_is_lost_by_name() -> None:
    found = lay([box(0, 0, 200, 200), box(40, 40, 60, 60)])
    lost = only(found, MisfitKind.LOST_GRID)
    assert (lost.grids, lost.households) == ((1,), 10)
    assert found.assignment.tolist() == [0, 0, 0, 0]


def test_noise_of_drawing_is_no_misfit() -> None:
    found = lay([box(-0.02, 0, 200, 100.003), box(0, 100.001, 200, 200.02)])
    assert found.assignment.tolist() == [0, 0, 1, 1]
    assert found.misfits == []


def test_no_buildings_no_grids_and_broken_grids() -> None:
    assert overlay_grids(UNITS, [box(0, 0, 200, 90), box(0, 90, 200, 200)]).assignment.tolist() == [0, 0, 1, 1]
    nothing = lay([])
    assert nothing.assignment.tolist() == [-1] * 4
    assert only(nothing, MisfitKind.GAP).households == 100
    bow_tie = Polygon([(0, 0), (200, 200), (200, 0), (0, 200)])
    assert lay([None, Polygon(), bow_tie, box(0, 0, 200, 200)]).assignment.max() >= 2


def test_every_kind_has_its_sentences() -> None:
    names = ["一网格", "二网格"]
    place = box(0, 0, 1, 1)
    for kind in MisfitKind:
        misfit = Misfit(kind, place, (-1, 1), 12.345, 7)
        problem = misfit.problem(names, lambda shape: shapely.transform(shape, lambda xy: xy + 100))
        assert problem.code in catalogue()
        assert problem.severity in set(Severity)
        assert problem.geometry is not None and problem.geometry.bounds[0] == 100
        assert "7" in problem.sentence("zh") or kind is MisfitKind.LOST_GRID
        assert problem.sentence("en")


def test_misfits_hold_plain_numbers() -> None:
    found = lay([box(0, 0, 80, 200), box(60, 0, 230, 150)], Buildings.of([box(90, 40, 115, 60)], [12], 0, [3]), [1])
    assert found.misfits
    for m in found.misfits:
        assert all(type(g) is int for g in m.grids)
        assert all(type(s) is float for s in m.shares)
        assert (type(m.households), type(m.area_m2)) == (int, float)
        assert np.isfinite(m.area_m2)
