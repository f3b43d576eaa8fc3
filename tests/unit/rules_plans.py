"""A plan with no fault on a lattice of square units, and ways to spoil it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import shapely

from geodata.rules import Barriers, Communities, Compounds, Grids, PlanView, Result, Units, check
from geodata.standards import Profile, load

TODAY = date(2026, 11, 23)
COMMUNITY = "110101001001"
SIDE_M = 100.0


def lattice(columns: int, rows: int) -> np.ndarray:
    """Square units, row by row from the south-west, 100 m a side."""
    x, y = np.meshgrid(np.arange(columns) * SIDE_M, np.arange(rows) * SIDE_M)
    return np.asarray(shapely.box(x, y, x + SIDE_M, y + SIDE_M)).ravel()


def codes(numbers: list[int], community: str = COMMUNITY) -> list[str]:
    return [f"{community}{number:03d}" for number in numbers]


def perfect() -> PlanView:
    """Three urban grids of 2 x 2 units, 400 households and 1,000 people each, side by side; every table is given."""
    roads = [shapely.LineString([(x, -50), (x, 250)]) for x in (0, 200, 400, 600)]
    units = Units(
        geometry=lattice(6, 2),
        community=[0] * 12,
        grid=[0, 0, 1, 1, 2, 2] * 2,
        households=[100] * 12,
        population=[250] * 12,
        missing_households=[0] * 12,
        estimated_households=[0] * 12,
        oldest=np.full(12, np.datetime64("2026-06-01")),
        compound=[0] + [-1] * 11,
    )
    return PlanView(
        units,
        Grids(codes([1, 2, 3]), [0, 0, 0], ["basic"] * 3),
        Communities([COMMUNITY], ["urban"], ["幸福社区"], [shapely.box(0, 0, 600, 200)]),
        crs=4547,
        buildings=buildings([(50, 50), (250, 150)], [0, 8]),
        barriers=Barriers.of(roads, "road", "residential"),
        compounds=Compounds(["阳光小区"], [100]),
        misfits=[],
        retired_codes={},
        today=TODAY,
    )


def buildings(centres: list[tuple[float, float]], units: list[int], households: int = 10, half_m: float = 5) -> Any:
    from geodata.rules import Buildings

    shapes = [shapely.box(x - half_m, y - half_m, x + half_m, y + half_m) for x, y in centres]
    return Buildings(shapes, [households] * len(shapes), units)


def with_units(view: PlanView, **columns: Any) -> PlanView:
    return replace(view, units=replace(view.units, **columns))


def with_grids(view: PlanView, **columns: Any) -> PlanView:
    return replace(view, grids=replace(view.grids, **columns))


def found(view: PlanView, rule: str, profile: Profile | str = "national") -> list[Result]:
    """What ``rule`` finds, statements of "not checked" left out."""
    profile = load(profile) if isinstance(profile, str) else profile
    return [result for result in check(view, profile, rules=[rule]) if result.checked]


def codes_found(view: PlanView, rule: str, profile: Profile | str = "national") -> list[str]:
    return [result.code for result in found(view, rule, profile)]
