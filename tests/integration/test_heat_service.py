"""The heat store lives through whatever happens: commits in any order, large changes, torn folders, two processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from gridmap.db.engine import engine, transaction
from gridmap.services import heat
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from gridmap.services.heat import keeper, source

WORLD = (100.0, 20.0, 130.0, 40.0)
COMMUNITY = "339901001001"
NORTH = Actor("north", (Grant(Role.CASE_OFFICER, "339901001"),))
NOBODY = Actor("nobody", (Grant(Role.CASE_OFFICER, "990000"),))
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def fresh(heat_stores: Path) -> Iterator[None]:
    keeper.forget()
    yield
    keeper.forget()


def total(actor: Actor = SYSTEM, **chosen: Any) -> int:
    return heat.bins(actor, WORLD, 8, **chosen).total


def run(statement: str, **values: Any) -> None:
    with transaction() as session:
        session.execute(sa.text(statement), values)


def mapped() -> bool:
    """Whether the answer comes from a store."""
    with transaction() as session:
        return keeper.current(session) is not None


CASE = """
INSERT INTO case_record (category, occurred_at, region_id, point)
SELECT :category, :at, (SELECT id FROM region WHERE code = :code), ST_SetSRID(ST_MakePoint(:x, :y), 4490)
FROM generate_series(1, :times)
"""
ONE = {"category": "新类", "at": datetime(2027, 1, 2, tzinfo=UTC), "code": COMMUNITY, "x": 120.1, "y": 30.2, "times": 1}


@pytest.mark.usefixtures("demo_url")
def test_what_is_committed_is_counted_at_once() -> None:
    heat.run_build()
    before, north = total(), total(NORTH)
    run(CASE, **ONE)
    assert (total(), total(NORTH), total(NOBODY)) == (before + 1, north + 1, 0)
    assert total(categories=["新类"]) == 1
    assert total(since=ONE["at"], until=ONE["at"] + timedelta(microseconds=1)) == 1
    run("UPDATE case_record SET category = '别类', unit_id = NULL WHERE category = '新类'")
    assert (total(categories=["新类"]), total(categories=["别类"]), total()) == (0, 1, before + 1)
    run("UPDATE case_record SET region_id = (SELECT id FROM region WHERE code LIKE '339901002___' LIMIT 1)"
        " WHERE category = '别类'")  # fmt: skip
    assert (total(), total(NORTH)) == (before + 1, north)
    run("UPDATE case_record SET point = NULL WHERE category = '别类'")
    assert total() == before
    run("UPDATE case_record SET point = ST_SetSRID(ST_MakePoint(120.1, 30.2), 4490) WHERE category = '别类'")
    assert total() == before + 1
    run("DELETE FROM case_record WHERE occurred_at < '2026-06-01'")
    with transaction() as session:
        left = session.scalar(
            sa.text("SELECT count(*) FROM case_record WHERE point IS NOT NULL AND region_id IS NOT NULL")
        )
    assert total() == left < before
    assert mapped()
    assert heat.verify(SYSTEM) is True
    first = keeper.stores(_identity())[0]
    heat.run_build()
    assert total() == left
    assert keeper.stores(_identity()) == [path for path in keeper.stores(_identity()) if path > first]
    assert heat.verify(SYSTEM) is True


def _identity() -> str:
    with transaction() as session:
        return source.identity(session)


@pytest.mark.usefixtures("demo_url")
def test_a_transaction_that_ends_late_is_not_missed_nor_one_rolled_back_counted() -> None:
    heat.run_build()
    before = total()
    with engine().connect() as late, engine().connect() as never:
        late.execute(sa.text(CASE), ONE)
        never.execute(sa.text(CASE), ONE)
        run(CASE, **ONE)
        assert total() == before + 1
        late.commit()
        never.rollback()
    assert total() == before + 2
    with transaction() as session:  # what is not committed is nobody's
        session.execute(sa.text(CASE), ONE)
        assert heat.bins.within(session, SYSTEM, WORLD, 8).total == before + 2
    assert total() == before + 3
    assert mapped()


@pytest.mark.usefixtures("demo_url")
def test_a_change_too_large_to_tell_has_a_store_built_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "FEW", 1)
    heat.run_build()
    before = total()
    run(CASE, **ONE | {"times": 100_001})
    assert not mapped()
    assert total() == before + 100_001
    with transaction() as session:
        assert session.scalar(sa.text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'build_heat'")) == 1
    heat.run_build()
    assert mapped()
    assert total() == before + 100_001
    run("TRUNCATE case_record CASCADE")
    assert (mapped(), total()) == (False, 0)


@pytest.mark.usefixtures("demo_url")
def test_few_cases_need_no_store() -> None:
    run("DELETE FROM case_record WHERE id > (SELECT min(id) + 5 FROM case_record)")
    assert total() > 0
    with transaction() as session:
        assert not session.scalar(sa.text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'build_heat'"))


@pytest.mark.usefixtures("demo_url")
def test_torn_and_foreign_folders_are_removed_and_built_again(heat_stores: Path) -> None:
    told = total()
    folder = heat.run_build()
    assert mapped()
    content = (folder / "place.npy").read_bytes()
    (folder / "place.npy").write_bytes(content[:-8])
    keeper.forget()
    assert total() == told
    assert not mapped()
    assert not folder.exists()
    left = heat_stores / f".{folder.name}-x.part"
    left.mkdir()
    again = heat.run_build()
    assert not left.exists()
    foreign = heat_stores / f"{_identity()}-{10**19:020d}-0"
    again.rename(foreign)
    run(CASE, **ONE)
    assert (mapped(), total()) == (True, told + 1)  # only its name differs
    header = foreign / "store.json"
    header.write_text(header.read_text("utf-8").replace(_identity(), _identity()[::-1]), "utf-8")
    keeper.forget()
    assert (mapped(), total()) == (False, told + 1)


@pytest.mark.usefixtures("demo_url")
def test_the_database_set_back_in_time_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    heat.run_build()
    real = source.snapshot
    monkeypatch.setattr(source, "snapshot", lambda session: "999999999:999999999:")
    folder = heat.run_build()
    monkeypatch.setattr(source, "snapshot", real)
    assert "0000999999999" in folder.name
    assert not mapped()
    assert heat.verify(SYSTEM) is False


COUNT = """
import sys
from pathlib import Path
from typing import Any
from gridmap.db import engine
from gridmap.services import heat
from gridmap.services.actor import SYSTEM
from gridmap.services.heat import keeper
keeper.folder = lambda: Path(sys.argv[2])
engine.connect(sys.argv[1])
for line in sys.stdin:
    print(heat.bins(SYSTEM, (100.0, 20.0, 130.0, 40.0), 8).total, len(keeper._kept), flush=True)
"""


def test_two_processes_share_a_store_and_agree(demo_url: str, heat_stores: Path) -> None:
    heat.run_build()
    command = [sys.executable, "-c", COUNT, demo_url, str(heat_stores)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin is not None
        assert other.stdout is not None

        def there() -> list[int]:
            other.stdin.write("\n")
            other.stdin.flush()
            return [int(word) for word in other.stdout.readline().split()]

        before = total()
        assert there() == [before, 1]
        run(CASE, **ONE)
        assert there() == [total(), 1] == [before + 1, 1]
        heat.run_build()  # the store under its feet is gone
        run(CASE, **ONE)
        assert there() == [total(), 1] == [before + 2, 1]
        other.stdin.close()
