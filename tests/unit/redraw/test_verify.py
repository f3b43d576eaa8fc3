"""The verifier rejects what it should: plans, lists of violations, proofs and certificates that were tampered with."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geodata.redraw.measure import measure
from geodata.redraw.model import Band, Instance, Ints, Weights
from geodata.redraw.proofs import violations
from geodata.redraw.result import Certificate, Violation
from geodata.redraw.verify import verify
from geodata.redraw.verify_ground import Ground
from geodata.redraw.verify_resplit import score, touching_sets, verify_certificate
from tests.unit.redraw.oracle import optimum
from tests.unit.redraw.towns import graph, town

EVERY_PART = Weights(extent=1e-5, cut_edges=0.01, balance=0.001, workload=0.1)


def line(households: list[int], band: Band | None = None, **optional: Any) -> Instance:
    """Units in a row."""
    pairs = [(unit, unit + 1) for unit in range(len(households) - 1)]
    return graph(households, pairs, band or Band(300, 500), **optional)


def says(answers: list[str], words: str) -> bool:
    """Whether some answer holds ``words``."""
    return any(words in answer for answer in answers)


@pytest.mark.parametrize("seed", range(8))
def test_the_score_is_that_of_the_plain_measure(seed: int) -> None:
    instance = town(
        seed, 24, groups=1 + seed % 2, barriers=True, compounds=True, start=True, population=seed % 2 == 0,
        empty=0.1, giants=1, weights=EVERY_PART, band=Band(300, 500, 0, 1200),
    )  # fmt: skip
    expected = measure(instance, instance.start).score.key()
    assert score(instance, instance.start) == pytest.approx(expected, rel=1e-9)


def test_hard_rules() -> None:
    instance = line([200] * 6, start=[0, 0, 1, 1, 2, 2], locked=[True] + [False] * 5, closed=[2])
    ok = np.array([0, 0, 1, 1, 2, 2])
    assert verify(instance, ok) == []
    assert says(verify(instance, ok[:-1]), "the plan has 5 units")
    assert says(verify(instance, np.array([0, -1, 1, 1, 2, 2])), "unit 1 is in no grid")
    assert says(verify(instance, np.array([1, 0, 1, 1, 2, 2])), "locked unit 0 left")
    assert says(verify(instance, np.array([0, 1, 0, 1, 2, 2])), "grid 0 is in pieces")
    assert says(verify(instance, np.array([0, 0, 1, 2, 2, 2])), "closed grid 2 was changed")
    assert says(verify(instance, np.array([0, 0, 1, 1, 3, 3])), "closed grid 2 is gone")
    grouped = line([200] * 4, group=[0, 0, 1, 1])
    assert says(verify(grouped, np.array([0, 1, 1, 2])), "grid 1 lies in several groups")


def test_nothing_holds_together_over_what_cannot_be_crossed() -> None:
    instance = line([200, 200])
    river = replace(instance.units.borders, crossable=np.array([False]))
    instance = replace(instance, units=replace(instance.units, borders=river))
    assert says(verify(instance, np.array([0, 0])), "in pieces")


def test_violations_are_exactly_those_of_the_plan() -> None:
    instance, plan = line([200, 390]), np.array([0, 0])
    (found,) = violations(instance, plan)
    assert verify(instance, plan, [found]) == []
    assert says(verify(instance, plan, []), "is over and not listed")
    assert says(verify(instance, plan, [found, found]), "listed twice")
    assert says(verify(instance, plan, [replace(found, kind="under")]), "is listed as under and is not")
    assert says(verify(instance, plan, [replace(found, households=591)]), "is listed with")
    assert says(verify(instance, plan, [replace(found, proof=None)]), "if and only if")
    assert says(verify(instance, plan, [replace(found, avoidable=True)]), "if and only if")


def tampered(instance: Instance, plan: Ints, **changes: Any) -> list[str]:
    """What the verifier says when the only violation's proof is changed."""
    (found,) = violations(instance, plan)
    assert found.proof is not None
    return verify(instance, plan, [replace(found, proof=copy.deepcopy(found.proof) | changes)])


def test_a_changed_total_is_rejected() -> None:
    instance, plan = line([200, 390]), np.array([0, 0])
    assert says(tampered(instance, plan, households=591), "the pocket holds 590")
    assert says(tampered(instance, plan, core=[0]), "not what the pocket binds")
    assert says(tampered(instance, plan, breaks=2), "one break")
    assert says(tampered(instance, plan, core=[]), "not a core")
    assert says(tampered(instance, plan, kind="because"), "no such proof")
    claim = {"kind": "pocket_total", "core": [0, 1], "breaks": 1, "households": 600, "population": 0}
    served = Violation(0, "over", False, 600, 0, claim)
    assert says(verify(line([300, 300]), plan, [served]), "2 grids hold the total")


def test_a_search_that_has_an_answer_is_rejected() -> None:
    instance, plan = line([200, 200, 400]), np.array([0, 1, 2])
    claim = {"kind": "enclosed", "core": [0], "breaks": 1, "empty_free": False}
    listed = [
        Violation(0, "under", False, 200, 0, claim),
        Violation(1, "under", True, 200, 0),
    ]
    assert says(verify(instance, plan, listed), "the core can be covered")


def test_one_broken_grid_does_not_pay_for_two_proofs() -> None:
    instance, plan = graph([50, 600, 50], [(0, 1), (1, 2)], Band(300, 500)), np.array([0, 1, 2])
    first, giant, second = violations(instance, plan)
    assert first.proof is not None and second.avoidable
    both = [first, giant, replace(second, avoidable=False, proof=first.proof | {"core": [2]})]
    assert says(verify(instance, plan, both), "may be served by the same grid")


def test_a_plan_that_breaks_more_often_than_proved_is_told() -> None:
    instance, plan = line([100, 100, 90]), np.array([0, 1, 1])
    claim = {"kind": "pocket_total", "core": [0, 1, 2], "breaks": 1, "households": 290, "population": 0}
    listed = [Violation(0, "under", False, 100, 0, claim), Violation(1, "under", False, 190, 0, claim)]
    assert says(verify(instance, plan, listed), "more often here than is proved")


def test_giants_and_locks() -> None:
    instance, plan = line([812, 400]), np.array([0, 1])
    assert says(tampered(instance, plan, units=[1]), "the units above the maximum are [0]")
    assert says(tampered(instance, plan, households=[813]), "its households are other ones")
    (found,) = violations(instance, plan)
    joined = replace(found, households=1212)
    assert says(verify(instance, np.array([0, 0]), [joined]), "too much")
    closed = Violation(0, "over", False, 812, 0, {"kind": "locked", "closed": True})
    assert says(verify(instance, plan, [closed]), "not closed")
    locks = {"kind": "locked", "core": [0, 1], "breaks": 1}
    over = Violation(0, "over", False, 1212, 0, locks)
    assert says(verify(instance, np.array([0, 0]), [over]), "not locked into one grid")


@pytest.mark.parametrize("seed", range(6))
def test_the_optimum_passes_every_certificate_and_a_worse_plan_does_not(seed: int) -> None:
    instance = town(seed, 14, units_per_grid=4, barriers=True, compounds=True, start=True, weights=EVERY_PART)
    best = optimum(instance).plan
    ground = Ground(instance)
    for size in (2, 3):
        for grids in touching_sets(ground, best, size):
            assert verify_certificate(instance, best, grids) == []
        whole = Certificate(size, len(touching_sets(ground, best, size)), len(touching_sets(ground, best, size)), 0)
        assert verify(instance, best, certificates=[whole]) == []
        assert verify(instance, best, certificates=[replace(whole, neighbourhoods=whole.neighbourhoods + 1)])
    rough = instance.start
    pairs = touching_sets(ground, rough, 2)
    found = [answer for grids in pairs for answer in verify_certificate(instance, rough, grids)]
    assert says(found, "can be split better")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(2, 9),
    giants=st.integers(0, 1),
    closed=st.integers(0, 1),
    at=st.integers(0, 10**6),
)
def test_no_bent_proof_is_accepted_where_its_claim_is_wrong(
    seed: int, n: int, giants: int, closed: int, at: int
) -> None:
    """More breaks claimed than proved, or the proof of another violation taken over."""
    instance = town(seed, n, units_per_grid=1.7, giants=giants, closed=closed, start=True)
    plan = instance.start
    found = violations(instance, plan)
    proved = [v for v in found if v.proof is not None and "core" in v.proof]
    for violation in proved:
        assert violation.proof is not None
        more = replace(violation, proof=violation.proof | {"breaks": violation.proof["breaks"] + 1})
        assert verify(instance, plan, [more if v is violation else v for v in found]) != []
    loose = [v for v in found if v.avoidable]
    if proved and loose:
        taken = replace(loose[at % len(loose)], avoidable=False, proof=proved[at % len(proved)].proof)
        assert verify(instance, plan, [taken if v.grid == taken.grid else v for v in found]) != []
