"""Settings: a wrong variable is one sentence that names it, also on the command line."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from gridmap.errors import Unavailable
from gridmap.settings import settings


def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDMAP_PORT", "eighty")
    settings.cache_clear()
    with pytest.raises(Unavailable) as caught:
        settings()
    assert caught.value.code == "SETTING_INVALID"
    assert "GRIDMAP_PORT" in caught.value.sentence("en")
    monkeypatch.undo()
    settings.cache_clear()


def test_the_command_says_so_and_exits_6() -> None:
    environment = {**os.environ, "GRIDMAP_WORKERS": "many"}
    command = [sys.executable, "-m", "gridmap.cli", "db", "status"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 6
    assert done.stderr.startswith("SETTING_INVALID")
    assert "Traceback" not in done.stderr
