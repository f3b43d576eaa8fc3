"""``setup.sh`` on a toy project whose tools only take notes: what is done, what is skipped, what is done again."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

_PYTHON = """#!/bin/bash
case "$*" in
    --version) echo Python 3.12.0; exit ;;
    -c*) exit ;;
esac
echo "${0##*/} $*" >>"$NOTES"
case "$*" in
    "-m venv --clear .venv") rm -rf .venv && mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
    *--require-hashes*) [ ! -e slow ] || sleep 1; [ ! -e broken ] || kill -9 $PPID ;;
    "-m gridmap.translations compile") touch gridmap/translations/en/LC_MESSAGES/messages.mo ;;
esac
"""
_NPM = """#!/bin/bash
echo "npm $*" >>"$NOTES"
[ ! -e broken ] || kill -9 $PPID
mkdir -p node_modules/leaflet/dist/images node_modules/protomaps-leaflet/dist
touch node_modules/leaflet/dist/leaflet.{js,css} node_modules/leaflet/LICENSE
touch node_modules/protomaps-leaflet/dist/protomaps-leaflet.js node_modules/protomaps-leaflet/LICENSE
"""
_TOOLS = {
    "python3": _PYTHON,
    "npm": _NPM,
    "fc-list": "#!/bin/sh\n[ -e nofonts ] || echo Noto\n",
    "ldconfig": "#!/bin/sh\necho libpangoft2-1.0.so.0 libatomic.so.1\n",
    "pg_dump": "#!/bin/sh\n",
    "chromium": "#!/bin/sh\n",
    "ogr2ogr": "#!/bin/sh\n",
    "id": "#!/bin/sh\necho 1000\n",
    "sudo": "#!/bin/sh\nexit 1\n",
    "apt-get": '#!/bin/sh\necho "apt-get $*" >>"$NOTES"\n',
}


class Project:
    """A folder with the real scripts and toy tools."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.tools, self.notes = folder / "project", folder / "tools", folder / "notes"
        shutil.copytree(ROOT / "gridmap" / "deploy", self.folder / "gridmap" / "deploy")
        (self.folder / "gridmap/translations/en/LC_MESSAGES").mkdir(parents=True)
        (self.folder / "gridmap/static").mkdir()
        (self.folder / "geodata").mkdir()
        for name in ("gridmap/translations/en/LC_MESSAGES/messages.po", "geodata/some.py", "pyproject.toml"):
            (self.folder / name).touch()
        for name in ("requirements.lock", "requirements-dev.lock", "requirements-bench.lock", "package-lock.json"):
            (self.folder / name).write_text(name)
        self.tools.mkdir()
        for name, script in _TOOLS.items():
            (self.tools / name).write_text(script)
            (self.tools / name).chmod(0o755)

    def start(self, purpose: str) -> subprocess.Popen[str]:
        path = f"{self.tools}:/usr/bin:/bin"
        return subprocess.Popen(
            ["bash", "gridmap/deploy/setup.sh", purpose],
            cwd=self.folder,
            env={"PATH": path, "NOTES": str(self.notes), "DATABASE_URL": "postgresql://x@y/z"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def set_up(self, purpose: str = "run") -> list[str]:
        """What was done, by the notes of the tools."""
        process = self.start(purpose)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 0, said
        return self.noted()

    def noted(self) -> list[str]:
        noted = self.notes.read_text().splitlines() if self.notes.exists() else []
        self.notes.unlink(missing_ok=True)
        return noted


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def _installs(noted: list[str]) -> list[str]:
    return [line.rsplit(" ", 1)[-1] for line in noted if "--require-hashes" in line]


def test_everything_once_then_nothing(project: Project) -> None:
    first = project.set_up()
    assert first[0] == "python3 -m venv --clear .venv"
    assert _installs(first) == ["requirements.lock"]
    for done in ("npm ci", "gridmap.translations compile", "compileall", "geodata.warm"):
        assert any(done in line for line in first), done
    assert (project.folder / "gridmap/static/vendor/leaflet/leaflet.js").exists()
    assert project.set_up() == []


def test_tests_need_more_and_what_they_need_is_enough_to_run(project: Project) -> None:
    assert _installs(project.set_up("run")) == ["requirements.lock"]
    for_tests = project.set_up("test")
    assert _installs(for_tests) == ["requirements-dev.lock"]
    assert not any("venv --clear" in line for line in for_tests), "what is there is added to"
    assert project.set_up("run") == project.set_up("test") == []
    assert _installs(project.set_up("bench")) == ["requirements-bench.lock"]
    assert project.set_up("run") == project.set_up("test") == project.set_up("bench") == []


@pytest.mark.parametrize(
    ("changed", "done"),
    [
        ("requirements.lock", "--require-hashes"),
        ("package-lock.json", "npm ci"),
        ("gridmap/translations/en/LC_MESSAGES/messages.po", "translations compile"),
        ("geodata/some.py", "geodata.warm"),
    ],
)
def test_what_changed_is_made_anew(changed: str, done: str, project: Project) -> None:
    project.set_up()
    path = project.folder / changed
    path.write_text("new")
    soon = time.time() + 5
    os.utime(path, (soon, soon))
    assert any(done in line for line in project.set_up())


@pytest.mark.parametrize("tool", ["pip", "npm"])
def test_a_killed_set_up_is_repaired_by_the_next(tool: str, project: Project) -> None:
    if tool == "npm":
        project.set_up()
        (project.folder / "package-lock.json").write_text("new")
    (project.folder / "broken").touch()
    killed = project.start("run")
    killed.communicate(timeout=30)
    assert killed.returncode != 0
    project.noted()
    (project.folder / "broken").unlink()
    again = project.set_up()
    assert ("python3 -m venv --clear .venv" in again) == (tool == "pip"), "a half-filled environment is not trusted"
    assert any("npm ci" in line for line in again)
    assert project.set_up() == []


def test_two_at_once_take_turns(project: Project) -> None:
    (project.folder / "slow").touch()
    both = [project.start("run") for _ in range(2)]
    said = [process.communicate(timeout=30)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert len(_installs(project.noted())) == 1
    assert sum("waiting" in text for text in said) == 1


def test_missing_packages_without_rights_are_one_sentence(project: Project) -> None:
    (project.folder / "nofonts").touch()
    process = project.start("run")
    _, said = process.communicate(timeout=30)
    assert process.returncode == 6
    assert len(said.splitlines()) == 1
    assert said.strip().endswith("apt-get install -y --no-install-recommends fontconfig fonts-noto-cjk")
    assert project.noted() == []


def test_wheels_beside_the_project_close_the_network(project: Project) -> None:
    (project.folder / "wheels").mkdir()
    installs = [line for line in project.set_up() if "pip install" in line]
    assert all("--no-index" in line for line in installs)
    assert "--find-links wheels --require-hashes" in installs[0]
