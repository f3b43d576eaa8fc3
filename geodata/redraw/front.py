"""The trade-off as a handful of plans, from the one that touches least to the one with the best shapes.

A household that changes grid is given a falling price (the weighted sum method: Zadeh 1963); each search goes on from
the plan before. What one search finds counts for all prices, so dearer households never move more, and plans that
another one beats in violations, households moved and shapes alike are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from geodata.redraw.engine import redraw
from geodata.redraw.measure import Measured, measure
from geodata.redraw.model import Instance, Ints
from geodata.redraw.result import Progress, Redrawn

_SECONDS = 15.0

#: Names of the plans, and what a household that moves costs in each (1 is one grid's whole compactness).
#: At the first price no shape is worth moving more than a handful of households.
PRICES: dict[str, float] = {
    "least-change": 0.3,
    "light": 0.03,
    "balanced": 0.008,
    "compact": 0.002,
    "shapes": 0.0,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a plan of the front stands: the three that are traded against each other, and grids outside the band."""

    excess: int
    households_moved: int
    mean_polsby_popper: float
    outside_band: int

    def beats(self, other: Standing) -> bool:
        """No worse in anything that is traded, and better in something."""
        mine, theirs = self._traded(), other._traded()
        return mine != theirs and all(a <= b for a, b in zip(mine, theirs, strict=True))

    def _traded(self) -> tuple[int, int, float]:
        return (self.excess, self.households_moved, round(-self.mean_polsby_popper, 6))


class Named(NamedTuple):
    """A plan of the front; its name in words is the sentence of ``code``."""

    name: str
    redrawn: Redrawn
    measures: Standing

    @property
    def code(self) -> str:
        """Code of the message that names the plan and, as its hint, says what it is."""
        return f"REDRAW_FRONT_{self.name.upper().replace('-', '_')}"


def front(
    instance: Instance,
    *,
    seed: int = 1,
    seconds: float | None = None,
    moves: int | None = None,
    count: int = 5,
    progress: Progress | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
) -> list[Named]:
    """Up to ``count`` plans, none better than another in everything, by rising households moved and rising compactness.

    ``seconds`` (15 if nothing is said) or ``moves`` are for all of them together. Without a start plan nothing can be
    moved and one plan is all there is. ``progress`` hears one share over all searches; once it returns True, the plans
    found so far are returned. Each plan is scored with the weights of ``instance`` except for its own price of moving.
    Raises ``GeodataError`` (``REDRAW_*``).
    """
    prices = _prices(instance, count)
    if seconds is None and moves is None:
        seconds = _SECONDS
    found: list[tuple[float, Redrawn]] = []
    for turn, price in enumerate(prices.values()):
        redrawn = redraw(
            instance.with_weights(moved=price),
            seed=seed,
            seconds=None if seconds is None else seconds / len(prices),
            moves=None if moves is None else max(moves // len(prices), 1),
            progress=_part_of(progress, turn, len(prices)),
            workers=workers,
            scheduler=scheduler,
            first=found[-1][1].plan if found and price else None,
        )
        found.append((price, redrawn))
        if redrawn.stopped == "cancelled":
            break
    return _undominated(_best_of_all(instance, dict(list(prices.items())[: len(found)]), [made for _, made in found]))


def _prices(instance: Instance, count: int) -> dict[str, float]:
    """``count`` of the prices, both ends first; only the last where nothing can be moved."""
    names = list(PRICES)
    if not (instance.start >= 0).any() or count <= 1:
        return {names[-1]: PRICES[names[-1]]}
    count = min(count, len(names))
    chosen = [names[round(at * (len(names) - 1) / (count - 1))] for at in range(count)]
    return {name: PRICES[name] for name in chosen}


def _part_of(progress: Progress | None, turn: int, turns: int) -> Progress | None:
    """``progress`` for one of several searches: it hears the share of all of them."""
    if progress is None:
        return None
    return lambda step: progress(replace(step, share=(turn + step.share) / turns))


def _best_of_all(instance: Instance, prices: dict[str, float], found: Sequence[Redrawn]) -> list[Named]:
    """For each price the best of all plans found by any search; a certificate holds for its own search's price only."""
    moved = [_moved(instance, made.plan) for made in found]
    chosen = []
    for turn, (name, price) in enumerate(prices.items()):
        priced = instance.with_weights(moved=price)
        scored: list[Measured] = [measure(priced, made.plan) for made in found]
        at = min(range(len(found)), key=lambda at: (*scored[at].score.key(), moved[at]))
        proved = found[at].certificates if at == turn else []
        redrawn = replace(found[at], measured=scored[at], certificates=proved)
        chosen.append(Named(name, redrawn, _standing(scored[at], moved[at])))
    return chosen


def _undominated(plans: Sequence[Named]) -> list[Named]:
    """Each plan once and only those that none beats, by rising households moved."""
    kept: list[Named] = []
    for one in sorted(plans, key=lambda named: named.measures.households_moved):
        twin = any(one.measures == other.measures for other in kept)
        if not twin and not any(other.measures.beats(one.measures) for other in plans):
            kept.append(one)
    return kept


def _moved(instance: Instance, plan: Ints) -> int:
    """Households whose grid is not that of the start plan."""
    return int(instance.units.households[(instance.start >= 0) & (plan != instance.start)].sum())


def _standing(measured: Measured, moved: int) -> Standing:
    grids = measured.grids
    return Standing(
        excess=measured.score.excess,
        households_moved=moved,
        mean_polsby_popper=float(grids.polsby_popper.mean()) if len(grids.grid) else 0.0,
        outside_band=int((grids.status != 0).sum()),
    )
