"""English is whole: every sentence in use has a translation that keeps its placeholders."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest
from babel.support import Translations

from geodata.messages import catalogue as coded_messages
from gridmap.translations import compile_stale
from gridmap.translations.catalogue import missing, read, write_mo

_PERCENT = re.compile(r"%\((\w+)\)[sd]")
_BRACES = re.compile(r"\{(\w+)\}")
_CHINESE = re.compile(r"[\u3400-\u9fff]")


def test_every_sentence_has_english() -> None:
    assert missing() == []


def test_translations_keep_their_placeholders() -> None:
    for entry in read():
        if entry.id and entry.string:
            for form in (_PERCENT, _BRACES):
                assert set(form.findall(entry.string)) == set(form.findall(entry.id)), entry.id


def test_every_sentence_can_be_filled() -> None:
    """Templates fill each sentence with ``%``: a bare percent sign in it would be a fault of the page."""
    for entry in read():
        for text in (entry.id, entry.string):
            if entry.id and isinstance(text, str) and not _BRACES.search(text):  # braces: a sentence of a script
                assert text % dict.fromkeys(_PERCENT.findall(text), 1) is not None, text


def test_the_compiled_catalogue_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "en" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    write_mo(folder / "messages.mo")
    assert Translations.load(str(tmp_path), ["en"]).gettext("首页") == "Home"


def test_compiling_twice_does_nothing() -> None:
    compile_stale()
    assert not compile_stale()


@pytest.mark.parametrize("code", sorted(coded_messages()))
def test_a_coded_sentence_is_whole_in_both_languages(code: str) -> None:
    entry = coded_messages()[code]
    assert {"zh", "en"} <= set(entry) <= {"zh", "en", "hint_zh", "hint_en"}, entry
    assert ("hint_zh" in entry) == ("hint_en" in entry)
    assert _CHINESE.search(entry["zh"])
    assert _fields(entry["zh"], "zh") == _fields(entry["en"], "en")


def _fields(sentence: str, language: str) -> set[str]:
    """The fields of a sentence; ``name_zh`` and ``name_en`` are one field in two languages."""
    return {re.sub(f"(^|_){language}$", "", name) for _, name, _, _ in string.Formatter().parse(sentence) if name}
