"""Stacked addresses of the whole database, and which of them only say that a place was not found.

They are looked for among all cases, whoever asks and whatever for: a point does not turn into a place because of a
filter, and a map must not flicker while time runs over it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from gridmap.db import bulk, engine
from gridmap.services.versions import versions
from gridmap.sql import query

#: So many points are told apart.
STACKS_MAX = 500


@dataclass(frozen=True, slots=True)
class Stacked:
    """Points (k, 2) in degrees, ascending by longitude and latitude, and whether each is one of unplaced cases (k,)."""

    lonlat: NDArray[np.float64]
    unplaced: NDArray[np.bool_]

    @classmethod
    def told(cls, content: Mapping[str, Any]) -> Stacked:
        """What :meth:`tell` wrote."""
        lonlat = np.array(content["lonlat"], dtype=np.float64).reshape(-1, 2)
        return cls(lonlat, np.array(content["unplaced"], dtype=bool))

    def tell(self) -> dict[str, Any]:
        """As JSON, to the last bit."""
        return {"lonlat": self.lonlat.tolist(), "unplaced": self.unplaced.tolist()}

    def of(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int64]:
        """Number (n,) of the point that each of these degrees is, -1 for none."""
        if not len(self.lonlat):
            return np.full(len(x), -1, dtype=np.int64)
        known, asked = self.lonlat @ (1, 1j), x + 1j * y
        at = np.minimum(np.searchsorted(known, asked), len(known) - 1)
        return np.where(known[at] == asked, at, -1)


_known: dict[tuple[sa.Engine, int], Stacked] = {}


def among(session: Session, lonlat: NDArray[np.float64]) -> Stacked:
    """Stacked addresses among the places (n, 2) of all cases; their names are read from the database."""
    from geodata.incidents.stacks import stacks, unplaced

    found = stacks(lonlat)
    points, cases = found.lonlat[:STACKS_MAX], found.cases[:STACKS_MAX]
    order = np.lexsort((points[:, 1], points[:, 0]))
    points, cases = points[order], cases[order]
    names = {"lon": points[:, 0].tolist(), "lat": points[:, 1].tolist()}
    rows = session.execute(query("heat", "addresses"), names).all() if len(points) else []
    addresses = np.zeros(len(points))
    for row in rows:
        addresses[row.number - 1] = row.addresses
    return Stacked(points, np.asarray(unplaced(cases, addresses), dtype=bool))


def few(session: Session) -> Stacked:
    """The same where there is no store, read again when cases were imported."""
    key = (engine.engine(), versions(session)["cases"])
    if key not in _known:
        _known.clear()
        _known[key] = among(session, bulk.packed(session, query("heat", "everywhere"), {}, width=2))
    return _known[key]


def forget() -> None:
    """Remember nothing (tests)."""
    _known.clear()
