"""Backup and restore of the database: a backup is whole or not there; a restore is one transaction."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from gridmap.db.cluster import postgres_program
from gridmap.db.engine import libpq_url
from gridmap.errors import Unavailable

PART = ".part"


def default_path(folder: Path) -> Path:
    """Where a backup goes that was given no name."""
    return folder / f"gridmap-{datetime.now(UTC):%Y%m%d-%H%M%S}.dump"


def backup(url: str, path: Path) -> Path:
    """Write the whole database at ``url`` to ``path`` (pg_dump, custom format).

    The file appears under its name only when it is complete and on disk; ``Unavailable`` (BACKUP_FAILED) leaves none.
    """
    part = path.with_name(path.name + PART)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            os.fchmod(file.fileno(), 0o600)
            _run(["pg_dump", "--format=custom", "--no-owner", "--no-privileges", "-d", libpq_url(url)], stdout=file)
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise Unavailable("BACKUP_FAILED", reason=error.strerror or str(error)) from error
    except subprocess.CalledProcessError as error:
        part.unlink(missing_ok=True)
        raise Unavailable("BACKUP_FAILED", reason=_reason(error)) from error
    return path


def restore(url: str, path: Path) -> None:
    """Replace what the database at ``url`` holds by the backup ``path``.

    ``Unavailable``: BACKUP_UNREADABLE where the file is not a whole backup, RESTORE_FAILED where it could not be
    brought back; either way the database is as it was.
    """
    try:
        listing = _run(["pg_restore", "--list", str(path)])
    except subprocess.CalledProcessError as error:
        raise Unavailable("BACKUP_UNREADABLE", path=path, reason=_reason(error)) from error
    # The extension and its table stay as the server has them: changing them would need the rights of their owner.
    entries = [line for line in listing.splitlines() if not re.search(r" EXTENSION | spatial_ref_sys ", line)]
    with tempfile.NamedTemporaryFile("w", suffix=".list") as wanted:
        wanted.write("\n".join(entries) + "\n")
        wanted.flush()
        command = ["pg_restore", "--single-transaction", "--clean", "--if-exists", "--no-owner", "--no-privileges"]
        try:
            _run([*command, "-L", wanted.name, "-d", libpq_url(url), str(path)])
        except subprocess.CalledProcessError as error:
            raise Unavailable("RESTORE_FAILED", reason=_reason(error)) from error


def leftovers(folder: Path) -> list[Path]:
    """Backups that a killed program left unfinished in ``folder``; they are removed."""
    found = sorted(folder.glob(f"*{PART}")) if folder.is_dir() else []
    for path in found:
        path.unlink(missing_ok=True)
    return found


def _run(command: list[str], stdout: object = subprocess.PIPE) -> str:
    program, *arguments = command
    done = subprocess.run(  # type: ignore[call-overload]
        [str(postgres_program(program)), *arguments], stdout=stdout, stderr=subprocess.PIPE, check=True
    )
    return (done.stdout or b"").decode("utf-8", "replace")


def _reason(error: subprocess.CalledProcessError) -> str:
    lines = error.stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[0] if lines else f"exit {error.returncode}"
