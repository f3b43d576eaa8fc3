"""What a redraw of a file reports, as JSON data in the names of the file: grids, violations with proofs, cost."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from geodata.redraw.measure import STATUS, Measured, measure
from geodata.redraw.model import NO_LIMIT, PARTS, Instance, Ints
from geodata.redraw.result import Redrawn, Violation
from geodata.redraw.robust import Robustness
from geodata.redraw.task import Task

#: Of the report; it changes when a key is renamed or means something else.
FORMAT = 1

#: Keys of a proof that hold units by index.
_UNIT_KEYS = frozenset({"core", "units", "unit", "members"})


def report(task: Task, redrawn: Redrawn, *, version: str, **more: Any) -> dict[str, Any]:
    """The report of one redraw; ``more`` adds keys (robustness, front).

    Units in proofs are named as in the file. Lengths in metres, ``polsby_popper`` 0 to 1, ``objective`` by part as
    value, weight and cost (their product).
    """
    names = task.grid_names(redrawn.plan)
    moved = moved_households(task.instance, redrawn.plan)
    return {
        "format": FORMAT,
        "version": version,
        "instance": instance_summary(task),
        "summary": plan_summary(redrawn.plan, redrawn.measured) | _left(redrawn),
        "households_moved": moved,
        "objective": objective(task.instance, redrawn.measured),
        "score": score(redrawn.measured),
        "violations": sorted((violation(task, names, found) for found in redrawn.violations), key=_by_grid),
        "certificate": [
            {
                "size": made.size,
                "neighbourhoods": made.neighbourhoods,
                "proved": made.proved,
                "open": made.open,
                "complete": made.complete,
            }
            for made in redrawn.certificates
        ],
        "seed": redrawn.seed,
        "moves": redrawn.moves,
        "seconds": round(redrawn.seconds, 3),
        "moves_per_second": round(redrawn.moves_per_second, 1),
        "stopped": redrawn.stopped,
        "notes": plain(redrawn.notes),
        "borders": _named_units(task, task.built.summary()),
        **more,
        "grids": grid_rows(task, redrawn.plan, redrawn.measured),
    }


def as_json(document: Mapping[str, Any]) -> bytes:
    """The report as UTF-8 JSON; numbers that are none become null."""
    return (json.dumps(plain(document), ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def instance_summary(task: Task) -> dict[str, Any]:
    """What was to be redrawn: units, households, people, bands, start plan and locks."""
    instance, units = task.instance, task.instance.units
    bands = {
        name: {
            "households_min": band.households_min,
            "households_max": band.households_max,
            "population_min": band.population_min,
            "population_max": None if band.population_max >= NO_LIMIT else band.population_max,
        }
        for name, band in zip(task.classes, instance.bands, strict=True)
    }
    return {
        "units": len(units),
        "households": int(units.households.sum()),
        "population": int(units.population.sum()),
        "groups": len(task.groups),
        "bands": bands,
        "units_over_maximum": int((units.households > _maximum(instance)).sum()),
        "empty_units": int((units.households == 0).sum()),
        "start_grids": len(task.grids),
        "locked_units": int(instance.locked.sum()),
        "locked_grids": [task.grids[grid] for grid in sorted(instance.closed)],
        "before": plan_summary(instance.start, measure(instance, instance.start)) if task.grids else None,
    }


def variant(task: Task, redrawn: Redrawn) -> dict[str, Any]:
    """One plan of several in a few numbers."""
    return {
        **plan_summary(redrawn.plan, redrawn.measured),
        **_left(redrawn),
        "households_moved": moved_households(task.instance, redrawn.plan),
        "score": score(redrawn.measured),
    }


def robustness_rows(names: Mapping[int, str], made: Robustness) -> dict[str, Any]:
    """How often grids, by name, stay in the band when counts change; shares 0 to 1."""
    columns = (made.grid.tolist(), made.in_band.tolist(), made.in_band_alone.tolist())
    return {
        "scenarios": made.scenarios,
        "spread": made.spread,
        "all_in_band": made.all_in_band,
        "all_in_band_alone": made.all_in_band_alone,
        "mean_in_band": made.mean_in_band,
        "grids": [
            {"grid": names[grid], "in_band": share, "in_band_alone": alone}
            for grid, share, alone in zip(*columns, strict=True)
        ],
    }


def plan_summary(plan: Ints, measured: Measured) -> dict[str, Any]:
    """A plan in a few numbers."""
    grids = measured.grids
    return {
        "grids": len(grids.grid),
        "in_band": int((grids.status == 0).sum()),
        "under": int((grids.status == 1).sum()),
        "over": int((grids.status == 2).sum()),
        "in_pieces": int((grids.pieces > 1).sum()),
        "households_outside": round(measured.score.outside, 3),
        "mean_polsby_popper": round(float(grids.polsby_popper.mean()), 4) if len(grids.grid) else None,
        "unassigned_units": int((plan < 0).sum()),
    }


def grid_rows(task: Task, plan: Ints, measured: Measured) -> list[dict[str, Any]]:
    """One row a grid, by name."""
    grids, names = measured.grids, task.grid_names(plan)
    rows = [
        {
            "grid": names[int(grids.grid[slot])],
            "group": task.groups[int(grids.group[slot])],
            "class": task.classes[int(grids.kind[slot])],
            "households": int(grids.households[slot]),
            "population": int(grids.population[slot]),
            "units": int(grids.units[slot]),
            "pieces": int(grids.pieces[slot]),
            "polsby_popper": round(float(grids.polsby_popper[slot]), 4),
            "area_m2": round(float(grids.area_m2[slot]), 1),
            "perimeter_m": round(float(grids.perimeter_m[slot]), 1),
            "workload": round(float(grids.workload[slot]), 3),
            "status": STATUS[int(grids.status[slot])],
            "new": int(grids.grid[slot]) >= task.instance.n_start,
        }
        for slot in range(len(grids.grid))
    ]
    return sorted(rows, key=lambda row: str(row["grid"]))


def violation(task: Task, names: Mapping[int, str], found: Violation) -> dict[str, Any]:
    """A violation with its proof, units and grid named as in the file."""
    return {
        "grid": names.get(found.grid, ""),
        "kind": found.kind,
        "avoidable": found.avoidable,
        "households": found.households,
        "population": found.population,
        "proof": None if found.proof is None else _named_units(task, found.proof),
    }


def objective(instance: Instance, measured: Measured) -> dict[str, dict[str, float]]:
    """Value, weight and cost of each part of the objective."""
    parts = measured.score.parts
    return {
        part: {
            "value": round(parts[part], 4),
            "weight": float(weight),
            "cost": round(parts[part] * float(weight), 6),
        }
        for part, weight in zip(PARTS, instance.weights.array(), strict=True)
    }


def score(measured: Measured) -> dict[str, float]:
    """What plans are compared by, first to last."""
    found = measured.score
    return {"excess": found.excess, "outside": round(found.outside, 4), "total": round(found.total, 6)}


def moved_households(instance: Instance, plan: Ints) -> int:
    """Households whose grid is another one than in the start plan."""
    return int(instance.units.households[(instance.start >= 0) & (plan != instance.start)].sum())


def plain(value: Any) -> Any:
    """``value`` in JSON's own types; NaN and infinities become None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, str | bytes):
        return [plain(item) for item in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value if value is None or isinstance(value, str | int | bool) else str(value)


def _named_units(task: Task, data: Mapping[str, Any]) -> dict[str, Any]:
    """``data`` with units by name wherever it has them by index."""
    return {key: _named_value(task, key, value) for key, value in data.items()}


def _named_value(task: Task, key: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return _named_units(task, value)
    if key in _UNIT_KEYS or key.startswith("without_"):
        return [task.units[int(unit)] for unit in value] if isinstance(value, list | tuple) else task.units[int(value)]
    if isinstance(value, list | tuple):
        return [_named_value(task, "", item) for item in value]
    return value


def _left(redrawn: Redrawn) -> dict[str, int]:
    """Violations that are left: not proved to be unavoidable, and proved."""
    avoidable = sum(found.avoidable for found in redrawn.violations)
    return {"avoidable": avoidable, "unavoidable": len(redrawn.violations) - avoidable}


def _by_grid(row: dict[str, Any]) -> tuple[str, str]:
    return (row["grid"], row["kind"])


def _maximum(instance: Instance) -> Ints:
    return np.array([band.households_max for band in instance.bands], dtype=np.int64)[instance.units.kind]
