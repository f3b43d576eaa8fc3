"""Ledgers as people lay them out."""

from __future__ import annotations

import datetime as dt

import pytest
from openpyxl import Workbook

from geodata.readers import open_source
from geodata.readers.layout import find

LEDGER = [
    ["XX街道网格划分台账", None, None, None, None, None],
    ["填报单位：文昌社区", None, None, None, "填报日期：2025.4.3", None],
    ["序号", "网格名称", "户数", None, "人口", "备注"],
    [None, None, "常住", "流动", None, None],
    ["必填", "如：第一网格", "户", "户", "人", "选填"],
    [1, "第一网格", "约300户", 12, 900, None],
    [None, None, None, None, None, None],
    [2, "第二网格", 280, "—", 801.0, "含=新村"],
    ["合  计", None, 580, 12, 1701, None],
    ["制表人：某某", None, None, None, None, None],
]


@pytest.fixture
def ledger(tmp_path):
    book = Workbook()
    sheet = book.active
    book.create_sheet("空表", 0)
    for row in LEDGER:
        sheet.append(row)
    sheet.merge_cells("C3:D3")
    sheet.cell(6, 6).value = dt.datetime(2025, 4, 3)
    book.save(tmp_path / "台账.xlsx")
    return tmp_path / "台账.xlsx"


def test_ledger_of_a_workbook(ledger, tmp_path):
    source = open_source(ledger, scratch=tmp_path / "s")
    assert source.layers == ["空表", "Sheet"]
    assert source.layer == "Sheet"
    assert source.columns == ["序号", "网格名称", "户数/常住", "户数/流动", "人口", "备注"]
    assert source.first_line == 6
    assert [note.code for note in source.notes] == ["LEDGER_TITLE", "LEDGER_REMARK", "LEDGER_MERGED_HEADER"]
    (batch,) = source.batches()
    assert batch.rows.tolist() == [1, 3]
    assert batch.geometry is None
    assert batch.attributes["户数/常住"].tolist() == ["约300户", "280"]
    assert batch.attributes["备注"].tolist() == ["2025-04-03", "含=新村"]
    assert [(p.code, p.row) for p in batch.problems] == [("LEDGER_TOTALS", 4), ("LEDGER_NOTE", 5)]


def test_formulas_come_as_formulas_not_as_their_cached_value(tmp_path):
    book = Workbook()
    for row in (["名称", "户数"], ["甲", "=1+1"], ["乙", 3]):
        book.active.append(row)
    book.save(tmp_path / "x.xlsx")
    (batch,) = open_source(tmp_path / "x.xlsx", scratch=tmp_path / "s").batches()
    assert batch.attributes["户数"].tolist() == ["=1+1", "3"]


def test_merged_cells_are_filled_with_words_and_numbers_count_once(tmp_path):
    book = Workbook()
    for row in (
        ["小区", "楼栋", "户数", "备注"],
        ["锦绣", "1幢", 90, "a"],
        [None, "2幢", None, None],
        ["东城", "3幢", 7, None],
    ):
        book.active.append(row)
    for cells in ("A2:A3", "C2:C3"):
        book.active.merge_cells(cells)
    book.save(tmp_path / "x.xlsx")
    source = open_source(tmp_path / "x.xlsx", scratch=tmp_path / "s")
    assert [(note.code, note.params["cells"]) for note in source.notes] == [("LEDGER_MERGED_CELLS", 2)]
    (batch,) = source.batches()
    assert batch.attributes["小区"].tolist() == ["锦绣", "锦绣", "东城"]
    assert batch.attributes["户数"].sum() == 97
    assert batch.attributes["备注"].isna().tolist() == [False, True, True]


def test_a_row_numbered_beyond_the_sheet_ends_it(tmp_path, ledger):
    import zipfile

    evil = tmp_path / "evil.xlsx"
    with zipfile.ZipFile(ledger) as good, zipfile.ZipFile(evil, "w") as bad:
        for info in good.infolist():
            bad.writestr(info, good.read(info).replace(b'<row r="10"', b'<row r="99999999999"'))
    assert sum(len(batch) for batch in open_source(evil, scratch=tmp_path / "s").batches()) == 2


def test_a_wrong_dimension_loses_no_row(tmp_path, ledger):
    import zipfile

    liar = tmp_path / "liar.xlsx"
    with zipfile.ZipFile(ledger) as good, zipfile.ZipFile(liar, "w") as bad:
        for info in good.infolist():
            bad.writestr(info, good.read(info).replace(b'<dimension ref="A1:F10"', b'<dimension ref="A1:A1"'))
    (batch,) = open_source(liar, scratch=tmp_path / "s").batches()
    assert len(batch) == 2


@pytest.mark.parametrize(
    ("rows", "columns", "data_from"),
    [
        ([["名称", "户数"], ["甲", "1"]], ["名称", "户数"], 1),
        ([["名称"], ["甲"]], ["名称"], 1),
        ([["", "基本信息", "", "人口情况", ""], ["序号", "名称", "地址", "常住", "流动"], ["1", "甲", "乙", "2", "3"]],
         ["序号", "基本信息/名称", "基本信息/地址", "人口情况/常住", "人口情况/流动"], 2),
        ([["名称", "", "户数"], ["甲", "乙", "1"]], ["名称", "列2", "户数"], 1),
        ([["名称", "名称", "*户数"], ["甲", "乙", "1"]], ["名称", "名称_2", "户数"], 1),
        ([["街道", "2023年", "2024年"], ["甲", "5", "6"]], ["街道", "2023年", "2024年"], 1),
        ([["类别", "描述"], ["市容", "格式不对"], ["交通", "示例"]], ["类别", "描述"], 1),
        ([["单位：户"], ["名称", "类型", "地址"], ["甲", "乙", "丙"]], ["名称", "类型", "地址"], 2),
        ([["名称", "面积", "户数"], ["", "㎡", "户"], ["甲", "12.5", "3"]], ["名称", "面积", "户数"], 2),
    ],
)  # fmt: skip
def test_headers(rows, columns, data_from):
    layout = find(rows)
    assert layout.columns == columns
    assert layout.data_from == data_from


def test_short_and_long_rows_and_repeated_header(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("名称,户数,地址\n甲,1\n名称,户数,地址\n乙,2,文昌路,3号\n丙,3,文昌路,,\n")
    (batch,) = open_source(path, scratch=tmp_path / "s").batches()
    assert batch.rows.tolist() == [1, 3, 4]
    assert batch.attributes["地址"].isna().tolist() == [True, False, False]
    assert [(p.code, p.row) for p in batch.problems] == [("LEDGER_REPEATED_HEADER", 2), ("ROW_TOO_LONG", 3)]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "，"])
def test_delimiters_and_quotes(tmp_path, delimiter):
    path = tmp_path / "x.csv"
    path.write_text(
        delimiter.join(["名称", "地址", "户数"]) + "\n" + delimiter.join(["甲", '"文昌路\n3号"', "5"]) + "\n"
    )
    source = open_source(path, scratch=tmp_path / "s")
    assert source.columns == ["名称", "地址", "户数"]
    assert source.preview().iloc[0].tolist() == ["甲", "文昌路\n3号", "5"]
