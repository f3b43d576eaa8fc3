"""The packed container: what comes out is what went in, byte layout as the browser reads it, damage is named."""

from __future__ import annotations

import json
import mmap
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geodata.errors import GeodataError
from geodata.packed import DTYPES, pack, unpack

SAMPLE = {
    "id": np.array([1.0, 2.0**53]),
    "left": np.array([0, -1, 7], dtype=np.int32),
    "flag": np.array([True, False, True, True, False]),
    "none": np.zeros(0, dtype=np.float32),
}


def test_the_layout_is_that_of_the_contract() -> None:
    content = pack({"n": 2, "compounds": ["明珠苑"]}, SAMPLE)
    assert content[:4] == b"GMP1"
    (size,) = struct.unpack_from("<I", content, 4)
    assert (8 + size) % 8 == 0
    header = json.loads(content[8 : 8 + size])
    assert header["meta"] == {"n": 2, "compounds": ["明珠苑"]}
    for name, place in header["arrays"].items():
        assert place["offset"] % 8 == 0 and place["offset"] >= 8 + size and place["length"] == len(SAMPLE[name])
    place = header["arrays"]["left"]
    assert place["dtype"] == "i4" and header["arrays"]["flag"]["dtype"] == "u1"
    assert content[place["offset"] : place["offset"] + 12] == struct.pack("<3i", 0, -1, 7)


@given(
    st.dictionaries(st.text(max_size=4), st.sampled_from(DTYPES).flatmap(lambda kind: arrays(kind, st.integers(0, 9)))),
    st.dictionaries(st.text(max_size=4), st.one_of(st.integers(), st.text(max_size=40), st.none()), max_size=3),
)
def test_what_went_in_comes_out(columns: dict[str, np.ndarray], meta: dict[str, object]) -> None:
    told, found = unpack(pack(meta, columns))
    assert told == meta and found.keys() == columns.keys()
    for name, column in columns.items():
        assert found[name].dtype == column.dtype and found[name].tobytes() == column.tobytes()


def test_a_file_is_read_where_it_lies(tmp_path: Path) -> None:
    path = tmp_path / "one.gmp"
    path.write_bytes(pack({}, SAMPLE))
    with path.open("rb") as file:
        _, found = unpack(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    assert found["left"].tolist() == [0, -1, 7]
    with pytest.raises(ValueError, match="read-only"):
        found["left"][0] = 1


@given(st.data())
def test_no_damage_goes_unseen(data: st.DataObject) -> None:
    """Any byte of the arrays, any cut: an error with a code, never other numbers."""
    content = bytearray(pack({"n": 2}, SAMPLE))
    at = data.draw(st.integers(0, len(content) - 1))
    cut = data.draw(st.booleans())
    if cut:
        content = content[:at]
    else:
        content[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(GeodataError) as caught:
        unpack(bytes(content))
    assert caught.value.code == "PACKED_DAMAGED" and "{" not in caught.value.sentence("zh")


def _signed(header: bytes) -> bytes:
    """A file of one header whose checksum fits."""
    content = bytearray(b"GMP1" + struct.pack("<I", len(header)) + header)
    content[18:26] = b"%08x" % zlib.crc32(content[26:], zlib.crc32(content[:18]))
    return bytes(content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GMP2" + bytes(20),
        b"GMP1" + struct.pack("<I", 2**31),
        b"GMP1" + struct.pack("<I", 8) + b"[1, 2]  ",
        b"GMP1" + struct.pack("<I", 8) + b"\xff" * 8,
        _signed(b'{"crc32":"00000000"} '.ljust(24)),
        _signed(b'{"crc32":"00000000","meta":{},"arrays":{"a":{"dtype":"f8","offset":8,"length":1}}} '.ljust(88)),
        _signed(b'{"crc32":"00000000","meta":{},"arrays":{"a":{"dtype":"i8","offset":96,"length":0}}}'.ljust(88)),
        _signed(b'{"crc32":"00000000","meta":{},"arrays":{"a":{"dtype":"f8","offset":96,"length":1}}}'.ljust(88)),
    ],
)
def test_what_is_no_packed_file_is_refused(content: bytes) -> None:
    with pytest.raises(GeodataError, match="damaged"):
        unpack(content)


def test_only_what_the_browser_reads_is_packed() -> None:
    with pytest.raises(TypeError, match="int64"):
        pack({}, {"id": np.array([1])})
    with pytest.raises(TypeError, match="2 dimensions"):
        pack({}, {"xy": np.zeros((2, 2))})
