"""The studio's modules in node: ground, tallies, model, outlines, picking and wire, measured by what Python says.

The tests themselves are in ``tests/unit/studio_js``. ``shapes.json`` holds Shapely's answers in the ground's relative
coordinates (y to the south); the oracle of the tallies is :mod:`tests.studio_fixture`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from geodata.packed import unpack
from tests.studio_fixture import write

FOLDER = Path(__file__).parent / "studio_js"
FILES = sorted(path.name for path in FOLDER.glob("*.test.js"))


@pytest.fixture(scope="module")
def fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ground, oracle and shapes in one folder."""
    folder = tmp_path_factory.mktemp("studio")
    write(folder)
    meta, column = unpack((folder / "ground.gmp").read_bytes())
    told = json.loads((folder / "oracle.json").read_text("utf-8"))
    (folder / "shapes.json").write_text(json.dumps(shapes(meta, column, told)), "utf-8")
    return folder


@pytest.mark.parametrize("name", FILES)
def test_in_node(fixture: Path, name: str) -> None:
    node = shutil.which("node")
    assert node, "no node on this machine: run make test, which installs it"
    environment = {**os.environ, "STUDIO_FIXTURE": str(fixture)}
    done = subprocess.run(
        [node, "--test", str(FOLDER / name)], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr
    assert "# skipped 0" in done.stdout or "skipped 0" in done.stdout


def test_every_file_is_run() -> None:
    assert len(FILES) == 7


def shapes(meta: dict[str, Any], column: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """Places, selections and unions with Shapely's answers."""
    rng = np.random.default_rng(11)
    units = _polygons(column)
    inner = shapely.points(column["x"], column["y"])
    west, north, east, south = shapely.total_bounds(units)
    side = (east - west) / np.sqrt(len(units))
    places = np.stack(
        [rng.uniform(west - side, east + side, 400), rng.uniform(north - side, south + side, 400)], axis=1
    )
    points: Any = shapely.points(places)
    tree = shapely.STRtree(units)
    at = np.full(len(places), -1)
    which, found = tree.query(points, predicate="within")
    at[which] = found
    arcs = np.array([shapely.linestrings(line) for line in _lines(column)])
    some = rng.uniform((west, north), (east, south), (20, 2))

    def inside(shape: Any) -> list[int]:
        return np.flatnonzero(shapely.covers(shape, inner)).tolist()

    boxes = [(x, y, x + side * rng.uniform(0.5, 6), y + side * rng.uniform(0.5, 6)) for x, y in some]
    lassos = [[(x + side * r * np.cos(a), y + side * r * np.sin(a)) for a, r in _star(rng)] for x, y in some]
    circles = [(x, y, side * rng.uniform(0.1, 4)) for x, y in some]
    strokes = [(a.tolist(), b.tolist(), side * rng.uniform(0.2, 2)) for a, b in zip(some, some[::-1], strict=True)]
    plan = np.array(told["assignment"])
    groups = [np.flatnonzero(plan == one) for one in np.unique(plan[plan >= 0])]
    groups += [rng.permutation(len(units))[: rng.integers(1, 60)] for _ in range(20)]
    world = np.array(meta["origin"]) + places * meta["step"]
    lat = np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * world[:, 1]))))
    return {
        "unit_area": shapely.area(units).tolist(),
        "places": places.tolist(),
        "degrees": np.stack([world[:, 0] * 360 - 180, lat], axis=1).tolist(),
        "unit_at": at.tolist(),
        "reach": side,
        "arc_distance": shapely.distance(points[:, None], arcs[None, :]).min(axis=1).tolist(),
        "boxes": [{"box": box, "units": inside(shapely.box(*box))} for box in boxes],
        "lassos": [{"points": one, "units": inside(shapely.polygons(one))} for one in lassos],
        "circles": [
            {
                "x": x,
                "y": y,
                "radius": r,
                "units": np.flatnonzero(np.hypot(column["x"] - x, column["y"] - y) <= r).tolist(),
            }
            for x, y, r in circles
        ],
        "strokes": [
            {
                "from": a,
                "to": b,
                "radius": r,
                "units": np.flatnonzero(shapely.distance(inner, shapely.linestrings([a, b])) <= r).tolist(),
            }
            for a, b, r in strokes
        ],
        "unions": [_union(units, group) for group in groups],
    }


def _lines(column: dict[str, Any]) -> list[np.ndarray]:
    """The points (k, 2) of each arc."""
    xy = np.stack([column["arc_x"], column["arc_y"]], axis=1).astype(float)
    return np.split(xy, column["arc_start"][1:-1])


def _polygons(column: dict[str, Any]) -> Any:
    """The polygon of each unit, from its rings of arcs; holes by the even-odd rule."""
    lines = _lines(column)
    made = []
    for unit in range(len(column["id"])):
        shape: Any = shapely.Polygon()
        for ring in range(*column["unit_rings"][unit : unit + 2].tolist()):
            arcs = column["ring_arc"][slice(*column["ring_start"][ring : ring + 2].tolist())].tolist()
            points = [lines[~arc][::-1] if arc < 0 else lines[arc] for arc in arcs]
            shape = shapely.symmetric_difference(shape, shapely.polygons(np.concatenate(points)))
        made.append(shape)
    return np.array(made, dtype=object)


def _star(rng: np.random.Generator) -> list[tuple[float, float]]:
    """Angles and radii of a simple polygon around a point."""
    return [(angle, float(rng.uniform(0.5, 4))) for angle in np.arange(0, 2 * np.pi, 0.7).tolist()]


def _union(units: Any, group: Any) -> dict[str, Any]:
    whole = shapely.union_all(units[group])
    return {
        "units": group.tolist(),
        "area": float(whole.area),
        "parts": int(shapely.get_num_geometries(whole)),
        "box": [int(one) for one in whole.bounds],
    }
