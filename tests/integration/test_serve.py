"""``gridmap serve`` as real processes: it begins with one link, ends whole, and a killed part leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.request import urlopen

import pytest
import sqlalchemy as sa

from gridmap.cli import serve
from gridmap.db.cluster import Cluster
from gridmap.db.engine import transaction
from gridmap.db.models import Region
from gridmap.settings import Settings
from tests.conftest import Databases
from tests.regions import add_regions

_UNAVAILABLE = 6


class Serving:
    """A ``gridmap serve`` under way; its output goes to files, so that it never waits for a reader."""

    def __init__(self, files: ExitStack, *options: str, **environment: str) -> None:
        self._out, self._err = (files.enter_context(tempfile.TemporaryFile("w+")) for _ in range(2))  # noqa: SIM115
        self.process = subprocess.Popen(
            [Path(sys.executable).with_name("gridmap"), "serve", *options],
            env={**os.environ, "GRIDMAP_WORKERS": "1", "GRIDMAP_DEFAULT_LOCALE": "en", **environment},
            stdout=self._out,
            stderr=self._err,
            start_new_session=True,
        )
        self.family: dict[int, str] = {}

    def ready(self) -> Serving:
        """Wait until web server and job worker run."""
        _until(lambda: "gridmap: http" in self.output() or self.process.poll() is not None)
        assert self.process.poll() is None, self.said()
        _until(lambda: any("gridmap.jobs.worker" in command for command in _family(self.process.pid).values()))
        self.family = _family(self.process.pid)
        return self

    def output(self) -> str:
        self._out.seek(0)
        return self._out.read()

    def said(self) -> str:
        self._err.seek(0)
        return self._err.read()

    def base(self) -> str:
        return _found(r"gridmap: (http\S+)", self.output())

    def health(self) -> int:
        with urlopen(f"{self.base()}/health", timeout=20) as answer:
            return int(answer.status)

    def child(self, name: str) -> int:
        """The direct child whose command holds ``name``."""
        return min(pid for pid, command in self.family.items() if name in command)

    def ended(self) -> int:
        """Its exit code, once it and all it had started are gone."""
        code = self.process.wait(40)
        _until(lambda: not any(_alive(pid) for pid in self.family))
        return code


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None, text
    return match[1]


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, "it did not come to pass within a minute"
        time.sleep(0.05)


def _stat(pid: int) -> tuple[str, int]:
    state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    return state, int(parent)


def _alive(pid: int) -> bool:
    try:
        return _stat(pid)[0] != "Z"
    except OSError:
        return False


def _family(root: int) -> dict[int, str]:
    """Command lines of all processes below ``root``, by pid."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = _stat(int(folder.name))[1]
        except OSError:
            continue
    below = {root}
    while more := {pid for pid, parent in parents.items() if parent in below} - below:
        below |= more
    found = {}
    for pid in below - {root}:
        try:
            found[pid] = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
        except OSError:
            continue
    return found


@pytest.fixture
def files() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gridmap-test-") as folder:
        Path(folder).chmod(0o755)  # root runs the database as another user, who must reach its data
        yield Path(folder)


def test_a_private_database_is_shared_survives_a_kill_and_ends_with_the_last(
    home: Path, port: int, files: ExitStack
) -> None:
    where = {"GRIDMAP_DATA_DIR": str(home), "GRIDMAP_PORT": str(port)}
    cluster = Cluster(Settings(data_dir=home))
    first, second = Serving(files, **where), Serving(files, **where)
    assert first.ready().base() != second.ready().base(), "the second takes the next free port"
    assert first.health() == second.health() == 200
    link = _found(r"one-time sign-in link: (\S+)", first.output())
    with urlopen(link, timeout=20) as page:
        assert b'type="password"' in page.read()

    first.process.send_signal(signal.SIGINT)
    assert first.ended() == 0
    assert second.health() == 200, "the database stays while somebody uses it"

    second.process.send_signal(signal.SIGKILL)
    second.ended()
    assert cluster.running(), "nobody was left to stop it"
    third = Serving(files, **where).ready()
    third.process.send_signal(signal.SIGTERM)
    assert third.ended() == 0
    assert third.said().strip().splitlines()[-1] == "gridmap: stopped"
    assert not cluster.running()


@pytest.mark.parametrize("name", ["gunicorn", "gridmap.jobs.worker"])
def test_a_killed_child_ends_all_with_a_sentence(
    name: str, database_url: str, tmp_path: Path, port: int, files: ExitStack
) -> None:
    where = {"GRIDMAP_DATA_DIR": str(tmp_path), "GRIDMAP_PORT": str(port)}
    serving = Serving(files, DATABASE_URL=database_url, **where).ready()
    os.kill(serving.child(name), signal.SIGKILL)
    assert serving.ended() == _UNAVAILABLE
    assert "SERVER_CHILD_ENDED" in serving.said()


def _refused(code: str, files: ExitStack, *options: str, **environment: str) -> None:
    """Serving ends at once with one sentence."""
    serving = Serving(files, *options, **environment)
    assert serving.ended() == _UNAVAILABLE
    assert re.fullmatch(rf"{code}: [^\n]+\n", serving.said()), serving.said()
    assert serving.output() == ""


def test_a_taken_port_is_a_sentence(tmp_path: Path, files: ExitStack) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        _refused("PORT_TAKEN", files, "--port", str(taken.getsockname()[1]), GRIDMAP_DATA_DIR=str(tmp_path))


def test_an_address_of_another_machine_is_a_sentence(tmp_path: Path, files: ExitStack) -> None:
    _refused("ADDRESS_UNUSABLE", files, "--host", "192.0.2.1", GRIDMAP_DATA_DIR=str(tmp_path))


def test_a_server_without_the_schema_is_a_sentence(
    databases: Databases, tmp_path: Path, port: int, files: ExitStack
) -> None:
    url = databases.create("template1")
    try:
        _refused("SCHEMA_OLD", files, DATABASE_URL=url, GRIDMAP_DATA_DIR=str(tmp_path), GRIDMAP_PORT=str(port))
    finally:
        databases.drop(url)


def test_the_demo_leaves_regions_of_ones_own_alone(database_url: str) -> None:
    add_regions()
    serve._load_demo()
    with transaction() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Region)) == 7
