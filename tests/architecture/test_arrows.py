"""Data flows one way through the rooms: no import runs against the arrow, and heavy libraries stay out of the start."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

#: For each room, the rooms it may import from; the first part of the path that matches names the room.
ARROWS = {
    "geodata": {"geodata"},
    "gridmap.errors": {"geodata"},
    "gridmap.settings": {"gridmap", "gridmap.errors"},
    "gridmap.db": {"geodata", "gridmap.errors", "gridmap.settings", "gridmap.db", "gridmap.sql"},
    "gridmap.sql": {"gridmap.sql"},
    "gridmap.translations": {"gridmap", "gridmap.translations"},
    "gridmap.services": {
        *("geodata", "gridmap", "gridmap.errors", "gridmap.settings", "gridmap.db", "gridmap.sql", "gridmap.services"),
        "gridmap.jobs.app",
    },
    "gridmap.jobs": {
        *(
            "geodata",
            "gridmap",
            "gridmap.errors",
            "gridmap.settings",
            "gridmap.db.engine",
            "gridmap.db.start",
            "gridmap.services",
            "gridmap.jobs",
        ),
    },
    "gridmap.web.maps": {"gridmap.web.maps"},
    "gridmap.web": {
        "geodata",
        "gridmap",
        "gridmap.errors",
        "gridmap.settings",
        "gridmap.db.engine",
        "gridmap.services",
        "gridmap.translations",
        "gridmap.web",
        "gridmap.db.migrate",
    },
    "gridmap.cli": {
        "geodata",
        "gridmap",
        "gridmap.errors",
        "gridmap.settings",
        "gridmap.db",
        "gridmap.services",
        "gridmap.cli",
        "gridmap.jobs",
        "gridmap.web",
    },
    "gridmap": {"geodata", "gridmap"},
}
HEAVY = {"geopandas", "folium", "scipy", "numba", "weasyprint", "pyogrio", "openpyxl"}


def _modules() -> Iterator[tuple[str, Path]]:
    for package in ("geodata", "gridmap"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" in path.parts:
                continue
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def _imports(name: str, path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}:{node.lineno}: relative imports hide the arrow"
            module = node.module or ""
            for alias in node.names:
                yield node.lineno, f"{module}.{alias.name}" if _is_module(f"{module}.{alias.name}") else module


def _is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def _room(name: str) -> str:
    return max((room for room in ARROWS if name == room or name.startswith(room + ".")), key=len, default="")


@pytest.mark.parametrize(("name", "path"), list(_modules()), ids=lambda value: value if isinstance(value, str) else "")
def test_no_import_runs_against_the_arrow(name: str, path: Path) -> None:
    allowed = ARROWS[_room(name)]
    for line, target in _imports(name, path):
        if not target.startswith(("gridmap", "geodata")):
            continue
        reached = target == "gridmap" and "gridmap" in allowed
        reached = reached or any(
            target == room or (room != "gridmap" and target.startswith(room + ".")) for room in allowed
        )
        assert reached, f"{path.relative_to(ROOT)}:{line} imports {target}"


def test_the_application_starts_without_the_heavy_libraries() -> None:
    code = "import sys; from gridmap.web.app import create_app; create_app(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert loaded & HEAVY == set()
