-- Search: one box for grids, communities, compounds and buildings; the best matches first.

-- name: find
WITH seen AS (
    SELECT r.id, r.code, r.name, r.geom FROM region r
    WHERE EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS mine WHERE r.code LIKE mine || '%')
), hits AS (
    (SELECT 1 AS rank, 'grid' AS kind, g.id, coalesce(g.name, g.code) AS label, g.code AS detail, r.code AS region_code,
            r.name AS region_name, g.plan_id, ST_Envelope(g.geom) AS place,
            CASE WHEN g.code = :text OR g.name = :text THEN 0 WHEN g.code LIKE :start OR g.name LIKE :start THEN 1 ELSE 2
            END AS distance
     FROM grid g JOIN seen r ON r.id = g.region_id
     WHERE g.plan_id = :plan AND (g.code LIKE :like OR g.name LIKE :like)
     ORDER BY distance, g.code LIMIT :limit)
    UNION ALL
    (SELECT 0, 'region', r.id, r.name, r.code, r.code, NULL, NULL, ST_Envelope(r.geom),
            CASE WHEN r.code = :text OR r.name = :text THEN 0 WHEN r.name LIKE :start OR r.code LIKE :start THEN 1 ELSE 2
            END AS distance
     FROM seen r WHERE r.name LIKE :like OR r.code LIKE :start
     ORDER BY distance, r.code LIMIT :limit)
    UNION ALL
    (SELECT 2, 'compound', c.id, c.name, r.name, r.code, r.name, NULL, ST_Envelope(c.geom),
            CASE WHEN c.name = :text THEN 0 WHEN c.name LIKE :start THEN 1 ELSE 2 END AS distance
     FROM compound c JOIN seen r ON r.id = c.region_id WHERE c.name LIKE :like
     ORDER BY distance, c.name LIMIT :limit)
    UNION ALL
    (SELECT 3, 'building', b.id, coalesce(b.address, b.name, b.key), b.name, r.code, r.name, NULL, b.point,
            CASE WHEN b.address = :text OR b.key = :text OR b.name = :text THEN 0 WHEN b.address LIKE :start THEN 1 ELSE 2
            END AS distance
     FROM building b JOIN seen r ON r.id = b.region_id
     WHERE b.address LIKE :like OR b.name LIKE :like OR b.key = :text
     ORDER BY distance, length(b.address), b.address, b.id LIMIT :limit)
)
SELECT h.kind, h.id, h.label, h.detail, h.region_code, h.region_name, h.plan_id,
       ST_XMin(h.place) AS west, ST_YMin(h.place) AS south, ST_XMax(h.place) AS east, ST_YMax(h.place) AS north
FROM hits h
ORDER BY h.distance, h.rank, h.detail, h.id
LIMIT :limit
