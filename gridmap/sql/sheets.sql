-- Sheets: what a map on paper shows of a view, of the part that the reader may see.

-- name: grids
SELECT g.id, g.code, g.status, ST_AsBinary(g.geom) AS geom
FROM grid g LEFT JOIN region r ON r.id = g.region_id
WHERE g.plan_id = :plan AND g.kind <> 'micro'
  AND g.geom && ST_MakeEnvelope(:west, :south, :east, :north, 4490)
  AND EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS mine WHERE coalesce(r.code, '') LIKE mine || '%')
  AND (CAST(:region AS text) IS NULL OR r.code LIKE :region || '%')
ORDER BY g.code, g.id LIMIT :most

-- name: regions
SELECT r.code, r.name, ST_AsBinary(r.geom) AS geom FROM region r
WHERE r.level = :level AND r.geom && ST_MakeEnvelope(:west, :south, :east, :north, 4490)
  AND EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS mine WHERE r.code LIKE mine || '%')
  AND (CAST(:region AS text) IS NULL OR r.code LIKE :region || '%')
ORDER BY r.code LIMIT :most

-- name: streets
-- All roads of a small view; of larger ones exports.map_roads gives the main ones.
SELECT ST_AsBinary(b.geom) AS geom FROM barrier b
WHERE ST_Dimension(b.geom) = 1 AND b.kind IN ('rail', 'road')
  AND b.geom && ST_MakeEnvelope(:west, :south, :east, :north, 4490)
LIMIT :most
