"""A tile from the database: its rows alone and the layer made of them here, or the whole of it in SQL."""

from __future__ import annotations

from typing import Any

from gridmap.db.reader import row, whole
from gridmap.services.ready import behind_the_scenes
from gridmap.services.tiles.square import BUFFER, square
from gridmap.sql import plain

#: Layer -> from which zoom on its polygons become a layer here (below, rounding leaves few of them plain), statement,
#: name of that layer, its columns, steps around the tile.
_ROWS = {
    "grids": (12, "grid_rows", "grids", ("id", "code", "name", "kind", "status", "households", "population"), BUFFER),
    "ground": (14, "ground_rows", "buildings", ("kind",), 16),
}
_loaded = False


def tile(
    layer: str, plan_id: int | None, regions: tuple[str, ...], z: int, x: int, y: int
) -> tuple[bytes, tuple[int, int]]:
    """A tile as the database is now, and the counters (of the layer, of the plan) of that very snapshot."""
    values: dict[str, Any] = {"patterns": [f"{one}%" for one in regions], **square(z, x, y)}
    values |= {"plan_id": plan_id} if layer == "grids" else {"z": z}
    if layer in _ROWS and z >= _ROWS[layer][0] and ready():
        from geodata.mvt import polygons

        _, statement, name, columns, buffer = _ROWS[layer]
        first, rows, counted, plan_version = row(plain("tiles", statement), values)
        content = (first or b"") + polygons(name, columns, rows or b"", (z, x, y), buffer=buffer)
    else:
        made, counted, plan_version = row(plain("tiles", layer), values)
        content = made or b""
    return content, (whole(counted) or 0, whole(plan_version) or 0)


def ready() -> bool:
    """Whether the kernels are loaded; else they soon are, and SQL makes the tiles meanwhile."""
    if not _loaded:
        behind_the_scenes("tiles", load)
    return _loaded


def load() -> None:
    """Load the kernels: a second in a new process, once ``geodata.warm`` was run."""
    global _loaded
    from geodata.warm import lay_tiles

    lay_tiles()
    _loaded = True
