"""The ground of a plan: who holds which unit, shared borders, connected pieces, unions; each computed once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geodata.adjacency import SharedBorders, components, shared_borders
from geodata.rules.repair import dissolved, given_rows, mended
from geodata.rules.view import Ints, Objects, PlanView
from geodata.standards import Profile


class Ground:
    """A plan view, a profile, and what follows from the two.

    ``wanted`` (g,) says which grids are asked for; ``unit_number`` (n,) is the index of each unit in the whole plan.
    """

    def __init__(
        self,
        view: PlanView,
        profile: Profile,
        wanted: NDArray[np.bool_] | None = None,
        unit_number: Ints | None = None,
    ) -> None:
        self.view = view
        self.profile = profile
        self.n_grids = len(view.grids)
        self.wanted = np.ones(self.n_grids, dtype=bool) if wanted is None else wanted
        self.unit_number = np.arange(len(view.units)) if unit_number is None else unit_number

    @cached_property
    def micro(self) -> NDArray[np.bool_]:
        """(g,) True for micro-grids."""
        return np.asarray(self.view.grids.kind == "micro", dtype=bool)

    @cached_property
    def special(self) -> NDArray[np.bool_]:
        """(g,) True for special-purpose grids."""
        return np.asarray(self.view.grids.kind == "special", dtype=bool)

    @cached_property
    def parent(self) -> Ints:
        """(g,) the grid that a micro-grid lies in, the grid itself for all others."""
        own = np.arange(self.n_grids)
        given = self.view.grids.parent
        if given is None:
            return own
        held = self.micro & (given >= 0) & (given < self.n_grids)
        return np.where(held, given, own)

    @cached_property
    def top(self) -> Ints:
        """(n,) the basic or special-purpose grid of each unit, -1 unassigned."""
        leaf = self.view.units.grid
        return np.where(leaf >= 0, self.parent[leaf] if self.n_grids else -1, -1)

    def per_grid(self, values: NDArray[Any]) -> NDArray[Any]:
        """Sum (g,) of ``values`` (n,) over the units of each grid; a parent holds the units of its micro-grids."""
        leaf, top = self.view.units.grid, self.top
        inside = leaf >= 0
        total = np.bincount(top[inside], weights=values[inside], minlength=self.n_grids)
        below = inside & (leaf != top)
        total += np.bincount(leaf[below], weights=values[below], minlength=self.n_grids)
        return total if np.asarray(values).dtype.kind == "f" else total.astype(np.int64)

    def pick(self, mask: NDArray[np.bool_]) -> Iterator[int]:
        """Indices of the wanted grids where ``mask`` (g,) holds."""
        return iter(np.flatnonzero(mask & self.wanted).tolist())

    @cached_property
    def geometry(self) -> Objects:
        """(n,) geometry of the units, mended where it is not valid, so that no rule fails for R19's sake."""
        return mended(self.view.units.geometry)

    @cached_property
    def area_m2(self) -> NDArray[np.float64]:
        """(n,) area of the units."""
        return np.asarray(shapely.area(self.geometry), dtype=np.float64)

    @cached_property
    def borders(self) -> SharedBorders:
        """All pieces of border between two units."""
        return shared_borders(self.geometry)

    @cached_property
    def inner(self) -> SharedBorders:
        """The pieces of border between two different grids of one community."""
        i, j = self.borders.i, self.borders.j
        community = self.view.units.community
        here = (self.top[i] != self.top[j]) & (self.top[i] >= 0) & (self.top[j] >= 0)
        return self.borders.take(here & (community[i] == community[j]))

    @cached_property
    def pieces(self) -> Ints:
        """(n,) label of the connected piece of its grid (basic or special) that a unit lies in."""
        i, j = self.borders.i, self.borders.j
        together = (self.top[i] == self.top[j]) & (self.top[i] >= 0)
        return components(len(self.top), i[together], j[together])

    @cached_property
    def islands(self) -> Ints:
        """(n,) label of the connected piece of its community that a unit lies in, whatever the grids."""
        i, j = self.borders.i, self.borders.j
        community = self.view.units.community
        together = community[i] == community[j]
        return components(len(self.top), i[together], j[together])

    @cached_property
    def island_households(self) -> Ints:
        """(islands,) households that basic grids share out, by label of :attr:`islands`."""
        special = np.append(self.special, False)[self.top]
        weights = np.where(special, 0, self.view.units.households)
        return np.bincount(self.islands, weights=weights).astype(np.int64)

    @cached_property
    def _members(self) -> tuple[Ints, Ints]:
        order = np.argsort(self.top, kind="stable")
        return order, np.searchsorted(self.top[order], np.arange(self.n_grids + 1))

    @cached_property
    def size(self) -> Ints:
        """(g,) number of units; a parent holds those of its micro-grids."""
        return self.per_grid(np.ones(len(self.top), dtype=np.int64))

    def units_of(self, grid: int) -> Ints:
        """Indices of the units of a grid; those of its micro-grids belong to it."""
        if self.parent[grid] != grid:
            return np.flatnonzero(self.view.units.grid == grid)
        order, first = self._members
        return order[first[grid] : first[grid + 1]]

    def apart(self, units: Ints, piece: Ints) -> Ints:
        """Those of ``units`` outside their largest piece (by area, of equals by households); ``piece`` (n,) labels."""
        _, label = np.unique(piece[units], return_inverse=True)
        area_m2 = np.bincount(label, weights=self.area_m2[units]).round(3)
        households = np.bincount(label, weights=self.view.units.households[units])
        largest = int(np.lexsort((households, area_m2))[-1])
        return np.asarray(units[label != largest], dtype=np.int64)

    def union(self, units: Ints) -> BaseGeometry:
        """The ground of some units as one geometry."""
        return dissolved(self.geometry[units])

    @cached_property
    def polygons(self) -> Objects:
        """(g,) union of the units of each wanted basic or special grid; None for micro-grids and empty ones."""
        polygons = np.full(self.n_grids, None, dtype=object)
        for grid in self.pick(~self.micro):
            units = self.units_of(grid)
            if len(units):
                polygons[grid] = dissolved(self.geometry[units])
        return polygons

    @cached_property
    def bounds(self) -> NDArray[np.float64]:
        """(g, 4) extent of the units of each grid; inf, inf, -inf, -inf where it has none."""
        box = shapely.bounds(self.geometry)
        extent = np.tile([np.inf, np.inf, -np.inf, -np.inf], (self.n_grids, 1))
        for holder in (self.view.units.grid, self.top):
            held = holder >= 0
            np.minimum.at(extent[:, :2], holder[held], box[held, :2])
            np.maximum.at(extent[:, 2:], holder[held], box[held, 2:])
        return extent

    @cached_property
    def drawn(self) -> NDArray[np.bool_]:
        """(g,) True where the given geometry differs from the union of the units, in area or in extent."""
        given = self.view.grids.geometry
        if given is None:
            return np.zeros(self.n_grids, dtype=bool)
        sliver_m2 = self.profile.data.sliver_m2
        differs = ~(np.abs(shapely.area(given) - self.per_grid(self.area_m2)) <= sliver_m2)
        with np.errstate(invalid="ignore"):
            differs |= ~(np.abs(shapely.bounds(given) - self.bounds) <= 0.5).all(axis=1)
        return np.asarray(given_rows(given) & differs, dtype=bool)
