"""Backups are whole or absent; a restore brings everything back or changes nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from gridmap.db.backup import PART, backup, leftovers, restore
from gridmap.db.cluster import Cluster
from gridmap.db.engine import connect, disconnect, engine, transaction
from gridmap.db.migrate import migrate, require_current
from gridmap.db.models import User
from gridmap.errors import Unavailable
from tests.conftest import Databases


def _logins() -> list[str]:
    with transaction() as session:
        return list(session.scalars(sa.select(User.login).order_by(User.login)))


def _add(login: str) -> None:
    with transaction() as session:
        session.add(User(login=login, name=login))


def test_a_backup_brings_everything_back(database_url: str, tmp_path: Path) -> None:
    _add("li")
    path = backup(database_url, tmp_path / "one.dump")
    assert path.stat().st_mode & 0o077 == 0, "a backup is for its owner only"
    _add("wang")
    restore(database_url, path)
    assert _logins() == ["li"]
    require_current()


def test_a_role_without_special_rights_backs_up_and_restores(
    cluster: Cluster, databases: Databases, tmp_path: Path
) -> None:
    """As on a server: the database is the role's own, the extension was made by the server's administrator."""
    administrator = databases.create("template1")
    database = sa.make_url(administrator).database
    with psycopg.connect(administrator, autocommit=True) as connection:
        connection.execute("CREATE ROLE planner LOGIN")
        connection.execute(f"ALTER DATABASE {database} OWNER TO planner".encode())
    url = administrator.replace("//gridmap@", "//planner@")
    try:
        connect(url)
        for call in (require_current, migrate):
            with pytest.raises(Unavailable) as caught:
                call()
            assert caught.value.code == "POSTGIS_MISSING"
        with psycopg.connect(administrator, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION postgis")
        with pytest.raises(Unavailable) as caught:
            require_current()
        assert caught.value.code == "SCHEMA_OLD"
        migrate()
        _add("li")
        path = backup(url, tmp_path / "one.dump")
        _add("wang")
        restore(url, path)
        assert _logins() == ["li"]
        require_current()
    finally:
        disconnect()
        databases.drop(administrator)
        with psycopg.connect(cluster.url_of("postgres"), autocommit=True) as connection:
            connection.execute("DROP ROLE planner")


def test_a_damaged_backup_changes_nothing(database_url: str, tmp_path: Path) -> None:
    _add("li")
    whole = backup(database_url, tmp_path / "whole.dump").read_bytes()
    for content, code in ((b"", "BACKUP_UNREADABLE"), (b"PK\x03\x04 no", "BACKUP_UNREADABLE"), (whole[:-2000], "")):
        (tmp_path / "bad.dump").write_bytes(content)
        with pytest.raises(Unavailable) as caught:
            restore(database_url, tmp_path / "bad.dump")
        assert caught.value.code.startswith(code)
        assert _logins() == ["li"]


def test_a_killed_backup_leaves_no_file_under_its_name(database_url: str, tmp_path: Path) -> None:
    with engine().begin() as connection:  # enough to dump that the kill comes in the middle
        connection.execute(sa.text("CREATE TABLE bulk AS SELECT g, md5(g::text) FROM generate_series(1, 3000000) g"))
    command = (
        f"from gridmap.db.backup import backup; from pathlib import Path; backup({database_url!r}, Path('all.dump'))"
    )
    process = subprocess.Popen([sys.executable, "-c", command], cwd=tmp_path, start_new_session=True)
    part = tmp_path / f"all.dump{PART}"
    deadline = time.monotonic() + 20
    while not (part.exists() and part.stat().st_size > 100_000) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert process.poll() is None, "the backup was over before it could be killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "all.dump").exists()
    assert leftovers(tmp_path) == [part], "the next start names what was left"
    assert leftovers(tmp_path) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("a small file system can only be mounted by root with that capability")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_is_said_and_leaves_nothing(database_url: str, small_disk: Path) -> None:
    with engine().begin() as connection:
        connection.execute(sa.text("CREATE TABLE bulk AS SELECT g, md5(g::text) FROM generate_series(1, 50000) g"))
    with pytest.raises(Unavailable) as caught:
        backup(database_url, small_disk / "all.dump")
    assert caught.value.code == "BACKUP_FAILED"
    assert list(small_disk.iterdir()) == []
