"""The English catalogue of the pages; Chinese sentences are the message ids.

``python -m gridmap.translations extract`` collects the sentences of code, templates and scripts into ``messages.po``
(keeping what is translated), ``compile`` makes the ``.mo`` the app reads, ``missing`` lists what has no English yet.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
LOCALES = ("zh", "en")
PO = FOLDER / "en" / "LC_MESSAGES" / "messages.po"


def compile_stale() -> bool:
    """Compile the catalogue where it is missing or older than its source; whether it was."""
    from gridmap.translations.catalogue import write_mo

    target = PO.with_suffix(".mo")
    if target.exists() and target.stat().st_mtime_ns >= PO.stat().st_mtime_ns:
        return False
    write_mo(target)
    return True
