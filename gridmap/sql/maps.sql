-- name: grid_features
-- Grids of a plan as a GeoJSON FeatureCollection (text), or null and only the number where there are more than :max.
-- Labels stand at a point inside. One row: total, collection.
WITH found AS MATERIALIZED (
    SELECT grid.id, grid.code, grid.name, grid.kind, grid.status,
           CASE WHEN :veiled THEN coalesce(h.shown, grid.households) ELSE grid.households END AS households,
           grid.population, CASE WHEN NOT :veiled THEN grid.estimated_households END AS estimated_households, region.code AS region_code, grid.geom,
           :veiled AND coalesce(h.shown, -3) < 0 AS hidden, h.shown AS published
    FROM grid JOIN region ON region.id = grid.region_id
    LEFT JOIN household_place h ON h.plan_id = grid.plan_id AND h.grid_id = grid.id
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
                    'code', code, 'name', name, 'kind', kind, 'status', status,
                    'households', CASE WHEN NOT hidden THEN households END,
                    'population', CASE WHEN NOT hidden THEN population END,
                    'estimated_households', CASE WHEN NOT hidden THEN estimated_households END,
                    'households_text', CASE WHEN NOT hidden THEN households::text
                        WHEN published = -1 THEN '<5' ELSE '—' END,
                    'region_code', region_code,
                    'label_lon', ST_X(ST_PointOnSurface(geom)), 'label_lat', ST_Y(ST_PointOnSurface(geom)))::text
               || ',"geometry":' || ST_AsGeoJSON(geom, 7, 0) || '}', ',' ORDER BY code, id), '') || ']}'
       END AS collection
FROM found;
