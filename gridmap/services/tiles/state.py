"""What decides how a tile looks: counters of the data, the plan's grids, and which part of them the reader sees.

It is read for every tile, in the statement that makes it or alone where the tile is kept, with what lets the reader in.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from gridmap.db import engine
from gridmap.db.reader import read, row, whole
from gridmap.sql import plain

#: The layers whose counters the version in an address sums up.
COUNTED = {"ground": ("barriers", "buildings"), "regions": ("regions",), "grids": ("plans",)}


@dataclass(frozen=True, slots=True)
class Now:
    """The row of the query ``now``; ``account`` tells every state of an account and its rights from every other."""

    database: str
    layers: str
    plan_version: int
    prefix: str | None
    public: bool
    account: bytes | None

    @staticmethod
    def of(fields: tuple[bytes | None, ...]) -> Now:
        """From the columns as the server sends them."""
        database, layers, plan_version, prefix, public, account = fields
        numbers = _text(database) or "", _text(layers) or "", whole(plan_version) or 0
        return Now(*numbers, _text(prefix), public is not None, account)

    def decides(self, layer: str) -> tuple[object, ...]:
        """What of it decides the tiles of a layer: equal as long as they are."""
        counters = _counters(self.layers)
        counted = tuple(counters.get(one) for one in (*COUNTED[layer], "regions", "units"))
        return (self.database, *counted, self.plan_version, self.prefix, self.public)


@dataclass(frozen=True, slots=True)
class State:
    """``version`` is the one of addresses, ``name`` tells every state from every other; ``prefix`` of the plan.

    ``public``: the plan is or was in force: it is no draft.
    """

    version: int
    name: str
    prefix: str | None
    public: bool
    decided_by: tuple[object, ...]


_known: dict[tuple[sa.Engine, str, int | None], State] = {}
_prints: dict[tuple[str, int], tuple[tuple[object, ...], str]] = {}
_reading = threading.Lock()


def remembered(layer: str, plan_id: int | None) -> State | None:
    """The state as it was when last looked at: to be trusted only while its ``decided_by`` is what decides now."""
    return _known.get((engine.engine(), layer, plan_id))


def look(plan_id: int | None, user_id: int | None = None, token: str | None = None) -> Now:
    """What decides tiles now, and the state of an account (:class:`Now`)."""
    return Now.of(row(plain("tiles", "now"), {"plan_id": plan_id, "user_id": user_id, "token": token}))


def state_of(layer: str, plan_id: int | None, now: Now | None = None) -> State:
    """The state of a layer, of a plan for grids, as ``now`` tells it."""
    now = now or look(plan_id)
    decides, counters = now.decides(layer), _counters(now.layers)
    parts = [now.database, layer, str(plan_id), str(counters.get("regions"))]
    if plan_id is None:
        parts.append(str([counters.get(one) for one in COUNTED[layer]]))
    else:
        parts.append(_fingerprint(now.database, plan_id, decides))
    version = sum(counters.get(one, (0,))[0] for one in COUNTED[layer]) + now.plan_version
    found = State(version, "|".join(parts), now.prefix, now.public, decides)
    if len(_known) > 4096:
        _known.clear()
    _known[(engine.engine(), layer, plan_id)] = found
    return found


def forget() -> None:
    """Remember nothing (tests)."""
    _known.clear()
    _prints.clear()


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()


@lru_cache(64)
def _counters(layers: str) -> dict[str, Any]:
    """Counter and row version of each layer."""
    told = [one.split(" ") for one in layers.split(",") if one]
    return {layer: (int(version), xmin) for layer, version, xmin in told}


def _fingerprint(database: str, plan_id: int, decides: tuple[object, ...]) -> str:
    """The fingerprint of a plan's grids, read where a counter moved: another plan's change leaves it as it is.

    It may be of a later state than ``decides``: the next look then tells another.
    """
    known = _prints.get((database, plan_id))
    if known is not None and known[0] == decides:
        return known[1]
    with _reading:  # all who ask after a change wait for the first
        known = _prints.get((database, plan_id))
        if known is None or known[0] != decides:
            [(text,)] = read(plain("tiles", "fingerprint"), {"plan_id": plan_id})
            if len(_prints) > 4096:
                _prints.clear()
            known = _prints[(database, plan_id)] = (decides, str(text))
    return known[1]
