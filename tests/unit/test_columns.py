"""Which column is which field, and what becomes of its cells."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from geodata.columns import apply_mapping, guess_mapping
from geodata.errors import GeodataError
from geodata.fields import FIELDS, Kind
from geodata.personal import holds_identity, is_personal_header, personal_cells
from geodata.readers import Batch


def batch(frame: pd.DataFrame, geometry: bool = False) -> Batch:
    rows = np.arange(1, len(frame) + 1)
    return Batch(rows, frame, np.full(len(frame), None, object) if geometry else None)


@pytest.mark.parametrize(
    ("kind", "columns", "expected"),
    [
        ("buildings", ["楼栋编号", "小区名称", "总户数", "常住人口", "地上层数", "经度", "纬度"],
         {"key": "楼栋编号", "compound": "小区名称", "floors": "地上层数", "households": "总户数",
          "population": "常住人口", "lon": "经度", "lat": "纬度"}),
        ("buildings", ["ＩＤ", "Households ", "户数（户）"], {"key": "ＩＤ", "households": "Households "}),
        ("buildings", ["户数/流动", "户数/常住", "人口/常住"], {"households": "户数/常住", "population": "人口/常住"}),
        ("buildings", ["楼栋名", "building:l", "实有人口数"],
         {"name": "楼栋名", "floors": "building:l", "population": "实有人口数"}),
        ("regions", ["区划代", "名称", "户主姓名"], {"code": "区划代", "name": "名称"}),
        ("regions", ["XZQDM", "XZQMC"], {"code": "XZQDM", "name": "XZQMC"}),
        ("grids", ["网格编码", "网格名称", "所属社区", "网格员人数", "网格长电话"],
         {"code": "网格编码", "name": "网格名称", "workers": "网格员人数", "region_code": "所属社区"}),
        ("cases", ["工单编号", "事件类型", "上报时间", "发生时间", "事发地点"],
         {"number": "工单编号", "category": "事件类型", "occurred_at": "发生时间",
          "reported_at": "上报时间", "place": "事发地点"}),
        ("cases", ["case_id", "time", "offense", "number", "lon", "lat"],
         {"number": "number", "category": "offense", "occurred_at": "time", "lon": "lon", "lat": "lat"}),
        ("barriers", ["layer", "osm_id", "kind", "kind_detail", "name"],
         {"kind": "layer", "class": "kind_detail", "name": "name"}),
        ("units", ["id", "name", "households", "population"],
         {"key": "id", "name": "name", "households": "households", "population": "population"}),
    ],
)  # fmt: skip
def test_guesses(kind, columns, expected):
    assert guess_mapping(Kind(kind), columns) == expected


def test_every_label_guesses_its_own_field():
    for kind, fields in FIELDS.items():
        for label in ("zh", "en", "name"):
            columns = [getattr(field, label) for field in fields]
            if len(set(columns)) == len(columns):
                assert guess_mapping(kind, columns) == {f.name: c for f, c in zip(fields, columns, strict=True)}, label


def test_a_column_that_repeats_is_no_identifier():
    sample = pd.DataFrame({"number": ["1"] * 9 + ["2"], "case_id": [str(i) for i in range(10)]})
    assert guess_mapping(Kind.CASES, list(sample.columns), sample)["number"] == "case_id"


def test_lonlat_by_range():
    sample = pd.DataFrame({"a": ["120.1234", "120.2345"], "b": ["30.1234", "30.2345"], "c": ["5", "6"]})
    mapping = guess_mapping(Kind.BUILDINGS, ["a", "b", "c"], sample)
    assert (mapping["lon"], mapping["lat"]) == ("a", "b")


def test_types_of_all_fields_whether_mapped_or_not():
    types = {"text": "str", "code": "str", "count": "Int64", "number": "float64", "date": "datetime64[s]",
             "time": "datetime64[us, UTC]", "flag": "boolean"}  # fmt: skip
    for kind, fields in FIELDS.items():
        required = {f.name: f.name for f in fields if f.required}
        for mapping in (required, {f.name: f.name for f in fields}):
            frame = pd.DataFrame({f.name: pd.Series(["1", None], dtype="str") for f in fields})
            typed, _problems = apply_mapping(kind, batch(frame), mapping)
            assert {f.name: str(typed[f.name].dtype) for f in fields} == {f.name: types[f.type] for f in fields}
            assert typed.index.tolist() == [1, 2]


def test_bad_cells_are_named_one_by_one():
    frame = pd.DataFrame(
        {
            "编号": ["1", "2", "=1+1", "4", "5"],
            "户数": ["约300户", "-3", "abc", "12.5", None],
            "地址": ["文昌路", "a\ufffdb", "x", "y", "-"],
        },
        dtype="str",
    )
    typed, problems = apply_mapping(
        Kind.BUILDINGS, batch(frame), {"key": "编号", "households": "户数", "address": "地址"}
    )
    assert {(p.code, p.row, p.severity.value) for p in problems} == {
        ("CELL_FORMULA", 3, "E"),
        ("COUNT_APPROXIMATE", 1, "I"),
        ("COUNT_NEGATIVE", 2, "E"),
        ("COUNT_INVALID", 3, "E"),
        ("COUNT_INVALID", 4, "E"),
        ("CELL_UNREADABLE", 2, "W"),
    }
    assert typed["households"].tolist() == [300, pd.NA, pd.NA, pd.NA, pd.NA]
    assert typed["households_approximate"].tolist() == [True, False, False, False, False]
    assert typed["address"].isna().tolist() == [False] * 4 + [True]
    assert all(problem.sentence("zh") and problem.sentence("en") for problem in problems)


def test_formulas_matter_in_tables_only():
    frame = pd.DataFrame({"name": ["=1+1"]}, dtype="str")
    typed, problems = apply_mapping(Kind.UNITS, batch(frame, geometry=True), {"name": "name"})
    assert typed["name"].tolist() == ["=1+1"]
    assert not problems


def test_required_fields():
    frame = pd.DataFrame({"代码": ["1", None, "无"], "名称": ["甲", "乙", "丙"]}, dtype="str")
    _typed, problems = apply_mapping(Kind.REGIONS, batch(frame), {"code": "代码", "name": "名称"})
    assert [(p.code, p.row) for p in problems] == [("VALUE_MISSING", 2), ("VALUE_MISSING", 3)]
    for mapping, code in (
        ({"name": "名称"}, "COLUMN_REQUIRED"),
        ({"code": "x", "name": "名称"}, "COLUMN_UNKNOWN"),
        ({"code": "代码", "colour": "名称"}, "FIELD_UNKNOWN"),
    ):
        with pytest.raises(GeodataError) as caught:
            apply_mapping(Kind.REGIONS, batch(frame), mapping)
        assert caught.value.code == code
        assert caught.value.sentence("zh")


def test_personal_data():
    assert holds_identity("证号 11010519491231002X。")  # the example of GB 11643-1999
    assert not holds_identity("110105194912310021")
    assert not holds_identity("330102001001001001")
    assert is_personal_header("户 主 姓名")
    assert is_personal_header("Ｐhone")
    assert not is_personal_header("户数")
    cells = pd.Series(["13812345678", "+86 138-1234-5678", "330102001001", "12345", None], dtype="str")
    assert personal_cells(cells).tolist() == [True, True, False, False, False]
    assert not personal_cells(cells, mobiles=False).any()
