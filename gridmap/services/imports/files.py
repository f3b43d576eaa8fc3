"""Uploads on disk: by content hash, whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import sqlalchemy as sa
from sqlalchemy.orm import Session

from geodata.readers import Limits, Source, open_source
from gridmap.db.models import ImportBatch
from gridmap.errors import NotFound, TooLarge, Unavailable
from gridmap.settings import settings

_CHUNK = 1 << 20
_PART = ".part"
_MINE = "of-"
_FULL = (errno.ENOSPC, errno.EDQUOT)


def store(stream: IO[bytes], filename: str, limit_bytes: int) -> tuple[str, int]:
    """Write ``stream`` to the uploads folder under its SHA-256; return (sha256, size in bytes).

    A temporary name, ``fsync`` and a rename: a reader never sees half a file. Raises ``TooLarge`` (UPLOAD_TOO_BIG),
    ``Unavailable`` (DISK_FULL, DATA_DIR_UNWRITABLE); then nothing stays on disk.
    """
    folder = settings().uploads_dir
    part = folder / f"{_mine()}{secrets.token_hex(8)}{_PART}"
    digest = hashlib.sha256()
    size = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with part.open("xb") as into:
            while chunk := stream.read(_CHUNK):
                size += len(chunk)
                if size > limit_bytes:
                    raise TooLarge("UPLOAD_TOO_BIG", limit_mb=limit_bytes >> 20)
                digest.update(chunk)
                into.write(chunk)
            into.flush()
            os.fsync(into.fileno())
        sha256 = digest.hexdigest()
        part.rename(folder / stored_name(sha256, filename))
        _sync_folder(folder)
    except OSError as error:
        raise _disk_error(error, folder) from error
    finally:
        part.unlink(missing_ok=True)
    return sha256, size


def stored_name(sha256: str, filename: str) -> str:
    """The name on disk; the suffix stays because it tells kinds of plain text apart."""
    suffix = Path(filename).suffix.lower()
    return sha256 + (suffix if re.fullmatch(r"\.[a-z0-9]{1,8}", suffix) else "")


def upload_path(batch: ImportBatch) -> Path:
    """The file of ``batch``; ``NotFound`` (UPLOAD_GONE) where somebody removed it."""
    path = settings().uploads_dir / stored_name(batch.sha256, batch.filename)
    if not path.is_file():
        raise NotFound("UPLOAD_GONE", filename=batch.filename)
    return path


@contextmanager
def opened(batch: ImportBatch, *, encoding: str | None = None, layer: str | None = None) -> Iterator[Source]:
    """The file of ``batch`` as a source of records; what is unpacked for it vanishes with the block."""
    with scratch_folder() as scratch:
        # under its own name, by which formats without layers call their one layer
        named = scratch / "upload" / batch.filename
        named.parent.mkdir()
        named.symlink_to(upload_path(batch).resolve())
        try:
            yield open_source(
                named,
                scratch=scratch / "work",
                limits=Limits(max_bytes=settings().max_upload_bytes),
                encoding=encoding or batch.encoding,
                layer=layer or batch.layer,
                where=batch.options.get("where"),
            )
        except FileNotFoundError as error:  # thrown away by somebody else meanwhile
            raise NotFound("UPLOAD_GONE", filename=batch.filename) from error


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A private folder beside the uploads; a full disk inside the block is ``Unavailable`` (DISK_FULL)."""
    folder = settings().uploads_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=f"{_mine()}unpacked-") as scratch:
            yield Path(scratch)
    except OSError as error:
        raise _disk_error(error, folder) from error


def remove_leftovers() -> int:
    """Remove half-received files and unpacked folders of processes that are gone; how many there were."""
    folder = settings().uploads_dir
    if not folder.is_dir():
        return 0
    left = [path for path in folder.iterdir() if path.name.startswith(_MINE) and not _lives(path.name)]
    for path in left:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return len(left)


def forget(session: Session, batch: ImportBatch) -> None:
    """Remove the file of ``batch`` unless another batch may still be read from it."""
    same = sa.select(ImportBatch.id).where(
        ImportBatch.sha256 == batch.sha256,
        ImportBatch.id != batch.id,
        ImportBatch.state.not_in(("discarded", "accepted")),
    )
    if session.scalar(sa.select(same.exists())):
        return
    (settings().uploads_dir / stored_name(batch.sha256, batch.filename)).unlink(missing_ok=True)


def _mine() -> str:
    return f"{_MINE}{os.getpid()}-"


def _lives(name: str) -> bool:
    """Whether the process that made the temporary ``name`` still runs."""
    pid = name.removeprefix(_MINE).split("-")[0]
    return pid.isdigit() and Path(f"/proc/{pid}").exists()


def _disk_error(error: OSError, folder: Path) -> Unavailable:
    if error.errno in _FULL:
        return Unavailable("DISK_FULL", path=str(folder))
    return Unavailable("DATA_DIR_UNWRITABLE", path=str(folder), reason=error.strerror or str(error))


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
