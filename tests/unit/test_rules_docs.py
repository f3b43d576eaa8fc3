"""docs/rules.md names every rule and every message code, and no code that does not exist."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from string import Formatter

import pytest

from geodata import messages
from geodata.rules import RULES
from geodata.standards import loads

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs" / "rules.md").read_text("utf-8")
CATALOGUE = tomllib.loads((Path(messages.__file__).parent / "rules.toml").read_text("utf-8"))
SOURCE = "".join(
    p.read_text("utf-8") for room in ("rules", "standards") for p in (ROOT / "geodata" / room).glob("*.py")
)


def test_every_rule_has_its_section() -> None:
    sections = re.findall(r"^## (R\d\d) ", DOC, re.MULTILINE)
    assert sections == [rule.id for rule in RULES]


def test_the_document_and_the_catalogue_name_the_same_codes() -> None:
    assert set(re.findall(r"`((?:R\d\d|RULES?|STANDARD)_[A-Z0-9_]+)`", DOC)) == set(CATALOGUE)


def test_the_source_and_the_catalogue_name_the_same_codes() -> None:
    assert set(re.findall(r'"((?:R\d\d|RULES?|STANDARD)_[A-Z0-9_]+)"', SOURCE)) == set(CATALOGUE)


def test_the_examples_work(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", DOC, re.DOTALL)
    exec(compile(example, "docs/rules.md", "exec"), {})
    assert f"# {capsys.readouterr().out}" == example.splitlines(keepends=True)[-1]
    (profile,) = re.findall(r"```toml\n(.*?)```", DOC, re.DOTALL)
    assert loads(profile).severity == {"R15": "I"}


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_both_languages_speak_of_the_same_things(code: str) -> None:
    entry = CATALOGUE[code]
    assert fields(entry["zh"]) == fields(entry["en"])
    assert ("hint_zh" in entry) == ("hint_en" in entry)
    assert re.search(r"[一-鿿]", entry["zh"]) and not re.search(r"[一-鿿]", entry["en"])
