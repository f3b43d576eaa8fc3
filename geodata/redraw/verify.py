"""The independent verifier: does a plan keep every rule, and does every proof hold? Plain, slow, no code of the engine.

It reads the instance as data and walks the graph by itself. What it finds is a list of sentences for developers and for
the report; an empty list means that everything holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from geodata.redraw.model import Instance, Ints
from geodata.redraw.result import Certificate, Violation
from geodata.redraw.verify_ground import Ground
from geodata.redraw.verify_proofs import check_proofs
from geodata.redraw.verify_resplit import check_certificate


def verify(
    instance: Instance,
    plan: Ints,
    violations: Sequence[Violation] | None = None,
    certificates: Iterable[Certificate] | None = None,
) -> list[str]:
    """What does not hold of ``plan`` (n,), of the violations listed for it with their proofs, and of certificates.

    Hard rules: every unit in one grid, grids in one piece and one group, closed grids and locked units kept. Violations
    must be exactly those of the plan. Certificates are checked by sample (:mod:`geodata.redraw.verify_resplit`).
    """
    ground = Ground(instance)
    wrong = _hard_rules(ground, plan)
    if wrong:
        return wrong
    if violations is not None:
        wrong += _listed(ground, plan, violations)
        if not wrong:
            wrong += check_proofs(ground, plan, violations)
    for certificate in certificates or ():
        wrong += check_certificate(ground, plan, certificate)
    return wrong


def _hard_rules(ground: Ground, plan: Ints) -> list[str]:
    if len(plan) != ground.n:
        return [f"the plan has {len(plan)} units, the instance {ground.n}"]
    wrong = [f"unit {unit} is in no grid" for unit in range(ground.n) if plan[unit] < 0]
    wrong += [
        f"locked unit {unit} left grid {ground.start[unit]}"
        for unit in range(ground.n)
        if ground.locked[unit] and plan[unit] != ground.start[unit]
    ]
    for grid, units in ground.members(plan).items():
        if grid in ground.closed:
            if set(units) != {unit for unit in range(ground.n) if ground.start[unit] == grid}:
                wrong.append(f"closed grid {grid} was changed")
            continue
        if len({ground.group[unit] for unit in units}) > 1:
            wrong.append(f"grid {grid} lies in several groups")
        if len(ground.pieces(units)) > 1:
            wrong.append(f"grid {grid} is in pieces")
    missing = ground.closed - set(plan.tolist())
    return wrong + [f"closed grid {grid} is gone" for grid in sorted(missing)]


def _listed(ground: Ground, plan: Ints, violations: Sequence[Violation]) -> list[str]:
    """Where the list of violations is not that of the plan."""
    due: dict[tuple[int, str], tuple[int, int]] = {}
    for grid, units in ground.members(plan).items():
        sums = (ground.sum_households(units), ground.sum_population(units))
        kind = ground.status(units)
        if kind != "in_band":
            due[(grid, kind)] = sums
        if grid in ground.closed and ground.walkable_pieces(units) > 1:
            due[(grid, "pieces")] = sums
    given: dict[tuple[int, str], Any] = {}
    wrong = []
    for violation in violations:
        key = (violation.grid, violation.kind)
        if key in given:
            wrong.append(f"grid {key[0]} is listed twice as {key[1]}")
        given[key] = (violation.households, violation.population)
        if violation.avoidable == (violation.proof is not None):
            wrong.append(f"grid {key[0]}: unavoidable if and only if there is a proof")
    for key in sorted(due.keys() | given.keys()):
        if key not in given:
            wrong.append(f"grid {key[0]} is {key[1]} and not listed")
        elif key not in due:
            wrong.append(f"grid {key[0]} is listed as {key[1]} and is not")
        elif due[key] != given[key]:
            wrong.append(f"grid {key[0]} is listed with {given[key]} households and people, it has {due[key]}")
    return wrong
