"""Every format through one door, and what is refused at it."""

from __future__ import annotations

import stat
import struct
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

from geodata.errors import GeodataError
from geodata.readers import Format, Limits, open_source
from geodata.readers.archive import inflate, opened

KML = """<?xml version="1.0" encoding="UTF-8"?>{doctype}
<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Folder><name>网格</name><Placemark><name>第一网格</name>
<ExtendedData><Data name="户数"><value>320</value></Data></ExtendedData>
<Point><coordinates>120.1,30.2,5</coordinates></Point></Placemark></Folder></Document></kml>"""


@pytest.fixture
def frame() -> gpd.GeoDataFrame:
    columns = {
        "名称": ["锦绣花园一二三四五", "东城小区"],
        "户数": [320, 411],
        "社区代码": ["330102001001", "030102001002"],
    }
    return gpd.GeoDataFrame(columns, geometry=shapely.points([[120.1, 30.2], [120.2, 30.3]]), crs=4490)


def refused(path: Path, scratch: Path, **options: object) -> GeodataError:
    with pytest.raises(GeodataError) as caught:
        for _batch in open_source(path, scratch=scratch, **options).batches():  # type: ignore[arg-type]
            pass
    assert caught.value.sentence("zh") and caught.value.sentence("en")
    assert isinstance(caught.value.hint("zh"), str)
    return caught.value


@pytest.mark.parametrize(
    ("suffix", "driver", "form"),
    [
        ("gpkg", "GPKG", Format.GEOPACKAGE),
        ("geojson", "GeoJSON", Format.GEOJSON),
        ("fgb", "FlatGeobuf", Format.FLATGEOBUF),
        ("parquet", None, Format.GEOPARQUET),
        ("geojsonl", "GeoJSONSeq", Format.GEOJSONSEQ),
    ],
)
@pytest.mark.parametrize("honest", [True, False])
def test_vector_formats_by_content(tmp_path, frame, suffix, driver, form, honest):
    path = tmp_path / f"x.{suffix}"
    if driver is None:
        frame.to_parquet(path)
    elif driver == "GeoJSONSeq":
        pyogrio.write_dataframe(frame.to_crs(4326), path, driver=driver)
    else:
        pyogrio.write_dataframe(frame, path, driver=driver)
    if not honest:
        path = path.rename(tmp_path / "upload.dat")
    source = open_source(path, scratch=tmp_path / "scratch")
    assert source.format is form
    assert source.columns == list(frame.columns[:3])
    assert source.row_count in (2, None)
    assert ("China Geodetic" in (source.crs_wkt or "")) == (driver != "GeoJSONSeq")
    batches = list(source.batches(1))
    assert [batch.row0 for batch in batches] == [1, 2]
    back = pd.concat([batch.attributes for batch in batches]).sort_values("户数")
    assert back["社区代码"].tolist() == ["330102001001", "030102001002"]
    xs = sorted(shapely.get_x(batch.geometry[0]) for batch in batches)
    assert xs == pytest.approx([120.1, 120.2])


@pytest.mark.parametrize("cpg", [None, "GBK", "UTF-8"])
def test_gbk_shapefile(tmp_path, frame, cpg):
    """Without .cpg, with the right one, and with one that lies."""
    with pytest.warns(RuntimeWarning):
        pyogrio.write_dataframe(
            frame.rename(columns={"社区代码": "社区代码与全称"}), tmp_path / "x.shp", encoding="gb18030"
        )
    (tmp_path / "x.cpg").unlink(missing_ok=True)
    if cpg:
        (tmp_path / "x.cpg").write_text(cpg)
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for part in tmp_path.glob("x.[!z]*"):
            archive.write(part, f"数据/{part.name}")
    for path in (tmp_path / "x.shp", tmp_path / "x.zip"):
        source = open_source(path, scratch=tmp_path / path.suffix)
        assert (source.encoding.name, source.encoding.how) == ("gb18030", "cpg" if cpg == "GBK" else "gb18030")
        assert source.preview()["名称"].tolist() == frame["名称"].tolist()
        assert source.columns == ["名称", "户数", "社区代码与"]
        assert source.layer == "x"


def test_zip_with_gbk_names_and_two_layers(tmp_path, frame):
    for name in ("楼栋", "道路"):
        frame.to_file(tmp_path / f"{name}.geojson")
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("楼栋", "道路"):
            archive.write(tmp_path / f"{name}.geojson", f"{name}.geojson")
    raw = path.read_bytes()
    for name in ("楼栋", "道路"):  # as Chinese Windows packs: GBK and no UTF-8 flag
        utf8, gbk = (
            f"{name}.geojson".encode(),
            f"{name}.geojson".encode("gbk").rjust(len(f"{name}.geojson".encode()), b"x"),
        )
        raw = raw.replace(utf8, gbk)
    raw = raw.replace(struct.pack("<HH", 20, 0x800), struct.pack("<HH", 20, 0))
    path.write_bytes(raw)
    source = open_source(path, scratch=tmp_path / "a", layer="xx道路")
    assert source.layers == ["xx楼栋", "xx道路"]
    assert source.layer == "xx道路"
    assert refused(path, tmp_path / "b", layer="河流").code == "LAYER_UNKNOWN"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_csv_encodings(tmp_path, encoding):
    path = tmp_path / "x.csv"
    path.write_text("名称,户数,经度\n锦绣,300,120.1\n东城,,120.2\n", encoding=encoding)
    source = open_source(path, scratch=tmp_path / "s")
    assert source.columns == ["名称", "户数", "经度"]
    assert source.preview()["名称"].tolist() == ["锦绣", "东城"]
    assert source.encoding.how == {"utf-8-sig": "bom", "utf-16": "bom"}.get(encoding, encoding)


def test_csv_encoding_is_found_from_all_of_it(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"name,note\n" + b"a,b\n" * 400_000 + "锦,绣\n".encode("gbk"))
    assert open_source(path, scratch=tmp_path / "s").encoding.name == "gb18030"


def test_encoding_override_and_failure(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes("名稱,戶數\n錦繡,3\n".encode("big5"))
    assert open_source(path, scratch=tmp_path / "s", encoding="Big5").columns == ["名稱", "戶數"]
    assert refused(path, tmp_path / "t", encoding="klingon").code == "ENCODING_NAME"
    path.write_bytes(b"a,b\n\xff\xff\xff\xfe,\x80\xff\n")
    assert refused(path, tmp_path / "t").code == "ENCODING_UNKNOWN"


def test_gbk_geojson(tmp_path):
    path = tmp_path / "x.geojson"
    text = '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"名称":"锦绣"},"geometry":null}]}'
    path.write_text(text, encoding="gbk")
    source = open_source(path, scratch=tmp_path / "s")
    assert source.encoding.name == "gb18030"
    (batch,) = source.batches()
    assert batch.attributes["名称"].tolist() == ["锦绣"]
    assert [(p.code, p.row) for p in batch.problems] == [("GEOMETRY_MISSING", 1)]


def test_kml_and_kmz(tmp_path):
    kml = tmp_path / "x.kml"
    kml.write_text(KML.format(doctype=""))
    with zipfile.ZipFile(tmp_path / "x.kmz", "w") as archive:
        archive.write(kml, "doc.kml")
    for path in (kml, tmp_path / "x.kmz"):
        source = open_source(path, scratch=tmp_path / path.suffix)
        (batch,) = source.batches()
        assert batch.attributes["户数"].tolist() == ["320"]
        assert shapely.to_wkt(batch.geometry[0]) == "POINT (120.1 30.2)"


def test_xml_entities_are_refused(tmp_path):
    bomb = '<!DOCTYPE kml [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    for encoding in ("utf-8", "utf-16"):
        path = tmp_path / f"{encoding}.kml"
        path.write_text(KML.format(doctype=bomb).replace("UTF-8", encoding), encoding=encoding)
        assert refused(path, tmp_path / encoding).code == "XML_ENTITIES"


def test_xlsx_with_entities_is_refused(tmp_path):
    book = tmp_path / "x.xlsx"
    pd.DataFrame({"a": [1]}).to_excel(book)
    evil = tmp_path / "evil.xlsx"
    with zipfile.ZipFile(book) as good, zipfile.ZipFile(evil, "w") as bad:
        for info in good.infolist():
            data = good.read(info)
            if info.filename.endswith("sheet1.xml"):
                data = (
                    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
                    + data.partition(b"?>")[2]
                )
            bad.writestr(info, data)
    assert refused(evil, tmp_path / "s").code == "XML_ENTITIES"


@pytest.mark.parametrize(
    "name", ["../x.csv", "/etc/x.csv", "a/../../x.csv", "C:\\x.csv", "..\\x.csv", "\\\\host\\x.csv"]
)
def test_path_tricks(tmp_path, name):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "a,b\n1,2\n")
    assert refused(path, tmp_path / "s").code == "ARCHIVE_PATH"
    assert not list(tmp_path.rglob("x.csv"))


def test_symlink_nested_encrypted_and_too_many(tmp_path):
    path = tmp_path / "x.zip"
    link = zipfile.ZipInfo("x.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    for code, entries in {
        "ARCHIVE_PATH": [(link, "/etc/passwd")],
        "ARCHIVE_NESTED": [("inner.zip", "PK")],
        "ARCHIVE_TOO_MANY": [(f"{i}.csv", "") for i in range(11)],
        "ARCHIVE_NO_DATA": [("readme.pdf", "")],
    }.items():
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in entries:
                archive.writestr(name, content)
        assert refused(path, tmp_path / "s", limits=Limits(max_entries=10)).code == code


def test_a_full_disk_is_no_fault_of_the_archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("x.csv", "a,b\n1,2\n")
    with (
        Path("/dev/full").open("wb", buffering=0) as full,
        pytest.raises(OSError, match="No space left"),
        opened(tmp_path / "x.zip", Limits()) as (archive, files),
    ):
        inflate(archive, files[0], full, 1000)


def test_zip_bombs_declared_and_lying(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.csv", "a,b\n" + "1,2\n" * (20 << 20))
    assert refused(path, tmp_path / "s").code == "ARCHIVE_RATIO"
    assert refused(path, tmp_path / "s", limits=Limits(max_inflated=1 << 20)).code == "ARCHIVE_BOMB"
    size = struct.pack("<I", 4 + (80 << 20))
    path.write_bytes(path.read_bytes().replace(size, struct.pack("<I", 1000)))
    assert refused(path, tmp_path / "t", limits=Limits(max_inflated=1 << 20)).code in ("ARCHIVE_BOMB", "ARCHIVE_BROKEN")
    assert sum(file.stat().st_size for file in (tmp_path / "t").rglob("*") if file.is_file()) <= 2 << 20


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("x.csv", b"", "FILE_EMPTY"),
        ("x.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "FORMAT_OLD_OFFICE"),
        ("x.xls", b"<html><table></table></html>", "FORMAT_HTML"),
        ("x.rar", b"Rar!\x1a\x07", "FORMAT_PACKED"),
        ("x.dbf", b"\x03abcdef,", "SHAPEFILE_PART"),
        ("x.bin", bytes(range(256)), "FORMAT_UNKNOWN"),
        ("x.gpkg", b"SQLite format 3\0" + bytes(100), "FILE_BROKEN"),
        ("x.geojson", b'{"type":"FeatureCollection","features":[{', "FILE_BROKEN"),
        ("x.parquet", b"PAR1" + bytes(100) + b"PAR1", "FILE_BROKEN"),
        ("x.csv", b'a,b\n"' + b"x" * 200_000, "CSV_BROKEN"),
        ("x.csv", b"   \n\n", "FORMAT_UNKNOWN"),
    ],
)
def test_refused_by_name(tmp_path, name, content, code):
    path = tmp_path / name
    path.write_bytes(content)
    assert refused(path, tmp_path / "s").code == code


def test_size_limit_and_missing_file(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n")
    assert refused(path, tmp_path / "s", limits=Limits(max_bytes=4)).code == "FILE_TOO_BIG"
    assert refused(tmp_path / "none.csv", tmp_path / "s").code == "FILE_MISSING"


def test_broken_geometry_is_a_problem_not_an_exception(tmp_path):
    good = shapely.to_wkb(shapely.Point(120, 30))
    nested = b"\x01\x07\x00\x00\x00\x01\x00\x00\x00" * 200_000 + good  # would overrun the stack of GEOS
    nan = struct.pack("<BIII4d", 1, 2, 2, 0, 0, 0, 0, 0)[:9] + struct.pack("<4d", 120, 30, np.nan, 30)
    curve = bytes.fromhex("0108000000") + struct.pack("<I", 3) + struct.pack("<6d", 0, 0, 1, 1, 2, 0)
    values = [good, b"\x01\x01", nested, None, nan, curve, shapely.to_wkb(shapely.Point(1, 2, 3))]
    geo = (
        '{"version":"1.1.0","primary_column":"geometry","columns":{"geometry":{"encoding":"WKB","geometry_types":[]}}}'
    )
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"name": list("abcdefg"), "geometry": pa.array(values, pa.binary())})
    pq.write_table(table.replace_schema_metadata({"geo": geo}), tmp_path / "x.parquet")
    (batch,) = open_source(tmp_path / "x.parquet", scratch=tmp_path / "s").batches()
    assert [shape is not None for shape in batch.geometry] == [True, False, False, False, False, False, True]
    assert not shapely.has_z(batch.geometry).any()
    found = {(problem.row, problem.code) for problem in batch.problems}
    assert found == {(r, "GEOMETRY_BROKEN") for r in (2, 3, 5, 6)} | {(4, "GEOMETRY_MISSING")}


def test_personal_columns_are_named_and_never_delivered(tmp_path):
    path = tmp_path / "x.csv"
    rows = "".join(f"{i}幢,张三,11010519491231002X,户主电话13812345678,{i}\n" for i in range(1, 30))
    path.write_text("楼栋,户主姓名,备注一,备注二,户数\n" + rows)
    source = open_source(path, scratch=tmp_path / "s")
    assert source.personal == ["户主姓名", "备注一", "备注二"]
    assert source.columns == ["楼栋", "户数"]
    for frame in (source.preview(), next(source.batches()).attributes):
        assert list(frame.columns) == ["楼栋", "户数"]
    assert [note.code for note in source.notes] == ["PERSONAL_COLUMNS"]


def test_personal_values_are_taken_out_cell_by_cell(tmp_path):
    path = tmp_path / "x.csv"
    rows = ["1,文昌路"] * 9 + ["13812345678,张三电话13812345678", "1,证号11010519491231002X", "1,330102001001"]
    path.write_text("事件编号,地点\n" + "\n".join(rows) + "\n")
    source = open_source(path, scratch=tmp_path / "s")
    (batch,) = source.batches()
    assert not source.personal
    assert [(p.code, p.row, p.params) for p in batch.problems] == [
        ("PERSONAL_VALUE", 10, {"column": "地点"}),
        ("PERSONAL_VALUE", 11, {"column": "地点"}),
    ]
    for frame in (batch.attributes, source.preview()):
        assert frame["地点"].isna().tolist() == [False] * 9 + [True, True, False]
        assert frame["事件编号"][9] == "13812345678"  # a number of a case may look like one of a phone


def test_columns_hold_text_numbers_and_moments_never_objects(tmp_path):
    import datetime as dt
    import decimal

    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {
            "day": [dt.date(2025, 4, 3), None],
            "hour": [dt.time(8, 30), None],
            "span": [dt.timedelta(1), None],
            "list": [[1, 2], None],
            "struct": [{"a": 1}, None],
            "bytes": [b"x", None],
            "money": [decimal.Decimal("1.50"), None],
            "null": [None, None],
            "small": pa.array([1, None], pa.uint8()),
            "flag": [True, None],
        }
    )
    pq.write_table(table, tmp_path / "x.parquet")
    (batch,) = open_source(tmp_path / "x.parquet", scratch=tmp_path / "s").batches()
    assert batch.geometry is None
    assert not [name for name in batch.attributes if batch.attributes[name].dtype == object]
    assert batch.attributes["day"][0] == pd.Timestamp("2025-04-03")
    assert batch.attributes["money"][0] == 1.5
    assert batch.attributes["hour"][0].startswith("08:30")


def test_text_that_is_no_utf8_gets_replacement_characters(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(
        pa.table({"name": ["good", "kaputt"]}), tmp_path / "x.parquet", compression="none", use_dictionary=False
    )
    path = tmp_path / "broken.parquet"
    path.write_bytes((tmp_path / "x.parquet").read_bytes().replace(b"kaputt", b"ka\xff\xfett"))
    (batch,) = open_source(path, scratch=tmp_path / "s").batches()
    assert batch.attributes["name"].tolist() == ["good", "ka\ufffd\ufffdtt"]


def test_where_keeps_row_numbers(tmp_path, frame):
    frame.to_file(tmp_path / "x.gpkg")
    (batch,) = open_source(tmp_path / "x.gpkg", scratch=tmp_path / "s", where={"名称": "东城小区"}).batches()
    assert batch.rows.tolist() == [2]
    assert len(batch.geometry) == len(batch.attributes) == 1
    assert refused(tmp_path / "x.gpkg", tmp_path / "t", where={"无此列": "x"}).code == "COLUMN_UNKNOWN"


def test_header_hash_ignores_order_and_form(tmp_path):
    from geodata.readers import header_hash

    assert header_hash(["户数", "ＩＤ"]) == header_hash(["id", " 户 数 "]) != header_hash(["户数"])


SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared real files are not beside the checkout")
@pytest.mark.parametrize(
    ("name", "rows"),
    [("houston_crime_2010_core.csv", 22_418), ("shanghai_bund_osm.geojson", 2768), ("tsuruoka_units.geojson", 722)],
)
def test_real_files(tmp_path, name, rows):
    source = open_source(SHARED / name, scratch=tmp_path)
    assert sum(len(batch) for batch in source.batches(1000)) == rows
    assert not source.personal
