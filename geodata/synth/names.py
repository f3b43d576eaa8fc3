"""Fictitious Chinese names: counties, subdistricts, communities, villages, roads, compounds."""

from __future__ import annotations

import numpy as np

_COUNTY = ("澄岚青云碧锦沐泠芷霁栖曲", "川溪塍浦泽汀洲渚源泉湾港")
_SUBDISTRICTS = ("城北街道 拱辰街道 望山街道 云栖街道", "城南街道 滨江街道 迎薰街道 南屏街道")
_RURAL = "青禾 石塘 白鹭 枫林 大畈 桐坑 梅渚 荷花 双溪 古塘"
_COMMUNITIES = (
    "明珠 翠湖 朝阳 幸福 新华 和平 文昌 东门 西门 北门 南门 花园 桂花 百合 紫荆 新城 湖滨 江畔 学府 锦绣 凤凰 金桥 "
    "银杏 莲花 清风 春晖 育才 向阳 友谊 长乐 安居 丰乐 钟楼 鼓楼 迎宾 兴业"
)
_VILLAGES = "塘下 石桥头 后畈 上溪 大樟 陈家埭 吴村 横山 白塔 前洋 下湾 枫树坪 泉口 东坞 新塘 沙溪"
_ROADS = (
    "人民 解放 中山 建设 文化 新华 和平 胜利 东风 光明 朝阳 青年 长江 黄河 迎宾 环城北 环城西 学院 体育场 工业 "
    "创业 商贸 桂花 梧桐 香樟 玉兰 荷花 学苑 望湖 临江 凤起 庆春 延安 劳动 健康 育英 文昌 锦绣 明月 清波 春晖 安康"
)
_LANES = "太平 永宁 状元 米市 竹竿 柴场 水门 井头 仓前 石板 油车 染坊 茶亭 府前 学前 书院 后街 灯笼 棋盘 丁家 桥下"
_LAKES = "翠湖 镜湖 月湖 明湖 荷花池 听雨湖 白鹭湖 柳浪湖 映山湖 云影池 鸣泉湖 半月池"
_COMPOUND = (
    "明珠 翠湖 锦绣 阳光 金色 紫云 江南 东方 世纪 香樟 碧水 凤凰 丽景 盛世 银泰 名仕 蓝天 枫叶 梧桐 春江 学府 御景 "
    "和谐 康乐 新世 桂雨 文澜 天悦 润泽 嘉禾",
    "苑 小区 花园 新村 家园 公寓 名邸 华庭 佳苑 雅苑",
)


def county(index: int) -> str:
    """The name of county ``index``; 144 names, then again with 新 before them."""
    first, second = _COUNTY
    turn, index = divmod(index, len(first) * len(second))
    step = index * 29 % (len(first) * len(second))
    return "新" * turn + first[step % len(first)] + second[step // len(first)] + "县"


def lake(index: int) -> str:
    """The name of park lake ``index`` of a county."""
    lakes = _LAKES.split()
    return lakes[index % len(lakes)]


def subdistricts(index: int) -> tuple[str, str, str, str]:
    """Names of the northern, the southern and the rural subdistrict, and the last one's code digit (1 镇, 2 乡)."""
    north, south = (group.split() for group in _SUBDISTRICTS)
    township = index % 3 == 2
    towns = _RURAL.split()
    rural = towns[index % len(towns)] + ("乡" if township else "镇")
    return north[index % len(north)], south[index % len(south)], rural, "2" if township else "1"


def communities(count: int, rng: np.random.Generator) -> list[str]:
    return [f"{name}社区" for name in _spread(_COMMUNITIES.split(), count, rng)]


def villages(count: int, rng: np.random.Generator) -> list[str]:
    return [f"{name}村" for name in _spread(_VILLAGES.split(), count, rng)]


def roads(count: int, rng: np.random.Generator) -> list[str]:
    return [f"{name}路" for name in _spread(_ROADS.split(), count, rng)]


def lanes(count: int, rng: np.random.Generator) -> list[str]:
    return [
        f"{name}{'弄' if i % 3 else '巷'}" for i, name in enumerate(_spread(f"{_LANES} {_ROADS}".split(), count, rng))
    ]


def compounds(count: int, rng: np.random.Generator) -> list[str]:
    first, second = (group.split() for group in _COMPOUND)
    return _spread([a + b for a in first for b in second], count, rng)


def _spread(names: list[str], count: int, rng: np.random.Generator) -> list[str]:
    """``count`` names in random order; when the list is used up, again with a Chinese numeral (second, third)."""
    order = [names[i] for i in rng.permutation(len(names))]
    return [
        order[i % len(order)] + ("", "二", "三", "四", "五", "六", "七", "八")[i // len(order)] for i in range(count)
    ]
