"""Which classes of barrier cut the ground into blocks, and which of them are major (rivers, railways, trunk roads)."""

from __future__ import annotations

import numpy as np

from geodata.units.model import Barriers, Flags, UnitOptions

#: Chinese road, water and rail classes (GB/T 51328, CJJ 37) and words of other files -> the OpenStreetMap class.
SYNONYMS = {
    "高速公路": "motorway", "高速": "motorway", "快速路": "trunk", "城市快速路": "trunk", "国道": "trunk",
    "一级公路": "trunk", "主干路": "primary", "主干道": "primary", "省道": "primary", "二级公路": "primary",
    "次干路": "secondary", "次干道": "secondary", "县道": "secondary", "三级公路": "secondary", "支路": "tertiary",
    "乡道": "tertiary", "四级公路": "tertiary", "街道": "residential", "街坊路": "residential",
    "村道": "unclassified", "巷": "living_street", "里弄": "living_street", "内部路": "service",
    "小区路": "service", "机耕路": "track", "人行道": "footway", "步道": "footway", "台阶": "steps",
    "自行车道": "cycleway", "河流": "river", "河": "river", "江": "river", "运河": "canal", "渠": "canal",
    "沟渠": "ditch", "溪": "stream", "湖泊": "lake", "湖": "lake", "水库": "reservoir", "池塘": "pond",
    "坑塘": "pond", "铁路": "rail", "高铁": "rail", "轻轨": "light_rail", "地铁": "subway", "有轨电车": "tram",
    "围墙": "wall", "栅栏": "fence", "riverbank": "river", "railway": "rail",
}  # fmt: skip

_LINKS = ("motorway", "trunk", "primary", "secondary", "tertiary")
_ROADS = (*_LINKS, *(f"{c}_link" for c in _LINKS), "unclassified", "residential", "living_street", "road", "")

#: Footways, steps, cycleways, tracks, service roads, ferries, ditches, pools, subways and trams do not cut.
CUTTING = frozenset(
    {f"road/{c}" for c in _ROADS}
    | {f"water/{c}" for c in ("river", "canal", "stream", "lake", "reservoir", "water", "")}
    | {f"rail/{c}" for c in ("rail", "light_rail", "narrow_gauge", "")}
    | {f"wall/{c}" for c in ("wall", "city_wall", "fence", "")}
)

#: These are not crossed when empty ground looks for a unit to join, and alone may cut a compound.
MAJOR = frozenset(
    {"road/motorway", "road/trunk", "road/motorway_link", "road/trunk_link", "rail/rail", "rail/light_rail", "rail/"}
    | {f"water/{c}" for c in ("river", "canal", "lake", "reservoir")}
)

_UNKNOWN = frozenset(
    {
        "footway", "path", "pedestrian", "steps", "cycleway", "bridleway", "corridor", "track", "service", "pier",
        "platform", "construction", "proposed", "ferry", "swimming_pool", "pond", "ditch", "drain", "fountain",
        "subway", "tram", "funicular", "monorail", "abandoned", "disused", "razed", "hedge",
        "kerb", "guard_rail", "handrail",
    }
)  # fmt: skip


def class_keys(barriers: Barriers) -> list[str]:
    """ "kind/class" of each barrier, in OpenStreetMap's terms; a class nobody knows counts as none given."""
    known = {key.split("/")[1] for key in CUTTING | MAJOR} | _UNKNOWN
    keys = []
    for kind, cls in zip(barriers.kind, barriers.cls, strict=True):
        name = str(cls).strip().lower()
        name = SYNONYMS.get(name, name)
        keys.append(f"{kind}/{name if name in known else ''}")
    return keys


def cutting(barriers: Barriers, options: UnitOptions) -> tuple[Flags, Flags]:
    """Which barriers cut, and which of those are major; tunnels and bridges do neither."""
    keys = class_keys(barriers)
    chosen = CUTTING if options.cutting is None else options.cutting
    great = MAJOR if options.major is None else options.major
    on_ground = ~(barriers.tunnel | barriers.bridge)
    cuts = np.array([key in chosen for key in keys], dtype=bool) & on_ground
    with np.errstate(invalid="ignore"):
        wide = barriers.width_m >= options.major_width_m
    return cuts, cuts & (np.array([key in great for key in keys], dtype=bool) | wide)
