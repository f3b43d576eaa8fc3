-- name: ground
-- The base map of one tile: what there is to see grows with the zoom. Extent 4096, buffer 64; geometry in Web Mercator.
WITH bounds AS (
    SELECT ST_TileEnvelope(:z, :x, :y) AS mercator,
           ST_Transform(ST_TileEnvelope(:z, :x, :y, margin => 64.0 / 4096), 4490) AS lonlat
),
shown_barrier AS (
    SELECT kind, class, name, bridge, tunnel,
           ST_AsMVTGeom(ST_Transform(geom, 3857), mercator, 4096, 64) AS geom
    FROM barrier, bounds
    WHERE geom && lonlat
      AND (:z >= 15
           OR kind IN ('water', 'rail')
           OR (kind = 'road' AND (:z >= 13 OR class IN ('motorway', 'trunk', 'primary', 'secondary')))
           OR (kind = 'road' AND class = 'tertiary'))
    ORDER BY ST_Dimension(barrier.geom) DESC
    LIMIT 20000
),
shown_building AS (
    SELECT building.kind,
           ST_AsMVTGeom(ST_Transform(building.geom, 3857), mercator, 4096, 16) AS geom
    FROM building JOIN region ON region.id = building.region_id, bounds
    WHERE :z >= 14 AND building.geom && lonlat AND ST_Dimension(building.geom) = 2
      AND region.code LIKE ANY (CAST(:patterns AS text[]))
    LIMIT 20000
)
SELECT
    (SELECT COALESCE(ST_AsMVT(b, 'barriers', 4096, 'geom'), '') FROM shown_barrier b WHERE geom IS NOT NULL)
    || (SELECT COALESCE(ST_AsMVT(b, 'buildings', 4096, 'geom'), '') FROM shown_building b WHERE geom IS NOT NULL);

-- name: regions
-- Borders of counties, subdistricts and communities in one tile, with their names.
WITH bounds AS (
    SELECT ST_TileEnvelope(:z, :x, :y) AS mercator,
           ST_Transform(ST_TileEnvelope(:z, :x, :y, margin => 64.0 / 4096), 4490) AS lonlat
),
shown AS (
    SELECT id, code, name, level, settlement,
           ST_AsMVTGeom(ST_Transform(geom, 3857), mercator, 4096, 64) AS geom
    FROM region, bounds
    WHERE geom && lonlat
      AND code LIKE ANY (CAST(:patterns AS text[]))
      AND (level <> 'community' OR :z >= 11)
)
SELECT COALESCE(ST_AsMVT(shown, 'regions', 4096, 'geom'), '') FROM shown WHERE geom IS NOT NULL;

-- name: grids
-- The grids of one plan in one tile, with status and counts.
WITH bounds AS (
    SELECT ST_TileEnvelope(:z, :x, :y) AS mercator,
           ST_Transform(ST_TileEnvelope(:z, :x, :y, margin => 64.0 / 4096), 4490) AS lonlat
),
shown AS (
    SELECT grid.id, grid.code, grid.name, grid.kind, grid.status, grid.households, grid.population,
           ST_AsMVTGeom(ST_Transform(grid.geom, 3857), mercator, 4096, 64) AS geom
    FROM grid LEFT JOIN region ON region.id = grid.region_id, bounds
    WHERE grid.plan_id = :plan_id AND grid.geom && lonlat
      AND region.code LIKE ANY (CAST(:patterns AS text[]))
)
SELECT COALESCE(ST_AsMVT(shown, 'grids', 4096, 'geom'), '') FROM shown WHERE geom IS NOT NULL;
