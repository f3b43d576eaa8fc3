"""Names of files as strangers give them, made fit for a folder, a header and a page."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath

#: File systems hold 255 bytes; Chinese takes three a character.
MOST_BYTES = 200
_MOST_SUFFIX_BYTES = 20
#: Controls, marks that turn the direction of writing, halves of characters.
_UNSEEN = frozenset({"Cc", "Cf", "Cs"})


def file_name(given: str, fallback: str) -> str:
    """The last part of the path ``given`` without unseen characters, its stem cut to :data:`MOST_BYTES` in UTF-8.

    ``fallback`` where nothing is left.
    """
    last = given.replace("\\", "/").rsplit("/", 1)[-1]
    seen = "".join(character for character in last if unicodedata.category(character) not in _UNSEEN).strip()
    if not seen.strip("."):
        return fallback
    suffix = PurePosixPath(seen).suffix
    if len(suffix.encode()) > _MOST_SUFFIX_BYTES:
        suffix = ""
    stem = seen.removesuffix(suffix).encode()[: MOST_BYTES - len(suffix.encode())].decode(errors="ignore")
    return stem + suffix
