"""Find out in which encoding text was written, from all of it together, and say how it was found."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from geodata.errors import GeodataError

_CHUNK = 1 << 20
#: gb18030 contains GBK and GB2312, so every name of that family means it.
_KNOWN = {
    **dict.fromkeys(("utf8", "65001", "cp65001", "utf8sig"), "utf-8"),
    **dict.fromkeys(
        ("gb18030", "gbk", "gb2312", "936", "cp936", "ansi936", "ms936", "euccn", "gb", "54936"), "gb18030"
    ),
    **dict.fromkeys(("big5", "950", "cp950", "ansi950", "big5hkscs"), "big5hkscs"),
    **dict.fromkeys(("utf16", "utf16le", "utf16be"), "utf-16"),
    **dict.fromkeys(("latin1", "iso88591", "88591"), "iso8859-1"),
    **dict.fromkeys(("cp1252", "1252", "ansi1252", "windows1252"), "cp1252"),
    **dict.fromkeys(("shiftjis", "sjis", "cp932", "932"), "cp932"),
    "ascii": "utf-8",
}


@dataclass(frozen=True, slots=True)
class Encoding:
    """A Python codec name and how it was found: override, cpg, bom, utf-8 (strict), gb18030 (last resort) or format."""

    name: str
    how: str


#: Of formats that are UTF-8 by definition.
BY_FORMAT = Encoding("utf-8", "format")


def named(name: str) -> str:
    """The codec that a person or a .cpg means by ``name``; raises ``ENCODING_NAME`` for one we do not know."""
    plain = "".join(c for c in name.strip().lower() if c.isalnum())
    try:
        return _KNOWN[plain]
    except KeyError:
        raise GeodataError("ENCODING_NAME", name=name[:40]) from None


def of_values(
    values: Callable[[], Iterable[tuple[bytes, bool]]], *, declared: str | None, override: str | None
) -> Encoding:
    """The encoding of the values of a table: ``declared`` (.cpg) if they obey it, strict UTF-8, else gb18030.

    ``values`` yields (raw value, fills its field); it is called once a candidate. A value that fills its field may
    end in half a character. Raises ``ENCODING_UNKNOWN`` when no candidate decodes all values.
    """
    if override:
        return Encoding(named(override), "override")
    candidates = [Encoding("utf-8", "utf-8"), Encoding("gb18030", "gb18030")]
    if declared and "".join(c for c in declared.strip().lower() if c.isalnum()) in _KNOWN:
        candidates.insert(0, Encoding(named(declared), "cpg"))
    for candidate in candidates:
        if all(_obeys(raw, cut, candidate.name) for raw, cut in values()):
            return candidate
    raise GeodataError("ENCODING_UNKNOWN")


def of_file(path: Path, override: str | None = None) -> Encoding:
    """The encoding of a whole text file: byte order mark, strict UTF-8, else gb18030; streams it once or twice."""
    with path.open("rb") as stream:
        head = stream.read(4)
    if override:
        name = named(override)
        unmarked = name == "utf-16" and not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        return Encoding("utf-16-le" if unmarked else name, "override")
    if head.startswith(codecs.BOM_UTF8):
        return Encoding("utf-8-sig", "bom")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Encoding("utf-16", "bom")
    for name in ("utf-8", "gb18030"):
        if _file_obeys(path, name):
            return Encoding(name, name)
    raise GeodataError("ENCODING_UNKNOWN")


def transcoded(path: Path, target: Path, encoding: str) -> Path:
    """Write the text of ``path`` as UTF-8 to ``target``, without byte order mark."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    with path.open("rb") as stream, target.open("wb") as into:
        while chunk := stream.read(_CHUNK):
            into.write(decoder.decode(chunk).encode("utf-8", "replace"))
        into.write(decoder.decode(b"", final=True).encode("utf-8", "replace"))
    return target


def _obeys(raw: bytes, cut: bool, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(raw, final=not cut)
    except UnicodeDecodeError:
        return False
    return True


def _file_obeys(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
