"""Numeric columns in one file that NumPy and a browser's typed arrays read without copying.

Little endian: magic ``GMP1``, u32 length of the header, the header as UTF-8 JSON
``{"crc32": "8 hex digits", "meta": {...}, "arrays": {name: {"dtype", "offset", "length"}}}`` padded with spaces so that
it ends at a multiple of 8, then the arrays, each at ``offset`` bytes from the beginning of the file, a multiple of 8.
``length`` counts elements, ``dtype`` is one of :data:`DTYPES`, the checksum is that of the file without its digits.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.errors import GeodataError

MAGIC = b"GMP1"
DTYPES = ("f8", "f4", "i4", "u4", "u1")
_ALIGN = 8
_HEAD = len(MAGIC) + 4
_BEFORE = b'{"crc32":"'
_DIGITS = slice(_HEAD + len(_BEFORE), _HEAD + len(_BEFORE) + 8)

Arrays = Mapping[str, NDArray[Any]]


def pack(meta: Mapping[str, Any], arrays: Arrays) -> bytes:
    """``meta`` (JSON types) and one-dimensional ``arrays`` as one file; booleans become u1.

    Raises ``TypeError`` for other dtypes: which integers fit is the caller's to know.
    """
    columns = {name: _column(name, values) for name, values in arrays.items()}
    places, size = {}, 0
    for name, values in columns.items():
        places[name] = size
        size += _padded(values.nbytes)
    start, header = 0, b""
    while not header or start < _padded(_HEAD + len(header)):  # longer offsets may make the header longer
        start = _padded(_HEAD + len(header))
        table = {
            name: {"dtype": _name(values), "offset": start + places[name], "length": len(values)}
            for name, values in columns.items()
        }
        told = {"crc32": "0" * 8, "meta": meta, "arrays": table}
        header = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    content = bytearray(start + size)
    content[:start] = b"".join((MAGIC, struct.pack("<I", start - _HEAD), header.ljust(start - _HEAD)))
    for name, values in columns.items():
        content[start + places[name] : start + places[name] + values.nbytes] = values.tobytes()
    content[_DIGITS] = _checksum(memoryview(content))
    return bytes(content)


def unpack(content: Any) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Meta and arrays of a file given as bytes, mmap or any buffer; the arrays are read-only views into it.

    Raises ``GeodataError`` PACKED_DAMAGED with the ``reason``.
    """
    view = memoryview(content).cast("B").toreadonly()
    if len(view) < _HEAD or view[: len(MAGIC)] != MAGIC:
        raise _damaged("no GMP1 file")
    start = _HEAD + struct.unpack_from("<I", view, len(MAGIC))[0]
    if start > len(view) or start % _ALIGN:
        raise _damaged("the header does not end in the file")
    if bytes(view[_HEAD : _DIGITS.start]) != _BEFORE or bytes(view[_DIGITS]) != _checksum(view):
        raise _damaged("the checksum does not fit")
    try:
        told = json.loads(bytes(view[_HEAD:start]))
        meta, table = told["meta"], told["arrays"]
        entries = [(name, one["dtype"], one["offset"], one["length"]) for name, one in table.items()]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged("the header cannot be read") from error
    if not isinstance(meta, dict):
        raise _damaged("the header cannot be read")
    return meta, {name: _view(view, start, name, *place) for name, *place in entries}


def _view(content: memoryview, start: int, name: str, dtype: Any, offset: Any, length: Any) -> NDArray[Any]:
    if dtype not in DTYPES or not _whole(offset) or not _whole(length) or offset % _ALIGN or offset < start:
        raise _damaged(f"array {name} is not described rightly")
    if offset + length * int(dtype[1]) > len(content):
        raise _damaged(f"array {name} ends behind the file")
    return np.frombuffer(content, dtype=f"<{dtype}", count=length, offset=offset)


def _whole(value: Any) -> bool:
    return type(value) is int and value >= 0


def _column(name: str, values: NDArray[Any]) -> NDArray[Any]:
    column = np.ascontiguousarray(values)
    if column.dtype == np.bool_:
        column = column.view(np.uint8)
    if column.ndim != 1 or _name(column) not in DTYPES:
        raise TypeError(f"array {name}: {column.dtype} with {column.ndim} dimensions")
    return column.astype(column.dtype.newbyteorder("<"), copy=False)


def _name(values: NDArray[Any]) -> str:
    return f"{values.dtype.kind}{values.dtype.itemsize}"


def _checksum(view: memoryview) -> bytes:
    return b"%08x" % zlib.crc32(view[_DIGITS.stop :], zlib.crc32(view[: _DIGITS.start]))


def _padded(size: int) -> int:
    return -(-size // _ALIGN) * _ALIGN


def _damaged(reason: str) -> GeodataError:
    return GeodataError("PACKED_DAMAGED", reason=reason)
