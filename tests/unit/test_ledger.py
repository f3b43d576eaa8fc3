"""Values as ledgers write them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from geodata import ledger


def column(*cells: object) -> pd.Series:
    return pd.Series(list(cells), dtype="str" if all(c is None or isinstance(c, str) for c in cells) else "object")


@pytest.mark.parametrize(
    ("cell", "value", "approximate"),
    [
        ("300", 300, False), ("1,200", 1200, False), ("１，２００户", 1200, False), ("约300户", 300, True),
        ("300余", 300, True), ("300余户", 300, True), ("300户左右", 300, True), ("近三百户", 300, True),
        ("1.1万", 11000, False), ("二十", 20, False), ("一千二百", 1200, False), ("三百零五户", 305, False),
        ("300.0", 300, False), ("1e3", 1000, False), (" 12 ", 12, False), ("0", 0, False), (300.0, 300, False),
        (7, 7, False), ("12,345,678", 12_345_678, False),
    ],
)  # fmt: skip
def test_counts(cell, value, approximate):
    values, about, bad = ledger.parse_count(column(cell, "x"))
    assert values.iloc[0] == value
    assert (about[0], bad.tolist()) == (approximate, [False, True])


@pytest.mark.parametrize("cell", ["", " ", "无", "—", "/", "--", None, "－", "N/A"])
def test_empty_is_not_bad(cell):
    for parse in (ledger.parse_number, ledger.parse_date, ledger.parse_time, ledger.parse_code):
        values, bad = parse(column(cell))
        assert values.isna().all()
        assert not bad.any()
    assert not ledger.parse_count(column(cell)).bad.any()


@pytest.mark.parametrize("cell", ["-5", "12.5", "abc", "1,2", "300-400", "1/2", "=1+1", "inf", "1e999", True])
def test_no_counts(cell):
    values, _about, bad = ledger.parse_count(column(cell))
    assert bad.all()
    assert values.isna().all()


def test_numeric_columns_take_the_short_way():
    values, about, bad = ledger.parse_count(pd.Series([1.0, np.nan, 2.5, -1, np.inf]))
    assert values.tolist() == [1, pd.NA, pd.NA, pd.NA, pd.NA]
    assert bad.tolist() == [False, False, True, True, True]
    assert not about.any()
    assert ledger.parse_number(pd.Series([1, None], dtype="Int64")).values.iloc[0] == 1.0


@pytest.mark.parametrize(
    "cell",
    ["20250403", "2025.4.3", "2025/4/3", "2025年4月3日", "2025-04-03", "45750", "2025-04-03T23:59:59", 45750.0],
)  # fmt: skip
def test_dates(cell):
    values, bad = ledger.parse_date(column(cell, None))
    assert values.iloc[0] == pd.Timestamp("2025-04-03")
    assert not bad.any()


def test_a_month_is_its_first_day_for_dates_and_no_time():
    assert ledger.parse_date(column("2025年4月")).values.iloc[0] == pd.Timestamp("2025-04-01")
    assert ledger.parse_time(column("2025年4月")).bad.all()


@pytest.mark.parametrize("cell", ["4/3/2025", "2025-02-30", "2025-13-01", "9999", "20251301", "abc", "2025"])
def test_no_dates(cell):
    assert ledger.parse_date(column(cell)).bad.all()


@pytest.mark.parametrize(
    ("cell", "utc"),
    [
        ("2025-04-03 08:30", "2025-04-03T00:30Z"),
        ("2025/4/3 8:05:06", "2025-04-03T00:05:06Z"),
        ("2025年4月3日8时5分", "2025-04-03T00:05Z"),
        ("20250403083000", "2025-04-03T00:30Z"),
        ("2010-01-01T06:00:00Z", "2010-01-01T06:00Z"),
        ("2025-04-03T08:30:00.25+08:00", "2025-04-03T00:30:00.25Z"),
        ("2025-04-03 08:30:00-0330", "2025-04-03T12:00Z"),
        ("2025-04-03 24:00", "2025-04-03T16:00Z"),
        ("45750.5", "2025-04-03T04:00Z"),
        ("1988-07-01 12:00", "1988-07-01T03:00Z"),  # China had summer time then
    ],
)
def test_times(cell, utc):
    values, bad = ledger.parse_time(column(cell, "25:00"))
    assert values.iloc[0] == pd.Timestamp(utc)
    assert bad.tolist() == [False, True]
    assert str(values.dtype) == "datetime64[us, UTC]"


def test_times_from_files_that_type_them():
    naive = pd.Series(pd.to_datetime(["2025-04-03 08:00", None]))
    assert ledger.parse_time(naive).values.iloc[0] == pd.Timestamp("2025-04-03T00:00Z")
    assert ledger.parse_time(naive.dt.tz_localize("UTC")).values.iloc[0] == pd.Timestamp("2025-04-03T08:00Z")


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("330102001001", "330102001001"), ("0012", "0012"), ("'0012", "0012"), ("３３０１ ０２", "330102"),
        (330102001001.0, "330102001001"), (330102001001001, "330102001001001"), ("330102001001.0", "330102001001"),
        ("3.30102001001E+11", "330102001001"), ("A-1/2", "A-1/2"), ("1E5", "1E5"),
    ],
)  # fmt: skip
def test_codes(cell, code):
    values, bad = ledger.parse_code(column(cell))
    assert values.tolist() == [code]
    assert not bad.any()


@pytest.mark.parametrize("cell", [3.30102001001001e17, "3.30102E+11"])
def test_codes_that_lost_digits(cell):
    values, bad = ledger.parse_code(column(cell, "1"))
    assert bad.tolist() == [True, False]
    assert values.isna().tolist() == [True, False]


def test_long_codes_that_all_end_in_zeros_lost_them_in_a_spreadsheet():
    assert ledger.parse_code(column("330102001001001000", "330102001001002000")).bad.all()
    assert not ledger.parse_code(column("330102001001001000", "330102001001002001")).bad.any()


def test_flags():
    values, bad = ledger.parse_flag(column("是", "否", "yes", "culvert", "无", "√", None, "也许", "0"))
    assert values.tolist() == [True, False, True, True, False, True, pd.NA, pd.NA, False]
    assert bad.tolist() == [False] * 7 + [True, False]


def test_formulas():
    cells = ["=1+1", "@SUM(A1)", "-cmd|' /C calc'!A0", "+A1", "-1层", "-", "——", "+5", "-3.5", "'=1", "正常", None]
    assert ledger.formulas(column(*cells)).tolist() == [True] * 4 + [False] * 8
    assert ledger.parse_text(column("'=1", "'x", "''=1")).values.tolist() == ["=1", "'x", "'=1"]


def test_index_is_kept_and_empty_columns_are_fine():
    for parse in (
        ledger.parse_count, ledger.parse_number, ledger.parse_date, ledger.parse_time,
        ledger.parse_code, ledger.parse_flag, ledger.parse_text,
    ):  # fmt: skip
        assert parse(pd.Series(["1"], index=[7], dtype="str"))[0].index.tolist() == [7]
        assert len(parse(pd.Series([], dtype="str"))[0]) == 0
        assert len(parse(pd.Series([], dtype="object"))[0]) == 0
