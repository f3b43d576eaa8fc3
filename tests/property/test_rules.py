"""Rules on random plans over a lattice, against oracles written by hand."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.rules import Communities, Grids, PlanView, Result, Units, check, status
from geodata.standards import load
from tests.unit.rules_plans import TODAY, lattice

COLUMNS, ROWS, GRIDS = 6, 5, 5
CELLS = COLUMNS * ROWS
NATIONAL = load("national")
HOMES = ("110101001001", "110101001002")


@st.composite
def plans(draw: st.DrawFn) -> PlanView:
    """Units anywhere in five grids or none, two communities split by a column; the second is rural."""
    cut = draw(st.integers(0, COLUMNS))
    community = [int(k % COLUMNS >= cut) for k in range(CELLS)]
    cells = st.lists(st.integers(-1, GRIDS - 1), min_size=CELLS, max_size=CELLS)
    counts = st.lists(st.sampled_from([0, 10, 40, 90, 250, 700]), min_size=CELLS, max_size=CELLS)
    households = draw(counts)
    units = Units(
        lattice(COLUMNS, ROWS),
        community,
        draw(cells),
        households,
        population=[3 * count for count in households],
        missing_households=draw(st.lists(st.integers(0, 2), min_size=CELLS, max_size=CELLS)),
    )
    homes = draw(st.lists(st.integers(0, 1), min_size=GRIDS, max_size=GRIDS))
    kinds = draw(st.lists(st.sampled_from(["basic", "basic", "special"]), min_size=GRIDS, max_size=GRIDS))
    grids = Grids([f"{HOMES[home]}{k + 1:03d}" for k, home in enumerate(homes)], homes, kinds)
    return PlanView(units, grids, Communities(HOMES, ["urban", "rural"], ["甲社区", "乙村"]), crs=4547, today=TODAY)


def neighbours(cell: int) -> list[int]:
    x, y = cell % COLUMNS, cell // COLUMNS
    steps = ((x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1))
    return [b * COLUMNS + a for a, b in steps if 0 <= a < COLUMNS and 0 <= b < ROWS]


def flood(cells: set[int]) -> list[set[int]]:
    """Connected pieces of ``cells`` by breadth-first search."""
    pieces, left = [], set(cells)
    while left:
        queue, piece = deque([left.pop()]), set()
        while queue:
            cell = queue.popleft()
            piece.add(cell)
            for near in neighbours(cell):
                if near in left:
                    left.remove(near)
                    queue.append(near)
        pieces.append(piece)
    return pieces


def members(view: PlanView, grid: int) -> set[int]:
    return set(np.flatnonzero(view.units.grid == grid).tolist())


def of(results: list[Result], code: str) -> dict[int | None, Result]:
    return {r.grid: r for r in results if r.code == code}


@settings(max_examples=60, deadline=None)
@given(plans())
def test_pieces_and_gaps_agree_with_a_flood_fill(view: PlanView) -> None:
    results = check(view, NATIONAL, rules=["R03", "R06"])
    torn = of(results, "R06_PIECES")
    for grid in range(GRIDS):
        pieces = flood(members(view, grid))
        assert (torn[grid].value if grid in torn else max(1, len(pieces))) == max(1, len(pieces))
        if grid in torn:
            assert torn[grid].geometry.area == (len(members(view, grid)) - max(map(len, pieces))) * 10_000
    free = [
        piece
        for home in (0, 1)
        for piece in flood(members(view, -1) & set(np.flatnonzero(view.units.community == home).tolist()))
    ]
    gaps = [r for r in results if r.code == "R03_UNASSIGNED"]
    assert sorted(r.value for r in gaps) == sorted(10_000 * len(piece) for piece in free)
    assert sum(r.params["households"] for r in gaps) == view.units.households[view.units.grid < 0].sum()


@settings(max_examples=60, deadline=None)
@given(plans())
def test_holes_agree_with_a_flood_from_outside(view: PlanView) -> None:
    """Ground that queen moves cannot reach from outside is a hole; ground that rook moves can reach is none.

    What lies between, ground open at a corner only, is a hole where the grid around it is one piece.
    """
    holes = {r.grid for r in check(view, NATIONAL, rules=["R06"]) if r.code == "R06_HOLE"}
    for grid in range(GRIDS):
        mine = members(view, grid)
        outside = set(range(CELLS)) - mine
        enclosed = {cell for piece in flood_queen(outside) for cell in piece if not on_edge(piece)}
        home = view.grids.community[grid]
        excused = {c for c in enclosed if view.units.grid[c] >= 0 and view.grids.kind[view.units.grid[c]] == "special"}
        if all(on_edge(piece) for piece in flood(outside)):
            assert grid not in holes
        elif not enclosed:
            continue
        elif not (excused & enclosed) and all(view.units.community[c] == home for c in enclosed):
            assert grid in holes


def on_edge(piece: set[int]) -> bool:
    return any(c % COLUMNS in (0, COLUMNS - 1) or c // COLUMNS in (0, ROWS - 1) for c in piece)


def flood_queen(cells: set[int]) -> list[set[int]]:
    """Pieces of ``cells``, corners joining."""
    pieces, left = [], set(cells)
    while left:
        queue, piece = [left.pop()], set()
        while queue:
            cell = queue.pop()
            piece.add(cell)
            x, y = cell % COLUMNS, cell // COLUMNS
            for near in [(y + b) * COLUMNS + x + a for a in (-1, 0, 1) for b in (-1, 0, 1) if 0 <= x + a < COLUMNS]:
                if near in left:
                    left.remove(near)
                    queue.append(near)
        pieces.append(piece)
    return pieces


@settings(max_examples=60, deadline=None)
@given(plans())
def test_household_results_and_status_agree_with_sums(view: PlanView) -> None:
    results = check(view, NATIONAL, rules=["R01", "R02", "R18"])
    over, under = of(results, "R01_OVER"), of(results, "R01_UNDER") | of(results, "R01_EMPTY")
    crowded, missing = of(results, "R02_ABOVE_LIMIT"), of(results, "R18_MISSING")
    state = status(view, NATIONAL)
    for grid in range(GRIDS):
        cells = sorted(members(view, grid))
        total = int(view.units.households[cells].sum())
        low, high = ((300, 500), (200, 300))[view.grids.community[grid]]
        basic = view.grids.kind[grid] == "basic"
        assert (grid in over) == (basic and total > high) == (state[grid] == "over")
        assert (grid in under) == (basic and total < low and bool(cells))
        assert (basic and total < low) == (state[grid] in ("under", "empty"))
        assert (state[grid] == "empty") == (basic and total == 0)
        assert (grid in crowded) == (basic and 3 * total > 2000)
        lacking = int(view.units.missing_households[cells].sum())
        assert (missing[grid].value if grid in missing else 0) == lacking
        if grid in over:
            assert over[grid].severity == ("E" if total > 1.2 * high else "W")
            alone = any(view.units.households[c] > high for c in cells)
            assert (over[grid].reason == "R01_REASON_UNIT") == alone


@settings(max_examples=60, deadline=None)
@given(plans(), st.lists(st.sampled_from([None, 0, 1]), min_size=3, max_size=3))
def test_micro_grids_add_up_to_their_parent(view: PlanView, parents: list[int | None]) -> None:
    """Grids 2 to 4 become micro-grids of 0 or 1: what is left over and what they hold is what the parent has."""
    micro = [k + 2 for k, parent in enumerate(parents) if parent is not None]
    kind = ["micro" if k in micro else "basic" for k in range(GRIDS)]
    parent = [-1, -1, *(-1 if p is None else p for p in parents)]
    home = view.grids.community
    view = replace(view, grids=replace(view.grids, kind=kind, parent=parent))
    results = check(view, NATIONAL, rules=["R16"])
    left = of(results, "R16_LEFT_OVER")
    own = [int(view.units.households[view.units.grid == k].sum()) for k in range(GRIDS)]
    for grid in (0, 1):
        mine = [k for k in micro if parent[k] == grid]
        assert (grid in left) == bool(mine and (view.units.grid == grid).any())
        if grid in left:
            assert left[grid].params["divided"] == sum(own[k] for k in mine)
            assert left[grid].params["households"] == own[grid]
            assert left[grid].params["total"] == own[grid] + sum(own[k] for k in mine)
    foreign = {k for k in micro if home[k] != home[parent[k]]}
    assert set(of(results, "R16_OTHER_COMMUNITY")) == foreign
    assert set(of(results, "R16_EMPTY")) == {k for k in micro if not (view.units.grid == k).any()}


@settings(max_examples=60, deadline=None)
@given(plans(), st.sets(st.integers(0, GRIDS - 1)))
def test_a_recheck_of_some_grids_says_what_the_whole_check_says(view: PlanView, only: set[int]) -> None:
    homes = {int(view.grids.community[g]) for g in only}
    homes |= {int(c) for c in view.units.community[np.isin(view.units.grid, list(only))]}
    whole = [r for r in check(view, NATIONAL) if (r.grid in only if r.grid is not None else r.community in homes)]
    part = check(view, NATIONAL, only=only)
    assert [(r.code, r.grid, r.value, r.sentence()) for r in part] == [
        (r.code, r.grid, r.value, r.sentence()) for r in whole
    ]
    for a, b in zip(part, whole, strict=True):
        assert (a.geometry is None) == (b.geometry is None)
        assert a.geometry is None or a.geometry.equals(b.geometry)


@settings(max_examples=60, deadline=None)
@given(plans(), st.integers(0, CELLS - 1))
def test_the_order_of_units_does_not_matter(view: PlanView, first: int) -> None:
    order = np.roll(np.arange(CELLS), first)
    units = replace(
        view.units,
        **{
            name: getattr(view.units, name)[order]
            for name in ("geometry", "community", "grid", "households", "population", "missing_households")
        },
    )
    before, after = check(view, NATIONAL), check(replace(view, units=units), NATIONAL)
    assert sorted(r.sentence() for r in before) == sorted(r.sentence() for r in after)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_compactness_from_shared_borders_is_that_of_the_union(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cells = np.asarray(shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(rng.uniform(0, 900, (30, 2))))))
    grid = rng.integers(-1, 4, len(cells))
    from geodata.rules.context import Context
    from geodata.rules.shape import polsby_popper

    view = PlanView(
        Units(cells, np.zeros(len(cells)), grid, np.zeros(len(cells))),
        Grids(["1", "2", "3", "4"], [0] * 4, ["basic"] * 4),
        Communities(HOMES[:1], ["urban"]),
    )
    mine = polsby_popper(Context(view, NATIONAL))
    for k in range(4):
        union = shapely.union_all(cells[grid == k])
        expected = 4 * np.pi * union.area / union.length**2 if union.area else np.nan
        np.testing.assert_allclose(mine[k], expected, rtol=1e-6)
