"""The store that this process has mapped, brought up to what the database says at the moment of each question.

Stores lie beside each other as ``cache/heat/IDENTITY-NUMBER``, the newest has the highest number. A process maps it
when it first asks, keeps what changed since in its own memory, and changes over when a newer one appears.
"""

from __future__ import annotations

import shutil
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy.orm import Session

from gridmap.jobs.app import defer
from gridmap.services.heat import source, stacks
from gridmap.services.heat.stacks import Stacked
from gridmap.settings import settings
from gridmap.sql import query

if TYPE_CHECKING:
    from geodata.heat import Store, Tail

#: Below so many cases PostGIS itself is quick.
FEW = 20_000
#: A store with more changes than this, or this share of its cases, is built anew.
CHANGES_MAX, CHANGES_SHARE = 100_000, 0.02
#: Changes are forgotten after a week, so stores are before that.
OLDEST_S = 6 * 86_400
FORGET_AFTER = "7 days"
_ASK_EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class Kept:
    """A store with all that was committed until ``snapshot``.

    ``stacked``: cases of the points ``stacks``, those of the store and those that came since; ``unplaced``: of those
    points where cases were put whose place was not found, each with a minus.
    """

    store: Store
    tail: Tail
    snapshot: str
    stacks: Stacked
    stacked: Tail
    unplaced: Tail

    @classmethod
    def of(cls, store: Store) -> Kept:
        """A store just mapped. ``KeyError`` where it was not told what a store is told."""
        from geodata.heat import Tail

        apart = store.apart()
        told = Stacked.told(store.told["stacks"])
        own = Tail.of(apart, np.ones(len(apart), dtype=np.int64))
        return cls(store, Tail.nothing(), str(store.told["snapshot"]), told, own, _away(told, own))

    def later(self, changes: Tail, snapshot: str) -> Kept:
        """The same with what was committed since."""
        more = changes.only(self.stacks.of(changes.changes.x, changes.changes.y) >= 0)
        stacked = self.stacked.joined(more) if len(more) else self.stacked
        unplaced = _away(self.stacks, stacked) if len(more) else self.unplaced
        return Kept(self.store, self.tail.joined(changes), snapshot, self.stacks, stacked, unplaced)


def _away(told: Stacked, stacked: Tail) -> Tail:
    of = stacked.changes
    return stacked.only(np.append(told.unplaced, False)[told.of(of.x, of.y)], factor=-1)


_lock = threading.Lock()
_kept: dict[str, Kept] = {}
_asked: dict[str, float] = {}
_last = ""


def folder() -> Path:
    """Where the stores lie."""
    return settings().data_dir / "cache" / "heat"


def current(session: Session) -> Kept | None:
    """The store of this database with every committed change; None while there is none, which has one built."""
    global _last
    # which table this is comes with the changes: one question of the database where it is the same as last time
    identity = _last or source.identity(session)
    kept = _newest(identity)
    changed = None if kept is None else source.changes(session, kept.snapshot)
    if (changed is None and _last) or (changed is not None and changed.identity != identity):
        identity = source.identity(session)
        kept = _newest(identity)
        changed = None if kept is None else source.changes(session, kept.snapshot)
    _last = identity
    if kept is None or changed is None:
        _want(session, identity, first=True)
        return None
    if changed.tail is None or time.time() - float(kept.store.told["built"]) > OLDEST_S:
        _want(session, identity)
        return None
    kept = kept.later(changed.tail, changed.snapshot)
    with _lock:
        known = _kept.get(identity)
        if known is None or known.store is not kept.store or _upto(known) <= _upto(kept):
            _kept[identity] = kept
    if len(kept.tail) > max(CHANGES_MAX, CHANGES_SHARE * kept.store.cases):
        _want(session, identity)
    return kept


def state(session: Session) -> tuple[str, int] | None:
    """What says whether any case changed: the store, and how many changes came since. None where there is none."""
    kept = current(session)
    return None if kept is None else (kept.store.folder.name, len(kept.tail))


def known_stacks(session: Session) -> Stacked:
    """Stacked addresses among all cases."""
    kept = current(session)
    return stacks.few(session) if kept is None else kept.stacks


def unplaced(session: Session) -> list[tuple[float, float]]:
    """Points (lon, lat) of cases whose place was not found."""
    known = known_stacks(session)
    return [(float(lon), float(lat)) for lon, lat in known.lonlat[known.unplaced]]


def forget() -> None:
    """Let go of every store (after a fork, between tests)."""
    global _last
    stacks.forget()
    with _lock:
        _last = ""
        _kept.clear()
        _asked.clear()


def stores(identity: str) -> list[Path]:
    """Folders of the stores of a database, the newest first."""
    place = folder()
    return sorted(place.glob(f"{identity}-*"), reverse=True) if place.is_dir() else []


def _newest(identity: str) -> Kept | None:
    """What this process has of the newest store; a damaged one is removed."""
    from geodata.heat import Store, StoreError

    for path in stores(identity):
        kept = _kept.get(identity)
        if kept is not None and kept.store.folder == path:
            return kept
        try:
            store = Store.open(path)
            if store.told["identity"] != identity:
                raise StoreError("of another database")
            kept = Kept.of(store)
        except (StoreError, KeyError):
            shutil.rmtree(path, ignore_errors=True)
            continue
        with _lock:
            _kept[identity] = kept
        return kept
    with _lock:
        _kept.pop(identity, None)
    return None


def _want(session: Session, identity: str, *, first: bool = False) -> None:
    """Have a store built by the worker, where there is enough to be kept."""
    now = time.monotonic()
    with _lock:
        if now - _asked.get(identity, -_ASK_EVERY_S) < _ASK_EVERY_S:
            return
        _asked[identity] = now
    if first and session.scalar(query("heat", "fewer"), {"few": FEW}):
        return
    defer(session, "build_heat", lock="heat")


def _upto(kept: Kept) -> int:
    """First transaction that the snapshot does not know."""
    return int(kept.snapshot.split(":")[1])
