-- Pieces of units that were cut by hand: who lives in them, and when they go.

-- name: unit_counts
SELECT u.households, u.population, u.buildings, u.estimated_households, u.missing_households, u.oldest_data
FROM unit u WHERE u.id = :unit

-- name: chain_of_cuts
-- From the unit that holds the buildings down to this one, each piece with the other piece of its cut.
WITH RECURSIVE up AS (
    SELECT u.id, u.cut_of, u.retired_at, 0 AS depth FROM unit u WHERE u.id = :unit
    UNION ALL
    SELECT u.id, u.cut_of, u.retired_at, up.depth + 1
    FROM up JOIN unit u ON u.id = up.cut_of
    WHERE up.retired_at IS NOT NULL
)
SELECT up.id, ST_AsBinary(u.geom) AS geom, ST_AsBinary(s.geom) AS sibling_geom
FROM up JOIN unit u ON u.id = up.id LEFT JOIN unit s ON s.id = CAST(u.provenance ->> 'sibling' AS bigint)
ORDER BY up.depth DESC

-- name: housed
SELECT b.id, ST_X(b.point) AS lon, ST_Y(b.point) AS lat, b.households, b.population, b.estimated, b.data_date
FROM building b WHERE b.unit_id = :unit

-- name: pairs_below
-- The two pieces of every cut below some units, cuts of pieces after those that made them.
WITH RECURSIVE below AS (
    SELECT u.id, u.cut_of, 1 AS depth FROM unit u WHERE u.cut_of = ANY(:units)
    UNION ALL
    SELECT u.id, u.cut_of, below.depth + 1 FROM below JOIN unit u ON u.cut_of = below.id
)
SELECT u.id, s.id AS sibling, u.cut_of, ST_AsBinary(u.geom) AS geom, ST_AsBinary(s.geom) AS sibling_geom
FROM below JOIN unit u ON u.id = below.id JOIN unit s ON s.id = CAST(u.provenance ->> 'sibling' AS bigint)
WHERE u.id < s.id
ORDER BY below.depth, u.id

-- name: recount_piece
UPDATE unit SET households = :households, population = :population, buildings = :buildings,
                estimated_households = :estimated_households, missing_households = :missing_households,
                oldest_data = :oldest_data,
                provenance = CASE WHEN :guess THEN provenance || '{"estimated": true}' ELSE provenance - 'estimated' END
WHERE id = :id

-- name: forget_pieces
-- Pieces that were cut for a plan that is no more and that no plan holds; those of pieces go with them.
WITH RECURSIVE held AS (
    SELECT u.id, u.cut_of FROM unit u
    WHERE u.provenance ->> 'by' = 'cut'
      AND (EXISTS (SELECT FROM plan_unit p WHERE p.unit_id = u.id)
           OR EXISTS (SELECT FROM plan p WHERE p.id = CAST(u.provenance ->> 'plan' AS bigint)))
    UNION
    SELECT u.id, u.cut_of FROM held JOIN unit u ON u.id = held.cut_of
), mates AS (
    -- a piece stays while its other half does: the counts of both come from one place
    SELECT CAST(u.provenance ->> 'sibling' AS bigint) AS id FROM held JOIN unit u ON u.id = held.id
)
DELETE FROM unit u
WHERE u.cut_of IS NOT NULL AND u.retired_at IS NOT NULL AND u.provenance ->> 'by' = 'cut'
  AND u.id NOT IN (SELECT id FROM held) AND u.id NOT IN (SELECT id FROM mates WHERE id IS NOT NULL)
