"""Codes and names of new grids: the next free number of their community, never one in use or retired."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from geodata.redraw.model import Ints
from gridmap.services.redraw.ground import Ground


@dataclass(frozen=True, slots=True)
class NewGrid:
    """A grid that the start plan has not: its number in the result, code and name."""

    number: int
    code: str
    name: str


def new_grids(ground: Ground, plan: Ints, used: set[str]) -> tuple[NewGrid, ...]:
    """The new grids of ``plan`` (n,), numbered in each community from west to east, north first where they are level.

    Numbers go on after the highest in ``used``; past the standard's last number the lowest free one is taken.
    """
    units = ground.instance.units
    numbers, first, of = np.unique(plan, return_index=True, return_inverse=True)
    people = np.maximum(units.households, 1).astype(np.float64)
    weight = np.bincount(of, people)
    x_m, y_m = (np.bincount(of, people * units.xy_m[:, axis]) / weight for axis in (0, 1))
    free = _Numbers(ground, used)
    found = []
    for k in np.lexsort((-y_m, x_m, units.group[first])):
        if numbers[k] >= ground.instance.n_start:
            group = int(units.group[first[k]])
            number, code = free.take(ground.codes[group])
            found.append(NewGrid(int(numbers[k]), code, f"{ground.names[group]}第{number}网格"))
    return tuple(found)


class _Numbers:
    """The numbers taken in each community, by the standard's form of codes."""

    def __init__(self, ground: Ground, used: set[str]) -> None:
        self.form = ground.profile.code
        self.taken: dict[str, set[int]] = defaultdict(set)
        for code in used:
            if len(code) == self.form.length and code.isascii() and code.isdigit():
                self.taken[code[: self.form.prefix_length]].add(int(code[self.form.prefix_length :]))

    def take(self, community: str) -> tuple[int, str]:
        """The next number of a community, and its code."""
        form = self.form
        prefix = community[: form.prefix_length].ljust(form.prefix_length, "0")
        taken = self.taken[prefix]
        number = max(taken | {form.number_min - 1}) + 1
        if number > form.number_max:
            number = next((n for n in range(form.number_min, form.number_max) if n not in taken), number)
        taken.add(number)
        return number, f"{prefix}{number:0{form.length - form.prefix_length}d}"
