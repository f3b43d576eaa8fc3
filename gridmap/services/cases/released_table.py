"""Published cells as columns: what a release says of a hundred thousand places is summed and put in order as arrays.

A release never changes, so its places are kept; of their cells those of a question are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from gridmap.db import bulk
from gridmap.db.engine import engine
from gridmap.services.kept import Kept
from gridmap.services.plans.small import SMALL, WITHHELD
from gridmap.sql import query

Ints = NDArray[np.int64]
#: Households of a place that has none of its own.
UNKNOWN = -3


@dataclass(frozen=True, slots=True)
class Places:
    """Places of one level of a release, by ``place``; ``grid_id`` -1 for regions, ``rank``: where its code stands."""

    place: Ints
    code: bulk.Objects
    region_code: bulk.Objects
    name: bulk.Objects
    grid_id: Ints
    rank: Ints


@dataclass(frozen=True, slots=True)
class Table:
    """Places (n,) with the most ``cases`` first. Below nought: :data:`SMALL`, :data:`WITHHELD`, those last.

    ``households`` as well, and :data:`UNKNOWN`.
    """

    level: str
    code: bulk.Objects
    region_code: bulk.Objects
    name: bulk.Objects
    grid_id: Ints
    cases: Ints
    households: Ints


_places: Kept[Places] = Kept(16)


def table(
    session: Session, level: str, chosen: Sequence[tuple[int, int | None, Sequence[int]]], keys: Mapping[str, object]
) -> Table:
    """Sums of the cells of ``chosen``: releases (id, plan, nodes), the newest last. ``keys``: patterns and region.

    A place has a sum where every release knows it (grids: of the same plan) and none of its cells is withheld.
    """
    newest, plan, _ = chosen[-1]
    known = _known(session, newest, level)
    seen, cells = _cells(session, newest, level, chosen[-1][2], keys)
    at = np.searchsorted(known.place, seen)
    whole = np.ones(len(at), dtype=bool)
    parts = [cells]
    for release, of_plan, nodes in chosen[:-1]:
        found, values, has = _earlier(session, release, level, nodes, keys, known, at)
        whole &= has & (level != "grid" or of_plan == plan)
        parts.append(values[found])
    every = np.concatenate(parts, axis=1)
    told = whole & (every >= 0).all(axis=1)
    small = whole & (every.shape[1] == 1) & (every[:, :1] == SMALL).all(axis=1)
    cases = np.where(told, every.sum(axis=1), np.where(small, SMALL, WITHHELD))
    order = np.lexsort((known.rank[at], cases == WITHHELD, -np.maximum(cases, 0), ~told))
    at, cases = at[order], cases[order]
    homes = np.full(len(at), UNKNOWN, dtype=np.int64)
    if level == "grid":
        homes = _households(session, plan, keys, known.grid_id[at])
    return Table(level, known.code[at], known.region_code[at], known.name[at], known.grid_id[at], cases, homes)


def _known(session: Session, release: int, level: str) -> Places:
    def read() -> Places:
        rows = bulk.columns(session, query("release", "places"), {"release": release, "level": level})
        rank = np.empty(len(rows["place"]), dtype=np.int64)
        rank[np.argsort(rows["code"].astype(str), kind="stable")] = np.arange(len(rank))
        ids = bulk.ints(rows["grid_id"])
        return Places(bulk.ints(rows["place"]), rows["code"], rows["region_code"], rows["name"], ids, rank)

    return _places.get((str(engine().url), release, level), read)


def _cells(
    session: Session, release: int, level: str, nodes: Sequence[int], keys: Mapping[str, object]
) -> tuple[Ints, Ints]:
    """Places (ascending) that may be seen, and their cells (n, nodes)."""
    values = {**keys, "release": release, "level": level, "nodes": list(nodes)}
    found = bulk.packed_ints(session, query("release", "cells"), values, 1 + len(nodes))
    found = found[np.argsort(found[:, 0])]
    return found[:, 0], found[:, 1:]


def _earlier(
    session: Session,
    release: int,
    level: str,
    nodes: Sequence[int],
    keys: Mapping[str, object],
    newest: Places,
    at: Ints,
) -> tuple[Ints, Ints, NDArray[np.bool_]]:
    """Of places (``at`` in ``newest``): their rows in an earlier release, its cells, and whether it knows them."""
    known = _known(session, release, level)
    seen, cells = _cells(session, release, level, nodes, keys)
    mine = np.searchsorted(known.place, seen)
    names = (known.grid_id, newest.grid_id) if level == "grid" else (known.code, newest.code)
    row_of = {name: k for k, name in enumerate(names[0][mine].tolist())}
    found = np.array([row_of.get(name, -1) for name in names[1][at].tolist()], dtype=np.int64)
    if not len(cells):
        cells = np.full((1, len(nodes)), WITHHELD, dtype=np.int64)
    return found, cells, found >= 0


def _households(session: Session, plan: int | None, keys: Mapping[str, object], grids: Ints) -> Ints:
    """What is published of the households of ``grids``."""
    values = {"plan": plan, "patterns": keys["patterns"]}
    found = bulk.packed_ints(session, query("release", "households"), values, 2)
    found = found[np.argsort(found[:, 0])]
    if not len(found):
        return np.full(len(grids), UNKNOWN, dtype=np.int64)
    at = np.minimum(np.searchsorted(found[:, 0], grids), len(found) - 1)
    return np.where(found[at, 0] == grids, found[at, 1], UNKNOWN)
