"""The view of cases as a file says what the services say, of the own part only, and refuses what makes no sense."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import openpyxl
import pytest
import sqlalchemy as sa
from flask import Flask
from PIL import Image
from pypdf import PdfReader

from gridmap.db.engine import transaction
from gridmap.db.models import AuditEvent, Case, Region
from gridmap.errors import Forbidden, Invalid, NotFound
from gridmap.services import cases, coverage, incidents, sheets
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from gridmap.services.cases import CaseFilter
from gridmap.services.days import today
from gridmap.services.sheets.cases import MOST_COMPARED
from gridmap.services.sheets.drawing import wrapped
from gridmap.services.sheets.fonts import length
from gridmap.services.sheets.frame import Frame
from gridmap.web.pages.case_address import case_view
from tests.web import add_person, make_app, signed_in

pytestmark = pytest.mark.usefixtures("shared_demo_url")

ZONE = ZoneInfo("Asia/Shanghai")
SPAN = {"start": datetime(2026, 1, 1, tzinfo=ZONE), "end": datetime(2026, 10, 1, tzinfo=ZONE)}
VIEW = sheets.CaseView(CaseFilter(**SPAN), plan_id=1)
NORTH = Actor("north", (Grant(Role.ADMINISTRATOR, "339901001"),))


def words(path: Path) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(path).pages)


@pytest.fixture(scope="module")
def app(shared_demo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    add_person("chief", "administrator")
    return make_app(tmp_path_factory.mktemp("web"))


def test_the_pdf_says_what_was_asked_and_what_was_found(tmp_path: Path) -> None:
    text = words(sheets.case_pdf(SYSTEM, VIEW, path=tmp_path / "a.pdf"))
    sums, spots = cases.totals(SYSTEM, VIEW.wanted), incidents.hot_spots(SYSTEM, 1, VIEW.wanted)
    for part in ("2026-01-01 至 2026-09-30", "250 m", "现行网格", "事件密度（件/平方公里）", "≥ 5,000", "来源"):
        assert part in text, part
    assert f"{sums['total']:,}" in text and sums["categories"][0][0] in text
    told = [spot.sentence[:12] for spot in spots.spots] or ["这些条件下没有热点"]
    assert all(part in text.replace("\n", "") for part in told) and str(spots.stacks[0].place) in text
    page = PdfReader(tmp_path / "a.pdf").pages[0].mediabox
    assert (round(float(page.width)), round(float(page.height))) == (842, 595), "A4 on its side"


def test_in_english(tmp_path: Path) -> None:
    text = words(sheets.case_pdf(SYSTEM, VIEW, locale="en", path=tmp_path / "a.pdf"))
    for part in ("Incidents", "2026-01-01 to 2026-09-30", "Cases per km²", "Hot spots", "Source"):
        assert part in text, part


def test_the_slide_has_twice_the_pixels_and_the_heat_where_the_cases_are(tmp_path: Path) -> None:
    path = sheets.case_png(SYSTEM, VIEW, path=tmp_path / "a.png")
    with Image.open(path) as image:
        assert image.size == (2560, 1440)
        pixels = np.asarray(image.convert("RGB")).astype(int)
    with Image.open(sheets.case_png(SYSTEM, _nothing(), path=tmp_path / "b.png")) as image:
        bare = np.asarray(image.convert("RGB")).astype(int)
    red = (pixels[..., 0] - pixels[..., 2] > 60) & (pixels[..., 0] > 120)
    was = (bare[..., 0] - bare[..., 2] > 60) & (bare[..., 0] > 120)
    map_area = np.s_[220:1320, 80:1900]
    assert red[map_area].sum() > 20_000 > was[map_area].sum()


def _nothing() -> sheets.CaseView:
    return sheets.CaseView(CaseFilter(end=datetime(1990, 1, 1, tzinfo=ZONE)), plan_id=1)


def test_the_workbook_has_the_figures_of_the_services(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(sheets.case_xlsx(SYSTEM, VIEW, path=tmp_path / "a.xlsx"))
    sums, ranked = cases.totals(SYSTEM, VIEW.wanted), cases.rates_by_grid(SYSTEM, 1, VIEW.wanted).rows
    spots = incidents.hot_spots(SYSTEM, 1, VIEW.wanted)
    assert book.sheetnames == ["说明", "按类别", "按月", "星期与时段", "各网格件数", "热点", "集中登记的地点"]
    about = {row[0]: row[1] for row in book["说明"].values}
    assert about["件事件"] == sums["total"] and about["时间"] == "2026-01-01 至 2026-09-30"
    assert str(about["制作时间"]).startswith("20")
    assert [row[:2] for row in list(book["按类别"].values)[1:]] == sums["categories"]
    assert [row[:2] for row in list(book["按月"].values)[1:]] == sums["months"]
    week = [list(row[1:25]) for row in list(book["星期与时段"].values)[1:]]
    assert week == sums["week"] and sum(map(sum, week)) == sums["total"]
    grids = list(book["各网格件数"].values)[1:]
    assert [(row[1], *row[6:9]) for row in grids] == [
        (one["code"], one["cases"], one["per_1000_households"], one["smoothed"]) for one in ranked
    ]
    assert [row[1] for row in list(book["热点"].values)[1:]] == [one.sentence for one in spots.spots]
    assert [row[1] for row in list(book["集中登记的地点"].values)[1:]] == [one.cases for one in spots.stacks]


def test_no_cell_computes(tmp_path: Path) -> None:
    with transaction() as session:
        first = session.get_one(Case, session.scalar(sa.select(sa.func.min(Case.id))))
        was, first.category = first.category, '=HYPERLINK("http://x","y")'
    try:
        book = openpyxl.load_workbook(sheets.case_xlsx(SYSTEM, sheets.CaseView(), path=tmp_path / "a.xlsx"))
    finally:
        with transaction() as session:
            session.get_one(Case, first.id).category = was
    found = [cell for row in book["按类别"].iter_rows() for cell in row if "HYPERLINK" in str(cell.value)]
    assert found and all(cell.data_type == "s" for cell in found)


def test_of_the_own_part_only(tmp_path: Path) -> None:
    text = words(sheets.case_pdf(NORTH, VIEW, path=tmp_path / "a.pdf"))
    with transaction() as session:
        others = session.scalars(sa.select(Region.name).where(Region.code.startswith("339901002"))).all()
    assert others and not [name for name in others if name in text]
    assert f"{cases.totals(NORTH, VIEW.wanted)['total']:,}" in text
    with pytest.raises(NotFound):
        sheets.case_pdf(NORTH, sheets.CaseView(CaseFilter(region="339901002000")))


def test_who_may_not_see_places_is_told_why(tmp_path: Path) -> None:
    planner = Actor("planner", (Grant(Role.PLANNER, ""),))
    book = openpyxl.load_workbook(sheets.case_xlsx(planner, VIEW, path=tmp_path / "a.xlsx"))
    about = {row[0]: row[1] for row in book["说明"].values}
    assert "集中登记的地点" not in book.sheetnames and "只有所辖区划的事件员" in str(about["集中登记的地点"])
    assert about["件事件"] == cases.totals(SYSTEM, VIEW.wanted)["total"]
    places = [stack.place for stack in incidents.hot_spots(SYSTEM, 1, VIEW.wanted).stacks]
    text = words(sheets.case_pdf(planner, VIEW, path=tmp_path / "a.pdf"))
    assert places and not [place for place in places if place and place in text]
    for looker in (Role.VIEWER, Role.APPROVER):
        with pytest.raises(Forbidden) as caught:
            sheets.case_png(Actor("x", (Grant(looker),)), VIEW)
        assert caught.value.code == "CASES_SMALL_NUMBERS"


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(Invalid):
        sheets.case_png(SYSTEM, sheets.CaseView(bandwidth_m=1e9))
    with pytest.raises(Invalid):
        sheets.case_xlsx(SYSTEM, sheets.CaseView(CaseFilter(start=SPAN["end"], end=SPAN["start"])))
    with pytest.raises(NotFound):
        sheets.case_xlsx(SYSTEM, sheets.CaseView(plan_id=10**6))


def test_the_address_of_the_page_is_the_address_of_the_file(app: Flask) -> None:
    client = signed_in(app, "chief")
    asked = "since=2026-01-01&until=2026-09-30&plan=1&bandwidth=500&category=乱停车&region=339901001000"
    answer = client.get(f"/cases/export.xlsx?{asked}")
    assert answer.status_code == 200, answer.text
    assert "filename*=UTF-8''" in answer.headers["Content-Disposition"]
    about = {row[0]: row[1] for row in openpyxl.load_workbook(io.BytesIO(answer.data))["说明"].values}
    wanted = CaseFilter(("乱停车",), **SPAN, region="339901001000")
    assert about["件事件"] == cases.totals(SYSTEM, wanted)["total"] > 0
    assert (about["带宽"], about["类别"]) == ("500 m", "乱停车")
    with transaction() as session:
        event = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "cases.export")).all()[-1]
    assert event.region_code == "339901001000" and event.detail["format"] == "xlsx"
    assert client.get("/cases/export.png?plan=1").data.startswith(b"\x89PNG")


def test_a_preset_a_grid_and_a_comparison_are_taken_over(app: Flask) -> None:
    client = signed_in(app, "chief")
    busiest = cases.rates_by_grid(SYSTEM, 1).rows[0]
    asked = f"plan=1&since=2026-03-01&until=2026-03-31&compare=year&grid={busiest['grid_id']}"
    book = openpyxl.load_workbook(io.BytesIO(client.get(f"/cases/export.xlsx?{asked}").data))
    about = {row[0]: row[1] for row in book["说明"].values}
    month = CaseFilter(start=datetime(2026, 3, 1, tzinfo=ZONE), end=datetime(2026, 4, 1, tzinfo=ZONE), plan_id=1)
    own = cases.totals(SYSTEM, replace(month, grid_id=busiest["grid_id"]))["total"]
    assert about["件事件"] == own < cases.totals(SYSTEM, replace(month, plan_id=None))["total"]
    assert busiest["code"] in about["网格"] and about["对比时段"] == "2025-03-01 至 2025-03-31"
    whole = list(book["两个时段"].values)[1]
    assert whole[0] == "合计" and whole[4] == own
    days = openpyxl.load_workbook(io.BytesIO(client.get("/cases/export.xlsx?days=7&since=2020-01-01").data))
    last = min(today(), cases.known(SYSTEM)[1])  # type: ignore[index]  # as on the page: where the data ends
    since = (last - timedelta(days=6)).isoformat()
    assert {row[0]: row[1] for row in days["说明"].values}["时间"] == f"{since} 至 {last.isoformat()}"


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("zh", ("两个时段", "对比时段件数", "2025-01-01 至 2025-09-30", "95% 区间", "变化确定")),
        ("en", ("Two periods", "Cases then", "2025-01-01 to 2025-09-30", "95 % interval", "sure and large")),
    ],
)
def test_the_pdf_compares_two_periods(tmp_path: Path, locale: str, said: tuple[str, ...]) -> None:
    before = (datetime(2025, 1, 1, tzinfo=ZONE), datetime(2025, 10, 1, tzinfo=ZONE))
    view = replace(VIEW, before=before)
    text = words(sheets.case_pdf(SYSTEM, view, locale=locale, path=tmp_path / "a.pdf"))
    found = incidents.two_periods(SYSTEM, VIEW.wanted, before, plan_id=1)
    assert 0 < len(found.categories) < MOST_COMPARED < len(found.grids) and found.whole.ratio is not None
    told = [
        (one.name, f"{one.before:,}", f"{one.after:,}") for one in (*found.categories, *found.grids[:MOST_COMPARED])
    ]
    ratio = f"{found.whole.ratio:.2f} ({found.whole.low:.2f}–{found.whole.high:.2f})"
    squeezed = text.replace("\n", "")
    for part in (*said, ratio, *(part for row in told for part in row)):
        assert part in squeezed, part
    assert str(len(found.grids) - MOST_COMPARED) in squeezed
    for part in said[:2]:
        assert part not in words(sheets.case_pdf(SYSTEM, VIEW, locale=locale, path=tmp_path / "b.pdf"))


def test_a_period_with_nothing_before_it_has_no_ratio(tmp_path: Path) -> None:
    before = (datetime(1990, 1, 1, tzinfo=ZONE), datetime(1990, 2, 1, tzinfo=ZONE))
    text = words(sheets.case_pdf(SYSTEM, replace(VIEW, plan_id=None, before=before), path=tmp_path / "a.pdf"))
    assert "对比时段没有事件。" in text and "—" in text and "增多" in text


def test_the_map_looks_where_the_page_looks(app: Flask) -> None:
    with app.test_request_context("/cases/export.pdf?lat=30.2&lon=120.1&zoom=15"):
        bounds = case_view().bounds
    assert bounds is not None
    west, south, east, north = bounds
    assert (west + east) / 2 == pytest.approx(120.1) and south < 30.2 < north
    assert east - west == pytest.approx(360 * 900 / (256 * 2**15))
    with app.test_request_context("/cases/export.pdf?lat=30.2&zoom=15"):
        assert case_view().bounds is None


@pytest.mark.parametrize(
    "asked",
    [
        *(
            "since=gestern",
            "until=9999-12-31&since=2026-13-01",
            "plan=x",
            "bandwidth=viel",
            "bandwidth=nan",
            "bbox=1,2",
        ),
        *(
            "region=%27",
            "since=2026-05-02&until=2026-05-01",
            "since=2026-05-02T00:00:00",
            "until=9999-12-31",
            "days=nan",
        ),
    ],
)
def test_bad_addresses_are_told(app: Flask, asked: str) -> None:
    answer = signed_in(app, "chief").get(f"/cases/export.png?{asked}")
    assert answer.status_code == 422, answer.text
    assert "text/html" in answer.content_type


def test_coverage_on_paper_says_what_the_service_says(tmp_path: Path) -> None:
    view = sheets.CoverView(plan_id=1)
    text = words(sheets.cover_pdf(SYSTEM, view, path=tmp_path / "a.pdf"))
    found = coverage.coverage(SYSTEM, plan_id=1, region="339901000000")
    assert found.total is not None
    for part in ("网格覆盖", "现行网格", "不可避免", f"{found.total.households:,}", *(one.name for one in found.rows)):
        assert part in text, part
    with Image.open(sheets.cover_png(NORTH, view, locale="en", path=tmp_path / "a.png")) as image:
        assert image.size == (2560, 1440)
    own = words(sheets.cover_pdf(NORTH, view, path=tmp_path / "b.pdf"))
    assert "339901002" not in own.replace(" ", "")
    with pytest.raises(NotFound):
        sheets.cover_pdf(NORTH, sheets.CoverView(region="339901002000"))
    with pytest.raises(Invalid):
        sheets.cover_pdf(SYSTEM, sheets.CoverView(on=date(1990, 1, 1)))


def test_too_many_grids_give_way_to_their_regions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("gridmap.services.sheets.town.MAX_FEATURES", 3)
    text = words(sheets.cover_pdf(SYSTEM, sheets.CoverView(plan_id=1, region="339901001000"), path=tmp_path / "a.pdf"))
    assert "不达标网格占比" in text and "> 50%" in text
    assert "网格过多，未画界线" in words(sheets.case_pdf(SYSTEM, VIEW, path=tmp_path / "b.pdf"))


def test_the_addresses_of_coverage(app: Flask) -> None:
    client = signed_in(app, "chief")
    assert client.get("/coverage/export.png?plan=1").data.startswith(b"\x89PNG")
    assert client.get("/coverage/export.pdf?date=2026-11-01&region=339901001000").mimetype == "application/pdf"
    for wrong in ("plan=x", "date=2026-13-01", "region=1"):
        assert client.get(f"/coverage/export.png?{wrong}").status_code == 422, wrong


def test_lines_break_where_they_may() -> None:
    lines = wrapped("湖滨社区004、001网格：3,900件，每千户1,378.1件，为平均的4.2倍。", 3.0, 40)
    assert len(lines) > 1 and all(length(line, 3.0) <= 43 for line in lines)
    assert not [line for line in lines if line[0] in "，。、："]
    assert wrapped("一二三四五六七八九十", 3.0, 10, 2)[-1].endswith("…")


def test_a_frame_shows_all_of_what_is_asked_and_is_true_to_scale() -> None:
    bounds = (120.0, 30.0, 120.1, 30.05)
    frame = Frame.around(bounds, 10, 10, 100, 80)
    west, south, east, north = frame.bounds
    assert west < bounds[0] and south < bounds[1] and east > bounds[2] and north > bounds[3]
    metres = 0.1 * 111_320 * np.cos(np.radians(30.025))
    assert (0.1 / (east - west) * 100) / metres == pytest.approx(frame.mm_per_m, rel=0.005)
