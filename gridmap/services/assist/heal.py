"""Healing a grid: up to three ranked repairs, or why there is none; what is wrong, who beside it has room."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from geodata.messages import sentence
from geodata.redraw.result import Violation
from gridmap.services.actor import Actor
from gridmap.services.assist.at import around
from gridmap.services.assist.suggest import Names, Suggestion, suggest
from gridmap.services.redraw.ground import Ground

_PROOF_S = 0.03
_SEARCH_S = 0.1


@dataclass(frozen=True, slots=True)
class Repair:
    """A repair; ``left``: codes of grids beside the healed one that stay as wrong as they are."""

    suggestion: Suggestion
    left: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cure:
    """Repairs, fewest households first; with none of them the ``reason``. ``why``: the explanation, in sentences.

    ``explanation``: what is wrong as data, None where nothing is; its neighbours are grid ids with room for households.
    """

    repairs: tuple[Repair, ...]
    reason: str | None
    why: tuple[str, ...]
    explanation: dict[str, Any] | None


def heal(actor: Actor, plan_id: int, version: int, grid_id: int) -> Cure:
    """Repairs of a grid and those beside it. Raises as :func:`gridmap.services.assist.at.around`."""
    from geodata.redraw.heal import heal as repairs_of
    from geodata.redraw.proofs import violations

    ground, grid = around(actor, plan_id, version, grid_id)
    instance, locale = ground.instance, actor.locale
    known = violations(instance, instance.start, budget_s=_PROOF_S)
    found = repairs_of(instance, instance.start, grid, known=known, seconds=_SEARCH_S)
    told = []
    for one in found.repairs:
        suggestion = suggest(ground, one.plan, locale)
        names = Names(ground, one.plan, locale)
        if one.left:
            rest = sentence("ASSIST_LEFT", locale, grids=names.listed(one.left))
            suggestion = replace(suggestion, sentences=(*suggestion.sentences, rest))
        told.append(Repair(suggestion, tuple(names.code(beside) for beside in one.left)))
    names = Names(ground, instance.start, locale)
    reason = None
    if found.reason is not None:
        reason = replace(found.reason, params={**found.reason.params, "grid": names.short(grid)}).sentence(locale)
    why, data = _explained(ground, grid, known, names)
    return Cure(tuple(told), reason, why, data)


def _explained(
    ground: Ground, grid: int, known: list[Violation], names: Names
) -> tuple[tuple[str, ...], dict[str, Any] | None]:
    """Why a grid is not as it should be, in words and as data; nothing where it is."""
    from geodata.redraw.explain import explain

    found = next(
        (one for one in explain(ground.instance, ground.instance.start, known=known) if one.grid == grid), None
    )
    if found is None:
        return (), None
    short: Any = names.short(grid)
    data = found.data() | {"grid": names.ref(grid), "code": names.code(grid)}
    data["neighbours"] = [
        {**one, "grid": names.ref(one["grid"]), "code": names.code(one["grid"])} for one in data["neighbours"]
    ]
    data["proof"] = None if found.proof is None else found.proof["kind"]
    del data["repair"]
    return tuple(replace(found, grid=short).sentences(names.locale)), data
