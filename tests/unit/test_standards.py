"""Standard profiles: those shipped, own ones, and every mistake by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from geodata.errors import GeodataError
from geodata.standards import from_dict, load, loads, mistakes, shipped


def national(**changes: Any) -> dict[str, Any]:
    return load("national").to_dict() | changes


def test_the_documents_numbers() -> None:
    profile = load("national")
    assert profile.urban is not None and profile.rural is not None and profile.micro is not None
    assert (profile.urban.households_min, profile.urban.households_max) == (300, 500)
    assert (profile.rural.households_min, profile.rural.households_max) == (200, 300)
    assert (profile.micro.households_min, profile.micro.households_max) == (30, 100)
    assert profile.urban.population is not None and profile.urban.population.limit == 2000
    assert (profile.borders.share_min, profile.borders.distance_m) == (0.7, 10)
    assert (profile.tolerance, profile.data.age_months, profile.code.length) == (0.2, 12, 15)


@pytest.mark.parametrize("name", shipped())
def test_snapshot_round_trips_through_json(name: str) -> None:
    profile = load(name)
    assert profile.name == name
    assert from_dict(json.loads(json.dumps(profile.to_dict()))) == profile


def test_an_own_file_states_only_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "本县.toml"
    path.write_text(
        'extends = "national"\nname = "本县"\n[urban]\nhouseholds_max = 450\n[severity]\nR09 = "off"\n', "utf-8-sig"
    )
    profile = load(path)
    assert profile.urban is not None
    assert (profile.urban.households_min, profile.urban.households_max) == (300, 450)
    assert profile.severity == {"R09": "off"} and profile.name == "本县"
    assert load(str(path)) == profile


def test_a_profile_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load("national").tolerance = 0.5  # type: ignore[misc]


@pytest.mark.parametrize(
    ("change", "code", "key"),
    [
        ({"urbna": {}}, "STANDARD_UNKNOWN_KEY", "urbna"),
        ({"urban": {"households_min": 1, "households_max": 2, "most": 3}}, "STANDARD_UNKNOWN_KEY", "urban.most"),
        ({"urban": {"households_min": 1}}, "STANDARD_MISSING_KEY", "urban.households_max"),
        ({"rural": {"households_min": 400, "households_max": 300}}, "STANDARD_MIN_OVER_MAX", "rural"),
        (
            {"rural": {"households_min": "200", "households_max": 300}},
            "STANDARD_NOT_A_WHOLE_NUMBER",
            "rural.households_min",
        ),
        (
            {"rural": {"households_min": True, "households_max": 300}},
            "STANDARD_NOT_A_WHOLE_NUMBER",
            "rural.households_min",
        ),
        ({"rural": {"households_min": -1, "households_max": 300}}, "STANDARD_OUT_OF_RANGE", "rural.households_min"),
        ({"rural": 300}, "STANDARD_NOT_A_TABLE", "rural"),
        ({"tolerance": "20%"}, "STANDARD_NOT_A_NUMBER", "tolerance"),
        ({"tolerance": 20}, "STANDARD_OUT_OF_RANGE", "tolerance"),
        ({"tolerance": float("nan")}, "STANDARD_OUT_OF_RANGE", "tolerance"),
        ({"title_zh": ""}, "STANDARD_NOT_TEXT", "title_zh"),
        ({"title_zh": 5}, "STANDARD_NOT_TEXT", "title_zh"),
        ({"severity": {"R01": "X"}}, "STANDARD_NOT_ONE_OF", "severity.R01"),
        ({"severity": {"R99": "E"}}, "STANDARD_WRONG_VALUE", "severity.R99"),
        ({"special_kinds": "mall"}, "STANDARD_NOT_A_LIST", "special_kinds"),
        ({"code": {"length": 15, "prefix_length": 15}}, "STANDARD_PREFIX_TOO_LONG", "code"),
        ({"code": {"number_min": 9, "number_max": 1}}, "STANDARD_MIN_OVER_MAX", "code"),
        ({"urban": None, "rural": None, "micro": None}, "STANDARD_NO_CLASS", "-"),
    ],
)
def test_each_mistake_has_its_code_and_the_path_of_its_key(change: dict[str, Any], code: str, key: str) -> None:
    data = national(**change)
    assert [(m.code, m.params["key"]) for m in mistakes(data)] == [(code, key)]
    with pytest.raises(GeodataError) as caught:
        from_dict(data)
    assert caught.value.code == code
    for locale in ("zh", "en"):
        said = caught.value.sentence(locale)
        assert said and "{" not in said.replace(repr(change), "").replace("{}", "")


def test_all_mistakes_are_named_at_once() -> None:
    data = national(tolerance="x", urbna=1, rural={"households_min": 9, "households_max": 1})
    assert len(mistakes(data)) == 3
    assert mistakes(national()) == []


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"name = ", "STANDARD_NOT_TOML"),
        ("name = '标准'".encode("gb18030"), "STANDARD_NOT_UTF8"),
        (b'extends = "nowhere"', "STANDARD_UNKNOWN_BASE"),
        (b"extends = [1]", "STANDARD_UNKNOWN_BASE"),
        (b"", "STANDARD_MISSING_KEY"),
        (b"#" * 1_000_001, "STANDARD_TOO_LARGE"),
    ],
)
def test_a_bad_file_is_one_sentence(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(content)
    with pytest.raises(GeodataError) as caught:
        load(path)
    assert caught.value.code == code
    assert caught.value.sentence("zh") and caught.value.sentence("en")


@pytest.mark.parametrize("name", ["nowhere", "", "a\0b", "/"])
def test_a_name_that_is_neither_shipped_nor_a_file(name: str) -> None:
    with pytest.raises(GeodataError) as caught:
        load(name)
    assert caught.value.code == "STANDARD_NOT_FOUND" and "national" in str(caught.value)


def test_text_of_a_profile() -> None:
    profile = loads('name="x"\ntitle_zh="甲"\ntitle_en="A"\n[micro]\nhouseholds_min=1\nhouseholds_max=2')
    assert profile.title("zh") == "甲" and profile.title("en-GB") == "A"
    assert profile.bound("urban") is None and profile.bound("micro") is not None and profile.bound("") is None
