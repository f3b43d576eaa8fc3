"""Pure spatial library of gridmap: arrays, Shapely and GeoPandas in and out; no Flask, no database."""
