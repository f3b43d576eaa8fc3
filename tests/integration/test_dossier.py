"""The approval dossier says what changed, why, and how it came about, in both languages and both forms."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import openpyxl
import pytest
import sqlalchemy as sa
from pypdf import PdfReader

from gridmap.db.engine import transaction
from gridmap.db.models import Plan, PlanOperation, PlanUnit
from gridmap.errors import NotFound
from gridmap.services import checks, comments, operations, plans, reports, workflow
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from tests.integration.test_workflow import community

pytestmark = pytest.mark.usefixtures("shared_demo_url")


@pytest.fixture(scope="module")
def draft(shared_demo_url: str) -> int:
    """A community's draft with one unit taken out of its grid, checked, explained, commented."""
    plan_id = plans.copy_plan(SYSTEM, 1, region_code=community(), name="试划方案")
    with transaction() as session:
        held = sa.select(PlanUnit.unit_id).where(PlanUnit.plan_id == plan_id, PlanUnit.grid_id.is_not(None))
        unit = session.scalars(held.order_by(PlanUnit.unit_id)).first()
        version = session.get_one(Plan, plan_id).version
    assert unit is not None
    sent = [operations.Sent(uuid4(), "erase", (operations.Move(None, [unit]),), why="待实地核对")]
    operations.apply(SYSTEM, plan_id, version, uuid4(), sent)
    checks.check(SYSTEM, plan_id)
    rules = [one.rule for one in workflow.stand(SYSTEM, plan_id).warnings]
    workflow.save_reasons(SYSTEM, plan_id, {rule: f"{rule} 已与街道确认" for rule in rules})
    comments.write(SYSTEM, plan_id, "第一网格是否太长？")
    return plan_id


def words(path: Path) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(path).pages)


def test_the_pdf_has_every_part(draft: int, tmp_path: Path) -> None:
    text = words(reports.dossier_pdf(SYSTEM, draft, path=tmp_path / "d.pdf"))
    with transaction() as session:
        last = session.scalars(
            sa.select(PlanOperation).where(PlanOperation.plan_id == draft).order_by(PlanOperation.version.desc())
        ).first()
    assert last is not None and last.hash is not None
    told = ("审批材料", "试划方案", "前后地图", "网格前后对照", "规则与理由", "已与街道确认", "第一网格是否太长")
    for part in (*told, "待实地核对", "完整，未被改动"):
        assert part in text, part
    assert last.hash[:12] in text and last.hash in text.replace("\n", "")
    assert "1 / " in text


def test_in_english(draft: int, tmp_path: Path) -> None:
    text = words(reports.dossier_pdf(SYSTEM, draft, locale="en", path=tmp_path / "d.pdf"))
    for part in ("Approval dossier", "Maps before and after", "Log of operations", "whole and unchanged"):
        assert part in text, part


def test_the_workbook_has_codes_as_text_and_the_whole_log(draft: int, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(reports.dossier_xlsx(SYSTEM, draft, path=tmp_path / "d.xlsx"))
    assert book.sheetnames == ["概况", "网格前后对照", "规则与理由", "经过", "意见", "操作记录"]
    grids = list(book["网格前后对照"].values)
    codes = [value for row in grids[1:] for value in row[2:4] if value is not None]
    assert codes and all(isinstance(code, str) and len(code) == 15 for code in codes)
    changes = {row[0] for row in grids[1:]}
    assert changes - {"不变"}
    log = list(book["操作记录"].values)
    assert len(log) - 1 == operations.history(SYSTEM, draft).total
    assert all(len(str(row[5])) == 64 for row in log[1:])
    facts = {row[0]: row[1:] for row in book["概况"].values}
    assert facts["对照方案"][0] == "现行网格"


def test_a_changed_log_is_told(draft: int, tmp_path: Path) -> None:
    def say(why: str) -> None:
        with transaction() as session:
            session.execute(sa.text("ALTER TABLE plan_operation DISABLE TRIGGER USER"))
            said = sa.text("UPDATE plan_operation SET detail = detail || jsonb_build_object('why', CAST(:why AS text))"
                           " WHERE plan_id = :plan AND kind = 'edit'")  # fmt: skip
            session.execute(said, {"why": why, "plan": draft})
            session.execute(sa.text("ALTER TABLE plan_operation ENABLE TRIGGER USER"))

    say("另一个理由")
    try:
        assert "记录被改动过" in words(reports.dossier_pdf(SYSTEM, draft, path=tmp_path / "d.pdf"))
    finally:
        say("待实地核对")
    assert "完整，未被改动" in words(reports.dossier_pdf(SYSTEM, draft, path=tmp_path / "e.pdf"))


def test_a_plan_with_nothing_before_and_one_out_of_reach(tmp_path: Path) -> None:
    alone = plans.create_empty(SYSTEM, "空方案", community(), department="消防")
    text = words(reports.dossier_pdf(SYSTEM, alone, path=tmp_path / "d.pdf"))
    assert "没有可对照的在前方案" in text and "尚未核查" in text
    with pytest.raises(NotFound):
        reports.dossier_pdf(Actor("far", (Grant(Role.VIEWER, "330000"),)), alone)
