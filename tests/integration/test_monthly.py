"""The monthly report says what the services say, is made once, by itself where wanted, for those who may read it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from pypdf import PdfReader

from gridmap.db.engine import transaction
from gridmap.db.models import AuditEvent, Job, Region, ReportFile, ReportSchedule
from gridmap.errors import Forbidden, Invalid, NotFound
from gridmap.jobs.tasks import make_report
from gridmap.services import cases, coverage, jobs, monthly
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from gridmap.services.cases import CaseFilter
from gridmap.services.days import today
from gridmap.services.monthly import content, months, retries, schedule, words
from gridmap.settings import settings
from tests.web import add_person, csrf_of, make_app, signed_in

pytestmark = pytest.mark.usefixtures("shared_demo_url", "data_dir")

COUNTY, NORTH, SOUTH = "339901000000", "339901001000", "339901002000"
MONTH = date(2026, 9, 1)
FAR = datetime(2999, 1, 1, tzinfo=UTC)
PLANNER = Actor("drawer", (Grant(Role.PLANNER, NORTH[:9]),))
LOOKER = Actor("looker", (Grant(Role.VIEWER, NORTH[:9]),))


@pytest.fixture(scope="module", autouse=True)
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("data")
        patch.setenv("GRIDMAP_DATA_DIR", str(folder))
        settings.cache_clear()
        yield folder
    settings.cache_clear()


@pytest.fixture(scope="module")
def app(shared_demo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    for login, role, region in (("drawer", "planner", NORTH), ("looker", "viewer", NORTH), ("chief", "planner", None)):
        add_person(login, role, region)
    return make_app(tmp_path_factory.mktemp("web"))


def text_of(path: Path) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(path).pages)


def count(start: date, code: str = NORTH) -> int:
    begin, end = months.span(start)
    return int(cases.totals(SYSTEM, CaseFilter(start=begin, end=end, region=code))["total"])


def read(code: str = NORTH) -> content.Month:
    with transaction() as session:
        region = session.scalars(sa.select(Region).where(Region.code == code)).one()
        return content.read(session, Actor("x", (Grant(Role.PLANNER, region.prefix),)), region, MONTH)


def test_the_figures_are_those_of_the_services() -> None:
    found = read()
    assert found.total == content.Counted(count(MONTH), count(date(2026, 8, 1)), count(date(2025, 9, 1)))
    assert found.total.now > 0 and len(found.history) == content.HISTORY
    assert found.history[-1] == ("2026-09", found.total.now) and found.history[0] == ("2025-09", found.total.year_ago)
    assert sum(n.now for _, n in found.categories) == found.total.now
    assert sum(n.before for _, n in found.categories) == found.total.before
    for field in ("now", "before", "year_ago"):
        assert sum(getattr(one.cases, field) for one in found.communities) == getattr(found.total, field)
    assert found.plan is not None and found.cover is not None and found.cover.total is not None
    by_service = coverage.coverage(SYSTEM, plan_id=found.plan.id, region=NORTH).total
    assert by_service is not None and found.cover.total.grids == by_service.grids > 0
    assert sum(one.grids for one in found.communities) == by_service.grids


def test_the_pdf_tells_them_in_both_languages(tmp_path: Path) -> None:
    found = read()
    said = monthly.monthly_pdf(SYSTEM, NORTH, MONTH, tmp_path / "a.pdf")
    text = text_of(tmp_path / "a.pdf").replace("\n", "")
    for part in (
        "网格事件月报",
        "2026年9月",
        "近十三个月件数",
        "各社区地图",
        "方法说明",
        "按月末生效的方案",
        said[:20],
    ):
        assert part in text, part
    assert all(one.name in text for one in found.communities) and f"{found.total.year_ago:,}" in text
    assert "多在" not in text, "no address of a case"
    english = monthly.monthly_pdf(SYSTEM, NORTH, MONTH, tmp_path / "b.pdf", locale="en")
    text = text_of(tmp_path / "b.pdf")
    assert english.startswith("In 2026-09, ") and "Maps of the communities" in text and "Method" in text


def test_a_change_is_called_clear_when_chance_does_not_explain_it() -> None:
    from dataclasses import replace

    found = read()
    clear = words.summary(replace(found, total=content.Counted(900, 600, 890)))
    assert "增加 50%，变化明显" in clear[1] and "增加 1%，在偶然波动范围内" in clear[2]
    assert "上月没有事件可比" in words.summary(replace(found, total=content.Counted(9, 0, 9)))[1]
    assert (words.percent(5, 0), words.percent(5, 5), words.percent(6, 4)) == ("—", "0%", "+50%")


def test_it_is_for_those_who_see_exact_figures_of_the_whole_region(tmp_path: Path) -> None:
    with pytest.raises(Forbidden) as caught:
        monthly.monthly_pdf(LOOKER, NORTH, MONTH, tmp_path / "a.pdf")
    assert caught.value.code == "CASES_SMALL_NUMBERS"
    with pytest.raises(NotFound):
        monthly.ask_report(PLANNER, SOUTH, "2026-09")
    with pytest.raises((Forbidden, NotFound)):
        monthly.ask_report(PLANNER, COUNTY, "2026-09")
    with pytest.raises(NotFound):
        monthly.set_schedule(PLANNER, SOUTH, True)
    assert {one.code[:9] for one in monthly.choices(PLANNER)} == {NORTH[:9]}
    assert monthly.choices(LOOKER) == ()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("month", ["2026-13", "gestern", "", "1999-12", f"{today():%Y-%m}", "9999-12"])
def test_only_months_that_are_over(month: str) -> None:
    with pytest.raises(Invalid) as caught:
        monthly.ask_report(PLANNER, NORTH, month)
    assert caught.value.code in ("REPORT_MONTH", "REPORT_MONTH_NOT_OVER")


def test_a_report_is_made_once_kept_and_taken_away(data_dir: Path) -> None:
    job_id = monthly.ask_report(PLANNER, NORTH, "2026-09")
    assert monthly.ask_report(PLANNER, NORTH, "2026-09") == job_id
    make_report(job_id)
    job = jobs.get(SYSTEM, job_id)
    assert (job.state, job.progress) == ("done", 1.0)
    again = monthly.ask_report(SYSTEM, NORTH, "2026-09")
    make_report(again)
    (info,) = [one for one in monthly.listed(PLANNER) if one.month == MONTH]
    assert info.id == job.result["report"] == jobs.get(SYSTEM, again).result["report"]
    assert info.region_code == NORTH and info.summary.startswith("2026年9月")
    assert not [one for one in (data_dir / "reports").iterdir() if one.name.startswith(".")]
    found, path = monthly.opened(PLANNER, info.id)
    assert found.bytes == path.stat().st_size and path.read_bytes().startswith(b"%PDF")
    for stranger in (LOOKER, Actor("south", (Grant(Role.PLANNER, SOUTH[:9]),))):
        assert not monthly.listed(stranger)
        with pytest.raises(NotFound):
            monthly.opened(stranger, info.id)
    monthly.delete(PLANNER, info.id)
    assert not path.exists() and not monthly.listed(PLANNER)
    with transaction() as session:
        actions = set(session.scalars(sa.select(AuditEvent.action).where(AuditEvent.action.startswith("report."))))
    assert {"report.make", "report.read", "report.delete"} <= actions


def test_a_job_that_fails_says_why() -> None:
    job_id = monthly.ask_report(PLANNER, NORTH, "2026-08")
    with transaction() as session:
        job = session.get_one(Job, job_id)
        job.arguments = {**job.arguments, "region": "000000000000"}
    make_report(job_id)
    assert jobs.get(SYSTEM, job_id).error_code == "REGION_NOT_FOUND"
    (one,) = monthly.failures(PLANNER)
    assert (one.job_id, one.error_code, one.tries, one.again_at) == (job_id, "REGION_NOT_FOUND", 0, None)
    assert monthly.failures(LOOKER) == () and monthly.retry_failed(FAR) == 0, "nobody but its asker waits for it"
    monthly.ask_report(PLANNER, NORTH, "2026-08")
    assert monthly.failures(PLANNER) == (), "it is under way again"


def queued() -> list[tuple[str, str]]:
    with transaction() as session:
        rows = session.execute(
            sa.select(Job.arguments["region"].astext, Job.arguments["month"].astext)
            .where(Job.task == "make_report", Job.state == "waiting", Job.arguments["scheduled"].as_boolean())
            .order_by(Job.id)
        )
        return [(row[0], row[1]) for row in rows]


def test_the_calendar_makes_what_is_due_once_and_makes_up_for_what_was_missed() -> None:
    this = today().replace(day=1)
    monthly.set_schedule(PLANNER, NORTH, True)
    (one,) = monthly.schedules(PLANNER)
    assert (one.next_month, one.due) == (this, months.moved(this, 1) + timedelta(days=1))
    following = months.moved(this, 1)
    assert monthly.make_due() == 0 and monthly.make_due(following) == 0, "the first day of the next month is too early"
    assert monthly.make_due(following + timedelta(days=1)) == 1
    assert monthly.make_due(following + timedelta(days=1)) == 0, "not twice"
    assert queued() == [(NORTH, this.isoformat())]
    assert monthly.make_due(months.moved(this, 4) + timedelta(days=9)) == 3, "three months of sleep"
    assert queued()[1:] == [(NORTH, months.moved(this, by).isoformat()) for by in (1, 2, 3)]
    assert monthly.make_due(months.moved(this, 60) + timedelta(days=9)) == schedule.CATCH_UP
    monthly.set_schedule(PLANNER, NORTH, False)
    assert monthly.schedules(PLANNER) == () and monthly.make_due(months.moved(this, 90)) == 0


def broken(month: date) -> datetime:
    """Do the scheduled report of a month that waits, and have it fail; when it did."""
    with transaction() as session:
        waiting = (Job.state == "waiting", Job.arguments["month"].astext == month.isoformat())
        job = session.scalars(sa.select(Job).where(Job.arguments["scheduled"].as_boolean(), *waiting)).one()
        job.arguments = {**job.arguments, "region": "000000000000"}
        number = job.id
    make_report(number)
    with transaction() as session:
        ended = session.get_one(Job, number).finished_at
    assert ended is not None
    return ended


def test_the_calendar_tries_again_a_few_times_and_ever_later(app: Flask) -> None:
    month = date(2026, 5, 1)
    monthly.set_schedule(SYSTEM, COUNTY, True, locale="en")
    with transaction() as session:
        session.execute(sa.update(ReportSchedule).values(next_month=month))
    assert monthly.make_due(date(2026, 6, 2)) == 1
    second = timedelta(seconds=1)
    for tries, pause in enumerate(retries.PAUSES, 1):
        failed = broken(month)
        (one,) = monthly.failures(SYSTEM)
        assert (one.month, one.error_code, one.tries, one.again_at) == (
            month,
            "REGION_NOT_FOUND",
            tries,
            failed + pause,
        )
        assert monthly.make_due(date(2026, 6, 2)) == 0
        assert monthly.retry_failed(failed + pause - second) == 0
        assert (monthly.retry_failed(failed + pause), monthly.retry_failed(failed + pause)) == (1, 0), "once"
        assert monthly.failures(SYSTEM) == ()
    assert list(retries.PAUSES) == sorted(set(retries.PAUSES))
    broken(month)
    (one,) = monthly.failures(SYSTEM)
    assert (one.tries, one.again_at) == (len(retries.PAUSES) + 1, None) and monthly.retry_failed(FAR) == 0
    client = signed_in(app, "chief")
    page = client.get("/reports").text
    assert (
        "未能生成" in page and one.error_zh in page and "已试 5 次，不再自动重试" in page and ">重试</button>" in page
    )
    (told,) = client.get("/api/v1/report-failures").json["items"]
    assert (told["job_id"], told["error_en"], told["tries"], told["again_at"]) == (one.job_id, one.error_en, 5, None)
    form = {"csrf_token": csrf_of(client, "/account"), "region": COUNTY, "month": "2026-05", "language": "en"}
    answer = client.post("/reports", data=form)
    make_report(int(answer.location.rpartition("=")[2]))
    assert monthly.failures(SYSTEM) == () and "未能生成" not in client.get("/reports").text
    monthly.set_schedule(SYSTEM, COUNTY, False)


def test_a_report_that_the_queue_lost_has_failed() -> None:
    monthly.set_schedule(SYSTEM, SOUTH, True)
    with transaction() as session:
        session.execute(sa.update(ReportSchedule).values(next_month=date(2026, 4, 1)))
    assert monthly.make_due(date(2026, 5, 2)) == 1
    with transaction() as session:
        session.execute(sa.text("DELETE FROM procrastinate_jobs"))
    (one,) = [one for one in monthly.failures(SYSTEM) if one.region_code == SOUTH]
    assert (one.error_code, one.tries) == ("JOB_LOST", 1) and one.again_at is not None
    assert not [job for job in monthly.under_way(SYSTEM) if job.id == one.job_id]
    monthly.set_schedule(SYSTEM, SOUTH, False)
    assert monthly.retry_failed(FAR) == 0, "nobody wants it any more"


def test_a_month_that_was_made_by_hand_is_not_made_again() -> None:
    with transaction() as session:
        region = session.scalars(sa.select(Region).where(Region.code == NORTH)).one()
        session.add(ReportSchedule(region_id=region.id, locale="zh", next_month=MONTH))
        session.add(
            ReportFile(
                region_id=region.id, month=MONTH, locale="zh", file="x.pdf", bytes=1, summary="", scheduled=False
            )
        )
    before = len(queued())
    assert monthly.make_due(date(2026, 10, 2)) == 0 and len(queued()) == before
    monthly.set_schedule(SYSTEM, NORTH, False)


def test_the_page_and_the_api(app: Flask) -> None:
    client = signed_in(app, "drawer")
    token = csrf_of(client, "/account")
    page = client.get("/reports").text
    assert "生成月报" in page and NORTH in page and SOUTH not in page
    assert ">月报</a>" in page, "in the navigation"
    form = {"csrf_token": token, "region": NORTH, "month": "2026-07", "language": "zh"}
    answer = client.post("/reports", data=form)
    assert answer.status_code == 302 and "/reports?job=" in answer.location
    make_report(int(answer.location.rpartition("=")[2]))
    assert "月报已生成" in client.get(answer.location).text
    wrong = client.post("/reports", data=form | {"month": "2999-01"})
    assert wrong.status_code == 422 and "还没有结束" in wrong.text
    listed = client.get("/api/v1/reports").json
    report = next(one for one in listed["items"] if one["month"] == "2026-07-01")
    for address in (f"/reports/{report['id']}/download", f"/api/v1/reports/{report['id']}.pdf"):
        file = client.get(address)
        assert file.mimetype == "application/pdf" and len(file.data) == report["bytes"], address
    headers = {"X-CSRFToken": token}
    body = {"region": NORTH, "month": "2026-06"}
    assert client.post("/api/v1/reports", json=body, headers=headers).json["task"] == "make_report"
    assert client.put(f"/api/v1/report-schedules/{NORTH}", json={"on": True}, headers=headers).status_code == 204
    assert [one["region_code"] for one in client.get("/api/v1/report-schedules").json["items"]] == [NORTH]
    assert client.put(f"/api/v1/report-schedules/{SOUTH}", json={"on": True}, headers=headers).status_code == 404
    off = {"csrf_token": token, "region": NORTH, "on": "0"}
    assert client.post("/reports/schedules", data=off).status_code == 302
    assert client.delete(f"/api/v1/reports/{report['id']}", headers=headers).status_code == 204
    assert client.get(f"/reports/{report['id']}/download").status_code == 404


def test_who_only_looks_is_told_why_not(app: Flask) -> None:
    client = signed_in(app, "looker")
    page = client.get("/reports").text
    assert "您的角色不能生成月报" in page and ">月报</a>" not in page
    form = {"csrf_token": csrf_of(client, "/account"), "region": NORTH, "month": "2026-07"}
    answer = client.post("/reports", data=form)
    assert answer.status_code == 403 and "已发布的事件数" in answer.text
