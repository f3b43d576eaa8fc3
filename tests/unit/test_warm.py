"""Kernels that were compiled before the sources changed are forgotten, and only those."""

from __future__ import annotations

import os
from pathlib import Path

from geodata.warm import forget_stale


def test_only_kernels_older_than_the_newest_source_go(tmp_path: Path) -> None:
    cache = tmp_path / "room" / "__pycache__"
    cache.mkdir(parents=True)
    files = {"room/a.py": 100, "room/b.py": 300, "room/__pycache__/a.nbi": 200, "room/__pycache__/a.1.nbc": 200}
    files |= {"room/__pycache__/b.nbi": 400, "room/__pycache__/a.cpython-311.pyc": 100}
    for name, written in files.items():
        (tmp_path / name).write_bytes(b"")
        os.utime(tmp_path / name, (written, written))
    assert forget_stale(tmp_path) == 2
    assert sorted(path.name for path in cache.iterdir()) == ["a.cpython-311.pyc", "b.nbi"]
