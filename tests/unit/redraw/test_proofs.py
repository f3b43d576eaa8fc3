"""Proofs against all plans of tiny towns: never a claim that a plan refutes, none missed at the optimum."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geodata.redraw.measure import measure
from geodata.redraw.model import Band, Instance, Ints
from geodata.redraw.pockets import pocket_of, pockets, sub_pocket_of
from geodata.redraw.proof_search import Effort, forced
from geodata.redraw.proof_terrain import Terrain
from geodata.redraw.proofs import lower_bound, violations
from geodata.redraw.result import Violation
from geodata.redraw.verify import verify
from geodata.redraw.verify_ground import Ground
from geodata.redraw.verify_proofs import _exhaustive
from tests.unit.redraw.oracle import optimum
from tests.unit.redraw.towns import graph, town


def all_plans(instance: Instance) -> Iterator[list[list[int]]]:
    """Every plan of a tiny instance as its grids (closed ones left out)."""
    units, borders = instance.units, instance.units.borders
    n, closed = len(units), instance.in_closed()
    near: list[set[int]] = [set() for _ in range(n)]
    for i, j, crossable in zip(borders.i.tolist(), borders.j.tolist(), borders.crossable.tolist(), strict=True):
        if crossable and units.group[i] == units.group[j] and not closed[i] and not closed[j]:
            near[i].add(j)
            near[j].add(i)
    locks = {
        int(label): set(np.flatnonzero(instance.locked & ~closed & (instance.start == label)).tolist())
        for label in instance.start[instance.locked & ~closed]
    }

    def allowed(grid: set[int]) -> bool:
        seen, waiting = {min(grid)}, [min(grid)]
        while waiting:
            for other in near[waiting.pop()] & grid - seen:
                seen.add(other)
                waiting.append(other)
        touched = [lock for lock in locks.values() if lock & grid]
        return seen == grid and len(touched) <= 1 and all(lock <= grid for lock in touched)

    valid = {
        bits: [u for u in range(n) if bits >> u & 1]
        for bits in range(1, 1 << n)
        if not any(closed[u] for u in range(n) if bits >> u & 1) and allowed({u for u in range(n) if bits >> u & 1})
    }

    def split(left: int) -> Iterator[list[list[int]]]:
        if not left:
            yield []
            return
        first = left & -left
        part = left
        while part:
            if part & first and part in valid:
                for rest in split(left & ~part):
                    yield [valid[part], *rest]
            part = (part - 1) & left

    yield from split(sum(1 << u for u in range(n) if not closed[u]))


def broken(instance: Instance, grid: list[int]) -> int:
    """Breaks of one grid, by the plain measure."""
    plan = np.full(len(instance.units), -1, dtype=np.int64)
    plan[grid] = instance.n_start
    return int(measure(instance, plan).score.excess)


def cores(found: list[Violation]) -> list[dict[str, Any]]:
    """The claims about cores, each once."""
    proofs = [violation.proof for violation in found if violation.proof and "core" in violation.proof]
    every = [core for proof in proofs for core in [proof, *proof.get("also", [])]]
    return list({tuple(core["core"]): core for core in every}.values())


tiny = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 10**6),
        "n": st.integers(1, 8),
        "units_per_grid": st.sampled_from([1.3, 2.0, 3.0]),
        "empty": st.sampled_from([0.0, 0.3, 0.9]),
        "giants": st.integers(0, 1),
        "groups": st.integers(1, 2),
        "uncrossable": st.sampled_from([0.0, 0.3]),
        "population": st.booleans(),
        "locked": st.sampled_from([0.0, 0.3]),
        "closed": st.integers(0, 1),
        "start": st.just(True),
        "band": st.sampled_from(
            [Band(300, 500), Band(200, 300, 300, 800), Band(0, 100), Band(300, 500, 0, 1000), Band(50, 50)]
        ),
    }
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tiny, st.booleans())
def test_no_plan_refutes_a_proof(options: dict[str, Any], narrow: bool) -> None:
    options["n"] = max(options["n"], options["giants"])
    instance = town(**options)
    plan = instance.start
    with ExitStack() as limits:
        if narrow:  # so little effort that most proofs have to be searched for within a horizon
            limits.enter_context(patch("geodata.redraw.prover.WHOLE_POCKET", 0))
            limits.enter_context(patch("geodata.redraw.prover.Effort", partial(Effort, sets=options["n"])))
        found = violations(instance, plan)
    json.dumps([violation.proof for violation in found])
    assert verify(instance, plan, found) == []
    claims, least = cores(found), 10**9
    bound = int(lower_bound(instance).sum())
    best: list[list[int]] = []
    memo: dict[tuple[int, ...], int] = {}
    fewest = [10**9] * len(claims)
    for grids in all_plans(instance):
        breaks = [memo.setdefault(tuple(g), -1) for g in grids]
        for at, grid in enumerate(grids):
            if breaks[at] < 0:
                breaks[at] = memo[tuple(grid)] = broken(instance, grid)
        if sum(breaks) < least:
            least, best = sum(breaks), grids
        for at, claim in enumerate(claims):
            core = set(claim["core"])
            fewest[at] = min(fewest[at], sum(b for g, b in zip(grids, breaks, strict=True) if core & set(g)))
    assert bound <= least
    assert sum(claim["breaks"] for claim in claims) <= least
    for claim, possible in zip(claims, fewest, strict=True):
        assert claim["breaks"] <= possible, claim
    if best:
        proved = violations(instance, _labels(instance, best))
        assert verify(instance, _labels(instance, best), proved) == []
        assert not [violation for violation in proved if violation.avoidable]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tiny, st.data())
def test_a_search_within_a_horizon_claims_nothing_that_a_plan_refutes(
    options: dict[str, Any], data: st.DataObject
) -> None:
    options["n"] = max(options["n"], options["giants"])
    instance = town(**options)
    ground, empty_free = Ground(instance), data.draw(st.booleans())
    terrain = Terrain(instance, empty_free)
    pool = [u for u in np.flatnonzero(~instance.in_closed()).tolist() if not (empty_free and terrain.empty[u])]
    pool = [u for u in pool if pocket_of(instance)[u] == pocket_of(instance)[pool[0]]]
    if not pool:
        return
    core = sorted(data.draw(st.sets(st.sampled_from(pool), min_size=1)))
    horizon = data.draw(st.none() | st.sets(st.sampled_from(pool)).map(lambda more: sorted({*core, *more})))
    breaks = data.draw(st.integers(1, 3))
    needed = forced(terrain, core, breaks, Effort(), horizon=horizon)
    said = _exhaustive(ground, core, breaks, empty_free, None if horizon is None else set(horizon))
    assert bool(needed) == (said == [])
    if needed:
        assert _exhaustive(ground, needed, breaks, empty_free, None if horizon is None else set(horizon)) == []
        for grids in all_plans(instance):
            assert sum(broken(instance, grid) for grid in grids if set(needed) & set(grid)) >= breaks


def _labels(instance: Instance, grids: list[list[int]]) -> Ints:
    plan = instance.start.copy()
    number = instance.n_start
    for grid in grids:
        locked = [u for u in grid if instance.locked[u]]
        if locked:
            plan[grid] = instance.start[locked[0]]
        else:
            plan[grid] = number
            number += 1
    return plan


@pytest.mark.parametrize("seed", range(12))
def test_the_optimum_of_a_small_town_has_nothing_avoidable(seed: int) -> None:
    instance = town(seed, 16 + seed, units_per_grid=2.5, giants=seed % 3, empty=0.1 * (seed % 2))
    best = optimum(instance)
    found = violations(instance, best.plan)
    assert verify(instance, best.plan, found) == []
    assert not [violation for violation in found if violation.avoidable]
    assert int(lower_bound(instance).sum()) <= best.excess


def only(instance: Instance, plan: list[int]) -> Violation:
    """The one violation of ``plan``, accepted by the verifier."""
    labels = np.array(plan, dtype=np.int64)
    found = violations(instance, labels)
    assert verify(instance, labels, found) == []
    assert len(found) == 1
    return found[0]


def test_one_unit_that_holds_everything() -> None:
    violation = only(graph([812], [], Band(300, 500)), [0])
    assert violation.proof == {"kind": "unit_over_maximum", "units": [0], "households": [812], "population": [0]}
    assert (violation.kind, violation.avoidable) == ("over", False)


def test_an_island_says_how_many_grids_would_be_how_far_off() -> None:
    violation = only(graph([200, 390], [(0, 1)], Band(300, 500)), [0, 0])
    assert violation.proof is not None
    assert violation.proof["kind"] == "pocket_total"
    assert violation.proof["fewer"] == {"grids": 1, "households_over": 90}
    assert violation.proof["more"] == {"grids": 2, "households_under": 10}


def test_an_islet_among_giants_is_a_pocket_of_its_own() -> None:
    instance = graph([90, 600, 400], [(0, 1), (1, 2)], Band(300, 500))
    assert sub_pocket_of(instance).tolist() == [0, -1, 1]
    assert pocket_of(instance).tolist() == [0, 0, 0]
    plan = np.array([0, 1, 2])
    found = {violation.grid: violation for violation in violations(instance, plan)}
    assert found[0].proof is not None and found[0].proof["kind"] == "pocket_total"
    assert found[1].proof is not None and found[1].proof["kind"] == "unit_over_maximum"
    assert lower_bound(instance).tolist() == [1]


def test_two_islets_at_one_giant_are_served_by_one_broken_grid() -> None:
    instance = graph([50, 600, 50], [(0, 1), (1, 2)], Band(300, 500))
    assert int(lower_bound(instance).sum()) == 1
    apart = violations(instance, np.array([0, 1, 2]))
    assert [violation.avoidable for violation in apart] == [False, False, True]  # two breaks, and one is enough
    assert only(instance, [0, 0, 0]).avoidable is False


def test_a_unit_that_no_grid_can_hold_is_enclosed() -> None:
    instance = graph([400] * 40 + [150], [(u, u + 1) for u in range(40)], Band(300, 500))
    violation = only(instance, list(range(41)))
    assert violation.proof is not None
    assert (violation.proof["kind"], violation.proof["core"]) == ("enclosed", [40])


def test_far_apart_cores_add_up() -> None:
    instance = graph([150] + [400] * 40 + [150], [(u, u + 1) for u in range(41)], Band(300, 500))
    plan = np.arange(42)
    found = violations(instance, plan)
    assert verify(instance, plan, found) == []
    assert [(violation.grid, violation.avoidable) for violation in found] == [(0, False), (41, False)]
    assert lower_bound(instance).tolist() == [2]


def test_closed_and_locked_grids_are_proved_by_their_locks() -> None:
    band = Band(300, 500)
    closed = graph([100, 100], [(0, 1)], band, start=[0, 0], closed=[0])
    assert only(closed, [0, 0]).proof == {"kind": "locked", "closed": True}
    locked = graph(
        [400, 400, 400] + [400] * 30,
        [(u, u + 1) for u in range(32)],
        band,
        start=[0, 0, *range(1, 32)],
        locked=[True, True] + [False] * 31,
    )
    violation = only(locked, [0, 0, *range(1, 32)])
    assert violation.proof is not None
    assert (violation.proof["kind"], violation.proof["core"], violation.proof["breaks"]) == ("locked", [0, 1], 1)


def test_what_could_be_done_better_is_avoidable() -> None:
    instance = graph([200] * 4, [(0, 1), (1, 2), (2, 3)], Band(300, 500))
    assert [violation.avoidable for violation in violations(instance, np.array([0, 0, 0, 1]))] == [True, True]


def test_empty_ground_is_walked_over_where_there_is_much_of_it() -> None:
    spokes = 60  # sets of empty units beyond counting; the islet still has nobody to join
    pairs = [(0, 2 + u) for u in range(spokes)] + [(1, 2 + u) for u in range(spokes)]
    instance = graph([100, 450] + [0] * spokes, pairs, Band(300, 500))
    plan = np.array([0] + [1] * (spokes + 1))
    found = violations(instance, plan, budget_s=20)
    assert [violation.avoidable for violation in found] == [False]
    assert verify(instance, plan, found) == []


def test_two_units_that_need_the_same_way_out_are_proved_within_a_horizon() -> None:
    """Units 0 and 1 both need unit 2, behind which lies a village of 72 small units: too many sets to list."""
    at = {(row, column): 3 + row * 8 + column for row in range(9) for column in range(8)}
    pairs = [(0, 2), (1, 2), (2, at[0, 0])]
    pairs += [(unit, at[row + 1, column]) for (row, column), unit in at.items() if row < 8]
    pairs += [(unit, at[row, column + 1]) for (row, column), unit in at.items() if column < 7]
    instance = graph([140, 140, 60] + [10] * 72, pairs, Band(200, 300))
    plan = np.array([0, 1, 0] + [2 + u // 24 for u in range(72)])
    found = violations(instance, plan)
    assert verify(instance, plan, found) == []
    (violation,) = found
    assert violation.proof is not None
    assert (violation.proof["core"], violation.proof["horizon"]) == ([0, 1], [0, 1, 2])
    for changes, answer in (
        ({"horizon": [1, 2]}, "beyond the horizon"),
        ({"horizon": [0, 1]}, "can be covered"),
        ({"core": [0]}, "can be covered"),
    ):
        bent = replace(violation, proof=violation.proof | changes)
        assert any(answer in said for said in verify(instance, plan, [bent]))


def test_pockets_of_nothing_still_need_a_grid() -> None:
    instance = graph([0, 0, 400], [(0, 1)], Band(300, 500))
    assert [pocket.served for pocket in pockets(instance)] == [False, True]
    assert only(instance, [0, 0, 1]).proof is not None
