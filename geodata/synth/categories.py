"""The categories of cases and their habits: where, at what hour, on what day, who reports them."""

from __future__ import annotations

from dataclasses import dataclass

SOURCES = ("网格员巡查", "12345热线", "群众上报", "视频监控", "部门移交")
LEVELS = ("一般", "较大", "重大", "紧急")


@dataclass(frozen=True, slots=True)
class Category:
    """A category's share of all cases and its habits.

    ``uses``: weight of one building by land use, ``a_household`` on top for each household; ``hours``: peaks as
    (hour, width in hours, weight) of local time; ``week``: Monday to Sunday; ``season``: (day of year, swing 0-1);
    ``trend``: growth over the two years; ``spots``: multiplier at the town's special places; ``sources``: weights.
    """

    share: float
    uses: dict[str, float]
    a_household: float
    hours: tuple[tuple[float, float, float], ...]
    week: tuple[float, ...]
    season: tuple[int, float]
    trend: float
    spots: dict[str, float]
    sources: tuple[float, ...]


_WORKDAYS = (1.1, 1.1, 1.1, 1.1, 1.1, 0.8, 0.7)
_EVEN = (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
_WEEKEND = (0.8, 0.8, 0.8, 0.9, 1.3, 1.6, 1.1)
CATEGORIES: dict[str, Category] = {
    "市容环境": Category(
        0.27, {"shop": 6, "old": 1, "infill": 1.2, "mall": 10, "hamlet": 0.35, "slab": 1, "park": 6, "station": 9},
        0.02, ((8, 1.6, 1), (17.5, 2, 1.2)), (1.2, 1.1, 1.1, 1.0, 1.0, 0.8, 0.6), (200, 0.22), -0.08,
        {"market": 14, "station": 20}, (0.62, 0.18, 0.12, 0.06, 0.02)),
    "乱停车": Category(
        0.15, {"shop": 3, "school": 5, "hospital": 14, "mall": 12, "office": 3, "slab": 0.8, "station": 6}, 0.01,
        ((7.6, 0.5, 1.3), (16.4, 0.7, 1.3), (19, 2, 0.9)), (1.15, 1.1, 1.1, 1.1, 1.2, 0.75, 0.65), (60, 0.1), 0.35,
        {"school": 9, "station": 22, "market": 4}, (0.4, 0.24, 0.1, 0.24, 0.02)),
    "矛盾纠纷": Category(
        0.14, {"hamlet": 0.25, "factory": 0.8, "shop": 0.6}, 0.05,
        ((10, 2, 1), (15, 2, 0.8), (20, 1.8, 1.1)), _EVEN, (25, 0.25), 0.05, {}, (0.45, 0.25, 0.22, 0.0, 0.08)),
    "噪音扰民": Category(
        0.11, {"shop": 2, "slab": 0.6, "tower": 1.2, "mid": 0.8, "infill": 0.5}, 0.01,
        ((22.5, 1.6, 1.4), (0.8, 1.2, 0.8), (7, 1, 0.25)), _WEEKEND, (210, 0.35), 0.15,
        {"bar": 70}, (0.08, 0.55, 0.32, 0.0, 0.05)),
    "安全隐患": Category(
        0.13, {"factory": 3.5, "old": 0.9, "infill": 1.8, "hamlet": 0.25, "tower": 2.5, "shop": 1.4, "mall": 4}, 0.008,
        ((9.5, 1.5, 1), (15, 1.6, 1)), _WORKDAYS, (350, 0.3), 0.1, {"market": 4}, (0.78, 0.08, 0.06, 0.02, 0.06)),
    "设施损坏": Category(
        0.10, {"slab": 1.2, "mid": 1, "tower": 1.4, "park": 4, "shop": 1, "hamlet": 0.2, "old": 0.4, "station": 5},
        0.006, ((9, 2, 1), (16, 2, 0.8)), _WORKDAYS, (170, 0.4), -0.05, {"station": 6}, (0.55, 0.22, 0.15, 0.06, 0.02)),
    "治安": Category(
        0.05, {"shop": 2, "mall": 8, "infill": 0.8, "old": 0.3, "hamlet": 0.1, "slab": 0.5, "station": 4}, 0.006,
        ((23, 2.2, 1.2), (18, 2, 0.7)), _WEEKEND, (240, 0.15), -0.2,
        {"bar": 25, "station": 30, "market": 4}, (0.2, 0.15, 0.3, 0.25, 0.1)),
    "民生服务": Category(
        0.05, {"hamlet": 0.3}, 0.04, ((9.5, 1.3, 1.2), (14.5, 1.4, 1)), (1.3, 1.1, 1.05, 1, 1, 0.4, 0.3), (300, 0.1),
        0.2, {}, (0.5, 0.35, 0.15, 0.0, 0.0)),
}  # fmt: skip
