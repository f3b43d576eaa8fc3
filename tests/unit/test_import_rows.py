"""Rows on their way into the staging table: JSON that says what the frame says, words in the model's terms, joins."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geodata.crs import CrsGuess
from geodata.fields import Kind
from gridmap.errors import Invalid
from gridmap.services.imports import coordinates, files
from gridmap.services.imports.copying import _hex, json_objects, json_of
from gridmap.services.imports.joining import join
from gridmap.services.imports.known import Buildings, _positions
from gridmap.services.imports.normalise import levels, normalise

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)


def uncopied(line: str) -> str:
    """What PostgreSQL's COPY reads from a line of its text format, by the manual."""
    assert not re.search(r"[\t\n\r]", line)
    return line.replace("\\\\", "\\")


@given(
    st.lists(
        st.tuples(
            st.none() | TEXT,
            st.none() | st.integers(0, 2**53),
            st.none() | st.floats(allow_nan=False, allow_infinity=False),
            st.none() | st.booleans(),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_json_says_what_the_frame_says(rows: list[tuple[Any, ...]]) -> None:
    text, counts, numbers, flags = (list(column) for column in zip(*rows, strict=True))
    frame = pd.DataFrame(
        {
            "名": pd.Series(text, dtype="str"),
            "n": pd.array(counts, dtype="Int64"),
            "x": np.array([np.nan if x is None else x for x in numbers]),
            "f": pd.array(flags, dtype="boolean"),
        }
    )
    lines = json_objects(frame).to_pylist()
    assert len(lines) == len(rows)
    for line, row in zip(lines, rows, strict=True):
        values = {
            "名": row[0] and row[0].replace("\0", "") if row[0] != "" else "",
            "n": row[1],
            "x": row[2],
            "f": row[3],
        }
        assert json.loads(uncopied(line)) == {name: value for name, value in values.items() if value is not None}


def test_times_keep_their_zone() -> None:
    moments = pd.to_datetime(pd.Series(["2025-04-03T00:05:00", None])).astype("datetime64[us]").dt.tz_localize("UTC")
    days = pd.Series(["2025-04-03", None], dtype="datetime64[s]")
    first, second = json_objects(pd.DataFrame({"at": moments, "day": days})).to_pylist()
    found = json.loads(first)
    assert pd.Timestamp(found["at"]) == moments[0] and pd.Timestamp(found["day"]) == days[0]
    assert second == "{}"


@given(st.lists(st.none() | st.tuples(st.floats(-180, 180), st.floats(-90, 90)), min_size=1, max_size=9))
def test_points_as_hex(places: list[tuple[float, float] | None]) -> None:
    shapes = np.array([None if p is None else shapely.Point(p) for p in places] + [None], dtype=object)[:-1]
    back = [None if text is None else shapely.from_wkb(bytes.fromhex(text)) for text in _hex(shapes).to_pylist()]
    assert [b is None for b in back] == [p is None for p in places]
    for shape, other in zip(shapes, back, strict=True):
        if shape is not None:
            assert shapely.equals_exact(shape, other) and shapely.get_srid(other) == 4490


def test_what_jsonb_cannot_hold_is_left_out() -> None:
    assert json.loads(json_of({"a": float("nan"), "b": "x\0y", "c": np.int64(3), "d": pd.NA})) == {"b": "xy", "c": 3}


def frame_of(what: Kind, /, **columns: list[Any]) -> pd.DataFrame:
    from geodata.fields import FIELDS

    n = len(next(iter(columns.values())))
    whole = {f.name: columns.get(f.name, [None] * n) for f in FIELDS[what]}
    return pd.DataFrame(whole, index=pd.Index(range(1, n + 1), name="row"), dtype="str")


def test_regions_know_their_level_by_their_code() -> None:
    frame, problems = normalise(
        Kind.REGIONS,
        frame_of(
            Kind.REGIONS,
            code=["330102", "330102001", "330102001002", None],
            urban_rural_code=["111", "220", None, None],
        ),
        "layer",
    )
    assert problems == []
    assert list(frame["code"][:3]) == ["330102000000", "330102001000", "330102001002"]
    assert list(frame["prefix"][:3]) == ["330102", "330102001", "330102001002"]
    assert list(frame["settlement"][:2]) == ["urban", "rural"] and frame["settlement"][2:].isna().all()
    assert list(levels(frame["code"])[0][:3]) == ["county", "subdistrict", "community"]


@pytest.mark.parametrize(
    ("kind", "cls", "layer", "wanted"),
    [
        ("道路", "主干路", "x", ("road", "主干路")),
        ("roads", "rail", "x", ("rail", "rail")),
        ("主干路", None, "x", ("road", "主干路")),
        (None, "river", "x", ("water", "river")),
        (None, None, "水系", ("water", None)),
        ("roads", "minor_road", "x", ("road", "residential")),
        ("小区", None, "x", ("compound", None)),
        ("广告牌", None, "x", None),
    ],
)
def test_kinds_of_barriers(
    kind: str | None, cls: str | None, layer: str, wanted: tuple[str, str | None] | None
) -> None:
    frame, problems = normalise(Kind.BARRIERS, frame_of(Kind.BARRIERS, kind=[kind], **{"class": [cls]}), layer)
    found = frame["kind"].iloc[0], frame["class"].iloc[0]
    assert [p.code for p in problems] == ([] if wanted else ["IMPORT_BARRIER_KIND"])
    if wanted:
        assert found[0] == wanted[0] and (found[1] == wanted[1] or (wanted[1] is None and pd.isna(found[1])))


def test_joining_by_key_before_address() -> None:
    points = shapely.points([[0, 0], [1, 1], [2, 2]])
    keys = np.array(["A-1", None, "B"], dtype=object)
    addresses = np.array(["长安路 1号", "长安路2号", "长安路2号"], dtype=object)
    known = Buildings(np.array([7, 8, 9]), np.array([1, 1, 1]), points, _positions(keys), _positions(addresses))
    frame = frame_of(
        Kind.BUILDINGS,
        key=["a-1", None, None, None, "Z", None],
        address=[None, "长安路１号", "长安路2号", None, None, "长安路1号"],
    )
    shapes = np.array([None] * 5 + [shapely.Point(5, 5)], dtype=object)
    joined = join(Kind.BUILDINGS, frame, shapes, known)
    assert joined.building.tolist()[:2] == [0, 0] and (joined.building[2:] < 0).all()
    assert [(p.row, p.code) for p in joined.problems] == [(3, "IMPORT_BUILDING_SHARED"), (5, "IMPORT_BUILDING_UNKNOWN")]


def test_a_reading_is_named_and_found_again() -> None:
    guesses = [
        CrsGuess("CRS_ZONE_PLAIN", "EPSG:4549", 0.4, swapped=True),
        CrsGuess("CRS_DMS", "EPSG:4490", 0.3, packing="dddmmss"),
    ]
    assert [coordinates.key_of(g) for g in guesses] == ["EPSG:4549 yx", "EPSG:4490 dddmmss"]
    assert [coordinates.guess_of(coordinates.key_of(g), guesses) for g in guesses] == guesses
    named = coordinates.guess_of("EPSG:4550 yx", guesses)
    assert (named.crs, named.swapped) == ("EPSG:4550", True)


def test_readings_that_are_equally_likely_are_asked_for() -> None:
    zones = [CrsGuess("CRS_ZONE_PLAIN", f"EPSG:{4534 + k}", 0.27) for k in range(3)]
    with pytest.raises(Invalid) as caught:
        coordinates.the_one(zones)
    assert caught.value.code == "IMPORT_CRS_ASK" and "EPSG:4535" in caught.value.sentence("zh")
    with pytest.raises(Invalid):
        coordinates.the_one([])


@pytest.mark.parametrize("name", ["wgs84", "WGS-84", "CGCS2000", "gcj-02", "GCJ02", "bd 09"])
def test_datums_by_their_usual_names(name: str) -> None:
    assert coordinates.datum_named(name) in ("CGCS2000", "GCJ02", "BD09")


def test_names_on_disk_cannot_leave_the_folder() -> None:
    assert files.stored_name("ab", "../../x.GPKG") == "ab.gpkg"
    assert files.stored_name("ab", "x.we ird/..") == "ab"
