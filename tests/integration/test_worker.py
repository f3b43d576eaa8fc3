"""The worker told to stop while a job goes on that nobody can cancel: gone in time, job queued, nothing written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from gridmap.db.engine import transaction
from gridmap.jobs.app import LANES, defer
from tests.integration.test_previews import until

GRACE_S = 1.0
#: A worker with the tasks of these tests and a shorter grace; each writes a row before and, were it let, after.
WORKER = f"""
import time, sqlalchemy as sa
from gridmap.db.engine import transaction
from gridmap.jobs import tasks, worker

def note(session, what):
    session.execute(sa.text("INSERT INTO done VALUES (:what)"), dict(what=what))

def in_sql(seconds):
    with transaction() as session:
        note(session, "sql")
        session.execute(sa.text("SELECT pg_sleep(:seconds)"), dict(seconds=seconds))

def in_python(seconds):
    try:
        with transaction() as session:
            note(session, "python")
            time.sleep(seconds)
    finally:
        with transaction() as session:  # as jobs say that they failed
            note(session, "finally")

tasks.TASKS += (in_sql, in_python)
worker._GRACE_S = {GRACE_S}
worker.main()
"""


@pytest.fixture(autouse=True)
def _table(database_url: str) -> None:
    with transaction() as session:
        session.execute(sa.text("CREATE TABLE done (what text)"))


@contextmanager
def working(url: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, "DATABASE_URL": url, "GRIDMAP_DATA_DIR": str(folder)}
    process = subprocess.Popen([sys.executable, "-c", WORKER], env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def ask(task: str, seconds: float, lane: str = LANES[0]) -> int:
    with transaction() as session:
        return defer(session, task, lane=lane, seconds=seconds)


def told(question: str) -> list[str]:
    with transaction() as session:
        return [row[0] for row in session.execute(sa.text(question))]


def is_(job: int, state: str) -> Callable[[], bool]:
    return lambda: told(f"SELECT status::text FROM procrastinate_jobs WHERE id = {job}") == [state]


def under_way() -> list[str]:
    """Statements of the job, or its idle transaction, that the server still holds."""
    return told(
        "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND xact_start IS NOT NULL"
    )


@pytest.mark.parametrize("task", ["in_sql", "in_python"])
def test_a_job_that_does_not_end_is_left_and_queued_again(task: str, database_url: str, tmp_path: Path) -> None:
    with working(database_url, tmp_path) as worker:
        job = ask(task, 60)
        until(lambda: bool(under_way()))
        start = time.monotonic()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(GRACE_S + 4) == 0
        assert time.monotonic() - start >= GRACE_S, "it had its time to end"
    assert is_(job, "todo")()
    until(lambda: not under_way())
    assert told("SELECT what FROM done") == [], "nothing half-written, and nobody said that the job had failed"
    with working(database_url, tmp_path) as worker:
        until(is_(job, "doing"))


def test_a_job_that_ends_in_time_is_done(database_url: str, tmp_path: Path) -> None:
    with working(database_url, tmp_path) as worker:
        jobs = [ask(task, 0.6, lane) for task, lane in zip(("in_sql", "in_python"), LANES, strict=True)]
        until(lambda: len(under_way()) == 2)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(GRACE_S + 4) == 0
    assert sorted(told("SELECT what FROM done")) == ["finally", "python", "sql"]
    assert told(f"SELECT id FROM procrastinate_jobs WHERE id IN ({jobs[0]}, {jobs[1]})") == []
