"""Rows as ``record_send`` writes them, and the message of a layer made of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from geodata.mvt.protobuf import copied, varint, width

_NULL, _NO, _WHOLE, _TEXT, _TRUTH, _REAL = 0, -1, 1, 2, 3, 4


@njit(cache=True, nogil=True)
def fields(data: Any, columns: int) -> Any:
    """Kind, first byte and size of every field, (rows, columns, 3); kind -1 is none that tiles have."""
    found = np.empty((len(data) // (4 + 8 * columns), columns, 3), np.int64)
    at, rows = 0, 0
    while at < len(data):
        at += 4  # the number of fields
        for c in range(columns):
            size = big_endian(data, at + 4, 4)
            found[rows, c, 0] = _kind(big_endian(data, at, 4)) if size >= 0 else _NULL
            found[rows, c, 1], found[rows, c, 2] = at + 8, size
            at += 8 + max(size, 0)
        rows += 1
    return found[:rows]


@njit(cache=True, nogil=True)
def big_endian(data: Any, at: int, size: int) -> int:
    """A signed whole number of ``size`` bytes, the highest first."""
    value = np.int64(np.int8(data[at]))
    for k in range(1, size):
        value = value << 8 | np.int64(data[at + k])
    return int(value)


@njit(cache=True, nogil=True)
def _kind(oid: int) -> int:
    """What a type of PostgreSQL becomes in a tile."""
    if oid == 20 or oid == 21 or oid == 23:
        return _WHOLE
    if oid == 25 or oid == 1043:
        return _TEXT
    if oid == 16:
        return _TRUTH
    return _REAL if oid == 701 else _NO


@njit(cache=True, nogil=True)
def message(data: Any, found: Any, lines: Any, pieces: Any, name: Any, keys: Any, extent: int) -> Any:
    """The layer of those rows that have a shape; nothing where none has.

    ``lines``, ``pieces``: the commands, and first byte and size of each row's; ``name``, ``keys``: ready fields.
    Equal values are told once.
    """
    rows, columns = found.shape[0], found.shape[1] - 1
    text, shown = 0, 0
    for r in range(rows):
        if pieces[r, 1] > 0:
            shown += 1
            for c in range(columns):
                text += max(found[r, c, 2], 0)
    if shown == 0:
        return np.empty(0, np.uint8)
    values = np.empty(text + 24 * shown * columns, np.uint8)
    body = np.empty(len(lines) + shown * (32 + 10 * columns), np.uint8)
    slots = 16
    while slots < 2 * shown * columns:
        slots *= 2
    table = np.full((slots, 2), -1, np.int64)  # where the value lies (row, column), by its hash
    number = np.empty(slots, np.int64)
    known, filled, used = 0, 0, 0
    tags = np.empty(2 * columns, np.int64)
    for r in range(rows):
        if pieces[r, 1] <= 0:
            continue
        told, size = 0, 0
        for c in range(columns):
            if found[r, c, 0] == _NULL:
                continue
            slot = _hash(data, found, r, c) & (slots - 1)
            while table[slot, 0] >= 0 and not _same(data, found, table[slot, 0], table[slot, 1], r, c):
                slot = slot + 1 & slots - 1
            if table[slot, 0] < 0:
                table[slot, 0], table[slot, 1], number[slot] = r, c, known
                known += 1
                filled = _value(values, filled, data, found, r, c)
            tags[told], tags[told + 1] = c, number[slot]
            size += width(c) + width(number[slot])
            told += 2
        begin, length = pieces[r, 0], pieces[r, 1]
        used = varint(body, used, 0x12)
        used = varint(body, used, 1 + width(size) + size + 2 + 1 + width(length) + length)
        used = varint(body, used, 0x12)
        used = varint(body, used, size)
        for k in range(told):
            used = varint(body, used, tags[k])
        body[used], body[used + 1], body[used + 2] = 0x18, 3, 0x22
        used = varint(body, used + 3, length)
        used = copied(body, used, lines, begin, length)
    size = len(name) + used + len(keys) + filled + 1 + width(extent) + 2
    out = np.empty(size + 16, np.uint8)
    at = varint(out, 0, 0x1A)
    at = varint(out, at, size)
    at = copied(out, at, name, 0, len(name))
    at = copied(out, at, body, 0, used)
    at = copied(out, at, keys, 0, len(keys))
    at = copied(out, at, values, 0, filled)
    at = varint(out, at, 0x28)
    at = varint(out, at, extent)
    out[at], out[at + 1] = 0x78, 2
    return out[: at + 2]


@njit(cache=True, nogil=True)
def _hash(data: Any, found: Any, row: int, column: int) -> int:
    """FNV-1a of a value; whole numbers of any width that are equal have the same."""
    mixed, prime = np.uint64(14695981039346656037), np.uint64(1099511628211)
    begin, size = found[row, column, 1], found[row, column, 2]
    if found[row, column, 0] == _WHOLE:
        mixed = (mixed ^ np.uint64(big_endian(data, begin, size))) * prime
        mixed ^= mixed >> np.uint64(29)
    else:
        for k in range(begin, begin + size):
            mixed = (mixed ^ np.uint64(data[k])) * prime
    return int(np.int64(mixed >> np.uint64(8)))


@njit(cache=True, nogil=True)
def _same(data: Any, found: Any, row: int, column: int, other_row: int, other_column: int) -> bool:
    """Whether two values are of one kind and equal."""
    kind, at, size = found[row, column, 0], found[row, column, 1], found[row, column, 2]
    other, other_size = found[other_row, other_column, 1], found[other_row, other_column, 2]
    if kind != found[other_row, other_column, 0]:
        return False
    if kind == _WHOLE:
        return bool(big_endian(data, at, size) == big_endian(data, other, other_size))
    if size != other_size:
        return False
    equal = True
    for k in range(size):
        equal = equal and data[at + k] == data[other + k]
    return equal


@njit(cache=True, nogil=True)
def _value(values: Any, used: int, data: Any, found: Any, row: int, column: int) -> int:
    """Write a value; the new end."""
    kind, begin, size = found[row, column, 0], found[row, column, 1], found[row, column, 2]
    used = varint(values, used, 0x22)
    if kind == _TEXT:
        used = varint(values, used, 1 + width(size) + size)
        used = varint(values, used, 0x0A)
        used = varint(values, used, size)
        return copied(values, used, data, begin, size)
    if kind == _TRUTH:
        values[used], values[used + 1], values[used + 2] = 2, 0x38, data[begin]
        return used + 3
    if kind == _REAL:
        values[used], values[used + 1] = 9, 0x19
        for k in range(8):
            values[used + 2 + k] = data[begin + 7 - k]
        return used + 10
    number = big_endian(data, begin, size)
    tag = 0x28 if number >= 0 else 0x30  # as PostGIS: unsigned, or signed where it must be
    if number < 0:
        number = number << 1 ^ number >> 63
    used = varint(values, used, 1 + width(number))
    used = varint(values, used, tag)
    return varint(values, used, number)
