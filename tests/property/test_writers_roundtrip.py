"""What is written reads back with nothing lost."""

from __future__ import annotations

import tempfile
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.columns import apply_mapping
from geodata.fields import Kind
from geodata.readers import open_source
from geodata.writers import write_csv, write_vector, write_xlsx

TEXT = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters="\ufffd_"), min_size=1, max_size=20)
CODES = st.text("0123456789", min_size=1, max_size=15)
RECORD = st.fixed_dictionaries(
    {
        "key": CODES,
        "name": st.none() | TEXT,
        "households": st.none() | st.integers(0, 10**9),
        "data_date": st.none() | st.dates(pd.Timestamp("1901-01-01").date(), pd.Timestamp("2099-12-31").date()),
    }
)
POINT = st.tuples(st.floats(73, 135), st.floats(3, 54)).map(shapely.Point)


def frame_of(records, points):
    frame = pd.DataFrame(records, columns=["key", "name", "households", "data_date"])
    frame = frame.astype({"key": "str", "name": "str", "households": "Int64"})
    frame["data_date"] = pd.to_datetime(frame["data_date"]).astype("datetime64[s]")
    return gpd.GeoDataFrame(frame, geometry=points, crs=4490)


def read_back(path: Path, scratch: Path) -> tuple[pd.DataFrame, list[object], list[object]]:
    source = open_source(path, scratch=scratch)
    mapping = {name: name for name in ("key", "name", "households", "data_date")}
    frames, shapes, problems = [], [], []
    for batch in source.batches(2):
        typed, found = apply_mapping(Kind.UNITS, batch, mapping)
        frames.append(typed)
        problems += [*batch.problems, *found]
        shapes += [None] * len(batch) if batch.geometry is None else list(batch.geometry)
    return pd.concat(frames), shapes, problems


@pytest.mark.parametrize("format", ["gpkg", "geojson", "shp", "fgb", "csv", "xlsx"])
@settings(max_examples=25, deadline=None)
@given(records=st.lists(st.tuples(RECORD, POINT), min_size=1, max_size=6))
def test_round_trip(format, records):
    frame = frame_of([record for record, _ in records], [point for _, point in records])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"x.{'zip' if format == 'shp' else format}"
        if format == "csv":
            write_csv(frame, path)
        elif format == "xlsx":
            write_xlsx({"x": frame}, path)
        else:
            write_vector(frame, path, format)
        back, shapes, problems = read_back(path, Path(folder) / "s")
    assert not problems
    order = list(range(len(frame)))
    if format == "fgb":  # sorted by its spatial index
        left = list(order)
        order = []
        for shape, key in zip(shapes, back["key"], strict=True):
            hit = next(i for i in left if frame.geometry[i].equals(shape) and frame["key"][i] == key)
            left.remove(hit)
            order.append(hit)
    expected = frame.iloc[order].reset_index(drop=True)
    for name in ("key", "households", "data_date"):
        assert back[name].reset_index(drop=True).equals(expected[name]), name
    names = [None if pd.isna(v) else v for v in back["name"]]
    empty = ("-", "--", "---", "—", "——", "–", "/", "//", "\\", "无")
    assert names == [None if pd.isna(v) or v in empty else v for v in expected["name"]]
    if shapes[0] is not None:
        for written, read in zip(expected.geometry, shapes, strict=True):
            assert written.distance(read) <= (1e-9 if format == "geojson" else 0)
