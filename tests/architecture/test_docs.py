"""The docs name every setting, command, error code, route and make target: nothing can be added in silence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from geodata.messages import catalogue
from gridmap.cli import main
from gridmap.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCS = {path.name: path.read_text("utf-8") for path in (ROOT / "docs").glob("*.md")}


def _commands(group: click.Group, prefix: str) -> Iterator[str]:
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from _commands(command, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}"


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_setting_is_documented(name: str) -> None:
    variable = "DATABASE_URL" if name == "database_url" else f"GRIDMAP_{name.upper()}"
    assert f"`{variable}`" in DOCS["operations.md"]


@pytest.mark.parametrize("command", list(_commands(main, "gridmap")))
def test_every_command_is_documented(command: str) -> None:
    assert f"`{command}" in DOCS["cli.md"]


def test_every_option_is_documented() -> None:
    missing = []
    for section in re.split(r"(?m)^(?=#|- `gridmap)", DOCS["cli.md"]):
        named = re.search(r"`gridmap ([a-z -]+?)[`A-Z ]*`", section)
        command: click.Command | None = main
        for word in named[1].split() if named else []:
            command = command.commands.get(word) if isinstance(command, click.Group) else command
        if named and not isinstance(command, click.Group) and command is not None:
            options = (name for parameter in command.params for name in parameter.opts if name.startswith("--"))
            missing += [f"{named[1]} {name}" for name in options if name != "--json" and f"`{name}" not in section]
    assert missing == []


def test_every_message_code_is_documented_with_its_sentences() -> None:
    missing = [code for code in catalogue() if f"`{code}`" not in DOCS["errors.md"]]
    assert missing == [], "run: python -m docs.generate"


def test_every_message_has_both_languages_with_the_same_fields() -> None:
    """``{name_zh}`` in the Chinese sentence is the same field as ``{name_en}`` in the English one."""
    for code, entry in catalogue().items():
        assert {"zh", "en"} <= entry.keys() <= {"zh", "en", "hint_zh", "hint_en"}, code
        assert ("hint_zh" in entry) == ("hint_en" in entry), code
        fields = [
            {re.sub(rf"(^|_){language}$", "", field) for field in re.findall(r"{(\w+)", entry[language])}
            for language in ("zh", "en")
        ]
        assert fields[0] == fields[1], code


def test_every_route_is_documented() -> None:
    from gridmap.web.app import create_app

    text = DOCS["routes.md"]
    rules = [rule for rule in create_app().url_map.iter_rules() if rule.endpoint != "static"]
    assert [rule.rule for rule in rules if f"`{rule.rule}`" not in text] == [], "run: python -m docs.generate"


def test_every_make_target_is_in_the_readme_or_contributing() -> None:
    targets = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    text = (ROOT / "README.md").read_text("utf-8") + (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert [target for target in targets if f"make {target}" not in text] == []


def test_no_document_names_a_machine_or_a_registry() -> None:
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        assert not re.search(
            r"(?<![\w/])/(work|root|home/\w+)/|pypi\.org|npmjs|debian\.org", path.read_text("utf-8")
        ), path


def test_models_of_the_api_have_names_of_their_own() -> None:
    """The OpenAPI document knows a model by its name alone: of two with one name it would describe one wrongly."""
    model = re.compile(r"^class (\w+)\((?:\w*Model|Page\[\w+\]|\w*Query|\w*Out|\w*In)", re.MULTILINE)
    modules = (ROOT / "gridmap" / "web" / "api").glob("*.py")
    names = Counter(name for path in modules for name in model.findall(path.read_text("utf-8")))
    assert len(names) > 100
    assert [name for name, times in names.items() if times > 1] == []
