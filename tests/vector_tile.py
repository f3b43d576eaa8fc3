"""Reads a vector tile by its specification, for tests: layers with their features, rings as they are written."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import shapely


@dataclass(frozen=True)
class Feature:
    """``rings``: open, in steps; a shell has a positive area and is followed by its holes."""

    tags: dict[str, Any]
    rings: list[list[tuple[int, int]]]

    def shape(self) -> Any:
        polygons: list[tuple[Any, list[Any]]] = []
        for ring in self.rings:
            if area2(ring) > 0:
                polygons.append((ring, []))
            else:
                polygons[-1][1].append(ring)
        return shapely.multipolygons([shapely.Polygon(*each) for each in polygons])


def area2(ring: list[tuple[int, int]]) -> int:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, [*ring[1:], ring[0]], strict=True))


def layers(tile: bytes, only: str | None = None) -> dict[str, list[Feature]]:
    """The features of each layer, or those of ``only`` (barriers are lines: their parts are rings here too)."""
    found = {}
    for number, layer in _fields(tile):
        assert number == 3
        parts = list(_fields(layer))
        keys = [value.decode() for number, value in parts if number == 3]
        values = [_value(value) for number, value in parts if number == 4]
        [name] = [value.decode() for number, value in parts if number == 1]
        if only is not None and name != only:
            continue
        assert [value for number, value in parts if number == 15] == [2]
        assert [value for number, value in parts if number == 5] == [4096]
        assert len(values) == len({(type(one), one) for one in values}), "a value is told twice"
        found[name] = [_feature(value, keys, values) for number, value in parts if number == 2]
    return found


def _feature(data: bytes, keys: list[str], values: list[Any]) -> Feature:
    parts = dict(_fields(data))
    tags = list(_varints(parts.get(2, b"")))
    return Feature({keys[k]: values[v] for k, v in zip(tags[::2], tags[1::2], strict=True)}, _rings(parts[4]))


def _rings(data: bytes) -> list[list[tuple[int, int]]]:
    rings, numbers, x, y = [], iter(list(_varints(data))), 0, 0
    for command in numbers:
        count = command >> 3
        if command & 7 == 7:
            continue
        if command & 7 == 1:
            assert count == 1
            rings.append([])
        for _ in range(count):
            dx, dy = next(numbers), next(numbers)
            x, y = x + (dx >> 1 ^ -(dx & 1)), y + (dy >> 1 ^ -(dy & 1))
            rings[-1].append((x, y))
    return rings


def _value(data: bytes) -> Any:
    [(number, value)] = list(_fields(data))
    if number == 1:
        return value.decode()
    if number == 3:
        return struct.unpack("<d", value)[0]
    return bool(value) if number == 7 else (value >> 1 ^ -(value & 1)) if number == 6 else value


def _varints(data: bytes) -> Iterator[int]:
    at = 0
    while at < len(data):
        value, at = _varint(data, at)
        yield value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        at += 1
        if data[at - 1] < 128:
            return value, at
        shift += 7


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    at = 0
    while at < len(data):
        head, at = _varint(data, at)
        if head & 7 == 0:
            value, at = _varint(data, at)
            yield head >> 3, value
        else:
            size, at = (8, at) if head & 7 == 1 else _varint(data, at)
            assert at + size <= len(data)
            yield head >> 3, data[at : at + size]
            at += size
