"""Well-known binary from files to plain 2D shapes, with a named problem for each that is none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.problems import Problem, Severity

if TYPE_CHECKING:
    import pyarrow as pa

#: GEOS recurses once a level and has no floor: a million nested collections end the process.
_MAX_COLLECTIONS = 1000
_FLAGS = rb"[\x00\x20\x40\x60\x80\xa0\xc0\xe0]"
_COLLECTION_HEAD = re.compile(
    rb"\x01(?:[\x04-\x07]\x00\x00"
    + _FLAGS
    + rb"|[\xec-\xef]\x03\x00\x00|[\xd4-\xd7]\x07\x00\x00|[\xbc-\xbf]\x0b\x00\x00)"
    rb"|\x00" + _FLAGS + rb"\x00(?:\x00[\x04-\x07]|\x03[\xec-\xef]|\x07[\xd4-\xd7]|\x0b[\xbc-\xbf])",
    re.DOTALL,
)


def from_wkb(wkb: pa.Array, rows: NDArray[np.int64]) -> tuple[NDArray[np.object_], list[Problem]]:
    """Shapes of ``wkb`` (n binary values, CRS as in the file), 2D, and the problems of ``rows`` (n record numbers).

    A value that does not parse, holds a coordinate that is no finite number, or is a curve or surface that shapely
    does not know becomes None with ``GEOMETRY_BROKEN``; null or empty becomes None with ``GEOMETRY_MISSING``.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_fixed_size_binary(wkb.type) or pa.types.is_large_binary(wkb.type):
        wkb = wkb.cast(pa.binary())
    raw: NDArray[np.object_] = wkb.to_numpy(zero_copy_only=False)
    present = wkb.is_valid().to_numpy(zero_copy_only=False) & (
        pc.fill_null(pc.binary_length(wkb), 0).to_numpy(zero_copy_only=False) > 0
    )
    heads = pc.binary_slice(wkb, 0, 5).dictionary_encode()
    kinds = np.array([_kind(head) for head in heads.dictionary.to_pylist()] or [0])
    kind = kinds[pc.fill_null(heads.indices, 0).to_numpy(zero_copy_only=False)] if len(raw) else np.zeros(0, int)
    readable = present & (kind >= 1) & (kind <= 7)
    for i in np.flatnonzero(readable & (kind >= 4)):
        readable[i] = len(_COLLECTION_HEAD.findall(raw[i])) <= _MAX_COLLECTIONS
    shapes = np.full(len(raw), None, dtype=object)
    with np.errstate(invalid="ignore"):
        shapes[readable] = shapely.from_wkb(raw[readable], on_invalid="ignore")
    shapes, finite = flat(shapes)
    broken = present & (shapely.is_missing(shapes) | ~finite)
    missing = ~present | (~broken & shapely.is_empty(shapes))
    shapes[broken | missing] = None
    problems = [Problem("GEOMETRY_BROKEN", Severity.ERROR, int(row)) for row in rows[broken]]
    problems += [Problem("GEOMETRY_MISSING", Severity.ERROR, int(row)) for row in rows[missing]]
    return shapes, problems


def flat(shapes: NDArray[np.object_]) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    """``shapes`` without Z and M, and which of them hold finite coordinates only."""
    if shapely.has_z(shapes).any() or shapely.has_m(shapes).any():
        shapes = shapely.force_2d(shapes)
    coordinates, owner = shapely.get_coordinates(shapes, return_index=True)
    finite = np.ones(len(shapes), bool)
    finite[owner[~np.isfinite(coordinates).all(axis=1)]] = False
    return shapes, finite


def _kind(head: Any) -> int:
    """The type number of a WKB head (order byte, uint32), dimensions and EWKB flags taken off; 0 where it is none."""
    if not isinstance(head, bytes) or len(head) < 5 or head[0] > 1:
        return 0
    return (int.from_bytes(head[1:], "little" if head[0] else "big") & 0x0FFFFFFF) % 1000
