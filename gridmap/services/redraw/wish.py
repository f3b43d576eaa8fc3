"""What a person asks of a redraw: where, how long, what matters most, what stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from geodata.redraw.model import PARTS
from gridmap.errors import Invalid

#: Weights that differ from the engine's own (:class:`geodata.redraw.model.Weights`), by what a person wants most.
PRESETS: Mapping[str, Mapping[str, float]] = {
    "few": {"moved": 0.2, "compactness": 0.5},
    "balanced": {"moved": 0.008},
    "shapes": {"moved": 0.0002, "compactness": 3.0, "open_border": 0.003, "torn": 0.006},
}
SECONDS_MAX = 600.0
SEED_MAX = 2**31 - 1
NAME_MAX = 120


def preset(name: str) -> Mapping[str, float]:
    """The weights of a preset. Raises ``Invalid`` PLAN_REDRAW_PRESET."""
    if name not in PRESETS:
        raise Invalid("PLAN_REDRAW_PRESET", name=name, names=", ".join(PRESETS))
    return PRESETS[name]


@dataclass(frozen=True, slots=True)
class Wish:
    """A redraw as it is asked for; ``region_code`` None is the whole plan, ``locks`` are codes of grids that stay.

    ``seconds`` is the time the search may take; ``weights`` are changes to the engine's own. Raises ``Invalid``
    PLAN_REDRAW_SECONDS, PLAN_REDRAW_SEED, PLAN_REDRAW_WEIGHT or PLAN_REDRAW_WEIGHT_UNKNOWN.
    """

    region_code: str | None = None
    seconds: float = 15.0
    seed: int = 1
    weights: Mapping[str, float] = field(default_factory=dict)
    locks: tuple[str, ...] = ()
    name: str = ""

    def __post_init__(self) -> None:
        if not 0 < self.seconds <= SECONDS_MAX:
            raise Invalid("PLAN_REDRAW_SECONDS", seconds=self.seconds, most=int(SECONDS_MAX))
        if not 0 <= self.seed <= SEED_MAX:
            raise Invalid("PLAN_REDRAW_SEED", seed=self.seed, most=SEED_MAX)
        for name, value in self.weights.items():
            if name not in PARTS:
                raise Invalid("PLAN_REDRAW_WEIGHT_UNKNOWN", name=name, names=", ".join(PARTS))
            if not 0 <= value < 1e9:
                raise Invalid("PLAN_REDRAW_WEIGHT", name=name, value=value)

    def to_dict(self) -> dict[str, Any]:
        """JSON types, to be kept with a job; :meth:`from_dict` reads them back."""
        return asdict(self) | {"weights": dict(self.weights), "locks": list(self.locks)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Wish:
        return cls(**{**data, "locks": tuple(data["locks"])})
