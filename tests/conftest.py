"""Fixtures of all tests: a private cluster for the run, a fresh database from a template for each test that asks."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from gridmap.db import engine
from gridmap.db.cluster import Cluster
from gridmap.db.migrate import migrate
from gridmap.settings import Settings
from tests.costs import LEAST_S, costs

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
_numbers = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    """With ``-n`` the files keep their order: xdist would begin with those of many tests, however short."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With ``-n`` the files that take longest come first; the tests of a file stay as they are."""
    if hasattr(config, "workerinput"):
        known = costs()
        items.sort(key=lambda item: -known.get(item.nodeid.partition("::")[0], LEAST_S))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real inputs beside the checkout; tests that need them skip elsewhere."""
    if not SHARED_DATA.is_dir():
        pytest.skip("../shared/data is not on this machine")
    return SHARED_DATA


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A private PostGIS cluster that ends with the run."""
    with tempfile.TemporaryDirectory(prefix="gridmap-test-") as folder:
        Path(folder).chmod(0o755)  # root runs the server as another user, who must reach its data
        with Cluster(Settings(data_dir=Path(folder))).used() as running:
            _never_wait_for_the_disk(running)
            yield running


def _never_wait_for_the_disk(cluster: Cluster) -> None:
    """Nothing of this cluster is meant to outlive a loss of power, and every new database would wait for the disk."""
    with psycopg.connect(cluster.url_of("postgres"), autocommit=True) as connection:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(f"ALTER SYSTEM SET {name} = off".encode())
        connection.execute("SELECT pg_reload_conf()")


@pytest.fixture(scope="session", autouse=True)
def ground_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the grounds of this run lie: not in the folder of the checkout."""
    folder, tiles = tmp_path_factory.mktemp("ground"), tmp_path_factory.mktemp("tiles")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gridmap.services.studio.cache.folder", lambda: folder)
        patch.setattr("gridmap.services.tiles.cache.folder", lambda: tiles)
        yield folder


@pytest.fixture(scope="session", autouse=True)
def heat_stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the heat stores of this run lie."""
    folder = tmp_path_factory.mktemp("heat")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gridmap.services.heat.keeper.folder", lambda: folder)
        yield folder


class Databases:
    """Makes databases from templates in the cluster of the run."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._templates: set[str] = set()
        with psycopg.connect(cluster.url_of("postgres")) as connection:
            # files copied as they are, not written to the log page by page
            self._copy = " STRATEGY file_copy" if connection.info.server_version >= 150_000 else ""

    def _sql(self, statement: str) -> None:
        with psycopg.connect(self.cluster.url_of("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def template(self, name: str, fill: Callable[[], None], parent: str | None = None) -> str:
        """The template ``name``, filled once by ``fill`` (called with the engine connected to it)."""
        if name not in self._templates:
            self._sql(f"CREATE DATABASE {name}" + (f" TEMPLATE {parent}{self._copy}" if parent else ""))
            engine.connect(self.cluster.url_of(name))
            try:
                fill()
                self._templates.add(name)
            finally:
                engine.disconnect()
                if name not in self._templates:
                    self._sql(f"DROP DATABASE {name}")
        return name

    def create(self, template: str) -> str:
        """A new database from ``template``; its address."""
        name = f"test_{next(_numbers)}"
        self._sql(f"CREATE DATABASE {name} TEMPLATE {template}{self._copy}")
        return self.cluster.url_of(name)

    def drop(self, url: str) -> None:
        self._sql(f"DROP DATABASE {sa.make_url(url).database} WITH (FORCE)")


@pytest.fixture(scope="session")
def databases(cluster: Cluster) -> Databases:
    return Databases(cluster)


@contextmanager
def _fresh(databases: Databases, template: str) -> Iterator[str]:
    """A database of its own from ``template``, with the engine connected to it."""
    url = databases.create(template)
    engine.connect(url)
    yield url
    engine.disconnect()
    databases.drop(url)


def demo_template(databases: Databases, size: float) -> str:
    """The template of a demo town: units, plans, cases, all checked."""

    def fill() -> None:
        from gridmap.services import demo
        from gridmap.services.actor import SYSTEM

        demo.load(SYSTEM, size=size)

    name = f"demo_{size * 10:.0f}"
    return databases.template(name, fill, parent=databases.template("empty", migrate))


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """A fresh, migrated, empty database."""
    with _fresh(databases, databases.template("empty", migrate)) as url:
        yield url


@pytest.fixture
def demo_url(databases: Databases) -> Iterator[str]:
    """A small demo town, a fifth of the full one."""
    with _fresh(databases, demo_template(databases, 0.2)) as url:
        yield url


@pytest.fixture(scope="module")
def shared_demo_url(databases: Databases) -> Iterator[str]:
    """The small demo town for a whole module whose tests only read."""
    with _fresh(databases, demo_template(databases, 0.2)) as url:
        yield url


@pytest.fixture(scope="module")
def full_demo_url(databases: Databases) -> Iterator[str]:
    """The full demo town, for a module that only reads or measures."""
    with _fresh(databases, demo_template(databases, 1.0)) as url:
        yield url
