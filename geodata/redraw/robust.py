"""How well a plan bears that households come and go: how often its grids stay in the band in many scenarios of counts.

Every scenario multiplies the households of each unit by a factor of its own and, where the whole ground grows or
shrinks together, by one factor for all (Monte Carlo). People follow the households of their unit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geodata.errors import GeodataError
from geodata.redraw.measure import limits
from geodata.redraw.model import Bools, Floats, Instance, Ints

_ROOM = 2_000_000  # factors held at once: 8 MB


@dataclass(frozen=True, slots=True)
class Robustness:
    """Shares of scenarios, 0 to 1, by grid (k,) in ascending order of ``grid``, and of the whole plan.

    ``in_band``: the grid is in the band when units vary by themselves and all together; ``in_band_alone``: when only
    units vary by themselves, so that gains and losses even out. ``all_in_band``, ``all_in_band_alone``: every grid of
    the plan is. ``mean_in_band``: share of grids in the band, over all scenarios of the first sort.
    """

    grid: Ints
    in_band: Floats
    in_band_alone: Floats
    all_in_band: float
    all_in_band_alone: float
    mean_in_band: float
    scenarios: int
    spread: float
    seed: int


def robustness(
    instance: Instance,
    plan: Ints,
    *,
    scenarios: int = 1000,
    seed: int = 1,
    spread: float = 0.10,
    growth: Floats | None = None,
) -> Robustness:
    """Shares of ``scenarios`` in which the grids of ``plan`` (n,) stay in the band.

    Factors are drawn evenly from ``1 - spread`` to ``1 + spread``, one for each unit and one for all; ``growth`` (n,)
    is what is expected of each unit anyway (1.2: a fifth more). Sums are rounded to whole households. Units in no grid
    count nowhere. Raises ``REDRAW_SPREAD`` and, for a growth that is negative or no number, ``REDRAW_COUNT``.
    """
    expected = _expected(instance, growth)
    if not 0 <= spread < 1 or scenarios < 1:
        raise GeodataError("REDRAW_SPREAD", spread=spread, scenarios=scenarios)
    held = np.flatnonzero(plan >= 0)
    order = held[np.argsort(plan[held], kind="stable")]
    grid, first = np.unique(plan[order], return_index=True)
    bounds = limits(instance, instance.units.kind[order[first]])
    weights = [(instance.units.households * expected)[order].astype(np.float32)]
    if instance.units.population.any():
        weights.append((instance.units.population * expected)[order].astype(np.float32))
    own, common = (np.random.default_rng([seed, part]) for part in (0, 1))
    together, alone = np.zeros(len(grid), dtype=np.int64), np.zeros(len(grid), dtype=np.int64)
    whole = whole_alone = 0
    rows = max(_ROOM // max(len(order), 1), 1)
    for at in range(0, scenarios, rows):
        count = min(rows, scenarios - at)
        factor = own.random((count, len(order)), dtype=np.float32)
        factor *= np.float32(2 * spread)
        factor += np.float32(1 - spread)
        sums = [_sums(factor, weight, first) for weight in weights]
        stays = _in_band(sums, bounds)
        alone += stays.sum(axis=0)
        whole_alone += int(stays.all(axis=1).sum())
        all_of_it = common.uniform(1 - spread, 1 + spread, (count, 1))
        stays = _in_band([values * all_of_it for values in sums], bounds)
        together += stays.sum(axis=0)
        whole += int(stays.all(axis=1).sum())
    return Robustness(
        grid=grid,
        in_band=together / scenarios,
        in_band_alone=alone / scenarios,
        all_in_band=whole / scenarios,
        all_in_band_alone=whole_alone / scenarios,
        mean_in_band=float(together.mean() / scenarios) if len(grid) else 1.0,
        scenarios=scenarios,
        spread=spread,
        seed=seed,
    )


def _expected(instance: Instance, growth: Floats | None) -> Floats:
    """The expected factor (n,) of each unit."""
    n = len(instance.units)
    if growth is None:
        return np.ones(n)
    expected = np.asarray(growth, dtype=np.float64)
    if len(expected) != n:
        raise GeodataError("REDRAW_LENGTH", column="growth", rows=len(expected), units=n)
    wrong = ~np.isfinite(expected) | (expected < 0)
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise GeodataError("REDRAW_COUNT", row=at, column="growth", value=str(expected[at]), rows=int(wrong.sum()))
    return expected


def _sums(factor: NDArray[np.float32], weight: NDArray[np.float32], first: Ints) -> Floats:
    """Sum of ``factor * weight`` by grid: scenarios down, grids across; grids start at the columns ``first``."""
    if not len(first):
        return np.zeros((len(factor), 0))
    return np.asarray(np.add.reduceat(factor * weight, first, axis=1), dtype=np.float64)


def _in_band(sums: list[Floats], bounds: tuple[Ints, Ints, Ints, Ints]) -> Bools:
    """Which grids are in the band, in each scenario; ``sums``: households and, if any are known, people."""
    low, high, people_low, people_high = bounds
    households = np.rint(sums[0])
    stays = (households >= low) & (households <= high)
    people = np.rint(sums[1]) if len(sums) > 1 else np.zeros_like(households)
    return np.asarray(stays & (people >= people_low) & (people <= people_high), dtype=bool)
