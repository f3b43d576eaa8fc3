"""The private cluster: shared, stopped by the last one, robust to kills, one clear sentence when it cannot be had."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gridmap.db.cluster import Cluster
from gridmap.db.engine import connect, disconnect
from gridmap.db.migrate import migrate, require_current
from gridmap.errors import Unavailable
from gridmap.settings import Settings

_HOLD = """
import sys, pathlib
from gridmap.db.cluster import Cluster
from gridmap.settings import Settings
with Cluster(Settings(data_dir=pathlib.Path(sys.argv[1]))).used():
    print("up", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gridmap-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def _holder(home: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


def test_two_at_once_share_one_cluster_and_the_last_stops_it(home: Path) -> None:
    first, second = _holder(home), _holder(home)
    cluster = Cluster(Settings(data_dir=home))
    with pytest.raises(Unavailable) as caught:
        cluster.stop()
    assert caught.value.code == "DB_IN_USE"
    first.communicate()
    assert cluster.running()
    second.communicate()
    assert not cluster.running()


def test_a_killed_holder_leaves_a_cluster_that_the_next_one_takes_over(home: Path) -> None:
    holder = _holder(home)
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    cluster = Cluster(Settings(data_dir=home))
    assert cluster.running()
    with cluster.used():
        assert cluster.running()
    assert not cluster.running()


def test_up_stays_until_stop(home: Path) -> None:
    cluster = Cluster(Settings(data_dir=home))
    cluster.up()
    with cluster.used():
        pass
    assert cluster.running()
    assert cluster.stop()
    assert not cluster.stop()


def test_an_initialisation_that_was_cut_off_is_begun_anew(home: Path) -> None:
    for half in ("pg.new", "pg"):
        (home / half).mkdir()
        (home / half / "half").touch()
    with Cluster(Settings(data_dir=home)).used() as cluster:
        assert cluster.running()


def test_a_server_that_is_not_there_is_one_sentence() -> None:
    connect("postgresql://nobody@127.0.0.1:1/nothing")
    try:
        for call in (require_current, migrate):
            with pytest.raises(Unavailable) as caught:
                call()
            assert caught.value.code == "DB_UNREACHABLE"
    finally:
        disconnect()


@pytest.mark.parametrize("address", ["nonsense", "mysql://a@b/c", "postgresql://a:b@c:notaport/d"])
def test_an_address_that_is_none_is_one_sentence(address: str) -> None:
    with pytest.raises(Unavailable) as caught:
        connect(address)
    assert caught.value.code == "DB_ADDRESS"
