"""Finished tiles: the last used in this process, and files in ``DATA_DIR/cache/tiles`` shared by all processes.

A file's name is a hash of everything that decides the tile, so what changed is asked under another name. A file carries
the checksum of its content: a torn one is made anew. The oldest go when all together are too large.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
from collections import OrderedDict
from functools import lru_cache
from pathlib import Path

from gridmap.settings import settings

MEMORY_BYTES = 48 << 20
DISK_BYTES = 1 << 30
#: The folder is looked through after so much was written by one process.
SWEEP_EVERY_BYTES = 64 << 20
_SUM = 8
_kept: OrderedDict[str, bytes] = OrderedDict()
_lock = threading.Lock()
_size = 0
_written = SWEEP_EVERY_BYTES  # what lies there from before is looked through at the first file


def folder() -> Path:
    """Where the files lie."""
    return _below(settings().data_dir)


@lru_cache(1)
def _below(data_dir: Path) -> Path:
    return data_dir / "cache" / "tiles"


def find(key: str) -> bytes | None:
    """The tile ``key`` (hex digits) from memory or disk; None where there is none or the file is damaged."""
    with _lock:
        if (content := _kept.get(key)) is not None:
            _kept.move_to_end(key)
            return content
    path = _path(key)  # no Path: it takes longer than the look
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            stored = file.read()
    except OSError:
        return None
    content = stored[_SUM:]
    if stored[:_SUM] != _checksum(content):
        Path(path).unlink(missing_ok=True)
        return None
    _remember(key, content)
    return content


def keep(key: str, content: bytes, *, shared: bool = True) -> None:
    """Keep a tile in memory and, if ``shared``, on disk; a disk that takes nothing costs speed, not the tile."""
    global _written
    _remember(key, content)
    if not shared:
        return
    path = Path(_path(key))
    try:
        _write(path, _checksum(content) + content)
        _written += len(content) + _SUM
        if _written >= SWEEP_EVERY_BYTES:
            _written = 0
            sweep()
    except OSError:
        return


def forget() -> None:
    """Empty the memory of this process (tests and benches)."""
    global _size
    with _lock:
        _kept.clear()
        _size = 0


def sweep(bytes_max: int | None = None) -> None:
    """Remove the oldest files until the rest is within ``bytes_max``."""
    room = DISK_BYTES if bytes_max is None else bytes_max
    known = []
    for path in folder().glob("*/*"):
        try:
            told = path.stat()
        except FileNotFoundError:  # another process swept it
            continue
        known.append((told.st_mtime_ns, told.st_size, path))
    size = 0
    for _, bytes_, path in sorted(known, reverse=True):
        size += bytes_
        if size > room:
            path.unlink(missing_ok=True)


def _path(key: str) -> str:
    return f"{folder()}/{key[:2]}/{key[2:]}.mvt"


def _checksum(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_SUM).digest()


def _remember(key: str, content: bytes) -> None:
    global _size
    with _lock:
        _size += len(content) - len(_kept.pop(key, b""))
        _kept[key] = content
        while _size > MEMORY_BYTES and len(_kept) > 1:
            _size -= len(_kept.popitem(last=False)[1])


def _write(path: Path, content: bytes) -> None:
    """Beside its place, then renamed: nobody reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".part-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
