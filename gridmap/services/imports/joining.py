"""Rows of a table without coordinates: joined to known buildings by key or address, or refused by name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geodata.fields import Kind
from geodata.problems import Problem, Severity
from gridmap.services.imports.known import Buildings, Ints

_SHARED = -2
#: The columns that name a building: key first, address if that says nothing.
_NAMES = {Kind.BUILDINGS: ("key", "address"), Kind.CASES: ("building_key", "place")}


@dataclass(frozen=True, slots=True)
class Joined:
    """``building`` (n,): position in the table of known buildings, negative where there is none. ``problems``: of
    rows that found none."""

    building: Ints
    problems: list[Problem]


def join(kind: Kind, frame: pd.DataFrame, shapes: NDArray[np.object_], known: Buildings) -> Joined:
    """The known building of every row that has no place of its own and names one."""
    key, address = (frame[name] for name in _NAMES[kind])
    placeless = shapely.is_missing(shapes)
    at = np.full(len(frame), -1, dtype=np.int64)
    if not placeless.any():
        return Joined(at, [])
    by_key = known.find(known.by_key, key)
    by_address = known.find(known.by_address, address)
    at = np.where(placeless, np.where(by_key >= 0, by_key, np.where(by_address != -1, by_address, by_key)), -1)
    named = (key.notna() | address.notna()).to_numpy(bool)
    problems = []
    for k in np.flatnonzero(placeless & named & (at < 0)).tolist():
        name = key.fillna(address).iat[k]
        code = "IMPORT_BUILDING_SHARED" if at[k] == _SHARED else "IMPORT_BUILDING_UNKNOWN"
        problems.append(Problem(code, Severity.ERROR, int(frame.index[k]), params={"name": str(name)[:60]}))
    return Joined(at, problems)
