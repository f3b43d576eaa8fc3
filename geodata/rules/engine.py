"""All rules over a plan, the status of each grid, and the bounds that hold for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geodata.errors import GeodataError
from geodata.rules import borders, codes, counts, cover, cuts, data, later, micro, pieces, place, shape
from geodata.rules.context import Context
from geodata.rules.result import Result
from geodata.rules.view import Ints, PlanView
from geodata.standards import Profile


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its id in the standard's table and the function that yields its results."""

    id: str
    run: Callable[[Context], Iterator[Result]]


RULES: tuple[Rule, ...] = (
    Rule("R01", counts.r01_households),
    Rule("R02", counts.r02_population),
    Rule("R03", cover.r03_gaps),
    Rule("R04", cover.r04_overlaps),
    Rule("R05", place.r05_one_community),
    Rule("R06", pieces.r06_one_piece),
    Rule("R07", cuts.r07_buildings_whole),
    Rule("R08", cuts.r08_compounds_whole),
    Rule("R09", borders.r09_follows_barriers),
    Rule("R10", cover.r10_buildings),
    Rule("R11", later.r11_special_purpose),
    Rule("R12", later.r12_workers),
    Rule("R13", codes.r13_codes),
    Rule("R14", codes.r14_validity),
    Rule("R15", shape.r15_shape),
    Rule("R16", micro.r16_micro_grids),
    Rule("R17", later.r17_balance),
    Rule("R18", data.r18_data),
    Rule("R19", data.r19_geometry),
)


def check(
    view: PlanView,
    profile: Profile,
    *,
    only: Iterable[int] | None = None,
    rules: Iterable[str] | None = None,
) -> list[Result]:
    """Results of all ``rules`` (ids; default all) in the order of their ids.

    With ``only`` (indices of the grids a change touched) just the results of those grids, and those without a grid of
    the communities they lie in, are found again: exactly what a full check would say of them. Rules that are not
    checked are named only by a full check. Raises ``GeodataError`` for an unknown rule (``RULES_UNKNOWN``) and for
    coordinates in degrees (``RULES_NOT_METRIC``).
    """
    chosen = _chosen(rules)
    _require_metric(view)
    if only is None:
        return list(_results(chosen, Context(view, profile)))
    wanted = np.zeros(len(view.grids), dtype=bool)
    wanted[list(only)] = True
    near, numbers, communities = _focus(view, wanted)
    return [
        result
        for result in _results(chosen, Context(near, profile, wanted, numbers))
        if (wanted[result.grid] if result.grid is not None else result.community in communities)
    ]


def status(view: PlanView, profile: Profile) -> NDArray[np.str_]:
    """Status (g,) of each grid by its households: "under", "within", "over", "empty" (none), "unchecked" (no bound)."""
    ctx = Context(view, profile)
    low, high = ctx.limits.T
    count = ctx.households
    conditions = [low < 0, count == 0, count < low, count > high]
    return np.select(conditions, ["unchecked", "empty", "under", "over"], "within")


def limits(view: PlanView, profile: Profile) -> Ints:
    """Least and most households (g, 2) of each grid by its class; -1, -1 where the profile has no bound for it."""
    return Context(view, profile).limits


def _chosen(rules: Iterable[str] | None) -> tuple[Rule, ...]:
    if rules is None:
        return RULES
    asked = set(rules)
    for unknown in sorted(asked - {rule.id for rule in RULES}):
        raise GeodataError("RULES_UNKNOWN", rule=unknown, known=", ".join(rule.id for rule in RULES))
    return tuple(rule for rule in RULES if rule.id in asked)


def _require_metric(view: PlanView) -> None:
    if view.crs is None:
        return  # R19 says so
    from pyproj import CRS

    if not CRS.from_user_input(view.crs).is_projected:
        raise GeodataError("RULES_NOT_METRIC", crs=str(view.crs)[:80])


def _results(chosen: Iterable[Rule], ctx: Context) -> Iterator[Result]:
    for rule in chosen:
        if ctx.profile.severity.get(rule.id) == "off":
            titles = {"title_zh": ctx.profile.title_zh, "title_en": ctx.profile.title_en}
            yield ctx.unchecked(rule.id, "RULE_OFF", **titles)
        else:
            yield from rule.run(ctx)


def _focus(view: PlanView, wanted: NDArray[np.bool_]) -> tuple[PlanView, Ints, set[int]]:
    """The view with only the units that bear on the ``wanted`` grids, their numbers, and the communities concerned.

    Whole communities are kept, and their grids with them, so that islands and sums come out as in the whole plan.
    """
    units, grids = view.units, view.grids
    parent = np.full(len(grids), -1) if grids.parent is None else grids.parent
    family = wanted | np.append(wanted, False)[parent]
    family[parent[wanted & (parent >= 0)]] = True
    mine = np.append(family, False)[units.grid]
    communities = np.union1d(units.community[mine], grids.community[wanted])
    inside = np.isin(units.community, communities)
    keep = inside | (np.isin(units.grid, units.grid[inside]) & (units.grid >= 0))
    buildings = view.buildings
    if buildings is not None:
        number = np.append(np.where(keep, np.cumsum(keep) - 1, -1), -1)
        buildings = buildings.take(np.append(keep, False)[buildings.unit])
        buildings = replace(buildings, unit=number[buildings.unit])
    near = replace(view, units=units.take(keep), buildings=buildings)
    return near, np.flatnonzero(keep), set(communities.tolist()) - {-1}
