-- name: now
-- What decides a tile and what lets its reader in, in one row: the counters of all layers; of the plan :plan_id (if any)
-- its version, prefix, and whether it was ever in force; the account :user_id with its roles, and the token with the hash :token (if any), by row
-- versions (xmin). So a restored backup, which counts the same numbers again, is another state too.
SELECT (SELECT oid::text FROM pg_database WHERE datname = current_database()) AS database,
       (SELECT string_agg(concat_ws(' ', layer, version, xmin), ',' ORDER BY layer) FROM data_version) AS layers,
       plan.version AS plan_version, region.prefix,
       CASE WHEN plan.valid_from IS NOT NULL AND plan.state IN ('published', 'archived') THEN 'public' END AS public,
       (SELECT concat_ws('|', person.xmin,
                   (SELECT string_agg(concat_ws(' ', held.id, held.xmin, there.xmin), ',' ORDER BY held.id)
                    FROM role_grant held LEFT JOIN region there ON there.id = held.region_id
                    WHERE held.user_id = person.id),
                   (SELECT xmin FROM api_token WHERE token_hash = CAST(:token AS text)))
        FROM app_user person WHERE person.id = CAST(:user_id AS bigint)) AS account
FROM (SELECT 1) AS one
LEFT JOIN plan ON plan.id = CAST(:plan_id AS bigint)
LEFT JOIN region ON region.id = plan.region_id;

-- name: fingerprint
-- Grids of a plan, and which counts are withheld, by their row versions: another value after any change to any of them.
SELECT concat_ws('.',
    (SELECT count(*) || '.' || COALESCE(sum(hashtextextended(
         concat_ws('|', id, xmin, code, name, kind, status, households, population, area_m2, region_id, parent_id), 0)), 0)
     FROM grid WHERE plan_id = :plan_id),
    (SELECT count(*) || '.' || COALESCE(sum(hashtextextended(concat_ws('|', grid_id, xmin, shown), 0)), 0)
     FROM household_place WHERE plan_id = :plan_id));

-- name: grids
-- Tiles are the same for all who look at a region: few households are in none of them.
-- The top grids of a plan in one tile (mercator w, s, e, n; lon/lat box with buffer).
-- MATERIALIZED: else the geometry is cut twice, once to see whether there is any.
WITH shown AS MATERIALIZED (
    SELECT grid.id, grid.code, grid.name, grid.kind, grid.status,
           CASE WHEN NOT (h.shown < 0 OR grid.households BETWEEN 1 AND 4) IS TRUE THEN grid.households END AS households,
           CASE WHEN NOT (h.shown < 0 OR grid.households BETWEEN 1 AND 4) IS TRUE THEN grid.population END AS population,
           ST_AsMVTGeom(ST_Transform(grid.geom, 3857), ST_MakeEnvelope(:mw, :ms, :me, :mn, 3857), 4096, 64) AS geom
    FROM grid JOIN region ON region.id = grid.region_id
    LEFT JOIN household_place h ON h.plan_id = grid.plan_id AND h.grid_id = grid.id
    WHERE grid.plan_id = CAST(:plan_id AS bigint) AND grid.geom && ST_MakeEnvelope(:w, :s, :e, :n, 4490)
      AND grid.parent_id IS NULL
      AND region.code LIKE ANY (CAST(:patterns AS text[]))
)
SELECT (SELECT COALESCE(ST_AsMVT(shown, 'grids', 4096, 'geom'), '') FROM shown WHERE geom IS NOT NULL) AS ready,
       NULL::bytea AS rows;

-- name: grid_rows
-- As the query grids, but the rows as they are: the layer is made of them here (geodata.mvt).
SELECT ''::bytea AS ready, string_agg(record_send(ROW(
           grid.id, grid.code, grid.name, grid.kind, grid.status,
           CASE WHEN NOT (h.shown < 0 OR grid.households BETWEEN 1 AND 4) IS TRUE THEN grid.households END,
           CASE WHEN NOT (h.shown < 0 OR grid.households BETWEEN 1 AND 4) IS TRUE THEN grid.population END,
           grid.geom)), '') AS rows
FROM grid JOIN region ON region.id = grid.region_id
LEFT JOIN household_place h ON h.plan_id = grid.plan_id AND h.grid_id = grid.id
WHERE grid.plan_id = CAST(:plan_id AS bigint) AND grid.geom && ST_MakeEnvelope(:w, :s, :e, :n, 4490)
  AND grid.parent_id IS NULL
  AND region.code LIKE ANY (CAST(:patterns AS text[]));

-- name: ground
-- The base map of one tile: what there is to see grows with the zoom. Extent 4096, buffer 64; geometry in Web Mercator.
WITH bounds AS (
    SELECT ST_MakeEnvelope(:mw, :ms, :me, :mn, 3857) AS mercator, ST_MakeEnvelope(:w, :s, :e, :n, 4490) AS lonlat
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
    || (SELECT COALESCE(ST_AsMVT(b, 'buildings', 4096, 'geom'), '') FROM shown_building b WHERE geom IS NOT NULL)
    AS ready, NULL::bytea AS rows;

-- name: ground_rows
-- As the query ground from zoom 14 on: barriers as their layer, buildings as the rows that theirs is made of here.
WITH shown_barrier AS (
    SELECT kind, class, name, bridge, tunnel,
           ST_AsMVTGeom(ST_Transform(geom, 3857), ST_MakeEnvelope(:mw, :ms, :me, :mn, 3857), 4096, 64) AS geom
    FROM barrier
    WHERE geom && ST_MakeEnvelope(:w, :s, :e, :n, 4490) AND (:z >= 15 OR kind IN ('water', 'rail', 'road'))
    ORDER BY ST_Dimension(barrier.geom) DESC
    LIMIT 20000
),
shown_building AS (
    SELECT building.kind, building.geom
    FROM building JOIN region ON region.id = building.region_id
    WHERE building.geom && ST_MakeEnvelope(:w, :s, :e, :n, 4490) AND ST_Dimension(building.geom) = 2
      AND region.code LIKE ANY (CAST(:patterns AS text[]))
    LIMIT 20000
)
SELECT (SELECT COALESCE(ST_AsMVT(b, 'barriers', 4096, 'geom'), '') FROM shown_barrier b WHERE geom IS NOT NULL) AS ready,
       (SELECT string_agg(record_send(shown_building), '') FROM shown_building) AS rows;

-- name: regions
-- Borders of counties, subdistricts and communities in one tile, and their names at one point each.
WITH bounds AS (
    SELECT ST_MakeEnvelope(:mw, :ms, :me, :mn, 3857) AS mercator, ST_MakeEnvelope(:w, :s, :e, :n, 4490) AS lonlat
),
found AS MATERIALIZED (
    SELECT id, code, name, level, region.geom, mercator
    FROM region, bounds
    WHERE region.geom && lonlat
      AND code LIKE ANY (CAST(:patterns AS text[]))
      AND (level <> 'community' OR :z >= 11)
),
shown AS MATERIALIZED (
    SELECT id, code, name, level, ST_AsMVTGeom(ST_Transform(geom, 3857), mercator, 4096, 64) AS geom FROM found
),
named AS MATERIALIZED (
    SELECT id, name, level, ST_AsMVTGeom(ST_Transform(ST_PointOnSurface(geom), 3857), mercator, 4096, 0) AS geom
    FROM found
)
SELECT (SELECT COALESCE(ST_AsMVT(shown, 'regions', 4096, 'geom'), '') FROM shown WHERE geom IS NOT NULL)
    || (SELECT COALESCE(ST_AsMVT(named, 'names', 4096, 'geom'), '') FROM named WHERE geom IS NOT NULL) AS ready, NULL::bytea AS rows;

-- name: whole_grids
-- All top grids of a plan to be simplified together: id, code of the region, geometry (WKB, EPSG:4490).
SELECT grid.id, region.code, ST_AsBinary(grid.geom) FROM grid JOIN region ON region.id = grid.region_id
WHERE grid.plan_id = :plan_id AND grid.parent_id IS NULL AND grid.geom IS NOT NULL
ORDER BY grid.id;

-- name: readers
-- Sets of code prefixes on which somebody may look: those for whom tiles are worth making ahead.
SELECT DISTINCT array_agg(DISTINCT COALESCE(region.prefix, ''))
FROM app_user JOIN role_grant ON role_grant.user_id = app_user.id LEFT JOIN region ON region.id = role_grant.region_id
WHERE app_user.active GROUP BY app_user.id;

-- name: simplified
-- One tile of grids from simplified shapes (ids and WKB in Web Mercator): as the query grids, with their lines.
WITH shown AS MATERIALIZED (
    SELECT grid.id, grid.code, grid.name, grid.kind, grid.status,
           CASE WHEN NOT (h.shown < 0 OR grid.households BETWEEN 1 AND 4) IS TRUE THEN grid.households END AS households,
           CASE WHEN NOT (h.shown < 0 OR grid.households BETWEEN 1 AND 4) IS TRUE THEN grid.population END AS population,
           ST_AsMVTGeom(ST_GeomFromWKB(shape.wkb, 3857), ST_MakeEnvelope(:mw, :ms, :me, :mn, 3857), 4096, 64) AS geom
    FROM unnest(CAST(:ids AS bigint[]), CAST(:shapes AS bytea[])) AS shape(id, wkb) JOIN grid ON grid.id = shape.id
    LEFT JOIN household_place h ON h.plan_id = grid.plan_id AND h.grid_id = grid.id
)
SELECT COALESCE(ST_AsMVT(shown, 'grids', 4096, 'geom'), '') FROM shown WHERE geom IS NOT NULL;

-- name: in_force
-- Plans that are published and not ended: whose small scales are made ahead.
SELECT id FROM plan WHERE state = 'published' ORDER BY id;
