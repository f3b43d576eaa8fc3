"""What the redraw service adds to the engine: empty ground that hangs on a neighbour, and codes of new grids."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from geodata import standards
from geodata.adjacency import components
from geodata.redraw.model import Band, Borders, Instance, Units
from gridmap.services.redraw.codes import new_grids
from gridmap.services.redraw.empty import joined
from gridmap.services.redraw.ground import Ground


def row(households: list[int], crossable: list[bool], group: list[int] | None = None) -> Units:
    """Unit squares in a row; ``crossable`` is said of each border between neighbours."""
    n = len(households)
    i = np.arange(n - 1)
    plain = Borders.plain(i, i + 1, np.ones(n - 1))
    borders = Borders(plain.i, plain.j, plain.length_m, plain.barrier_m, plain.torn_m, np.array(crossable, dtype=bool))
    places = np.column_stack([np.arange(n), np.zeros(n)])
    return Units.of(households, np.ones(n), np.full(n, 4.0), places, borders, group=group or [0] * n)


def parts(units: Units) -> Any:
    open_ = units.borders.crossable & (units.group[units.borders.i] == units.group[units.borders.j])
    return components(len(units), units.borders.i[open_], units.borders.j[open_])


def test_empty_land_along_a_river_goes_to_one_bank_only() -> None:
    found = parts(joined(row([300, 0, 0, 300], [False, True, False])))
    assert found[0] != found[3]
    assert found[1] == found[2] and found[1] in (found[0], found[3])


def test_inhabited_islands_stay_islands() -> None:
    units = row([300, 90, 300], [False, False])
    assert joined(units).borders.crossable.tolist() == [False, False]


def test_empty_ground_stays_in_its_group() -> None:
    assert not joined(row([300, 0], [False], group=[0, 1])).borders.crossable.any()
    assert not joined(row([0, 0], [False])).borders.crossable.any()


@given(st.lists(st.tuples(st.sampled_from([0, 0, 50]), st.booleans(), st.integers(0, 1)), min_size=2, max_size=14))
def test_every_empty_part_hangs_on_what_its_group_has_and_no_two_inhabited_parts_meet(
    cells: list[tuple[int, bool, int]],
) -> None:
    households, crossable, group = (list(column) for column in zip(*cells, strict=True))
    units = row(households, crossable[1:], sorted(group))
    before, after = parts(units), parts(joined(units))
    lived = units.households > 0
    for one in np.unique(before[lived]):
        for other in np.unique(before[lived]):
            if one != other:
                assert after[before == one][0] != after[before == other][0]
    for part in np.unique(after):
        group_of = units.group[after == part][0]
        assert lived[after == part].any() or not lived[units.group == group_of].any()


def ground(codes: list[str], start: list[int], profile: standards.Profile) -> Ground:
    """One unit a grid, from west to east; unit k lies in community k % len(codes)."""
    n = len(start)
    group = [k % len(codes) for k in range(n)]
    units = Units.of(
        [400] * n, np.ones(n), np.ones(n), [[k, 0] for k in range(n)], Borders.plain([], [], []), group=group
    )
    instance = Instance.of(units, Band(300, 500), start=start)
    stub = type("Stub", (), {})()
    stub.instance, stub.profile = instance, profile
    stub.codes, stub.names = np.array(codes, dtype=object), np.array(["甲", "乙"][: len(codes)], dtype=object)
    return cast(Ground, stub)


def test_new_codes_go_on_after_the_highest_from_west_to_east() -> None:
    used = {"339901001001007", "339901001002001", "not a code"}
    here = ground(["339901001001", "339901001002"], [0, 1, -1, -1, -1], standards.load("national"))
    found = new_grids(here, np.array([0, 1, 4, 2, 3]), used)
    assert [(one.number, one.code, one.name) for one in found] == [
        (4, "339901001001008", "甲第8网格"),
        (3, "339901001001009", "甲第9网格"),
        (2, "339901001002002", "乙第2网格"),
    ]


def test_past_the_last_number_the_lowest_free_one_is_taken() -> None:
    used = {f"339901001001{number:03d}" for number in range(1, 1000) if number not in (5, 9)}
    found = new_grids(ground(["339901001001"], [-1, -1], standards.load("national")), np.array([0, 1]), used)
    assert [one.code[-3:] for one in found] == ["005", "009"]


def test_the_form_of_codes_is_the_standards_own() -> None:
    found = new_grids(ground(["339901001001"], [-1], standards.load("national-20-digit")), np.array([0]), set())
    form = standards.load("national-20-digit").code
    assert len(found[0].code) == form.length and found[0].code.startswith("339901001001"[: form.prefix_length])
