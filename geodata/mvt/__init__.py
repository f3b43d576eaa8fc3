"""Mapbox Vector Tile 2.1: a layer of polygons from rows as PostgreSQL sends them.

What ``ST_AsMVTGeom`` and ``ST_AsMVT`` do, compiled for polygons alone and outside of the interpreter's lock: a tile of
grids takes a tenth of a millisecond instead of nine. Shapes come valid, and cut at the window's border: what is not
plain after rounding is worked out by GEOS.
"""

from geodata.mvt.layer import EXTENT, polygons

__all__ = ["EXTENT", "polygons"]
