"""The building ledger as a clerk keeps it in a spreadsheet."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pandas as pd

from geodata.synth.town import Town

#: Rows a clerk would keep by hand; larger towns give a part of themselves.
MOST_ROWS = 20_000
_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
_MOMENT = dt.datetime(2026, 11, 1, 8, 0)


def write_ledger(town: Town, path: Path) -> Path:
    """An XLSX ledger of the buildings where people live, without coordinates.

    A title over all columns, a header of two rows with merged cells (户数, 人口, 数据日期 under 登记情况), a remark
    row under it, a totals row at the end; some counts are written "约300户", "１２" or "36户", dates in three
    spellings.
    """
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font

    lived = town.buildings[town.buildings["households"].fillna(1) > 0].head(MOST_ROWS)
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "楼栋台账"
    sheet.append([f"{town.regions['name'].iloc[0]}楼栋基础信息台账"])
    sheet.append(["序号", "楼栋编号", "地址", "小区", "类型", "层数", "登记情况", None, None])
    sheet.append([None, None, None, None, None, None, "户数", "人口", "数据日期"])
    sheet.append(
        ["说明", "社区代码加四位顺序号", "按门牌填写", "无小区不填", None, None, "按户籍和租住合计", None, "年月日"]
    )
    sheet.merge_cells("A1:I1")
    sheet.merge_cells("G2:I2")
    for column in "ABCDEF":
        sheet.merge_cells(f"{column}2:{column}3")
    for cell in sheet["A1:I3"]:
        for one in cell:
            one.font, one.alignment = Font(bold=True), Alignment(horizontal="center")
    for number, row in enumerate(lived.itertuples(index=False), start=1):
        sheet.append(
            [
                number,
                row.key,
                row.address,
                None if pd.isna(row.compound) else row.compound,
                row.kind,
                int(row.floors),
                _households(number, row.households),
                None if pd.isna(row.population) else int(row.population),
                _date(number, row.data_date),
            ]
        )
    sheet.append(
        ["合计", None, None, None, None, None, int(lived["households"].sum()), int(lived["population"].sum()), None]
    )
    book.properties.created = book.properties.modified = _MOMENT
    book.save(path)
    _settle(path)
    return path


def _households(number: int, households: Any) -> Any:
    if pd.isna(households):
        return None
    if number % 211 == 0 and households >= 20:
        return f"约{round(int(households), -1)}户"
    if number % 97 == 0:
        return str(int(households)).translate(_FULL_WIDTH)
    return f"{int(households)}户" if number % 61 == 0 else int(households)


def _date(number: int, day: pd.Timestamp) -> str:
    if number % 3 == 0:
        return f"{day.year}.{day.month}.{day.day}"
    return f"{day:%Y%m%d}" if number % 3 == 1 else f"{day:%Y-%m-%d}"


def _settle(path: Path) -> None:
    """Rewrite the workbook with one moment on every member, for openpyxl stamps the hour of saving."""
    import re
    import zipfile

    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    core = "docProps/core.xml"
    stamp = rb"(<dcterms:modified[^>]*>)[^<]*"
    members[core] = re.sub(stamp, rb"\g<1>" + f"{_MOMENT:%Y-%m-%dT%H:%M:%SZ}".encode(), members[core])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in members.items():
            archive.writestr(zipfile.ZipInfo(name, _MOMENT.timetuple()[:6]), raw, zipfile.ZIP_DEFLATED)
