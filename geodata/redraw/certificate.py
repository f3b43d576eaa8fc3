"""How far it is proved that no re-split of two or three touching grids improves a plan, without changing the plan."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor

from geodata.redraw.anneal import worth
from geodata.redraw.ground import lay_out
from geodata.redraw.model import Instance, Ints
from geodata.redraw.resplit import Polish
from geodata.redraw.result import Certificate
from geodata.redraw.tally import tally

_SPARE = 3  # labels for a grid more


def certificates(
    instance: Instance,
    plan: Ints,
    sizes: tuple[int, ...] = (2, 3),
    *,
    pool: Executor | None = None,
    caps: dict[int, int] | None = None,
    deadline: float | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> list[Certificate]:
    """One certificate for each of ``sizes`` about ``plan`` (n,), which must keep the hard rules.

    ``caps``: branches looked at in a neighbourhood before it is left open, by its number of grids. What was not looked
    at before ``deadline`` (:func:`time.monotonic`) or ``cancelled`` is open too.
    """
    ground = lay_out(instance)
    slots = max(int(plan.max(initial=-1)) + 1, instance.n_start) + _SPARE
    work = Polish(ground, tally(ground, plan, slots), worth(slots), pool=pool, caps=caps)
    for size in sizes:
        work.prove(size, deadline=deadline, cancelled=cancelled)
    return [work.certificate(size) for size in sizes]
