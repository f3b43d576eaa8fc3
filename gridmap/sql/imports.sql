-- Imports: staged rows into the tables of the ground, and back.

-- name: good_rows
-- How many rows of a batch may be accepted, and how many not.
SELECT count(*) FILTER (WHERE NOT bad) AS good, count(*) FILTER (WHERE bad) AS bad
FROM import_row WHERE batch_id = :batch

-- name: foreign_regions
-- Communities of good rows that do not lie where the planner plans.
SELECT DISTINCT r.code
FROM import_row i JOIN region r ON r.id = (i.fields->>'region_id')::bigint
WHERE i.batch_id = :batch AND NOT i.bad AND NOT r.code LIKE ANY (CAST(:patterns AS text[]))
LIMIT 5

-- name: foreign_codes
-- Codes of region rows that do not lie where the planner plans.
SELECT DISTINCT fields->>'code' AS code
FROM import_row
WHERE batch_id = :batch AND NOT bad AND NOT fields->>'code' LIKE ANY (CAST(:patterns AS text[]))
LIMIT 5

-- name: foreign_ground
-- Regions of the same level elsewhere that a region row would lie over by more than a ragged border.
SELECT DISTINCT r.code
FROM import_row i JOIN region r ON r.level = i.fields->>'level' AND ST_Intersects(r.geom, i.geom)
WHERE i.batch_id = :batch AND NOT i.bad AND NOT r.code LIKE ANY (CAST(:patterns AS text[]))
  AND ST_Area(ST_Intersection(r.geom, i.geom)::geography) > 1000
LIMIT 5

-- name: foreign_barriers
-- Communities of good rows that touch no region where the planner plans.
SELECT DISTINCT r.code
FROM import_row i LEFT JOIN region r ON r.level = 'community' AND ST_Intersects(r.geom, i.geom)
WHERE i.batch_id = :batch AND NOT i.bad
  AND NOT EXISTS (SELECT FROM region m
                  WHERE m.code LIKE ANY (CAST(:patterns AS text[])) AND ST_Intersects(m.geom, i.geom))
LIMIT 5

-- name: foreign_changed
-- Communities of known things, as they were before rows changed them, that do not lie where the planner plans.
SELECT DISTINCT r.code
FROM import_match m
JOIN import_row i ON i.batch_id = :batch AND i.row = m.row
LEFT JOIN region r ON r.id = (i.source->'before'->>'region_id')::bigint
WHERE NOT COALESCE(r.code LIKE ANY (CAST(:patterns AS text[])), false)
LIMIT 5

-- name: match_regions
INSERT INTO import_match (row, id)
SELECT i.row, r.id
FROM import_row i JOIN region r ON r.code = i.fields->>'code'
WHERE i.batch_id = :batch AND NOT i.bad

-- name: match_buildings
-- The known building of a row: the one it was joined to when staged, else the one with its key in its county.
INSERT INTO import_match (row, id)
SELECT DISTINCT ON (b.id) i.row, b.id
FROM import_row i
LEFT JOIN region ri ON ri.id = (i.fields->>'region_id')::bigint
JOIN building b ON b.key = i.fields->>'key'
LEFT JOIN region rb ON rb.id = b.region_id
WHERE i.batch_id = :batch AND NOT i.bad AND NOT i.fields ? 'building_id'
  AND left(rb.code, 6) IS NOT DISTINCT FROM left(ri.code, 6)
ORDER BY b.id, i.row

-- name: match_joined_buildings
INSERT INTO import_match (row, id)
SELECT DISTINCT ON (b.id) i.row, b.id
FROM import_row i JOIN building b ON b.id = (i.fields->>'building_id')::bigint
WHERE i.batch_id = :batch AND NOT i.bad
ORDER BY b.id, i.row DESC

-- name: match_cases
INSERT INTO import_match (row, id)
SELECT DISTINCT ON (c.id) i.row, c.id
FROM import_row i
LEFT JOIN region ri ON ri.id = (i.fields->>'region_id')::bigint
JOIN case_record c ON c.number = i.fields->>'number'
LEFT JOIN region rc ON rc.id = c.region_id
WHERE i.batch_id = :batch AND NOT i.bad AND left(rc.code, 6) IS NOT DISTINCT FROM left(ri.code, 6)
ORDER BY c.id, i.row

-- name: match_compounds
INSERT INTO import_match (row, id)
SELECT DISTINCT ON (c.id) i.row, c.id
FROM import_row i
JOIN compound c ON c.name = i.fields->>'name'
 AND c.region_id IS NOT DISTINCT FROM (i.fields->>'region_id')::bigint
WHERE i.batch_id = :batch AND NOT i.bad AND i.fields->>'kind' = 'compound'
ORDER BY c.id, i.row

-- name: one_match_a_row
-- A row that fits several known things stands for the first of them.
DELETE FROM import_match m USING import_match n WHERE n.row = m.row AND n.id < m.id

-- name: insert_regions
INSERT INTO region (code, prefix, name, level, settlement, urban_rural_code, geom, area_m2, source, data_date, import_batch_id)
SELECT f.code, f.prefix, f.name, f.level, f.settlement, f.urban_rural_code, ST_Multi(i.geom), f.area_m2, f.source,
       f.data_date, i.batch_id
FROM import_row i
CROSS JOIN LATERAL jsonb_to_record(i.fields) AS f(code text, prefix text, name text, level text, settlement text,
    urban_rural_code text, area_m2 float8, source text, data_date date)
WHERE i.batch_id = :batch AND NOT i.bad AND NOT EXISTS (SELECT FROM import_match m WHERE m.row = i.row)
ORDER BY f.code

-- name: update_regions
UPDATE region r SET
    name = COALESCE(f.name, r.name), settlement = COALESCE(f.settlement, r.settlement),
    urban_rural_code = COALESCE(f.urban_rural_code, r.urban_rural_code),
    geom = COALESCE(ST_Multi(i.geom), r.geom), area_m2 = COALESCE(f.area_m2, r.area_m2),
    source = COALESCE(f.source, r.source), data_date = COALESCE(f.data_date, r.data_date),
    import_batch_id = i.batch_id, updated_at = now()
FROM import_match m
JOIN import_row i ON i.batch_id = :batch AND i.row = m.row
CROSS JOIN LATERAL jsonb_to_record(i.fields) AS f(name text, settlement text, urban_rural_code text, area_m2 float8,
    source text, data_date date)
WHERE r.id = m.id

-- name: link_parents
-- The parent of a region is the one whose code is its own with the last level cut off.
UPDATE region r SET parent_id = p.id
FROM region p
WHERE p.code = CASE r.level WHEN 'community' THEN left(r.code, 9) || '000'
                            WHEN 'subdistrict' THEN left(r.code, 6) || '000000' END
  AND r.level <> 'county' AND r.parent_id IS DISTINCT FROM p.id

-- name: insert_named_compounds
-- Compounds that buildings name and nobody has drawn yet.
INSERT INTO compound (name, region_id, import_batch_id)
SELECT DISTINCT i.fields->>'compound', (i.fields->>'region_id')::bigint, i.batch_id
FROM import_row i
WHERE i.batch_id = :batch AND NOT i.bad AND i.fields ? 'compound'
  AND NOT EXISTS (
      SELECT FROM compound c
      WHERE c.name = i.fields->>'compound' AND c.region_id IS NOT DISTINCT FROM (i.fields->>'region_id')::bigint)

-- name: insert_buildings
INSERT INTO building (key, name, address, compound_id, kind, floors, households, population, estimated, data_date,
                      region_id, geom, point, import_batch_id)
SELECT f.key, f.name, f.address, c.id, f.kind, f.floors, f.households, f.population, COALESCE(f.estimated, false),
       f.data_date, f.region_id, i.geom, COALESCE(f.point, i.geom), i.batch_id
FROM import_row i
CROSS JOIN LATERAL jsonb_to_record(i.fields) AS f(key text, name text, address text, compound text, kind text,
    floors bigint, households bigint, population bigint, estimated boolean, data_date date, region_id bigint,
    point geometry)
LEFT JOIN compound_of_import c ON c.name = f.compound AND c.region = COALESCE(f.region_id, 0)
WHERE i.batch_id = :batch AND NOT i.bad AND i.geom IS NOT NULL
  AND NOT EXISTS (SELECT FROM import_match m WHERE m.row = i.row)

-- name: compounds_of_import
-- One compound for each name and community that the batch speaks of.
CREATE TEMPORARY TABLE compound_of_import ON COMMIT DROP AS
SELECT c.name, COALESCE(c.region_id, 0) AS region, min(c.id) AS id
FROM compound c
WHERE c.name IN (SELECT DISTINCT fields->>'compound' FROM import_row WHERE batch_id = :batch AND fields ? 'compound')
GROUP BY c.name, c.region_id

-- name: update_buildings
UPDATE building b SET
    key = COALESCE(f.key, b.key), name = COALESCE(f.name, b.name), address = COALESCE(f.address, b.address),
    compound_id = COALESCE(c.id, b.compound_id), kind = COALESCE(f.kind, b.kind),
    floors = COALESCE(f.floors, b.floors), households = COALESCE(f.households, b.households),
    population = COALESCE(f.population, b.population),
    estimated = CASE WHEN f.households IS NULL THEN b.estimated ELSE COALESCE(f.estimated, false) END,
    data_date = COALESCE(f.data_date, b.data_date),
    region_id = COALESCE(f.region_id, b.region_id),
    geom = COALESCE(i.geom, b.geom),
    point = COALESCE(f.point, i.geom, b.point),
    import_batch_id = i.batch_id
FROM import_match m
JOIN import_row i ON i.batch_id = :batch AND i.row = m.row
CROSS JOIN LATERAL jsonb_to_record(i.fields) AS f(key text, name text, address text, compound text, kind text,
    floors bigint, households bigint, population bigint, estimated boolean, data_date date, region_id bigint,
    point geometry)
LEFT JOIN compound_of_import c ON c.name = f.compound AND c.region = COALESCE(f.region_id, 0)
WHERE b.id = m.id

-- name: insert_barriers
INSERT INTO barrier (kind, class, name, tunnel, bridge, width_m, geom, import_batch_id)
SELECT f.kind, f.class, f.name, COALESCE(f.tunnel, false), COALESCE(f.bridge, false), f.width_m, i.geom, i.batch_id
FROM import_row i
CROSS JOIN LATERAL jsonb_to_record(i.fields) AS f(kind text, class text, name text, tunnel boolean, bridge boolean,
    width_m float8)
WHERE i.batch_id = :batch AND NOT i.bad AND f.kind <> 'compound'

-- name: insert_compounds
INSERT INTO compound (name, region_id, geom, import_batch_id)
SELECT COALESCE(f.name, '#' || i.row), f.region_id, ST_Multi(i.geom), i.batch_id
FROM import_row i
CROSS JOIN LATERAL jsonb_to_record(i.fields) AS f(kind text, name text, region_id bigint)
WHERE i.batch_id = :batch AND NOT i.bad AND f.kind = 'compound'
  AND NOT EXISTS (SELECT FROM import_match m WHERE m.row = i.row)

-- name: update_compounds
UPDATE compound c SET geom = COALESCE(ST_Multi(i.geom), c.geom), import_batch_id = i.batch_id
FROM import_match m JOIN import_row i ON i.batch_id = :batch AND i.row = m.row
WHERE c.id = m.id

-- name: join_compounds
-- Buildings without a compound that stand in an outline of this batch, by their inner point.
UPDATE building b SET compound_id = c.id
FROM compound c
WHERE c.import_batch_id = :batch AND b.compound_id IS NULL AND b.point && c.geom AND ST_Intersects(c.geom, b.point)

-- name: insert_cases
INSERT INTO case_record (number, category, level, source, occurred_at, reported_at, closed_at, place, region_id, point,
                         import_batch_id)
SELECT f.number, f.category, f.level, f.source, f.occurred_at, f.reported_at, f.closed_at, f.place, f.region_id, i.geom,
       i.batch_id
FROM import_row i
CROSS JOIN LATERAL jsonb_to_record(i.fields) AS f(number text, category text, level text, source text,
    occurred_at timestamptz, reported_at timestamptz, closed_at timestamptz, place text, region_id bigint)
WHERE i.batch_id = :batch AND NOT i.bad AND NOT EXISTS (SELECT FROM import_match m WHERE m.row = i.row)

-- name: update_cases
UPDATE case_record c SET
    category = f.category, level = COALESCE(f.level, c.level), source = COALESCE(f.source, c.source),
    occurred_at = f.occurred_at, reported_at = COALESCE(f.reported_at, c.reported_at),
    closed_at = COALESCE(f.closed_at, c.closed_at), place = COALESCE(f.place, c.place),
    region_id = COALESCE(f.region_id, c.region_id), point = COALESCE(i.geom, c.point), import_batch_id = i.batch_id
FROM import_match m
JOIN import_row i ON i.batch_id = :batch AND i.row = m.row
CROSS JOIN LATERAL jsonb_to_record(i.fields) AS f(category text, level text, source text, occurred_at timestamptz,
    reported_at timestamptz, closed_at timestamptz, place text, region_id bigint)
WHERE c.id = m.id

-- name: insert_grids
INSERT INTO source_grid (import_batch_id, department, code, name, kind, parent_code, workers, households, population,
                         data_date, geom)
SELECT i.batch_id, COALESCE(f.department, :department), f.code, f.name, COALESCE(f.kind, 'basic'), f.parent_code,
       f.workers, f.households, f.population, f.data_date, ST_Multi(i.geom)
FROM import_row i
CROSS JOIN LATERAL jsonb_to_record(i.fields) AS f(department text, code text, name text, kind text, parent_code text,
    workers bigint, households bigint, population bigint, data_date date)
WHERE i.batch_id = :batch AND NOT i.bad
ORDER BY i.row

-- name: units
-- Good rows of a units file.
SELECT i.row, ST_AsBinary(i.geom) AS geom, f.key, f.name, f.region_id, COALESCE(f.households, 0) AS households,
       COALESCE(f.population, 0) AS population, f.households IS NULL AS missing, f.data_date, i.fields->>'community' AS community
FROM import_row i
CROSS JOIN LATERAL jsonb_to_record(i.fields) AS f(key text, name text, region_id bigint, households bigint,
    population bigint, data_date date)
WHERE i.batch_id = :batch AND NOT i.bad
ORDER BY i.row

-- name: mark_bad
UPDATE import_row SET bad = true WHERE batch_id = :batch AND row = ANY(:rows) AND NOT bad

-- name: trusted_buildings
-- Accepted buildings in a box, for the datum detective.
SELECT ST_AsBinary(geom) FROM building
WHERE geom && ST_MakeEnvelope(:west, :south, :east, :north, 4490) LIMIT :most

-- name: trusted_barriers
SELECT ST_AsBinary(geom) FROM barrier
WHERE geom && ST_MakeEnvelope(:west, :south, :east, :north, 4490) LIMIT :most

-- name: trusted_regions
-- The finest regions there are: communities, else what stands above them.
SELECT ST_AsBinary(geom) FROM region
WHERE geom && ST_MakeEnvelope(:west, :south, :east, :north, 4490)
  AND level = (SELECT max(level) FROM (
      SELECT CASE level WHEN 'community' THEN 'community' ELSE NULL END AS level FROM region
      UNION ALL SELECT level FROM region WHERE NOT EXISTS (SELECT FROM region WHERE level = 'community')) AS finest)
LIMIT :most

-- name: foreign_grids
-- Communities of grid rows, by their codes, that do not lie where the planner plans.
SELECT DISTINCT left(fields->>'code', 12)
FROM import_row
WHERE batch_id = :batch AND NOT bad AND NOT fields->>'code' LIKE ANY (CAST(:patterns AS text[]))
LIMIT 5

-- name: forget_taken
-- Rows that were taken over as new need not be kept; those that changed something keep what it was before.
DELETE FROM import_row i
WHERE i.batch_id = :batch AND NOT i.bad AND NOT EXISTS (SELECT FROM import_match m WHERE m.row = i.row)

-- name: keep_before_region
UPDATE import_row i SET source = jsonb_build_object('id', t.id, 'before', to_jsonb(t) || jsonb_build_object('geom', t.geom::text))
FROM import_match m JOIN region t ON t.id = m.id
WHERE i.batch_id = :batch AND i.row = m.row

-- name: keep_before_building
UPDATE import_row i SET source = jsonb_build_object('id', t.id, 'before', to_jsonb(t) || jsonb_build_object('geom', t.geom::text, 'point', t.point::text))
FROM import_match m JOIN building t ON t.id = m.id
WHERE i.batch_id = :batch AND i.row = m.row

-- name: keep_before_case_record
UPDATE import_row i SET source = jsonb_build_object('id', t.id, 'before', to_jsonb(t) || jsonb_build_object('point', t.point::text))
FROM import_match m JOIN case_record t ON t.id = m.id
WHERE i.batch_id = :batch AND i.row = m.row

-- name: keep_before_compound
UPDATE import_row i SET source = jsonb_build_object('id', t.id, 'before', to_jsonb(t) || jsonb_build_object('geom', t.geom::text))
FROM import_match m JOIN compound t ON t.id = m.id
WHERE i.batch_id = :batch AND i.row = m.row

-- name: touched_units
-- Units of buildings that the batch changed.
SELECT DISTINCT b.unit_id FROM building b JOIN import_match m ON m.id = b.id WHERE b.unit_id IS NOT NULL

-- name: leave_units
-- Buildings that moved leave their unit, to be placed anew.
UPDATE building b SET unit_id = NULL
FROM import_match m JOIN import_row i ON i.batch_id = :batch AND i.row = m.row
WHERE b.id = m.id AND i.geom IS NOT NULL AND b.unit_id IS NOT NULL

-- name: remove_barriers
-- Barriers of other batches that meet the extent of this one and lie in no community but the planner's.
DELETE FROM barrier b
WHERE b.import_batch_id IS DISTINCT FROM :batch
  AND NOT EXISTS (SELECT FROM region f
                  WHERE f.level = 'community' AND NOT f.code LIKE ANY (CAST(:patterns AS text[]))
                    AND ST_Intersects(f.geom, b.geom) AND NOT ST_Touches(f.geom, b.geom))
  AND b.geom && (SELECT ST_SetSRID(ST_Extent(geom)::geometry, 4490) FROM import_row
                 WHERE batch_id = :batch AND NOT bad AND fields->>'kind' <> 'compound')
  AND b.kind IN (SELECT DISTINCT fields->>'kind' FROM import_row WHERE batch_id = :batch AND NOT bad)

-- name: departments
SELECT DISTINCT department FROM source_grid WHERE import_batch_id = :batch ORDER BY 1

-- name: let_go_of_units
-- Buildings and cases of units that are about to be replaced.
WITH gone AS (SELECT id FROM unit WHERE retired_at IS NULL AND region_id = ANY(:regions)),
     freed AS (UPDATE case_record c SET unit_id = NULL FROM gone WHERE c.unit_id = gone.id)
UPDATE building b SET unit_id = NULL FROM gone WHERE b.unit_id = gone.id

-- name: leave_compounds
-- Buildings let go of compounds that are about to go.
UPDATE building b SET compound_id = NULL FROM compound c WHERE c.id = b.compound_id AND c.import_batch_id = :batch

-- name: has_waiting_job
-- Whether a worker has yet to begin with the batch.
SELECT EXISTS (
    SELECT FROM procrastinate_jobs
    WHERE status = 'todo' AND task_name IN ('stage_import', 'accept_import') AND (args->>'batch_id')::bigint = :batch)

-- name: retry_stalled_jobs
-- Jobs that a worker began and, by its heartbeat or its absence, will not end.
SELECT procrastinate_retry_job_v2(j.id, now(), NULL, NULL, NULL)
FROM procrastinate_jobs j LEFT JOIN procrastinate_workers w ON w.id = j.worker_id
WHERE j.status = 'doing' AND (w.id IS NULL OR w.last_heartbeat < now() - interval '30 seconds')

-- name: queue_again
SELECT procrastinate_retry_job_v2(id, now(), NULL, NULL, NULL)
FROM procrastinate_jobs WHERE id = ANY (:jobs) AND status = 'doing'

-- name: hold_referred
-- What the new rows will refer to stays while they are written; as many as there are tells whether all exist.
SELECT count(*) FROM (
    SELECT id FROM region WHERE id IN (
        SELECT DISTINCT (fields->>'region_id')::bigint FROM import_row WHERE batch_id = :batch AND NOT bad)
    FOR KEY SHARE) AS held

-- name: referred
SELECT count(*) FROM (
    SELECT DISTINCT fields->>'region_id' AS id FROM import_row WHERE batch_id = :batch AND NOT bad) AS named
WHERE id IS NOT NULL

-- name: hold_batch
SELECT id FROM import_batch WHERE id = :batch FOR KEY SHARE


-- name: unsettled_building
-- What stands near the communities of a batch and in no unit: its community is to be found anew.
SELECT t.id, ST_X(t.point) AS lon, ST_Y(t.point) AS lat
FROM building t
WHERE t.unit_id IS NULL
  AND t.point && (SELECT ST_SetSRID(ST_Extent(geom)::geometry, 4490) FROM region WHERE import_batch_id = :batch)

-- name: unsettled_case_record
-- What stands near the communities of a batch and in no unit: its community is to be found anew.
SELECT t.id, ST_X(t.point) AS lon, ST_Y(t.point) AS lat
FROM case_record t
WHERE t.unit_id IS NULL
  AND t.point && (SELECT ST_SetSRID(ST_Extent(geom)::geometry, 4490) FROM region WHERE import_batch_id = :batch)
