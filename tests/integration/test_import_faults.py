"""Imports under bad luck: killed processes, a full disk, two people at once."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from geodata.writers import write_vector
from gridmap.db.engine import transaction
from gridmap.db.models import Building, ImportBatch, ImportProblem, ImportRow
from gridmap.errors import Conflict, Unavailable
from gridmap.services import imports
from gridmap.services.actor import SYSTEM
from gridmap.settings import settings
from tests.imports import accepted, building_frame, region_frame, sent, staged

pytestmark = pytest.mark.usefixtures("database_url", "data_dir")

#: Does its work up to the first row, or the last, says so and waits to be killed.
_STAGE = """
import sys, time
from gridmap.db import engine
from gridmap.services.imports import staging
engine.connect(sys.argv[1])
write = staging.copy_rows
def halting(*args):
    write(*args)
    print("half", flush=True)
    time.sleep(60)
staging.copy_rows = halting
staging.run_stage(int(sys.argv[2]))
"""
_ACCEPT = """
import sys, time
from gridmap.db import engine
from gridmap.services.imports import acceptance
engine.connect(sys.argv[1])
def halting(*args):
    print("half", flush=True)
    time.sleep(60)
acceptance.raise_version = halting
acceptance.run_accept(int(sys.argv[2]), None)
"""


def count(table: type[Building] | type[ImportRow]) -> int:
    with transaction() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def killed_half_way(script: str, url: str, batch_id: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", script, url, str(batch_id)], stdout=subprocess.PIPE, env=dict(os.environ), text=True
    )
    assert process.stdout is not None and process.stdout.readline().strip() == "half"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()


def lets_go(batch_id: int) -> None:
    """Wait until the server has noticed that the killed process is gone."""
    held = sa.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = :batch")
    for _ in range(100):
        with transaction() as session:
            if not session.scalar(held, {"batch": batch_id}):
                return
        threading.Event().wait(0.1)
    raise AssertionError("the lock of a dead process is still held")


def test_killed_while_staging(database_url: str, regions: imports.Accepted, tmp_path: Path) -> None:
    batch_id = sent(write_vector(building_frame(), tmp_path / "b.gpkg", "gpkg"), "buildings")
    imports.prepare(SYSTEM, batch_id)
    killed_half_way(_STAGE, database_url, batch_id)
    lets_go(batch_id)
    assert count(ImportRow) == 0
    with transaction() as session:
        assert not session.scalar(sa.select(sa.exists().where(ImportProblem.batch_id == batch_id)))
    leftovers = [path.name for path in settings().uploads_dir.iterdir() if path.is_dir()]
    assert len(leftovers) == 1
    told = imports.recover()
    assert any("b.gpkg" in sentence for sentence in told) and len(told) == 2
    assert not [path for path in settings().uploads_dir.iterdir() if path.is_dir()]
    view = imports.get(SYSTEM, batch_id)
    assert view.state == "uploaded" and view.report["notice"]["was"] == "reading"
    assert view.error is not None and view.error["code"] == "IMPORT_KILLED_READING"
    assert imports.recover() == []
    staged(batch_id)
    assert imports.accept(SYSTEM, batch_id).inserted == 40


def test_killed_while_accepting(database_url: str, regions: imports.Accepted, tmp_path: Path) -> None:
    batch_id = sent(write_vector(building_frame(), tmp_path / "b.gpkg", "gpkg"), "buildings")
    staged(batch_id)
    imports.accept_later(SYSTEM, batch_id)
    assert imports.recover() == []  # a worker has yet to begin with it
    with transaction() as session:
        session.execute(sa.text("UPDATE procrastinate_jobs SET status = 'doing'"))
    killed_half_way(_ACCEPT, database_url, batch_id)
    lets_go(batch_id)
    assert count(Building) == 0
    told = imports.recover()
    assert any("b.gpkg" in sentence for sentence in told)
    assert imports.get(SYSTEM, batch_id).state == "staged"
    with transaction() as session:
        assert session.scalar(sa.text("SELECT status::text FROM procrastinate_jobs")) == "todo"
    assert imports.accept(SYSTEM, batch_id).inserted == count(Building) == 40


def test_a_living_process_is_left_alone(regions: imports.Accepted, tmp_path: Path) -> None:
    batch_id = sent(write_vector(building_frame(), tmp_path / "b.gpkg", "gpkg"), "buildings")
    imports.prepare(SYSTEM, batch_id)
    with transaction() as session:
        key = {"lock": 0x696D70, "batch": batch_id}
        session.execute(sa.text("SELECT pg_advisory_xact_lock(:lock, :batch)"), key)
        assert imports.recover() == []
    assert imports.get(SYSTEM, batch_id).state == "reading"


def test_two_people_accept_one_batch(regions: imports.Accepted, tmp_path: Path) -> None:
    batch_id = sent(write_vector(building_frame(), tmp_path / "b.gpkg", "gpkg"), "buildings")
    staged(batch_id)
    barrier, outcomes = threading.Barrier(2), []

    def take() -> None:
        barrier.wait()
        try:
            outcomes.append(imports.accept(SYSTEM, batch_id).inserted)
        except Conflict as conflict:
            outcomes.append(conflict.code)

    people = [threading.Thread(target=take) for _ in range(2)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert sorted(map(str, outcomes))[0] == "40"
    assert sorted(map(str, outcomes))[1] in ("IMPORT_BUSY", "IMPORT_STATE")
    assert count(Building) == 40


def test_a_worker_stages_and_accepts(database_url: str, regions: imports.Accepted, tmp_path: Path) -> None:
    batch_id = sent(write_vector(building_frame(), tmp_path / "b.gpkg", "gpkg"), "buildings")
    imports.stage(SYSTEM, batch_id)
    assert imports.get(SYSTEM, batch_id).state == "reading"
    environment = {**os.environ, "DATABASE_URL": database_url}
    worker = subprocess.Popen([sys.executable, "-m", "gridmap.jobs.worker"], env=environment)
    try:
        assert reached(batch_id, "staged")
        imports.accept_later(SYSTEM, batch_id)
        assert reached(batch_id, "accepted")
    finally:
        worker.terminate()
        assert worker.wait(20) == 0
    assert count(Building) == 40


def reached(batch_id: int, state: str) -> bool:
    for _ in range(200):
        with transaction() as session:
            found = session.scalar(sa.select(ImportBatch.state).where(ImportBatch.id == batch_id))
        if found in (state, "failed"):
            return found == state
        threading.Event().wait(0.1)
    return False


def test_a_full_disk_leaves_nothing_half_received(data_dir: Path, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    uploads = data_dir / "uploads"
    uploads.mkdir(parents=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(uploads)], capture_output=True)
    if mounted.returncode:
        pytest.skip("this machine does not let root mount a file system")
    try:
        with pytest.raises(Unavailable) as caught:
            imports.receive(SYSTEM, io.BytesIO(b"x" * (1 << 20)), "big.csv", "cases")
        assert caught.value.code == "DISK_FULL" and str(uploads) in caught.value.sentence("zh")
        assert list(uploads.iterdir()) == []
        small = write_vector(region_frame(), tmp_path / "regions.gpkg", "gpkg")
        assert accepted(small, "regions").inserted == 6
    finally:
        subprocess.run(["umount", "-l", str(uploads)], check=True)
