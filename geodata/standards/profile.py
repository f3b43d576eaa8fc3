"""A standard profile: the thresholds that the rules compare a plan with. Thresholds are data, not code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

RuleId = Annotated[str, Field(pattern=r"^R(0[1-9]|1[0-9])$")]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


class _Table(BaseModel):
    """A TOML table: frozen, no unknown keys, no text where a number belongs."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class PopulationBound(_Table):
    """People in a grid: ``about`` give or take the share ``tolerance`` (beyond: W); above ``limit`` always E."""

    about: Annotated[int, Field(gt=0)] = 1000
    tolerance: Share = 0.5
    limit: Annotated[int, Field(gt=0)] = 2000

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.about > self.limit:
            raise PydanticCustomError(
                "min_over_max", "about {low} > limit {high}", {"low": self.about, "high": self.limit}
            )
        return self


class ClassBound(_Table):
    """Households in a grid of one class, both ends included; ``population`` None where the class has no such bound."""

    households_min: Count
    households_max: Annotated[int, Field(gt=0)]
    population: PopulationBound | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        low, high = self.households_min, self.households_max
        if low > high:
            raise PydanticCustomError("min_over_max", "minimum {low} > maximum {high}", {"low": low, "high": high})
        return self


class BorderLimits(_Table):
    """R09: at least ``share_min`` of the inner border lies within ``distance_m`` of a barrier."""

    share_min: Share = 0.7
    distance_m: Annotated[float, Field(gt=0, le=200)] = 10.0


class ShapeLimits(_Table):
    """R15: Polsby-Popper (4 pi area / perimeter^2) of at least ``compactness_min``; what tears a grid apart.

    ``torn_by`` holds "kind/class" in OpenStreetMap's terms, as :func:`geodata.units.classes.class_keys` gives them.
    """

    compactness_min: Share = 0.25
    torn_by: tuple[Annotated[str, Field(pattern=r"^(road|water|rail|wall)/[a-z_]*$")], ...] = (
        "road/motorway",
        "road/trunk",
        "rail/",
        "rail/rail",
        "water/",
        "water/canal",
        "water/lake",
        "water/reservoir",
        "water/river",
    )


class CodeFormat(_Table):
    """R13: a code of ``length`` digits, of which the first ``prefix_length`` are the community's."""

    length: Annotated[int, Field(ge=13, le=30)] = 15
    prefix_length: Annotated[int, Field(ge=6, le=20)] = 12
    number_min: Count = 1
    number_max: Annotated[int, Field(gt=0)] = 999

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.number_min > self.number_max:
            bounds = {"low": self.number_min, "high": self.number_max}
            raise PydanticCustomError("min_over_max", "minimum {low} > maximum {high}", bounds)
        if self.prefix_length >= self.length:
            bounds = {"low": self.prefix_length, "high": self.length}
            raise PydanticCustomError("prefix_too_long", "prefix {low} >= length {high}", bounds)
        return self


class DataLimits(_Table):
    """R18: data older than ``age_months`` is stale. Areas up to ``sliver_m2`` are rounding, not faults."""

    age_months: Annotated[int, Field(gt=0)] = 12
    sliver_m2: Annotated[float, Field(ge=0)] = 1.0


class Profile(_Table):
    """All thresholds of one standard.

    The class of each community picks ``urban`` or ``rural``; ``micro`` holds for micro-grids. A class the profile
    leaves out is not checked. Households beyond a bound by more than ``tolerance`` (a share) are E, else W.
    ``severity`` overrides the severity of a rule; "off" turns the rule off, which the results then say.
    """

    name: Annotated[str, Field(min_length=1, max_length=80)]
    title_zh: Annotated[str, Field(min_length=1)]
    title_en: Annotated[str, Field(min_length=1)]
    province: str = ""
    source: str = ""
    tolerance: Share = 0.2
    urban: ClassBound | None = None
    rural: ClassBound | None = None
    micro: ClassBound | None = None
    borders: BorderLimits = BorderLimits()
    shape: ShapeLimits = ShapeLimits()
    code: CodeFormat = CodeFormat()
    data: DataLimits = DataLimits()
    special_kinds: tuple[str, ...] = ("mall", "school", "hospital", "park", "office", "enterprise")
    severity: Mapping[RuleId, Literal["E", "W", "I", "off"]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _some_class(self) -> Self:
        if self.urban is None and self.rural is None and self.micro is None:
            raise PydanticCustomError("no_class", "neither urban nor rural nor micro")
        return self

    def bound(self, class_: str) -> ClassBound | None:
        """The bounds of ``class_`` ("urban", "rural", "micro"), None where the profile has none."""
        return {"urban": self.urban, "rural": self.rural, "micro": self.micro}.get(class_)

    def title(self, locale: str = "zh") -> str:
        """The name a person reads, in ``locale``."""
        return self.title_en if locale.lower().startswith("en") else self.title_zh

    def to_dict(self) -> dict[str, Any]:
        """A snapshot of JSON types, to be stored with a plan; :func:`geodata.standards.from_dict` reads it back."""
        return self.model_dump(mode="json", exclude_none=True)
