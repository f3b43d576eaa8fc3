"""Proofs re-checked by plain enumeration: does every plan break the band where a proof says so, and as often?"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import cache
from heapq import heappop, heappush
from typing import Any

from geodata.redraw.model import NO_LIMIT, Ints
from geodata.redraw.result import Violation
from geodata.redraw.verify_ground import Ground

MOST_SETS = 2_000_000


def check_proofs(ground: Ground, plan: Ints, violations: Sequence[Violation]) -> list[str]:
    """What does not hold of the proofs: each for itself, and together (one broken grid must not pay for two proofs)."""
    wrong: list[str] = []
    members = ground.members(plan)
    cores: dict[tuple[int, ...], dict[str, Any]] = {}
    claimed: list[int] = []
    for violation in violations:
        proof = violation.proof
        if proof is None:
            continue
        units = members[violation.grid]
        if proof.get("kind") == "locked" and proof.get("closed"):
            if violation.grid not in ground.closed:
                wrong.append(f"grid {violation.grid}: not closed")
        elif violation.kind == "pieces":
            wrong.append(f"grid {violation.grid}: nothing proves that it must be in pieces")
        elif proof.get("kind") == "unit_over_maximum":
            wrong += [f"grid {violation.grid}: {text}" for text in _unit_over_maximum(ground, units, proof)]
        else:
            claimed.append(violation.grid)
            for core in [proof, *proof.get("also", [])]:
                key = tuple(core["core"])
                if cores.setdefault(key, core)["breaks"] != core["breaks"]:
                    wrong.append(f"grid {violation.grid}: two proofs for one core")
    for core in cores.values():
        wrong += [f"core {core['core'][:5]}: {text}" for text in _core(ground, core)]
    return wrong or _together(ground, members, list(cores.values()), claimed)


def _unit_over_maximum(ground: Ground, units: list[int], proof: dict[str, Any]) -> list[str]:
    over = [
        unit
        for unit in units
        if ground.households[unit] > ground.band[unit].households_max
        or ground.population[unit] > ground.band[unit].population_max
    ]
    if sorted(proof.get("units", [])) != over or not over:
        return [f"the units above the maximum are {over}"]
    if proof.get("households") != [ground.households[unit] for unit in proof["units"]]:
        return ["its households are other ones"]
    return ["more than its units above the maximum is too much"] if ground.breaks(units) else []


def _core(ground: Ground, proof: dict[str, Any]) -> list[str]:
    """What is wrong with the claim that grids touching the core break the band at least ``breaks`` times."""
    core, breaks, kind = proof["core"], proof["breaks"], proof["kind"]
    if not core or len(set(core)) != len(core) or not all(0 <= unit < ground.n for unit in core) or breaks < 1:
        return ["not a core"]
    if any(ground.is_closed(unit) for unit in core):
        return ["the core lies in a closed grid"]
    if kind == "locked":
        return _locked(ground, core, breaks)
    if kind == "pocket_total":
        return _pocket_total(ground, proof) if breaks == 1 else ["a total proves one break"]
    if kind in ("enclosed", "exhaustive"):
        horizon = proof.get("horizon")
        return _exhaustive(ground, core, breaks, bool(proof["empty_free"]), None if horizon is None else set(horizon))
    return [f"no such proof: {kind}"]


def _locked(ground: Ground, core: list[int], breaks: int) -> list[str]:
    """Units locked into one grid stay together, so what they hold together is in every plan."""
    if not all(ground.locked[unit] for unit in core) or len({ground.start[unit] for unit in core}) > 1:
        return ["not locked into one grid"]
    band = ground.band[core[0]]
    households = sum(ground.counted(unit) for unit in core)
    people = sum(ground.counted_people(unit) for unit in core)
    enough = households > band.households_max * breaks or people > band.population_max + (breaks - 1) * max(
        band.population_max, 1
    )
    return [] if enough else ["the locked units are not too many"]


def _pocket_total(ground: Ground, proof: dict[str, Any]) -> list[str]:
    band = ground.band[proof["core"][0]]
    small = {
        unit
        for unit in range(ground.n)
        if not ground.is_closed(unit) and ground.households[unit] <= ground.band[unit].households_max
    }
    if proof["core"][0] not in small:
        return ["the core holds a unit above the maximum"]
    pocket = ground.flood(proof["core"][0], small)
    parted = any(other not in small for unit in pocket for other in ground.beside[unit])
    bound = {unit for unit in pocket if ground.households[unit] or not parted}
    if set(proof["core"]) != bound:
        return ["the core is not what the pocket binds"]
    households, people = ground.sum_households(pocket), ground.sum_population(pocket)
    if (proof.get("households"), proof.get("population")) != (households, people):
        return [f"the pocket holds {households} households and {people} people"]
    least_people = sum(ground.counted_people(unit) for unit in bound)
    for grids in range(1, len(pocket) + 1):
        if (
            grids * band.households_min <= households <= grids * band.households_max
            and grids * band.population_min <= people
            and least_people <= grids * band.population_max
        ):
            return [f"{grids} grids hold the total"]
    return []


def _exhaustive(ground: Ground, core: list[int], breaks: int, empty_free: bool, horizon: set[int] | None) -> list[str]:
    """Lists every connected set that touches the core and breaks the band less than asked, and tries all covers.

    With a horizon, sets are the parts of grids within it. A part at its edge may go on beyond, so it can only be too
    large. The parts of one grid hold at most as many maxima too much as the grid does, so each may count for itself.
    """
    beside = _without_empty(ground) if empty_free else ground.beside
    if empty_free and any(_is_empty(ground, unit) for unit in core):
        return ["an empty unit cannot be asked for where empty units are free"]
    if horizon is not None and not horizon.issuperset(core):
        return ["the core lies beyond the horizon"]
    edge = {unit for unit in horizon or () if not beside[unit] <= (horizon or set())}
    if horizon is not None:
        beside = [others & horizon for others in beside]
    locked: dict[int, set[int]] = {}
    for unit in range(ground.n):
        if ground.locked[unit] and not ground.is_closed(unit) and not (empty_free and _is_empty(ground, unit)):
            locked.setdefault(ground.start[unit], set()).add(unit)
    held = set().union(*locked.values())
    choices: dict[int, list[tuple[frozenset[int], int]]] = {unit: [] for unit in core}
    wanted = frozenset(core)
    for listed, units in enumerate(_connected_sets(ground, core, breaks, beside)):
        if listed > MOST_SETS:
            return ["too many sets to re-check"]
        here = {ground.start[unit] for unit in units & held}
        open_ended = not edge.isdisjoint(units)
        if len(here) > 1 or (not open_ended and any(not locked[label] <= units for label in here)):
            continue
        broken = ground.times_over(units, people=False) if open_ended else ground.breaks(units)
        if broken < breaks:
            for unit in units & wanted:
                choices[unit].append((units, broken))

    @cache
    def coverable(missing: frozenset[int], used: frozenset[int], spare: int) -> bool:
        if not missing:
            return True
        unit = min(missing, key=lambda one: (len(choices[one]), one))
        return any(
            coverable(missing - units, used | units, spare - broken)
            for units, broken in choices[unit]
            if broken <= spare and used.isdisjoint(units)
        )

    return ["the core can be covered"] if coverable(wanted, frozenset(), breaks - 1) else []


def _connected_sets(ground: Ground, core: list[int], breaks: int, beside: list[set[int]]) -> Iterator[frozenset[int]]:
    """Connected sets that touch the core and are over by less than ``breaks``: grown unit by unit, repeats dropped."""
    level = {frozenset([unit]) for unit in core if _fits(ground, [unit], breaks)}
    while level:
        yield from level
        larger = set()
        for units in level:
            for other in set().union(*(beside[unit] for unit in units)) - units:
                grown = units | {other}
                if grown not in larger and _fits(ground, grown, breaks):
                    larger.add(grown)
        level = larger


def _fits(ground: Ground, units: Collection[int], breaks: int) -> bool:
    """Whether the set is over the maximum less than ``breaks`` times and locked into one grid at most.

    What grows from it is over at least as often and locked into as many.
    """
    band = ground.band[next(iter(units))]
    people_max = band.population_max + (breaks - 1) * max(band.population_max, 1)
    return (
        len({ground.start[unit] for unit in units if ground.locked[unit]}) <= 1
        and sum(ground.counted(unit) for unit in units) <= breaks * band.households_max
        and sum(ground.counted_people(unit) for unit in units) <= people_max
    )


def _is_empty(ground: Ground, unit: int) -> bool:
    band = ground.band[unit]
    people_count = band.population_min > 0 or band.population_max < NO_LIMIT
    return ground.households[unit] == 0 and (ground.population[unit] == 0 or not people_count)


def _without_empty(ground: Ground) -> list[set[int]]:
    """Neighbours among units that count something, those included that can be reached over empty units alone."""
    empty = {unit for unit in range(ground.n) if _is_empty(ground, unit)}
    return [
        {other for one in ground.flood(unit, empty) for other in ground.beside[one]} - empty - {unit}
        if unit not in empty
        else set()
        for unit in range(ground.n)
    ]


def _moat(ground: Ground, core: list[int], breaks: int) -> dict[int, int]:
    """Households of each unit that lie within ``breaks`` maxima and one of the core, counted in households on the way.

    Any way out of the core to where another moat begins passes at least that many of them.
    """
    width = breaks * ground.band[core[0]].households_max + 1
    before: dict[int, int] = {}
    heap = [(0, unit) for unit in core]
    while heap:
        passed, unit = heappop(heap)
        if unit in before or passed >= width:
            continue
        before[unit] = passed
        for other in ground.beside[unit]:
            heappush(heap, (passed + ground.counted(unit), other))
    return {unit: min(ground.counted(unit), width - passed) for unit, passed in before.items()}


def _own_ground(ground: Ground, proof: dict[str, Any]) -> dict[int, int]:
    """Households of each unit that only this core may count."""
    if proof.get("apart_by") == "horizon" and proof.get("horizon") is not None:
        return {unit: ground.counted(unit) for unit in proof["horizon"]}
    return _moat(ground, proof["core"], proof["breaks"])


def _together(
    ground: Ground, members: dict[int, list[int]], cores: list[dict[str, Any]], claimed: list[int]
) -> list[str]:
    """Whether the breaks of the cores add up, and the plan breaks the band around them no more often than that.

    Every core has ground of its own and no core lies in another's. A grid that touches several passes the moats of
    those that have one; within a horizon its parts were counted. If no unit's households belong to two grounds, then
    for each break it is charged with it holds a maximum and more there, so it breaks the band as often as that.
    """
    taken = [0] * ground.n
    in_cores = [unit for core in cores for unit in core["core"]]
    for core in cores:
        for unit, households in _own_ground(ground, core).items():
            taken[unit] += households
            if taken[unit] > ground.counted(unit) or in_cores.count(unit) > (unit in core["core"]):
                return [f"core {core['core'][:5]} and another one may be served by the same grid"]
    broken = {grid: ground.breaks(units) for grid, units in members.items() if grid not in ground.closed}
    broken = {grid: breaks for grid, breaks in broken.items() if breaks}
    touching = [{grid for grid in broken if not set(members[grid]).isdisjoint(core["core"])} for core in cores]
    wrong = []
    for grid in claimed:
        grids, linked = {grid}, set[int]()
        while more := {at for at, grids_at in enumerate(touching) if grids & grids_at} - linked:
            linked |= more
            grids |= {one for at in more for one in touching[at]}
        if sum(broken.get(one, 0) for one in grids) != sum(cores[at]["breaks"] for at in linked):
            wrong.append(f"grid {grid}: the plan breaks the band more often here than is proved")
    return wrong
