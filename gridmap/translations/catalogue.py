"""Reading, updating and compiling the catalogue with Babel."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo as babel_write_mo
from babel.messages.pofile import read_po, write_po

from gridmap import ROOT
from gridmap.translations import PO

_PYTHON = ROOT / "gridmap"
_TEMPLATES = ROOT / "templates"
_SCRIPTS = ROOT / "gridmap" / "static" / "js"
_JS_CALL = re.compile(r"""\bt\(\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|`([^`$]*)`)""")
_CHINESE = re.compile(r"[\u3400-\u9fff]")


def extracted() -> Catalog:
    """Every sentence of code, templates and scripts, as a template catalogue."""
    found = Catalog(project="gridmap", charset="utf-8")
    for name, text in _sentences():
        found.add(text, locations=[(name, 0)])
    return found


def read() -> Catalog:
    """The stored catalogue (an empty one before the first extraction)."""
    if not PO.exists():
        return Catalog(locale="en", project="gridmap")
    with PO.open("rb") as file:
        return read_po(file, locale="en")


def update() -> None:
    """Bring ``messages.po`` up to the sentences in use, sorted, without places: small diffs, few conflicts."""
    catalogue = read()
    kept = catalogue.creation_date
    catalogue.update(extracted(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    catalogue.creation_date = catalogue.revision_date = kept  # no change of words, no change of file
    catalogue.header_comment = "# The English of gridmap's pages. The Chinese sentences are the ids."
    catalogue.last_translator, catalogue.language_team, catalogue.msgid_bugs_address = "gridmap", "en", ""
    catalogue.version, catalogue.fuzzy = "0", False
    PO.parent.mkdir(parents=True, exist_ok=True)
    with _replacing(PO) as path, path.open("wb") as file:
        write_po(file, catalogue, width=120, no_location=True, omit_header=False, sort_output=True)


def missing() -> list[str]:
    """The sentences in use that have no English, in order."""
    stored = read()
    return sorted(str(entry.id) for entry in extracted() if entry.id and not _translated(stored, entry))


def write_mo(target: Path) -> None:
    """Compile the catalogue to ``target``, replacing it in one step (several workers may start at once)."""
    with _replacing(target) as path, path.open("wb") as file:
        babel_write_mo(file, read())


def script_messages() -> dict[str, str]:
    """The English of the sentences that scripts use."""
    stored = read()
    entries = ((text, stored.get(text)) for _, text in _script_sentences())
    return {text: str(entry.string) for text, entry in entries if entry is not None and entry.string}


def _translated(stored: Catalog, entry: Message) -> bool:
    known = stored.get(entry.id, entry.context)
    return known is not None and bool(known.string) and not known.fuzzy


def _sentences() -> Iterator[tuple[str, str]]:
    options = {"jinja2": {"silent": "false", "trimmed": "true"}}
    for folder, method in ((_PYTHON, "python"), (_TEMPLATES, "jinja2")):
        pattern = "**.py" if method == "python" else "**.html"
        keywords = {"_": None, "gettext": None, "lazy_gettext": None}
        rows = extract_from_dir(folder, [(pattern, method)], {pattern: options.get(method, {})}, keywords=keywords)
        for name, _line, text, _comments, _context in rows:
            if isinstance(text, str):
                yield name, text
    yield from _script_sentences()


def _script_sentences() -> Iterator[tuple[str, str]]:
    for path in sorted(_SCRIPTS.rglob("*.js")):
        for groups in _JS_CALL.findall(path.read_text("utf-8")):
            text = next((group for group in groups if group), "")
            if _CHINESE.search(text):
                yield path.name, text.replace('\\"', '"').replace("\\n", "\n")


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """A temporary file beside ``target`` that takes its place when the block succeeds."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    os.close(handle)
    path = Path(name)
    try:
        yield path
        path.chmod(0o644)
        path.replace(target)
    finally:
        path.unlink(missing_ok=True)
