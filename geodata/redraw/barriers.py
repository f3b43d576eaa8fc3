"""Roads, water, rail and walls along the borders of units: what grids follow, what tears them, what nobody crosses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from geodata.adjacency import SharedBorders
from geodata.redraw.model import Bools, Floats, Ints
from geodata.rules.nearness import shares_near
from geodata.standards.profile import ShapeLimits
from geodata.units.classes import CUTTING, MAJOR, SYNONYMS, class_keys
from geodata.units.model import Barriers, geometries

NEAR_M = 10.0
_STEP_M = 5.0
#: Of the border of two units, from which on a barrier is said to run between them (as rule R15 has it).
_ON_BARRIER = 0.5
#: Nobody walks there, so they carry nobody across a river either.
_NO_WAY = frozenset({"road/motorway", "road/motorway_link", "road/construction", "road/proposed", "road/abandoned"})

_KINDS = {
    **dict.fromkeys(("road", "roads", "highway", "道路", "路网", "道路网", "公路", "街道"), "road"),
    **dict.fromkeys(("water", "waters", "waterway", "水系", "水域", "河流", "河道", "湖泊"), "water"),
    **dict.fromkeys(("rail", "rails", "railway", "railways", "铁路", "轨道"), "rail"),
    **dict.fromkeys(("wall", "walls", "fence", "围墙", "栅栏"), "wall"),
}
_KIND_OF_CLASS = {
    **{key.split("/")[1]: key.split("/")[0] for key in sorted(CUTTING | MAJOR) if not key.endswith("/")},
    **dict.fromkeys(("path", "footway", "pedestrian", "service", "track", "steps", "cycleway", "bridleway"), "road"),
    **dict.fromkeys(("subway", "tram", "narrow_gauge"), "rail"),
    **dict.fromkeys(("pond", "ditch", "drain", "riverbank"), "water"),
}
#: OpenStreetMap's keys that are columns of their own, in the order in which they decide.
_TAGS = (("highway", "road"), ("railway", "rail"), ("waterway", "water"), ("natural", "water"), ("barrier", "wall"))
_NATURAL = frozenset({"water", "bay", "strait", "coastline"})
_NO = frozenset({"", "no", "false", "0", "f", "n", "none", "nan", "<na>", "否"})


@dataclass(frozen=True, slots=True)
class Along:
    """Barriers on m borders: metres that follow one and that run on a tearing one, and whether one can walk across.

    ``barred`` and ``crossed`` count borders on rivers, rails or walls: those nobody crosses, and those with a crossing.
    """

    barrier_m: Floats
    torn_m: Floats
    crossable: Bools
    barred: int
    crossed: int


def of_table(columns: Mapping[str, Sequence[Any]], shapes: Any) -> tuple[Barriers, int]:
    """Barriers from the rows of a file with OpenStreetMap-like columns, and how many rows are none (houses, forests).

    Understood: ``highway``, ``railway``, ``waterway``, ``natural``, ``barrier``; else ``kind`` or ``layer`` (road,
    water, rail, wall) and ``class``, ``fclass``, ``kind_detail`` or ``type``; ``bridge``, ``tunnel``, and ``layer`` as
    a number (above or below the ground). ``shapes`` are lines or polygons in a metric CRS.
    """
    given = {name.strip().lower(): values for name, values in columns.items()}
    kept, kinds, classes, tunnel, bridge = [], [], [], [], []
    found = geometries(shapes)
    for row, shape in enumerate(found):
        cells = {name: _word(values[row]) for name, values in given.items()}
        kind, cls = _kind(cells)
        if not kind or shape is None or shape.is_empty or shapely.get_dimensions(shape) < 1:
            continue
        level = _level(cells.get("layer", ""))
        kept.append(row)
        kinds.append(kind)
        classes.append(cls)
        tunnel.append(cells.get("tunnel", "") not in _NO or level < 0)
        bridge.append(cells.get("bridge", "") not in _NO or (level > 0 and kind != "water"))
    shapes_kept = found[np.array(kept, dtype=np.int64)]
    return Barriers.of(shapes_kept, kinds, classes, tunnel=tunnel, bridge=bridge), len(found) - len(kept)


def along(borders: SharedBorders, pair: Ints, n_pairs: int, units: Any, barriers: Barriers, near_m: float) -> Along:
    """What ``barriers`` do to the borders whose straight pieces are ``borders`` (k,) of pair ``pair`` (k,).

    Nobody crosses a river, railway or wall that runs along half of a border, unless a road passes over or under it
    there; a bridge or tunnel of its own does not bar either. Trunk roads tear and can be walked across.
    """
    keys = np.array(class_keys(barriers), dtype=object)
    on_ground = ~(barriers.bridge | barriers.tunnel)
    tears = np.isin(keys, ShapeLimits().torn_by) & on_ground
    bars = (tears & (barriers.kind != "road")) | (np.isin(keys, tuple(CUTTING)) & on_ground & (barriers.kind != "road"))
    length_m = borders.length_m
    total_m = np.bincount(pair, length_m, n_pairs)
    groups = (~barriers.tunnel) | (tears << 1) | (bars << 2)
    shares = shares_near(borders, barriers.geometry, groups.astype(np.uint8), near_m, _STEP_M, 3)
    follow_m, torn_m, barred_m = (np.bincount(pair, length_m * share, n_pairs).astype(np.float64) for share in shares)
    barred = (total_m > 0) & (barred_m >= _ON_BARRIER * total_m)
    ways = (barriers.kind == "road") & ~np.isin(keys, tuple(_NO_WAY))
    crossed = _crossed(borders, pair, barred, units, barriers, bars, ways, near_m)
    return Along(follow_m, torn_m, ~barred | crossed, int((barred & ~crossed).sum()), int(crossed.sum()))


def _crossed(
    borders: SharedBorders,
    pair: Ints,
    barred: Bools,
    units: Any,
    barriers: Barriers,
    bars: Bools,
    ways: Bools,
    near_m: float,
) -> Bools:
    """Which of the ``barred`` pairs a way joins: it crosses the barrier within ``near_m`` of their border.

    A bridge or a tunnel is enough; another way must leave the bank in both units, so that a lane along it is none.
    """
    crossed = np.zeros(len(barred), dtype=bool)
    if not barred.any() or not ways.any():
        return crossed
    way, barrier = barriers.geometry[ways], barriers.geometry[bars]
    spans = (barriers.bridge | barriers.tunnel)[ways]
    w, b = shapely.STRtree(barrier).query(way, predicate="intersects")
    through = ~shapely.touches(way[w], barrier[b])
    w, b = w[through], b[through]
    places, of = shapely.get_parts(shapely.intersection(way[w], barrier[b]), return_index=True)
    pieces = borders.take(barred[pair])
    piece_pair = pair[barred[pair]]
    place, piece = shapely.STRtree(pieces.lines().tolist()).query(places, predicate="dwithin", distance=near_m)
    at = of[place]
    number, bar, joined = np.unique(np.stack([w[at], b[at], piece_pair[piece]]), axis=1)
    first = np.zeros(len(barred), dtype=np.int64)
    first[piece_pair] = np.arange(len(piece_pair))
    leaves_m = np.minimum(
        *[_reach_m(way[number], units[side[first[joined]]], barrier[bar]) for side in (pieces.i, pieces.j)]
    )
    crossed[joined[spans[number] | (leaves_m > near_m)]] = True
    return crossed & barred


def _reach_m(ways: Any, units: Any, barriers: Any) -> Floats:
    """How far from the barrier each way gets inside the unit, in metres (k,); 0 where it does not run there."""
    xy, row = shapely.get_coordinates(shapely.intersection(ways, units), return_index=True)
    off_m = np.zeros(len(ways))
    np.maximum.at(off_m, row, shapely.distance(shapely.points(xy), barriers[row]))
    return off_m


def _kind(cells: Mapping[str, str]) -> tuple[str, str]:
    """Kind and class of a row; no kind where it is no barrier."""
    for tag, kind in _TAGS:
        value = cells.get(tag, "")
        if value in _NO or (tag == "natural" and value not in _NATURAL):
            continue
        return kind, ("water" if tag == "natural" else value)
    cls = next(
        (cells[name] for name in ("class", "fclass", "kind_detail", "type", "类别", "等级") if cells.get(name)), ""
    )
    named = next((cells[name] for name in ("kind", "layer", "类型", "要素类型") if _KINDS.get(cells.get(name, ""))), "")
    said = cells.get("kind", "")
    by_class = _KIND_OF_CLASS.get(SYNONYMS.get(cls, cls), "") or _KIND_OF_CLASS.get(SYNONYMS.get(said, said), "")
    if not named:
        return by_class, cls or said
    return ("rail" if by_class == "rail" and _KINDS[named] == "road" else _KINDS[named]), cls


def _word(value: Any) -> str:
    word = str(value).strip().lower() if value is not None else ""
    return "" if word in ("nan", "<na>", "none") else word


def _level(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        return 0.0
