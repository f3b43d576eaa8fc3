"""What came of a redraw in numbers and sentences: before and after, what is still wrong, why it cannot be helped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from geodata import messages
from geodata.redraw.measure import Measured, limits, measure
from geodata.redraw.model import Instance, Ints
from geodata.redraw.result import Certificate, Violation
from gridmap.services.redraw.ground import Ground


def standing(instance: Instance, plan: Ints, measured: Measured | None = None) -> dict[str, Any]:
    """How a plan stands, as JSON types: grids in the band, below, above, in pieces; households outside; compactness."""
    grids = (measured := measured or measure(instance, plan)).grids
    compact = grids.polsby_popper[grids.households > 0]
    return {
        "grids": len(grids.grid),
        "in_band": int((grids.status == 0).sum()),
        "under": int((grids.status == 1).sum()),
        "over": int((grids.status == 2).sum()),
        "pieces": int((grids.pieces > 1).sum()),
        "households": int(instance.units.households.sum()),
        "households_outside": round(measured.score.outside),
        "unassigned": int((plan < 0).sum()),
        "compactness": round(float(compact.mean()), 4) if len(compact) else 0.0,
        "parts": {name: round(value, 3) for name, value in measured.score.parts.items()},
    }


def moved(instance: Instance, plan: Ints) -> dict[str, int]:
    """Units and households whose grid differs from the start plan; those that had none are not moved but placed."""
    elsewhere = (instance.start >= 0) & (plan != instance.start)
    return {"units_moved": int(elsewhere.sum()), "households_moved": int(instance.units.households[elsewhere].sum())}


def certificates(found: Iterable[Certificate]) -> list[dict[str, Any]]:
    """How far it is proved that no re-split improves the plan, as JSON types."""
    return [
        {"size": one.size, "neighbourhoods": one.neighbourhoods, "proved": one.proved, "open": one.open}
        for one in found
    ]


def violations(
    ground: Ground, plan: Ints, found: Iterable[Violation], codes: Mapping[int, str], names: Mapping[int, str]
) -> list[dict[str, Any]]:
    """What is still wrong, as JSON types: grid, numbers, the code of the reason with its numbers, and the proof.

    The proof names units by their place in the ground (communities by code, units by number); ``unit_ids`` are theirs.
    """
    kinds = ground.instance.units.kind
    told = []
    for one in found:
        kind = kinds[np.flatnonzero(plan == one.grid)[:1]]
        low, high, _, people = (int(value[0]) for value in limits(ground.instance, kind))
        numbers = {
            "households": one.households,
            "population": one.population,
            "low": low,
            "high": high,
            "people": people,
        }
        reason, params = _reason(ground, one, numbers)
        core = [] if one.proof is None else one.proof.get("core", one.proof.get("units", []))
        told.append(
            {
                "grid": codes[one.grid],
                "name": names[one.grid],
                "kind": one.kind,
                "avoidable": one.avoidable,
                **numbers,
                "reason": reason,
                "params": params,
                "proof": one.proof,
                "unit_ids": ground.unit_ids[core].tolist(),
            }
        )
    return told


def summary(plan_id: int, name: str, detail: Mapping[str, Any]) -> dict[str, Any]:
    """The short of it, from what the birth of a proposal says: what a job ends with and lists show."""
    told = ("region", "region_name", "before", "after", "units_moved", "households_moved", "moves", "seconds", "seed")
    found = detail["violations"]
    return {
        "plan_id": plan_id,
        "name": name,
        "new": len(detail["new"]),
        "gone": len(detail["gone"]),
        "base_changed": detail["base_version_now"] != detail["base_version"],
        "avoidable": sum(one["avoidable"] for one in found),
        "unavoidable": sum(not one["avoidable"] for one in found),
        **{key: detail[key] for key in told},
    }


def sentence(violation: Mapping[str, Any], locale: str) -> str:
    """Why a grid is still outside the standard, in ``locale``."""
    return messages.sentence(violation["reason"], locale, **violation["params"])


def _reason(ground: Ground, one: Violation, numbers: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    proof = one.proof
    if one.avoidable or proof is None:
        return "REDRAWN_NOT_PROVED", {}
    units, kind = ground.instance.units, proof["kind"]
    if kind == "locked":
        return ("REDRAWN_CLOSED" if proof.get("closed") else "REDRAWN_LOCKED"), {}
    if kind == "unit_over_maximum":
        at = int(np.argmax(units.households[proof["units"]]))
        largest = {"unit_households": proof["households"][at], "unit_population": proof["population"][at]}
        over = largest["unit_households"] > numbers["high"]
        return ("REDRAWN_UNIT_OVER" if over else "REDRAWN_UNIT_CROWDED"), largest | numbers
    core = proof["core"]
    here = {"units": len(core), "core_households": int(units.households[core].sum())} | numbers
    if kind == "pocket_total":
        return _pocket(proof, here)
    return ("REDRAWN_ENCLOSED" if kind == "enclosed" else "REDRAWN_EXHAUSTED"), here


def _pocket(proof: Mapping[str, Any], here: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The ground holds too few for one grid, or too many for some and too few for one more."""
    fewer, more = proof["fewer"], proof["more"]
    total = here | {"total": proof["households"], "total_people": proof["population"]}
    if fewer is None and proof["households"] < here["low"]:
        return "REDRAWN_FEW", total
    if fewer is not None and fewer["households_over"] > 0 and more["households_under"] > 0:
        return "REDRAWN_NO_NUMBER", total | {"fewer": fewer["grids"], "more": more["grids"]}
    return "REDRAWN_NO_NUMBER_OF_PEOPLE", total
