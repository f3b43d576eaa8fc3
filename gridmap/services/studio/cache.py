"""Packed files on disk, addressed by what they were made of, shared by all processes of this machine.

A file is written beside its place and renamed, so that nobody reads half of one; who wants one that is being made waits
for it. A damaged file is made anew. The oldest go when there are too many.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from geodata.errors import GeodataError
from geodata.packed import unpack
from gridmap.errors import Unavailable
from gridmap.settings import settings

FILES_MAX = 40
BYTES_MAX = 2 << 30

Packed = tuple[Mapping[str, Any], Mapping[str, NDArray[Any]]]


def folder() -> Path:
    """Where the files of grounds lie."""
    return settings().data_dir / "cache" / "ground"


def fetch(key: str, make: Callable[[], bytes]) -> Packed:
    """Meta and arrays of the file ``key`` (hex digits), made by ``make`` where it is missing or damaged.

    Raises ``Unavailable`` DATA_DIR_UNWRITABLE.
    """
    place = folder()
    path = place / f"{key}.gmp"
    found = _read(path)
    if found is not None:
        return found
    try:
        place.mkdir(parents=True, exist_ok=True)
        with _alone(place / f"{key[:1]}.lock"):
            found = _read(path)  # whoever was before us may have made it
            if found is not None:
                return found
            content = make()
            _write(path, content)
            sweep(place)
    except OSError as error:
        raise Unavailable("DATA_DIR_UNWRITABLE", path=str(place), reason=error.strerror or str(error)) from error
    return unpack(content)


def sweep(place: Path, files_max: int = FILES_MAX, bytes_max: int = BYTES_MAX) -> None:
    """Remove the files that were used longest ago until the rest is within both bounds."""
    known = []
    for path in place.glob("*.gmp"):
        try:
            told = path.stat()
        except FileNotFoundError:  # another process swept it
            continue
        known.append((told.st_mtime, told.st_size, path))
    size = 0
    for number, (_, bytes_, path) in enumerate(sorted(known, key=lambda one: (-one[0], one[2]))):
        size += bytes_
        if number and (number >= files_max or size > bytes_max):
            path.unlink(missing_ok=True)


def _read(path: Path) -> Packed | None:
    """What the file holds; None where there is none or it is damaged."""
    try:
        content = path.read_bytes()
        os.utime(path)
        return unpack(content)
    except FileNotFoundError:
        return None
    except GeodataError:
        path.unlink(missing_ok=True)
        return None


def _write(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process or thread at a time is inside; a killed one lets go."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
