"""Fixtures of the tests that import files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from geodata.writers import write_vector
from gridmap.services import imports
from gridmap.settings import settings
from tests.imports import accepted, region_frame


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("GRIDMAP_DATA_DIR", str(tmp_path / "var"))
    settings.cache_clear()
    yield tmp_path / "var"
    settings.cache_clear()


@pytest.fixture
def regions(tmp_path: Path) -> imports.Accepted:
    return accepted(write_vector(region_frame(), tmp_path / "regions.gpkg", "gpkg"), "regions")
