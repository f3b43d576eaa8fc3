"""What the rules share: the ground of the plan, households against bounds, and the making of results."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from shapely.geometry.base import BaseGeometry

from geodata.problems import Severity
from geodata.rules.ground import Ground
from geodata.rules.result import Result
from geodata.rules.view import Ints, Objects

CLASS_TITLES = {"urban": ("城镇", "urban"), "rural": ("农村", "rural"), "micro": ("微网格", "micro-grid")}


class Context(Ground):
    """The ground of a plan with its households, the bounds of the profile, and the making of results."""

    # --- results -----------------------------------------------------------------------------------------------

    def found(
        self,
        rule: str,
        severity: Severity,
        code: str,
        *,
        grid: int | None = None,
        community: int | None = None,
        value: float | None = None,
        limit: float | None = None,
        geometry: BaseGeometry | None = None,
        reason: str | None = None,
        **params: Any,
    ) -> Result:
        """A result with the labels of its grid and community, and the severity the profile gives the rule."""
        if grid is not None and community is None:
            home = int(self.view.grids.community[grid])
            community = home if home >= 0 else None
        labels = {"grid": self.grid_label(grid), "community": self.community_label(community)}
        override = self.profile.severity.get(rule)
        return Result(
            rule,
            severity if override in (None, "off") else Severity(override),
            code,
            grid,
            community,
            None if value is None else float(value),
            None if limit is None else float(limit),
            geometry,
            reason,
            params=labels | {name: _plain(item) for name, item in params.items()},
        )

    def unchecked(self, rule: str, code: str, **params: Any) -> Result:
        """The statement that ``rule`` was not checked, and why."""
        return Result(rule, Severity.INFO, code, checked=False, params={"rule": rule} | params)

    def grid_label(self, grid: int | None) -> str:
        """The number of a grid within its community where its code has one, else its code or name."""
        if grid is None or grid < 0:
            return ""
        code = str(self.view.grids.code[grid] or "")
        cut = self.profile.code.prefix_length
        if len(code) > cut and code.isdigit():
            return code[cut:]
        name = "" if self.view.grids.name is None else self.view.grids.name[grid]
        return code or str(name or grid + 1)

    def other_label(self, grid: int, beside: int | None) -> str:
        """The label of a grid, with its community where that is not the one of the grid ``beside`` it."""
        home = self.view.grids.community
        same = beside is not None and home[grid] == home[beside]
        return ("" if same else self.community_label(int(home[grid]))) + self.grid_label(grid)

    def community_label(self, community: int | None) -> str:
        """Name of a community, else its code."""
        if community is None or community < 0:
            return ""
        table = self.view.communities
        name = "" if table.name is None else table.name[community]
        return str(name or table.code[community])

    # --- households and bounds -------------------------------------------------------------------------------

    @cached_property
    def households(self) -> Ints:
        """(g,) households."""
        return self.per_grid(self.view.units.households)

    @cached_property
    def class_(self) -> Objects:
        """(g,) the class whose bounds hold: "urban", "rural", "micro", or "" where none does."""
        home = self.view.grids.community
        named = np.append(self.view.communities.class_, "")[np.where(home >= 0, home, -1)]
        classes = np.where(self.micro, "micro", np.where(self.special, "", named))
        known = np.array([self.profile.bound(c) is not None for c in classes], dtype=bool)
        return np.where(known, classes, "").astype(object)

    @cached_property
    def limits(self) -> Ints:
        """(g, 2) least and most households, both -1 where no bound holds."""
        bounds = {c: (b.households_min, b.households_max) for c in CLASS_TITLES if (b := self.profile.bound(c))}
        return np.array([bounds.get(c, (-1, -1)) for c in self.class_], dtype=np.int64).reshape(-1, 2)

    def class_titles(self, grid: int) -> dict[str, Any]:
        """Parameters ``class_zh`` and ``class_en`` for a sentence."""
        zh, en = CLASS_TITLES.get(self.class_[grid], ("", ""))
        return {"class_zh": zh, "class_en": en}


def _plain(value: Any) -> Any:
    """NumPy scalars as Python ones, so that parameters are JSON types."""
    return value.item() if isinstance(value, np.generic) else value
