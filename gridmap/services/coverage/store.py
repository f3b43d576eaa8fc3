"""Sums of a plan by community, kept while the plan and the ground stay as they are.

Each plan's grids and units are gone through once for a state of it; every region, level and reader is then answered
by adding up rows of communities.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from gridmap.db import bulk
from gridmap.db.engine import engine
from gridmap.services.plans.small import LEAST
from gridmap.services.versions import versions
from gridmap.sql import query

#: A grid with more people than this is crowded.
CROWDED_POPULATION = 2000
#: Columns that add up.
SUMMED = (
    *("grids", "within", "under", "over", "empty", "unchecked", "unavoidable", "households", "population"),
    *("people_in_crowded", "estimated_households", "uncovered_buildings", "uncovered_households"),
)
_OF_GRIDS = 11
#: Not told: households in grids; in none; people of crowded grids.
SHUT = ("shut_covered", "shut_uncovered", "shut_crowded")
#: A day that no count has.
NEVER = 1 << 20
_KEPT = 64

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Table:
    """Communities in order of ``code`` (n,): ``sums`` (n, columns of :data:`SUMMED`), days of counts since 2000.

    ``shut`` (n, columns of :data:`SHUT`) is 1 where those who only look are not told something.
    """

    code: tuple[str, ...]
    sums: Ints
    oldest: Ints
    newest: Ints
    shut: Ints


_kept: OrderedDict[Hashable, Any] = OrderedDict()
_lock = threading.Lock()


def table(session: Session, plans: Sequence[int]) -> Table:
    """The sums of plans that lie beside each other, and what lies in no unit."""
    state = versions(session)
    base = (str(engine().url), state["regions"])
    ids, codes = _keep(("places", *base), lambda: _places(session))
    loose = _keep(("loose", *base, state["buildings"], state["units"]), lambda: _loose(session, ids))
    sums, oldest, newest = loose.copy(), np.full(len(ids), NEVER), np.full(len(ids), -NEVER)
    for row in session.execute(query("coverage", "plan_states"), {"plans": list(plans)}):
        key = ("plan", *base, state["buildings"], state["units"], *row)
        of_plan: tuple[Ints, Ints, Ints] = _keep(key, lambda plan=row.id: _of_plan(session, plan, ids))  # type: ignore[misc]
        sums += of_plan[0]
        oldest, newest = np.minimum(oldest, of_plan[1]), np.maximum(newest, of_plan[2])
    told = ("told", *base, state["plans"], state["buildings"], *sorted(plans))
    shut = _keep(told, lambda: _shut(session, plans, ids, loose))
    return Table(codes, sums, oldest, newest, shut)


def forget() -> None:
    """Keep nothing (tests and benches)."""
    with _lock:
        _kept.clear()


def _keep(key: Hashable, made: Callable[[], Any]) -> Any:
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    found = made()
    with _lock:
        _kept[key] = found
        while len(_kept) > _KEPT:
            _kept.popitem(last=False)
    return found


def _places(session: Session) -> tuple[Ints, tuple[str, ...]]:
    rows = session.execute(query("coverage", "places")).all()
    return np.array([row.id for row in rows], dtype=np.int64), tuple(row.code for row in rows)


def _loose(session: Session, ids: Ints) -> Ints:
    sums = np.zeros((len(ids), len(SUMMED)), dtype=np.int64)
    found = bulk.packed_ints(session, query("coverage", "loose"), {}, 3)
    at, mine = _rows(ids, found[:, 0])
    sums[at, _OF_GRIDS:] = found[mine, 1:]
    return sums


def _shut(session: Session, plans: Sequence[int], ids: Ints, loose: Ints) -> Ints:
    found = bulk.packed_ints(
        session, query("coverage", "shut"), {"plans": list(plans), "crowded": CROWDED_POPULATION}, 1 + len(SHUT)
    )
    shut = np.zeros((len(ids), len(SHUT)), dtype=np.int64)
    at, mine = _rows(ids, found[:, 0])
    shut[at] = found[mine, 1:]
    few = loose[:, SUMMED.index("uncovered_households")]
    shut[:, 1] |= (few > 0) & (few < LEAST)
    return shut


def _of_plan(session: Session, plan: int, ids: Ints) -> tuple[Ints, Ints, Ints]:
    sums = np.zeros((len(ids), len(SUMMED)), dtype=np.int64)
    oldest, newest = np.full(len(ids), NEVER), np.full(len(ids), -NEVER)
    keys = {"plan": plan, "crowded": CROWDED_POPULATION, "never": NEVER}
    grids = bulk.packed_ints(session, query("coverage", "grids"), keys, _OF_GRIDS + 1)
    at, mine = _rows(ids, grids[:, 0])
    sums[at, :_OF_GRIDS] = grids[mine, 1:]
    units = bulk.packed_ints(session, query("coverage", "units"), keys, 5)
    at, mine = _rows(ids, units[:, 0])
    oldest[at], newest[at] = units[mine, 1], units[mine, 2]
    sums[at, _OF_GRIDS:] = units[mine, 3:]
    return sums, oldest, newest


def _rows(ids: Ints, wanted: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Where ``wanted`` (unordered) stand in ``ids`` (unordered), and which of them do."""
    order = np.argsort(ids)
    at = np.minimum(np.searchsorted(ids[order], wanted), max(len(ids) - 1, 0))
    found = order[at] if len(ids) else at
    mine = ids[found] == wanted if len(ids) else np.zeros(len(wanted), dtype=bool)
    return np.asarray(found[mine]), np.asarray(mine)
