"""A folder of arrays that is there whole or not at all: written under another name, checked, renamed."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FORMAT = 2
HEADER = "store.json"


class StoreError(Exception):
    """A folder that is no store, or a damaged one; the reason."""


def write(folder: Path, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write ``header`` (JSON) and ``arrays`` as the folder ``folder``. Raises ``FileExistsError``, ``OSError``."""
    if folder.exists():
        raise FileExistsError(folder)
    place = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", suffix=".part", dir=folder.parent))
    try:
        files = {}
        for name, values in arrays.items():
            path = place / f"{name}.npy"
            with path.open("wb") as file:
                np.save(file, np.ascontiguousarray(values), allow_pickle=False)
                file.flush()
                os.fsync(file.fileno())
            files[name] = {"bytes": path.stat().st_size, "crc32": _checksum(path)}
        content = {"format": FORMAT, **header, "files": files}
        text = json.dumps(content, ensure_ascii=False)
        sealed = {"seal": zlib.crc32(text.encode()), "content": text}
        (place / HEADER).write_text(json.dumps(sealed, ensure_ascii=False), "utf-8")
        place.chmod(0o755)
        place.rename(folder)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def read(folder: Path, *, thorough: bool = True) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Header and mapped arrays of a folder. ``thorough`` reads it once whole, against its checksums.

    Raises ``StoreError`` where anything is missing, short or altered.
    """
    try:
        sealed = json.loads((folder / HEADER).read_text("utf-8"))
        text = sealed["content"]
        if zlib.crc32(text.encode()) != sealed["seal"]:
            raise StoreError("the header was altered")
        header = json.loads(text)
        if header["format"] != FORMAT:
            raise StoreError(f"format {header['format']}, not {FORMAT}")
        arrays = {}
        for name, told in header["files"].items():
            path = folder / f"{name}.npy"
            if path.stat().st_size != told["bytes"]:
                raise StoreError(f"{name} is short")
            if thorough and _checksum(path) != told["crc32"]:
                raise StoreError(f"{name} was altered")
            arrays[name] = _mapped(path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(str(error)) from error
    return header, arrays


def _mapped(path: Path) -> NDArray[Any]:
    try:
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except ValueError:  # an empty array cannot be mapped
        found = np.load(path, allow_pickle=False)
        found.flags.writeable = False
        return np.asarray(found)


def _checksum(path: Path) -> int:
    found = 0
    with path.open("rb") as file:
        while block := file.read(1 << 22):
            found = zlib.crc32(block, found)
    return found
