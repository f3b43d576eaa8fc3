"""Archives from strangers: look before unpacking, count while unpacking, trust no name."""

from __future__ import annotations

import errno
import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from geodata.errors import GeodataError

_CHUNK = 1 << 20
#: Below this inflated size the ratio says nothing: a short table of blanks packs a thousandfold.
_RATIO_MATTERS_ABOVE = 64 << 20
_NESTED = {".zip", ".kmz", ".7z", ".rar", ".gz", ".tgz", ".bz2", ".xz", ".tar"}
#: Everything a damaged or hostile zip makes :mod:`zipfile` raise.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    UnicodeError,
    ValueError,
    OverflowError,
    OSError,
)


_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one upload may cost: bytes as sent, bytes inflated, inflated over packed, entries of an archive."""

    max_bytes: int = 1 << 30
    max_inflated: int = 4 << 30
    max_ratio: int = 200
    max_entries: int = 2000


@contextmanager
def opened(path: Path, limits: Limits) -> Iterator[tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]]:
    """The archive at ``path`` and its files, names decoded and every declared size within ``limits``.

    Raises ``ARCHIVE_BROKEN``, ``ARCHIVE_TOO_MANY``, ``ARCHIVE_PATH``, ``ARCHIVE_ENCRYPTED``, ``ARCHIVE_NESTED`` or
    ``ARCHIVE_BOMB``; a fault of the zip format that shows while the caller reads is ``ARCHIVE_BROKEN`` too.
    A full disk stays an ``OSError``.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            if len(infos) > limits.max_entries:
                raise GeodataError("ARCHIVE_TOO_MANY", count=len(infos), limit=limits.max_entries)
            for info in infos:
                info.filename = _decoded_name(info)
                _refuse_tricks(info)
            files = [info for info in infos if not info.is_dir()]
            _refuse_bomb(sum(info.file_size for info in files), path.stat().st_size, limits)
            yield archive, files
    except _BROKEN as error:
        if isinstance(error, OSError) and error.errno in _FULL:
            raise
        raise GeodataError("ARCHIVE_BROKEN", name=path.name) from error


def inflate(archive: zipfile.ZipFile, info: zipfile.ZipInfo, into: IO[bytes] | None, budget: int) -> int:
    """Inflate one entry chunk by chunk into ``into`` (None: only count); return its true size in bytes.

    Raises ``ARCHIVE_BOMB`` as soon as more than ``budget`` bytes came out, whatever the directory declared.
    """
    size = 0
    with archive.open(info) as stream:
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            if size > budget:
                raise GeodataError("ARCHIVE_BOMB", mb=budget >> 20)
            if into is not None:
                into.write(chunk)
    return size


def unpack(path: Path, folder: Path, suffixes: frozenset[str], limits: Limits) -> dict[str, Path]:
    """Unpack the entries that end in ``suffixes`` into ``folder``; return original name -> file.

    Files land as ``<n>/source<suffix>``, one numbered folder per original folder and stem, so that the parts of a
    Shapefile stay together and no name of the archive reaches the file system.
    """
    found: dict[str, Path] = {}
    groups: dict[str, Path] = {}
    budget = limits.max_inflated
    with opened(path, limits) as (archive, files):
        for info in files:
            name = PurePosixPath(info.filename)
            suffix = name.suffix.lower()
            if _is_junk(name) or suffix not in suffixes:
                continue
            stem = str(name.with_suffix("")).lower()
            group = groups.setdefault(stem, folder / f"{len(groups):04d}")
            group.mkdir(parents=True, exist_ok=True)
            target = group / f"source{suffix}"
            with target.open("wb") as into:
                budget -= inflate(archive, info, into, budget)
            found[str(name)] = target
    return found


def _decoded_name(info: zipfile.ZipInfo) -> str:
    """Names without the UTF-8 flag come as cp437; Chinese Windows wrote them in GBK, some tools in bare UTF-8."""
    if info.flag_bits & 0x800:
        return info.filename
    raw = info.filename.encode("cp437")
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return info.filename


def _refuse_tricks(info: zipfile.ZipInfo) -> None:
    name = info.filename
    parts = PurePosixPath(name.replace("\\", "/")).parts
    link = stat.S_ISLNK(info.external_attr >> 16)
    if link or ".." in parts or name.startswith(("/", "\\")) or PureWindowsPath(name).drive or "\0" in name:
        raise GeodataError("ARCHIVE_PATH", name=name)
    if info.flag_bits & 0x1:
        raise GeodataError("ARCHIVE_ENCRYPTED", name=name)
    if PurePosixPath(name).suffix.lower() in _NESTED and not _is_junk(PurePosixPath(name)):
        raise GeodataError("ARCHIVE_NESTED", name=name)


def _refuse_bomb(inflated: int, packed: int, limits: Limits) -> None:
    if inflated > limits.max_inflated:
        raise GeodataError("ARCHIVE_BOMB", mb=limits.max_inflated >> 20)
    if inflated > _RATIO_MATTERS_ABOVE and inflated > limits.max_ratio * max(packed, 1):
        raise GeodataError("ARCHIVE_RATIO", ratio=inflated // max(packed, 1), limit=limits.max_ratio)


def _is_junk(name: PurePosixPath) -> bool:
    return name.parts[:1] == ("__MACOSX",) or name.name.startswith("._") or name.name == ".DS_Store"
