"""``redraw``: an instance in, the best plan found out, with what is still wrong and why.

No grid ever leaves its group, so groups are solved one by one, each from a seed of its own: on all cores here, or on a
dask.distributed cluster, with the same result.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from threading import Event
from time import monotonic
from typing import Any

import numpy as np

from geodata.redraw.ground import lay_out
from geodata.redraw.locks import join_locked
from geodata.redraw.measure import measure, tabulate
from geodata.redraw.model import Borders, Instance, Ints, Units
from geodata.redraw.names import keep_names
from geodata.redraw.result import Certificate, Progress, Redrawn, Step
from geodata.redraw.search import Budget, Search

_SECONDS = 15.0
_POLL_S = 0.05
_SEARCH_SHARE = 0.94  # of the time; the rest is for certificates and proofs
_AFTER_S = 6e-5  # a unit: what the certificate of all pairs and the measures take
_PAIRS_MOST_S = 5.0
_TRIPLES_LEAST_S = 0.2  # about what one batch of them takes
_TRIPLES_MOST_S = 2.0
_TRIPLES_SHARE = 0.03
_TRIPLE_BRANCHES = 10_000
_HEAL_ROUNDS = 3
_HEAL_MOST = 100  # grids
_HEAL_SHARE = 0.25  # of the budget
_PROOF_S = 10.0
_PROOF_SHARE = 0.25
_PROOF_STOPPED_S = 1.0


@dataclass(frozen=True, slots=True)
class Part:
    """One group as an instance of its own; ``members``: its units, ``grids``: its grids' numbers in the start plan."""

    instance: Instance
    members: Ints
    grids: Ints


@dataclass(frozen=True, slots=True)
class Solved:
    """A part's plan in its own numbers, the moves tried, and why it stopped."""

    plan: Ints
    moves: int
    stopped: str


def redraw(
    instance: Instance,
    *,
    seed: int = 1,
    seconds: float | None = None,
    moves: int | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    first: Ints | None = None,
) -> Redrawn:
    """Redraw ``instance`` within ``seconds`` of wall time (15 if nothing is said) or ``moves`` tried moves.

    The same seed and number of moves give the same plan on any number of ``workers`` (default: all cores) or on the
    dask.distributed cluster at ``scheduler``. ``progress`` is called a few times a second with the best plan so far;
    returning True stops the search, and what was found is returned. ``first`` (n,), an earlier result for the same
    units, is where the search begins instead of the start plan. Raises ``GeodataError`` (``REDRAW_*``).
    """
    began = monotonic()
    if seconds is None and moves is None:
        seconds = _SECONDS
    joined = join_locked(instance, instance.start if first is None else first)
    first = first if joined is None else joined
    parts = divide(instance)
    cores = workers or os.cpu_count() or 1
    search_s = None if seconds is None else max(_SEARCH_SHARE * seconds - _AFTER_S * len(instance.units), seconds / 2)
    tasks: list[_Task] = [
        (part.instance, (seed, at), *_budget(part, instance, moves, search_s, cores), _own_part(part, first))
        for at, part in enumerate(parts)
    ]
    run = _on_cluster(scheduler) if scheduler else _on_cores(cores, None if search_s is None else began + search_s)
    solved, stopped = run(parts, tasks, _teller(instance, parts, progress))
    plan = keep_names(instance, put_together(instance, parts, [one.plan for one in solved]))
    measured = measure(instance, plan)
    moved = sum(one.moves for one in solved)
    if progress is not None:
        progress(Step(1.0, moved, measured.score.key(), plan))  # what follows are proofs
    from geodata.redraw.proofs import violations

    return Redrawn(
        plan=plan,
        measured=measured,
        violations=violations(instance, plan, budget_s=_proof_seconds(seconds, stopped)),
        certificates=_certificates(instance, plan, seconds, stopped),
        moves=moved,
        seconds=monotonic() - began,
        seed=seed,
        stopped=stopped,
    )


def _proof_seconds(seconds: float | None, stopped: str) -> float:
    """Time for proofs, which come after the search: a share of what the search had, little if it was stopped."""
    if stopped == "cancelled":
        return _PROOF_STOPPED_S
    return _PROOF_S if seconds is None else min(_PROOF_S, max(_PROOF_SHARE * seconds, 0.2))


def _certificates(instance: Instance, plan: Ints, seconds: float | None, stopped: str) -> list[Certificate]:
    """What is proved about re-splits of two grids; of three, as far as a share of the time goes."""
    if stopped == "cancelled":
        return []
    from geodata.redraw.certificate import certificates

    pairs = certificates(instance, plan, (2,), deadline=monotonic() + _PAIRS_MOST_S)
    spend = _TRIPLES_MOST_S if seconds is None else min(_TRIPLES_MOST_S, _TRIPLES_SHARE * seconds)
    if spend < _TRIPLES_LEAST_S:
        return pairs
    return pairs + certificates(instance, plan, (3,), caps={3: _TRIPLE_BRANCHES}, deadline=monotonic() + spend)


def divide(instance: Instance) -> list[Part]:
    """The groups of ``instance`` as instances of their own, in the order of their numbers.

    A start grid that lies in several groups stays with the one that holds its locked units, else most of its
    households; for the others its units count as in no grid. Only closed grids stay what they are everywhere.
    """
    units, borders = instance.units, instance.units.borders
    owner = _owners(instance)
    parts = []
    position = np.zeros(len(units), dtype=np.int64)
    for group in np.unique(units.group):
        members = np.flatnonzero(units.group == group)
        position[members] = np.arange(len(members))
        mine = (units.group[borders.i] == group) & (units.group[borders.j] == group)
        start = instance.start[members]
        start = np.where((start >= 0) & ((owner[start] == group) | np.isin(start, list(instance.closed))), start, -1)
        grids = np.unique(start[start >= 0])
        own = Units(
            units.households[members],
            units.population[members],
            units.area_m2[members],
            units.perimeter_m[members],
            units.xy_m[members],
            Borders(
                position[borders.i[mine]],
                position[borders.j[mine]],
                borders.length_m[mine],
                borders.barrier_m[mine],
                borders.torn_m[mine],
                borders.crossable[mine],
            ),
            np.zeros(len(members), dtype=np.int64),
            units.kind[members],
            units.compound[members],
            units.workload[members],
        )
        number = np.where(start >= 0, np.searchsorted(grids, start), -1)
        closed = frozenset(np.flatnonzero(np.isin(grids, list(instance.closed))).tolist())
        task = replace(instance, units=own, start=number, locked=instance.locked[members], closed=closed)
        parts.append(Part(task, members, grids))
    return parts


def _owners(instance: Instance) -> Ints:
    """Group (n_start,) that each start grid belongs to."""
    held = instance.start >= 0
    start, group = instance.start[held], instance.units.group[held]
    weight = instance.units.households[held] + instance.held()[held] * 1e12 + 1e-6
    pairs, position = np.unique(np.stack([start, group]), axis=1, return_inverse=True)
    sums = np.bincount(position.ravel(), weight, pairs.shape[1])
    owner = np.full(instance.n_start + 1, -1, dtype=np.int64)
    order = np.argsort(sums, kind="stable")
    owner[pairs[0][order]] = pairs[1][order]
    return owner


def put_together(instance: Instance, parts: list[Part], plans: list[Ints]) -> Ints:
    """One plan (n,) from the plans of the parts: start grids by their own numbers, new ones numbered on."""
    plan = np.full(len(instance.units), -1, dtype=np.int64)
    following = instance.n_start
    for part, own in zip(parts, plans, strict=True):
        known = len(part.grids)
        new, number = np.unique(own[own >= known], return_inverse=True)
        labels = np.zeros(len(own), dtype=np.int64)
        labels[own < known] = part.grids[own[own < known]]
        labels[own >= known] = following + number
        following += len(new)
        plan[part.members] = labels
    return plan


def _budget(
    part: Part, whole: Instance, moves: int | None, seconds: float | None, cores: int
) -> tuple[int | None, float | None]:
    """Moves and seconds for one part, by its share of the units; several parts run at once."""
    share = len(part.members) / len(whole.units)
    return (
        None if moves is None else max(round(moves * share), 1),
        None if seconds is None else seconds * min(1.0, share * cores),
    )


def _own_part(part: Part, plan: Ints | None) -> Ints | None:
    """A plan of the whole in the numbers of the part: its start grids by position, others as new ones, -1 for none."""
    if plan is None:
        return None
    own = plan[part.members]
    known = np.isin(own, part.grids)
    number = len(part.grids) + np.unique(own, return_inverse=True)[1]
    number[own < 0] = -1
    return np.asarray(np.where(known, np.searchsorted(part.grids, own), number), dtype=np.int64)


def solve(
    instance: Instance,
    seed: tuple[int, ...],
    moves: int | None,
    seconds: float | None,
    first: Ints | None = None,
    *,
    pool: Executor | None = None,
    deadline: float | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    tell: Callable[[Ints, tuple[int, float, float], float, int], None] = lambda *_: None,
) -> Solved:
    """Solve one part; ``tell`` hears the best plan, its score key, the share of the budget spent and the moves."""
    began = monotonic()
    ends = [at for at in (deadline, None if seconds is None else began + seconds) if at is not None]
    budget = Budget(moves, min(ends, default=None), cancelled, began=began)
    own = pool or ThreadPoolExecutor(os.cpu_count())
    try:
        search = Search(lay_out(instance), seed, own, first)
        if search.from_plan and first is None:
            search.take(healed(instance, search.best, lambda: budget.left() and budget.share() < _HEAL_SHARE))
        search.run(budget, lambda state: tell(state.best, state.best_key, budget.share(), budget.done))
    finally:
        if pool is None:
            own.shutdown()
    return Solved(search.best, budget.done, budget.stopped)


def healed(instance: Instance, plan: Ints, going_on: Callable[[], bool] = lambda: True) -> Ints:
    """``plan`` with the smallest repair of each grid that breaks the band, where there is one; it moves the least.

    Plans with very many broken grids are left to the search. Ends where ``going_on`` says no.
    """
    from geodata.redraw.heal import heal

    for _ in range(_HEAL_ROUNDS):
        grids = tabulate(instance, plan)
        broken = [int(grid) for grid in grids.grid[grids.excess > 0] if int(grid) not in instance.closed]
        if not broken or len(broken) > _HEAL_MOST:
            break
        before = plan
        for grid in broken:
            if going_on() and (plan == grid).any():
                repairs = heal(instance, plan, grid, count=1).repairs
                plan = repairs[0].plan if repairs else plan
        if plan is before:
            break
    return plan


_Task = tuple[Instance, tuple[int, ...], int | None, float | None, Ints | None]
_Tell = Callable[[dict[int, tuple[Ints, tuple[int, float, float], float, int]]], bool]
_Runner = Callable[[list[Part], list[_Task], _Tell], tuple[list[Solved], str]]


def _on_cores(cores: int, deadline: float | None) -> _Runner:
    """Run the parts on this machine, largest first, threads shared with the strips inside them."""

    def run(parts: list[Part], tasks: list[_Task], tell: _Tell) -> tuple[list[Solved], str]:
        stop = Event()
        news: dict[int, tuple[Ints, tuple[int, float, float], float, int]] = {}
        order = sorted(range(len(tasks)), key=lambda at: (-len(parts[at].members), at))
        with ThreadPoolExecutor(cores) as pool, ThreadPoolExecutor(cores) as threads:

            def one(at: int) -> Solved:
                return solve(
                    *tasks[at],
                    pool=threads,
                    deadline=deadline,
                    cancelled=stop.is_set,
                    tell=lambda *told: news.__setitem__(at, told),
                )

            waiting: dict[Future[Solved], int] = {pool.submit(one, at): at for at in order}
            try:
                while wait(waiting, timeout=_POLL_S).not_done:
                    if news and tell(dict(news)):
                        stop.set()
            except BaseException:
                stop.set()
                raise
            done = {at: task.result() for task, at in waiting.items()}
        reasons = [one.stopped for one in done.values()]
        stopped = next((reason for reason in ("cancelled", "time") if reason in reasons), "done")
        return [done[at] for at in range(len(tasks))], stopped

    return run


def _on_cluster(address: str) -> _Runner:
    """Run the parts on the dask.distributed cluster at ``address``; its workers need this package."""

    def run(parts: list[Part], tasks: list[_Task], tell: _Tell) -> tuple[list[Solved], str]:
        from geodata.redraw.cluster import solve_all

        return solve_all(
            address,
            tasks,
            lambda solved: tell({at: (one.plan, (0, 0.0, 0.0), 1.0, one.moves) for at, one in solved.items()}),
        )

    return run


def _teller(instance: Instance, parts: list[Part], progress: Progress | None) -> _Tell:
    """Turn what the parts tell into steps of the whole plan."""

    def tell(news: dict[int, tuple[Ints, tuple[int, float, float], float, int]]) -> bool:
        if progress is None:
            return False
        known = [part for at, part in enumerate(parts) if at in news]
        plan = put_together(instance, known, [news[at][0] for at in sorted(news)])
        keys: Any = np.array([told[1] for told in news.values()]).reshape(-1, 3)
        shares = [news[at][2] * len(parts[at].members) for at in news]
        step = Step(
            share=float(sum(shares) / len(instance.units)),
            moves=sum(told[3] for told in news.values()),
            key=(int(keys[:, 0].sum()), float(keys[:, 1].sum()), float(keys[:, 2].sum())),
            plan=plan,
        )
        return bool(progress(step))

    return tell
