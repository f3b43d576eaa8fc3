"""Files from hostile or broken hands: a coded refusal or a clean read, never anything else."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.columns import apply_mapping, guess_mapping
from geodata.errors import GeodataError
from geodata.fields import FIELDS, Kind
from geodata.readers import Limits, open_source
from geodata.writers import write_csv, write_vector, write_xlsx

LIMITS = Limits(max_bytes=8 << 20, max_inflated=16 << 20)
SUFFIXES = [".gpkg", ".geojson", ".fgb", ".parquet", ".csv", ".xlsx", ".zip", ".kml", ".kmz", ".shp", ".dat", ""]
KML = """<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><name>甲</name><ExtendedData>
<Data name="户数"><value>3</value></Data></ExtendedData><MultiGeometry><Polygon><outerBoundaryIs><LinearRing>
<coordinates>120,30 121,30
121,31 120,30</coordinates></LinearRing></outerBoundaryIs></Polygon></MultiGeometry></Placemark></Document></kml>"""


@cache
def originals() -> Mapping[str, bytes]:
    """A small sound file of each format, by suffix."""
    shapes = [shapely.box(120, 30, 120.1, 30.1), shapely.Point(120, 30).buffer(0.1), None]
    frame = gpd.GeoDataFrame(
        {
            "编码": ["330102", "330103", None],
            "户数": pd.array([1, None, 3], "Int64"),
            "日期": pd.to_datetime(["2025-04-03"] * 3),
        },
        geometry=shapes,
        crs=4490,
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for suffix, format in ((".gpkg", "gpkg"), (".geojson", "geojson"), (".fgb", "fgb"), (".zip", "shp")):
            write_vector(frame, folder / f"x{suffix}", format)
        frame.to_parquet(folder / "x.parquet")
        write_csv(frame, folder / "x.csv")
        write_xlsx({"x": frame}, folder / "x.xlsx")
        (folder / "x.kml").write_text(KML)
        with zipfile.ZipFile(folder / "x.kmz", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(folder / "x.kml", "doc.kml")
        with zipfile.ZipFile(folder / "x.zip") as archive:
            parts = {
                f".{part.rpartition('.')[2]}": archive.read(part) for part in archive.namelist() if ".csv" not in part
            }
        return {path.suffix: path.read_bytes() for path in folder.iterdir()} | parts


def read(content: bytes, suffix: str, siblings: Mapping[str, bytes] | None = None) -> str:
    """Read all of it and map it to every kind; "read", or the code of the refusal, whose sentences exist."""
    folder = Path(tempfile.mkdtemp())
    try:
        path = folder / f"上传{suffix}"
        path.write_bytes(content)
        for other, part in (siblings or {}).items():
            path.with_suffix(other).write_bytes(part)
        source = open_source(path, scratch=folder / "scratch", limits=LIMITS)
        for note in source.notes:
            note.sentence("zh")
        for kind in Kind:
            mapping = guess_mapping(kind, source.columns, source.preview())
            for batch in source.batches(2):
                assert len(batch.attributes) == len(batch) == len(batch.rows)
                assert batch.geometry is None or len(batch.geometry) == len(batch)
                if all(field.name in mapping for field in FIELDS[kind] if field.required):
                    _frame, problems = apply_mapping(kind, batch, mapping)
                    for problem in [*problems, *batch.problems]:
                        assert problem.sentence("zh") and problem.sentence("en")
        return "read"
    except GeodataError as error:
        assert error.sentence("zh") and error.sentence("en")
        error.hint("zh")
        return error.code
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".fgb", ".parquet", ".csv", ".xlsx", ".zip", ".kml", ".kmz"])
def test_the_originals_are_sound(suffix):
    assert read(originals()[suffix], suffix) == "read"


@settings(max_examples=150, deadline=None)
@given(
    head=st.sampled_from(
        [b"", b"PK\x03\x04", b"SQLite format 3\0", b"fgb\x03fgb\0", b"PAR1", b"\0\0\x27\x0a", b"{", b"<kml>", b"a,b\n"]
    ),
    body=st.binary(max_size=600),
    suffix=st.sampled_from(SUFFIXES),
)
def test_random_bytes(head, body, suffix):
    read(head + body, suffix)


@settings(max_examples=100, deadline=None)
@given(text=st.text(max_size=300), suffix=st.sampled_from([".csv", ".geojson", ".kml"]))
def test_random_text(text, suffix):
    read(text.encode("utf-8", "surrogatepass"), suffix)


CELL = st.sampled_from(
    ["", "户数", "名称", "合计", "约300户", "=1+1", "１２", "2025.4.3", "必填", "说明：", "3.3E+11", "无", "\0", "“"]
)


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(st.lists(CELL | st.text(max_size=5), max_size=6), max_size=12))
def test_random_tables(rows):
    read(
        "\n".join(",".join(cell.replace("\n", " ") for cell in row) for row in rows).encode("utf-8", "replace"), ".csv"
    )


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".fgb", ".parquet", ".csv", ".xlsx", ".zip", ".kml", ".kmz"])
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_cut_or_changed_files(suffix, data):
    content = bytearray(originals()[suffix])
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content)))]
    for _ in range(data.draw(st.integers(0, 8))):
        if content:
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    read(bytes(content), data.draw(st.sampled_from([suffix, *SUFFIXES])))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_changed_parts_of_a_shapefile(data):
    parts = {suffix: bytearray(originals()[suffix]) for suffix in (".shp", ".shx", ".dbf", ".prj", ".cpg")}
    victim = data.draw(st.sampled_from(sorted(parts)))
    content = parts[victim]
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, min(len(content), 200) - 1))] = data.draw(st.integers(0, 255))
    dropped = data.draw(st.sampled_from([None, ".shx", ".dbf", ".prj", ".cpg"]))
    read(bytes(parts[".shp"]), ".shp", {s: bytes(p) for s, p in parts.items() if s not in (".shp", dropped)})


@settings(max_examples=60, deadline=None)
@given(
    names=st.lists(st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=30), max_size=4),
    body=st.sampled_from([b"", b"a,b\n1,2\n", b"PK\x03\x04"]),
)
def test_archives_with_any_names(names, body):
    with tempfile.TemporaryFile() as stream:
        with zipfile.ZipFile(stream, "w") as archive:
            for name in dict.fromkeys(name.encode("utf-8", "replace").decode() for name in names):
                archive.writestr(f"{name}.csv", body)
        stream.seek(0)
        read(stream.read(), ".zip")
