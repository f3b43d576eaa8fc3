-- Units: what they are built from, and who counts what.

-- name: buildings
-- Buildings near the communities, but those that a living unit elsewhere counts.
SELECT b.id, ST_AsBinary(b.geom) AS geom, b.households, b.population, b.estimated, b.data_date, b.compound_id, b.region_id
FROM building b
LEFT JOIN unit u ON u.id = b.unit_id
WHERE b.geom && ST_MakeEnvelope(:west, :south, :east, :north, 4490)
  AND (u.id IS NULL OR u.retired_at IS NOT NULL OR u.region_id = ANY(:communities))
ORDER BY b.id

-- name: cases
-- Cases near the communities, but those that a living unit elsewhere holds.
SELECT c.id, ST_X(c.point) AS lon, ST_Y(c.point) AS lat
FROM case_record c
LEFT JOIN unit u ON u.id = c.unit_id
WHERE c.point && ST_MakeEnvelope(:west, :south, :east, :north, 4490)
  AND (u.id IS NULL OR u.retired_at IS NOT NULL OR u.region_id = ANY(:communities))
ORDER BY c.id

-- name: barriers
SELECT kind, class, tunnel, bridge, width_m, ST_AsBinary(geom) AS geom
FROM barrier
WHERE geom && ST_MakeEnvelope(:west, :south, :east, :north, 4490)
ORDER BY id

-- name: compounds
SELECT id, ST_AsBinary(geom) AS geom
FROM compound
WHERE geom && ST_MakeEnvelope(:west, :south, :east, :north, 4490)
ORDER BY id

-- name: retire
-- Living units of the communities cease to be; buildings and cases let go of them.
UPDATE unit SET retired_at = now() WHERE retired_at IS NULL AND region_id = ANY(:communities)

-- name: remove_unused
-- Retired units that no plan keeps; pieces, and what they were cut from, go with the plan that cut them.
DELETE FROM unit u
WHERE u.retired_at IS NOT NULL AND u.region_id = ANY(:communities)
  AND NOT EXISTS (SELECT FROM plan_unit p WHERE p.unit_id = u.id)
  AND NOT EXISTS (SELECT FROM plan_misfit m WHERE m.unit_id = u.id)
  AND u.cut_of IS NULL AND NOT EXISTS (SELECT FROM unit c WHERE c.cut_of = u.id)

-- name: assign_building
UPDATE building b SET unit_id = a.unit_id, region_id = a.region_id
FROM building_assignment a
WHERE b.id = a.id AND (b.unit_id IS DISTINCT FROM a.unit_id OR b.region_id IS DISTINCT FROM a.region_id)

-- name: assign_case_record
UPDATE case_record c SET unit_id = a.unit_id, region_id = a.region_id
FROM case_record_assignment a
WHERE c.id = a.id AND (c.unit_id IS DISTINCT FROM a.unit_id OR c.region_id IS DISTINCT FROM a.region_id)
