"""The plan as the rules see it: columns of arrays, all geometry in one local metric CRS (metres).

Indices point into the sibling table; -1 means none. Columns that are None are not known, and a rule that needs one says
"not checked". Lists are taken as well as arrays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geodata.units.model import Barriers

Objects = NDArray[np.object_]
Ints = NDArray[np.int64]
Days = NDArray[np.datetime64]

_TYPES: Mapping[str, str] = {
    "geometry": "O",
    "oldest": "datetime64[D]",
    "newest": "datetime64[D]",
    "valid_from": "datetime64[D]",
    "valid_to": "datetime64[D]",
    "code": "O",
    "name": "O",
    "kind": "O",
    "class_": "O",
}


class _Table:
    """Columns of equal length; each is made an array of the type its name has in ``_TYPES`` (else int64)."""

    def __post_init__(self) -> None:
        length = -1
        for column in fields(self):  # type: ignore[arg-type]  # every table is a dataclass
            values = getattr(self, column.name)
            if values is None:
                continue
            array = _array(values, _TYPES.get(column.name, "int64"))
            length = len(array) if length < 0 else length
            if len(array) != length:
                raise ValueError(f"{type(self).__name__}.{column.name} has {len(array)} rows, not {length}")
            object.__setattr__(self, column.name, array)

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))  # type: ignore[arg-type]

    def take(self, mask: NDArray[np.bool_]) -> Self:
        """The rows where ``mask`` holds."""
        columns = {c.name: getattr(self, c.name) for c in fields(self)}  # type: ignore[arg-type]
        return replace(self, **{name: None if v is None else v[mask] for name, v in columns.items()})  # type: ignore[type-var]


def _array(values: Iterable[Any], dtype: str) -> NDArray[Any]:
    if isinstance(values, np.ndarray):
        return values.astype(dtype, copy=False)
    values = list(values)
    if dtype != "O":
        return np.array(values, dtype=dtype)
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


@dataclass(frozen=True, eq=False)
class Units(_Table):
    """Units (n,): Polygons that tile their community, the grid each is assigned to, counts from its buildings.

    ``grid`` is the innermost grid (a micro-grid where there is one), -1 unassigned. ``households`` are all counted,
    ``estimated_households`` how many of them were estimated, ``missing_households`` the number of buildings without a
    count. ``population`` -1 means unknown. ``oldest``/``newest`` are the data dates of the buildings inside.
    """

    geometry: Objects
    community: Ints
    grid: Ints
    households: Ints
    population: Ints | None = None
    buildings: Ints | None = None
    estimated_households: Ints | None = None
    missing_households: Ints | None = None
    oldest: Days | None = None
    newest: Days | None = None
    compound: Ints | None = None


@dataclass(frozen=True, eq=False)
class Grids(_Table):
    """Grids (g,): ``kind`` is "basic", "special" or "micro"; ``parent`` is the grid a micro-grid lies in.

    ``geometry`` is the stored or drawn polygon, None (as a whole or for a row) where the union of the units is to be
    taken. ``workers`` is the number of grid workers.
    """

    code: Objects
    community: Ints
    kind: Objects
    name: Objects | None = None
    parent: Ints | None = None
    geometry: Objects | None = None
    valid_from: Days | None = None
    valid_to: Days | None = None
    workers: Ints | None = None


@dataclass(frozen=True, eq=False)
class Communities(_Table):
    """Communities (c,): 12-digit ``code``, ``class_`` "urban" or "rural" ("" unknown), border polygon."""

    code: Objects
    class_: Objects
    name: Objects | None = None
    geometry: Objects | None = None


@dataclass(frozen=True, eq=False)
class Buildings(_Table):
    """Buildings (b,): footprint or point, households, and the unit that counts them (-1 none)."""

    geometry: Objects
    households: Ints
    unit: Ints


@dataclass(frozen=True, eq=False)
class Compounds(_Table):
    """Compounds (k,): name and households; which units belong to one is ``Units.compound``."""

    name: Objects
    households: Ints
    geometry: Objects | None = None


@dataclass(frozen=True, slots=True)
class Misfit:
    """Where a grid that was drawn elsewhere did not fit the units.

    ``kind``: "overlap", "gap", "outside", "pieces", "unit_cut", "building_cut" or "compound_split"; ``grids`` are the
    grids concerned, the one to blame first.
    """

    kind: str
    grids: tuple[int, ...] = ()
    community: int | None = None
    area_m2: float = 0.0
    households: int = 0
    geometry: BaseGeometry | None = None
    name: str = ""


@dataclass(frozen=True, eq=False)
class PlanView:
    """Everything :func:`geodata.rules.check` looks at.

    ``crs`` is the local metric CRS of all geometry (anything pyproj reads), None if it was never declared (R19).
    ``retired_codes`` maps codes of grids that were retired to the day they ceased to be valid (None: not known).
    """

    units: Units
    grids: Grids
    communities: Communities
    crs: Any = None
    buildings: Buildings | None = None
    barriers: Barriers | None = None
    compounds: Compounds | None = None
    misfits: Sequence[Misfit] | None = None
    retired_codes: Mapping[str, date | None] | None = None
    today: date = field(default_factory=date.today)
