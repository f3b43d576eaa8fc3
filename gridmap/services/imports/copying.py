"""Staged rows and findings into the database by COPY, whole columns at a time.

The lines of COPY's text format are put together by Arrow, column by column, and its buffer is sent as it is: a
million rows cost seconds, not a Python loop.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from geodata.problems import Problem
from gridmap.db.bulk import wkb_hex
from gridmap.db.models import SRID

if TYPE_CHECKING:
    import pyarrow as pa

#: Byte order, type (point with SRID) and SRID of a point in EWKB.
_POINT_HEAD = np.frombuffer(b"\x01" + (0x20000001).to_bytes(4, "little") + SRID.to_bytes(4, "little"), np.uint8)
#: The two hex digits of every byte.
_DIGITS = np.frombuffer(b"".join(b"%02X" % byte for byte in range(256)), np.uint8).reshape(256, 2)

_NULL = "\\N"
#: What JSON must escape; U+0000 cannot stand in jsonb at all.
_UNSAFE = r'["\\\x00-\x1f]'


def copy_rows(
    session: Session,
    batch_id: int,
    frame: pd.DataFrame,
    shapes: NDArray[np.object_],
    bad: NDArray[np.bool_],
    source: pd.DataFrame,
) -> None:
    """Append staged rows. ``frame``: target fields by record number; ``shapes`` (n,) stored lon/lat or None;
    ``bad`` (n,) rows cannot be accepted, and keep their record ``source`` (n rows, same order)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not len(frame):
        return
    geometry = _hex(shapes)
    lines = _joined(
        str(batch_id),
        pc.cast(pa.array(frame.index.to_numpy(np.int64)), pa.large_string()),
        pc.cast(pa.array(np.where(bad, "t", "f")), pa.large_string()),
        json_objects(frame),
        pa.array(_sources(source, bad), pa.large_string()),
        _joined(pc.fill_null(geometry, _NULL), "\n"),
        separator="\t",
    )
    _send(session, "import_row (batch_id, row, bad, fields, source, geom)", lines)


def _hex(shapes: NDArray[np.object_]) -> pa.Array:
    """Hex EWKB, null for None. Points, the many, are written as bytes at once."""
    import pyarrow as pa

    if not (shapely.get_type_id(shapes) == 0).all() or shapely.is_empty(shapes).any():
        return pa.array(wkb_hex(shapes), pa.large_string(), from_pandas=True)
    ewkb = np.empty((len(shapes), _POINT_HEAD.size + 16), np.uint8)
    ewkb[:, : _POINT_HEAD.size] = _POINT_HEAD
    ewkb[:, _POINT_HEAD.size :] = shapely.get_coordinates(shapes).astype("<f8").view(np.uint8).reshape(-1, 16)
    text = _DIGITS[ewkb]
    offsets = np.arange(len(shapes) + 1, dtype=np.int64) * ewkb.shape[1] * 2
    return pa.LargeStringArray.from_buffers(len(shapes), pa.py_buffer(offsets), pa.py_buffer(text))


def copy_problems(session: Session, batch_id: int, problems: Iterable[Problem]) -> None:
    """Append findings, their place in lon/lat."""
    found = list(problems)
    if not found:
        return
    places = wkb_hex(np.array([p.geometry for p in found] + [None], dtype=object)[:-1])
    lines = [
        "\t".join(
            (
                str(batch_id),
                _NULL if p.row is None else str(p.row),
                p.code,
                p.severity.value,
                _copy_text(json_of(p.params)),
                place or _NULL,
            )
        )
        for p, place in zip(found, places, strict=True)
    ]
    with (
        _cursor(session) as cursor,
        cursor.copy("COPY import_problem (batch_id, row, code, severity, params, geom) FROM STDIN") as out,
    ):
        out.write("\n".join(lines) + "\n")


def json_of(values: Mapping[Any, Any]) -> str:
    """``values`` as JSON that jsonb takes: no NaN, no U+0000, anything unknown as text."""
    plain = {str(key): _plain(value) for key, value in values.items()}
    return json.dumps({k: v for k, v in plain.items() if v is not None}, ensure_ascii=False, default=str)


def json_objects(frame: pd.DataFrame) -> pa.Array:
    """Each row of ``frame`` as a JSON object escaped for COPY; NA cells are left out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = [_members(str(name), frame[name]) for name in frame.columns]
    if not parts:
        return pa.array(["{}"] * len(frame), pa.large_string())
    if all(part.null_count for part in parts):
        # Arrow leaves out the whole row where every part is null: an empty one keeps it
        blank = pa.array(frame.isna().to_numpy(bool).all(axis=1))
        parts[0] = pc.if_else(blank, pa.scalar("", pa.large_string()), parts[0])
    return _joined("{", _joined(*parts, separator=",", nulls="skip"), "}")


def _members(name: str, column: pd.Series) -> pa.Array:
    """``"name":value`` for each cell, null where it is NA."""
    import pyarrow as pa

    values = _values(pa.array(column, from_pandas=True))
    return _joined(f'"{name}":', values)


def _values(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    kind = column.type
    if pa.types.is_null(kind):
        return pa.nulls(len(column), pa.large_string())
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _quoted(column.cast(pa.large_string()))
    if pa.types.is_timestamp(kind):
        zoned = "Z" if kind.tz else ""
        return _wrapped(pc.strftime(column, format=f"%Y-%m-%dT%H:%M:%S{zoned}").cast(pa.large_string()))
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_finite(column), column, pa.scalar(None, kind))
    return column.cast(pa.large_string())


def _quoted(text: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    unsafe = pc.fill_null(pc.match_substring_regex(text, _UNSAFE), False)
    if not pc.any(unsafe).as_py():
        return _wrapped(text)
    rare = [_copy_text(json.dumps(_without_nul(t), ensure_ascii=False)) for t in text.filter(unsafe).to_pylist()]
    return pc.replace_with_mask(_wrapped(text), unsafe, pa.array(rare, pa.large_string()))


def _wrapped(text: pa.Array) -> pa.Array:
    return _joined('"', text, '"')


def _joined(*parts: pa.Array | str, separator: str = "", nulls: str = "emit_null") -> pa.Array:
    """The parts of each row one after the other; a text stands in every row."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = [pa.scalar(part, pa.large_string()) if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(*columns, pa.scalar(separator, pa.large_string()), null_handling=nulls)


def _sources(source: pd.DataFrame, bad: NDArray[np.bool_]) -> list[str]:
    lines = [_NULL] * len(bad)
    names = list(source.columns)
    for position in np.flatnonzero(bad).tolist():
        record = dict(zip(names, source.iloc[position].tolist(), strict=True))
        lines[position] = _copy_text(json_of(record))
    return lines


def _plain(value: Any) -> Any:
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, shapely.Geometry):
        return shapely.to_wkt(value)
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return _without_nul(str(value))


def _without_nul(text: str) -> str:
    return text.replace("\0", "")


def _copy_text(text: str) -> str:
    return text.replace("\\", "\\\\")


def _send(session: Session, target: str, lines: pa.Array) -> None:
    """Send the text of ``lines``, which lies in one buffer already."""
    offsets = np.frombuffer(lines.buffers()[1], np.int64)[lines.offset : lines.offset + len(lines) + 1]
    payload = memoryview(lines.buffers()[2])[offsets[0] : offsets[-1]]
    with _cursor(session) as cursor, cursor.copy(f"COPY {target} FROM STDIN") as out:
        for start in range(0, len(payload), 1 << 22):
            out.write(payload[start : start + (1 << 22)])


def _cursor(session: Session) -> Any:
    session.flush()
    return session.connection().connection.driver_connection.cursor()  # type: ignore[union-attr]
