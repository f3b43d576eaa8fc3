"""The raw text of a dBASE table: what a library decodes too early to be asked about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

_ROWS = 65536


def text_values(path: Path) -> Iterator[tuple[bytes, bool]]:
    """Field names, and the values of character fields that hold a byte above 0x7F, each with "fills its field".

    Layout as in the dBASE III header: record count at byte 4, header and record length at 8 and 10, then 32 bytes a
    field. A damaged header yields nothing; the reader proper will say what is wrong.
    """
    with path.open("rb") as stream:
        head = stream.read(32)
        if len(head) < 32:
            return
        header_length, record_length = (int.from_bytes(head[i : i + 2], "little") for i in (8, 10))
        descriptors = stream.read(max(header_length - 32, 0))
        fields = []
        offset = 1
        for at in range(0, len(descriptors) - 31, 32):
            if descriptors[at] == 0x0D:
                break
            name = descriptors[at : at + 11].split(b"\0")[0]
            length = descriptors[at + 16]
            if descriptors[at + 11 : at + 12] == b"C":
                length += descriptors[at + 17] << 8
                fields.append((offset, length))
            offset += length
            yield name, len(name) >= 10
        if record_length < 1 or header_length < 33:
            return
        stream.seek(header_length)
        while block := stream.read(record_length * _ROWS):
            rows = len(block) // record_length
            table = np.frombuffer(block, np.uint8, rows * record_length).reshape(rows, record_length)
            for start, length in fields:
                cells = np.ascontiguousarray(table[:, start : start + length])
                for row in np.flatnonzero((cells >= 0x80).any(axis=1)):
                    raw = cells[row].tobytes()
                    value = raw.rstrip(b" \0")
                    yield value, len(value) == len(raw)
