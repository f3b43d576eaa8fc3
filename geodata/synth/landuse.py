"""What stands on a block: the land uses, their footprints in metres, and which block gets which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geodata.synth.ground import RIVER_V, Floats


@dataclass(frozen=True, slots=True)
class Use:
    """A land use.

    ``length_m``, ``depth_m``, ``gap_u_m``, ``gap_v_m``: footprints and the room between them; ``floors`` from-to;
    ``per_floor`` households on a floor (0: nobody lives there); ``keep`` the share of plots built on; ``plot_m2`` the
    size plots are cut to; ``kind`` is written to the building, ``compound`` says a wall and a gate close the block.
    """

    length_m: float
    depth_m: float
    gap_u_m: float
    gap_v_m: float
    floors: tuple[int, int]
    per_floor: float
    kind: str
    keep: float = 1.0
    plot_m2: float = np.inf
    compound: bool = False
    most: int = 10_000


USES: dict[str, Use] = {
    "slab": Use(46, 11.5, 9, 17, (5, 7), 5.6, "住宅", 0.98, 16_000, True),
    "mid": Use(34, 14, 13, 26, (10, 12), 3.9, "住宅", 0.98, 18_000, True),
    "tower": Use(27, 20, 24, 34, (18, 32), 4.2, "住宅", 0.97, 18_000, True),
    "old": Use(11.5, 9, 2.5, 4.5, (1, 3), 0.75, "民房", 0.80, 6_000),
    "infill": Use(11, 11, 3, 5.5, (3, 5), 0.8, "自建房", 0.84, 6_500),
    "shop": Use(32, 15, 6, 12, (2, 4), 1.6, "商住", 0.9),
    "mall": Use(96, 70, 20, 25, (4, 6), 0, "商场", most=1),
    "school": Use(58, 14, 22, 26, (3, 5), 0, "学校", 0.85, most=7),
    "hospital": Use(56, 18, 18, 24, (5, 12), 0, "医院", 0.9, most=6),
    "office": Use(34, 26, 26, 30, (8, 20), 0, "写字楼", 0.9, most=6),
    "factory": Use(62, 27, 11, 13, (1, 3), 0, "厂房", 0.92),
    "station": Use(110, 34, 20, 30, (2, 2), 0, "车站", most=1),
    "park": Use(12, 9, 60, 60, (1, 1), 0, "公园", 0.25, most=3),
    "bank": Use(12, 9, 90, 60, (1, 1), 0, "公园", 0.0),
    "field": Use(22, 9, 90, 90, (1, 1), 0, "农业用房", 0.10),
    "hamlet": Use(11.5, 10.5, 3.2, 8.0, (2, 4), 0.4, "农房", 0.92, 9_000),
}
#: Uses whose block is better a special-purpose grid of its own (rule R11).
SPECIAL = {
    "mall": "商圈",
    "school": "学校",
    "hospital": "医院",
    "office": "商务楼宇",
    "park": "公园",
    "station": "车站",
}

_NAMES = (
    "slab",
    "mid",
    "tower",
    "old",
    "infill",
    "shop",
    "mall",
    "school",
    "hospital",
    "office",
    "factory",
    "park",
    "field",
)
_MIX = {
    "old": (0.22, 0.00, 0.03, 0.34, 0.05, 0.15, 0.02, 0.05, 0.02, 0.05, 0.00, 0.07, 0.00),
    "modern": (0.31, 0.13, 0.06, 0.09, 0.10, 0.08, 0.02, 0.05, 0.01, 0.04, 0.02, 0.06, 0.03),
    "new": (0.06, 0.20, 0.16, 0.02, 0.09, 0.07, 0.03, 0.06, 0.02, 0.09, 0.04, 0.09, 0.07),
    "industry": (0.11, 0.05, 0.02, 0.00, 0.22, 0.05, 0.00, 0.03, 0.00, 0.03, 0.37, 0.03, 0.09),
    "seat": (0.24, 0.06, 0.00, 0.25, 0.14, 0.10, 0.00, 0.06, 0.03, 0.02, 0.03, 0.04, 0.03),
}


def choose_uses(
    communities: Floats,
    subdistrict: NDArray[np.int64],
    seat: int,
    blocks: Floats,
    owner: NDArray[np.int64],
    bank: NDArray[np.bool_],
    rng: np.random.Generator,
) -> tuple[NDArray[np.str_], Floats]:
    """The use of every block by the character of its community, and the hamlets (n, 4): centre and half extents."""
    hamlets: list[Floats] = []
    use = np.full(len(blocks), "field", dtype="<U10")
    middle = (blocks[:, :2] + blocks[:, 2:]) / 2
    for community, rect in enumerate(communities):
        mine = np.flatnonzero((owner == community) & ~bank)
        if subdistrict[community] == 2 and community != seat:
            mine_hamlets = _hamlets(rect, rng)
            hamlets.append(mine_hamlets)
            use[mine] = _village(blocks[mine], mine_hamlets, rng)
        else:
            mix = _MIX["seat" if community == seat else _character(rect, rng)]
            use[mine] = rng.choice(_NAMES, len(mine), p=np.array(mix) / sum(mix))
    use[bank] = "bank"
    _station(use, blocks, middle, owner, seat)
    return use, np.concatenate([np.empty((0, 4)), *hamlets])


def reach(uv: Floats, hamlets: Floats) -> Floats:
    """How far points (n, 2) lie from the nearest hamlet: 0 in its middle, 1 on its rim, which bulges like an amoeba."""
    nearest = np.full(len(uv), np.inf)
    for u, v, half_u, half_v in hamlets:
        du, dv = (uv[:, 0] - u) / half_u, (uv[:, 1] - v) / half_v
        angle = np.arctan2(dv, du)
        rim = 1 + 0.20 * np.sin(2 * angle + u / 60) + 0.14 * np.sin(3 * angle + v / 50) + 0.08 * np.sin(5 * angle + u)
        nearest = np.minimum(nearest, np.hypot(du, dv) / rim)
    return nearest


def _character(rect: Floats, rng: np.random.Generator) -> str:
    from_centre = float(np.hypot((rect[0] + rect[2]) / 2 - 1300, (rect[1] + rect[3]) / 2 - RIVER_V))
    if from_centre < 560:
        return "old"
    if from_centre > 1560 and rng.random() < 0.6:
        return "industry"
    return str(rng.choice(["modern", "new"], p=[0.68, 0.32]))


def _hamlets(rect: Floats, rng: np.random.Generator) -> Floats:
    """A village's heart and two to four outlying hamlets, longer than deep; rows are centre and half extents."""
    count = int(rng.integers(3, 6))
    margin = np.array([230.0, 150.0])
    centre = rng.uniform(rect[:2] + margin, rect[2:] - margin, (count, 2))
    half = rng.uniform((85, 65), (165, 115), (count, 2))
    half[0] = rng.uniform((260, 170), (340, 230))
    return np.column_stack([centre, half])


def _village(blocks: Floats, hamlets: Floats, rng: np.random.Generator) -> NDArray[np.str_]:
    """Fields, with houses on the blocks that a hamlet reaches, here and there a workshop."""
    use = np.full(len(blocks), "field", dtype="<U10")
    use[rng.random(len(blocks)) < 0.05] = "factory"
    for hamlet in hamlets:
        nearest = np.clip(hamlet[:2], blocks[:, :2], blocks[:, 2:])
        use[np.hypot(*((nearest - hamlet[:2]) / hamlet[2:]).T) < 0.9] = "hamlet"
    return use


def _station(use: NDArray[np.str_], blocks: Floats, middle: Floats, owner: NDArray[np.int64], seat: int) -> None:
    """One station on the big enough block nearest the railway, on the town's side."""
    size = np.minimum(blocks[:, 2] - blocks[:, 0], blocks[:, 3] - blocks[:, 1])
    distance = np.abs(middle[:, 0] - 2340) + 0.4 * np.abs(middle[:, 1] - RIVER_V - 500)
    distance[(size < 120) | (middle[:, 0] > 2400) | (use == "bank") | (owner == seat)] = np.inf
    use[int(np.argmin(distance))] = "station"
