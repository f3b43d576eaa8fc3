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
-- Borders of counties, subdistricts and communities in one tile, and their names at one point each.
WITH bounds AS (
    SELECT ST_TileEnvelope(:z, :x, :y) AS mercator,
           ST_Transform(ST_TileEnvelope(:z, :x, :y, margin => 64.0 / 4096), 4490) AS lonlat
),
found AS MATERIALIZED (
    SELECT id, code, name, level, region.geom, mercator
    FROM region, bounds
    WHERE region.geom && lonlat
      AND code LIKE ANY (CAST(:patterns AS text[]))
      AND (level <> 'community' OR :z >= 11)
),
shown AS (
    SELECT id, code, name, level, ST_AsMVTGeom(ST_Transform(geom, 3857), mercator, 4096, 64) AS geom FROM found
),
named AS (
    SELECT id, name, level, ST_AsMVTGeom(ST_Transform(ST_PointOnSurface(geom), 3857), mercator, 4096, 0) AS geom
    FROM found
)
SELECT (SELECT COALESCE(ST_AsMVT(shown, 'regions', 4096, 'geom'), '') FROM shown WHERE geom IS NOT NULL)
    || (SELECT COALESCE(ST_AsMVT(named, 'names', 4096, 'geom'), '') FROM named WHERE geom IS NOT NULL);

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
    WHERE grid.plan_id = :plan_id AND grid.geom && lonlat AND grid.parent_id IS NULL
      AND region.code LIKE ANY (CAST(:patterns AS text[]))
)
SELECT COALESCE(ST_AsMVT(shown, 'grids', 4096, 'geom'), '') FROM shown WHERE geom IS NOT NULL;

-- name: grid_features
-- Grids of a plan as a GeoJSON FeatureCollection (text), or null and only the number where there are more than :max.
-- Labels stand at a point inside. One row: total, collection.
WITH found AS MATERIALIZED (
    SELECT grid.id, grid.code, grid.name, grid.kind, grid.status, grid.households, grid.population,
           grid.estimated_households, region.code AS region_code, grid.geom
    FROM grid JOIN region ON region.id = grid.region_id
    WHERE grid.plan_id = :plan_id
      AND grid.geom IS NOT NULL
      AND grid.parent_id IS NULL
      AND region.code LIKE ANY (CAST(:patterns AS text[]))
      AND (CAST(:region AS text) IS NULL OR region.code LIKE :region || '%')
      AND (CAST(:statuses AS text[]) IS NULL OR grid.status = ANY (CAST(:statuses AS text[])))
      AND (CAST(:west AS float8) IS NULL OR grid.geom && ST_MakeEnvelope(:west, :south, :east, :north, 4490))
      AND (CAST(:rule AS text) IS NULL OR EXISTS (
            SELECT 1 FROM check_result
            WHERE check_result.plan_id = :plan_id AND check_result.grid_id = grid.id
              AND check_result.rule = :rule AND check_result.severity <> 'I'))
    LIMIT :max + 1
)
SELECT count(*) AS total,
       CASE WHEN count(*) <= :max THEN
           '{"type":"FeatureCollection","features":[' || COALESCE(string_agg(
               '{"type":"Feature","id":' || id
               || ',"properties":' || jsonb_build_object(
                    'code', code, 'name', name, 'kind', kind, 'status', status, 'households', households,
                    'population', population, 'estimated_households', estimated_households,
                    'region_code', region_code,
                    'label_lon', ST_X(ST_PointOnSurface(geom)), 'label_lat', ST_Y(ST_PointOnSurface(geom)))::text
               || ',"geometry":' || ST_AsGeoJSON(geom, 7, 0) || '}', ',' ORDER BY code, id), '') || ']}'
       END AS collection
FROM found;
