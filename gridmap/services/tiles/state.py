"""What decides how a tile looks: counters of the data, the plan's grids, and which part of them the reader sees.

It is remembered for :data:`TRUST_S` seconds. That never shows an old tile to a new page: an address whose version is
not the remembered one has it read again at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic

import sqlalchemy as sa

from gridmap.db import engine
from gridmap.db.reader import read
from gridmap.sql import plain

TRUST_S = 1.0
#: The layers whose counters the version in an address sums up.
COUNTED = {"ground": ("barriers", "buildings"), "regions": ("regions",), "grids": ("plans",)}


@dataclass(frozen=True, slots=True)
class State:
    """``version`` is the one of addresses, ``name`` tells every state from every other; ``prefix`` of the plan.

    ``public``: the plan is or was in force (or there is none): it is no draft.
    """

    version: int
    name: str
    prefix: str | None
    public: bool
    counters: tuple[int, int]


_known: dict[tuple[sa.Engine, str, int | None], tuple[float, State]] = {}
_prints: dict[tuple[str, int], tuple[str, str]] = {}


def state_of(layer: str, plan_id: int | None, asked: int | None) -> State:
    """The present state of a layer, of a plan for grids; ``asked`` is the version in the address."""
    key = (engine.engine(), layer, plan_id)
    known = _known.get(key)
    if known is not None and monotonic() - known[0] < TRUST_S and known[1].version == asked:
        return known[1]
    now = monotonic()
    found = _read(layer, plan_id)
    if len(_known) > 4096:
        _known.clear()
    _known[key] = (now, found)
    return found


def forget() -> None:
    """Remember nothing (tests)."""
    _known.clear()
    _prints.clear()


def _read(layer: str, plan_id: int | None) -> State:
    [(database, layers, plan_version, prefix, public)] = read(plain("tiles", "state"), {"plan_id": plan_id})
    counted = sum(layers.get(one, (0,))[0] for one in COUNTED[layer])
    parts = [database, layer, str(plan_id), str(layers.get("regions"))]
    if plan_id is None:
        parts.append(str([layers.get(one) for one in COUNTED[layer]]))
    else:
        seen = f"{database} {layers.get('plans')} {plan_version} {layers.get('units')}"
        parts.append(_fingerprint(database, plan_id, seen))
    version = counted + (plan_version or 0)
    return State(version, "|".join(parts), prefix, bool(public), (counted, plan_version or 0))


def _fingerprint(database: str, plan_id: int, seen: str) -> str:
    """The fingerprint of a plan's grids, read where a counter moved: another plan's change leaves it as it is."""
    known = _prints.get((database, plan_id))
    if known is None or known[0] != seen:
        [(text,)] = read(plain("tiles", "fingerprint"), {"plan_id": plan_id})
        if len(_prints) > 4096:
            _prints.clear()
        known = _prints[(database, plan_id)] = (seen, str(text))
    return known[1]
