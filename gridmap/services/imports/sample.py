"""Before anything is staged: where the first records would lie, so that a wrong datum is seen and not only counted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely
from sqlalchemy.orm import Session

from geodata.crs import to_stored
from geodata.fields import Kind
from gridmap.db.engine import service
from gridmap.services.actor import Actor
from gridmap.services.imports import batches, coordinates, files
from gridmap.services.imports import mapping as columns

#: Shapes and vertices that a browser draws without effort.
SHAPES_MAX, VERTICES_MAX = 1_000, 60_000
_DECIMALS = 6


@service
def preview_sample(
    session: Session,
    actor: Actor,
    batch_id: int,
    *,
    encoding: str | None = None,
    layer: str | None = None,
    crs: str | None = None,
    datum: str | None = None,
) -> Mapping[str, Any]:
    """A GeoJSON FeatureCollection (lon/lat, EPSG:4490) of first records as they would lie if read so; nothing is kept.

    ``crs`` and ``datum`` None: as chosen for the batch, else the likeliest reading and CGCS2000. Empty without places.
    Raises ``Invalid`` IMPORT_CRS_ASK, IMPORT_CRS_UNKNOWN, IMPORT_DATUM.
    """
    batch = batches.find(session, actor, batch_id)
    batches.looked_at(session, actor, batch, "map")
    kind = Kind(batch.kind)
    with files.opened(batch, encoding=encoding, layer=layer) as source:
        mapping, _ = columns.mapping_of(session, batch, source)
        raw = _few(coordinates.raw_sample(source, mapping, kind))
        if not len(raw):
            return {"type": "FeatureCollection", "features": []}
        guesses = coordinates.readings(session, source, mapping, kind)
    chosen = crs or batch.crs
    guess = coordinates.guess_of(chosen, guesses) if chosen else coordinates.the_one(guesses)
    placed = to_stored(raw, guess, coordinates.datum_named(datum or batch.datum or "CGCS2000"))
    shapes = placed[np.isfinite(shapely.bounds(placed)).all(axis=1)]
    rounded = shapely.transform(shapes, lambda xy: np.round(xy, _DECIMALS))
    features = [
        {"type": "Feature", "geometry": json.loads(text), "properties": {}} for text in shapely.to_geojson(rounded)
    ]
    return {"type": "FeatureCollection", "features": features}


def _few(shapes: coordinates.Shapes) -> coordinates.Shapes:
    """At most :data:`SHAPES_MAX` of ``shapes`` with :data:`VERTICES_MAX` vertices in all, at least one."""
    shapes = shapes[:SHAPES_MAX]
    within = np.cumsum(shapely.get_num_coordinates(shapes)) <= VERTICES_MAX
    within[:1] = True
    few: coordinates.Shapes = shapes[within]
    return few
