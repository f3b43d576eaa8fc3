"""Arrow records to a frame of text and numbers, decoded where the format needs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    import pyarrow as pa


def attributes(part: pa.RecordBatch, decode: Callable[[str], str] | None = None) -> pd.DataFrame:
    """The columns of ``part``: integers keep being integers beside nulls, days become moments, lists and
    structs become text: no column holds Python objects.

    ``decode`` is applied to each distinct text.
    """
    import pyarrow as pa

    columns = {}
    for position, field in enumerate(part.schema):
        column = part.column(position)
        kind = field.type
        if pa.types.is_dictionary(kind):
            column = column.dictionary_decode()
            kind = column.type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            column = _sound(column) if decode is None else _recoded(column, decode)
        elif pa.types.is_date(kind):
            column = column.cast(pa.timestamp("s"), safe=False)
        elif pa.types.is_decimal(kind):
            column = column.cast(pa.float64(), safe=False)
        elif pa.types.is_temporal(kind) and not pa.types.is_timestamp(kind):
            column = column.cast(pa.string())
        elif not (pa.types.is_primitive(kind) or pa.types.is_boolean(kind)):
            column = pa.array([None if v is None else str(v) for v in column.to_pylist()], pa.string())
        columns[position] = column.to_pandas(types_mapper=_nullable)
    return pd.DataFrame(columns, index=pd.RangeIndex(part.num_rows))


def _sound(column: pa.Array) -> pa.Array:
    """Text that claims to be UTF-8 and is not gets replacement characters, before any kernel trips over it."""
    import pyarrow as pa

    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        raw = column.cast(pa.large_binary()).to_pylist()
        return pa.array([None if cell is None else cell.decode("utf-8", "replace") for cell in raw], pa.string())
    return column


def _recoded(column: pa.Array, decode: Callable[[str], str]) -> pa.Array:
    import pyarrow as pa

    packed = column.dictionary_encode()
    words = pa.array([None if word is None else decode(word) for word in packed.dictionary.to_pylist()], pa.string())
    return words.take(packed.indices)


def _nullable(kind: pa.DataType) -> Any:
    import pyarrow as pa

    if pa.types.is_integer(kind):
        return pd.Int64Dtype() if kind != pa.uint64() else pd.UInt64Dtype()
    if pa.types.is_boolean(kind):
        return pd.BooleanDtype()
    return (
        pd.StringDtype("pyarrow", na_value=float("nan"))
        if pa.types.is_string(kind) or pa.types.is_large_string(kind)
        else None
    )
