"""A city at full scale in PostGIS, made by SQL: 105,000 grids, 5 million buildings, 10 million cases.

A lattice of squares: 16 subdistricts of 81 communities of 81 grids of 4 units of 12 buildings, and cases around 400
centres over four years. Borders are straight, so geometry is lighter than that of a real city; rows are not.
"""

from __future__ import annotations

import json

import sqlalchemy as sa
from sqlalchemy.orm import Session

from geodata import standards
from gridmap.db import engine
from gridmap.db.engine import transaction

SIDE = 324  # grids each way
WEST, SOUTH, STEP = 120.0, 30.0, 0.0016
CATEGORIES = 12
COUNTY = "339901000000"

_REGIONS = """
INSERT INTO region (code, prefix, name, level, settlement, parent_id, geom, area_m2, data_date)
SELECT '339901' || lpad(s::text, 3, '0') || lpad(c::text, 3, '0'),
       CASE WHEN s = 0 THEN '339901' WHEN c = 0 THEN '339901' || lpad(s::text, 3, '0')
            ELSE '339901' || lpad(s::text, 3, '0') || lpad(c::text, 3, '0') END,
       CASE WHEN s = 0 THEN '测试市' WHEN c = 0 THEN '街道' || s ELSE '社区' || s || '-' || c END,
       CASE WHEN s = 0 THEN 'county' WHEN c = 0 THEN 'subdistrict' ELSE 'community' END, 'urban', NULL,
       ST_Multi(ST_MakeEnvelope(x * {step} + {west}, y * {step} + {south}, (x + w) * {step} + {west},
                                (y + w) * {step} + {south}, 4490)), w * w * 27000.0, '2026-01-01'
FROM (SELECT 0 AS s, 0 AS c, 0 AS x, 0 AS y, {side} AS w
      UNION ALL SELECT 1 + i * 4 + j, 0, i * 81, j * 81, 81 FROM generate_series(0, 3) i, generate_series(0, 3) j
      UNION ALL SELECT 1 + (i / 9) * 4 + j / 9, 1 + (i % 9) * 9 + j % 9, i * 9, j * 9, 9
      FROM generate_series(0, 35) i, generate_series(0, 35) j) AS laid;
UPDATE region r SET parent_id = p.id FROM region p
WHERE (r.level = 'community' AND p.level = 'subdistrict' AND r.code LIKE p.prefix || '%')
   OR (r.level = 'subdistrict' AND p.level = 'county')
"""
_GROUND = """
INSERT INTO unit (id, region_id, number, geom, area_m2, households, population, buildings, oldest_data)
SELECT 1 + i * 2 * {side} + j, r.id, 1 + (i % 18) * 18 + j % 18,
       ST_Multi(ST_MakeEnvelope(i * {step} / 2 + {west}, j * {step} / 2 + {south}, (i + 1) * {step} / 2 + {west},
                                (j + 1) * {step} / 2 + {south}, 4490)), 6750, 0, 0, 12, '2026-01-01'
FROM generate_series(0, 2 * {side} - 1) i CROSS JOIN generate_series(0, 2 * {side} - 1) j
JOIN region r ON r.code = '339901' || lpad((1 + (i / 162) * 4 + j / 162)::text, 3, '0')
                       || lpad((1 + (i % 162) / 18 * 9 + (j % 162) / 18)::text, 3, '0');
INSERT INTO building (region_id, unit_id, kind, households, population, data_date, geom, point)
SELECT u.region_id, u.id, 'residential', n.h, n.h * 3, '2026-01-01', ST_Expand(p.at, 0.00006), p.at
FROM unit u CROSS JOIN generate_series(0, 11) k
CROSS JOIN LATERAL (SELECT (hashint8(u.id * 12 + k) & 15) + 1 AS h) n
CROSS JOIN LATERAL (SELECT ST_SetSRID(ST_MakePoint(ST_XMin(u.geom) + (k % 4 + 0.5) * {step} / 8,
                                                   ST_YMin(u.geom) + (k / 4 + 0.5) * {step} / 6), 4490) AS at) p;
UPDATE unit u SET households = s.h, population = 3 * s.h
FROM (SELECT unit_id, sum(households) AS h FROM building GROUP BY unit_id) s WHERE s.unit_id = u.id;
INSERT INTO plan (name, region_id, profile_name, profile, state, valid_from, version, checked_version, checked_at)
SELECT '现行网格', id, 'national', CAST(:profile AS jsonb), 'published', '2025-01-01', 1, 1, now()
FROM region WHERE level = 'county';
INSERT INTO grid (id, plan_id, region_id, code, geom, area_m2, households, population, buildings, units, status,
                  valid_from)
SELECT 1 + i * {side} + j, (SELECT min(id) FROM plan), min(u.region_id),
       min(r.code) || lpad((1 + (i % 9) * 9 + j % 9)::text, 3, '0'),
       ST_Multi(ST_MakeEnvelope(i * {step} + {west}, j * {step} + {south}, (i + 1) * {step} + {west},
                                (j + 1) * {step} + {south}, 4490)), 27000, sum(u.households), sum(u.population), 48, 4,
       CASE WHEN sum(u.households) > 440 THEN 'over' WHEN sum(u.households) < 370 THEN 'under' ELSE 'within' END,
       '2025-01-01'
FROM generate_series(0, {side} - 1) i CROSS JOIN generate_series(0, {side} - 1) j
CROSS JOIN LATERAL (VALUES (0, 0), (0, 1), (1, 0), (1, 1)) AS k(a, b)
JOIN unit u ON u.id = 1 + (2 * i + a) * 2 * {side} + 2 * j + b JOIN region r ON r.id = u.region_id
GROUP BY i, j;
INSERT INTO plan_unit (plan_id, unit_id, grid_id)
SELECT (SELECT min(id) FROM plan), u.id, 1 + ((u.id - 1) / (2 * {side}) / 2) * {side} + (u.id - 1) % (2 * {side}) / 2
FROM unit u
"""
_CASES = """
WITH centre AS MATERIALIZED (
    SELECT k, random() AS x, random() AS y, 0.003 + random() * 0.02 AS wide FROM generate_series(0, 399) k
), drawn AS (
    SELECT n, floor(400 * random() * random())::int AS k, random() AS near, random() AS a, random() AS b
    FROM generate_series(1, :n) n
), placed AS (
    SELECT d.n, CASE WHEN near < 0.75 THEN c.x + c.wide * sqrt(-2 * ln(1 - a)) * cos(2 * pi() * b) ELSE a END AS x,
           CASE WHEN near < 0.75 THEN c.y + c.wide * sqrt(-2 * ln(1 - a)) * sin(2 * pi() * b) ELSE b END AS y
    FROM drawn d JOIN centre c USING (k)
), kept AS (
    SELECT n, (x - floor(x)) * {side} AS x, (y - floor(y)) * {side} AS y FROM placed
)
INSERT INTO case_record (number, category, occurred_at, closed_at, place, region_id, unit_id, point)
SELECT n::text, '类别' || least(floor(-ln(1 - random()) * 3)::int, {categories} - 1), at,
       at + interval '2 days' * nullif(floor(random() * 20), 0),
       '地点' || (n % 100000), u.region_id, u.id,
       ST_SetSRID(ST_MakePoint({west} + x * {step}, {south} + y * {step}), 4490)
FROM kept
CROSS JOIN LATERAL (SELECT timestamptz '2026-11-20' - random() * interval '4 years' + n * interval '0 s' AS at) t
JOIN unit u ON u.id = 1 + floor(2 * x)::int * 2 * {side} + floor(2 * y)::int
"""


def fill(cases: int = 10_000_000) -> None:
    """Fill a fresh, migrated database. Minutes."""
    profile = json.dumps(standards.load("national").to_dict())
    names = {"side": SIDE, "west": WEST, "south": SOUTH, "step": STEP, "categories": CATEGORIES}
    with transaction() as session:
        session.execute(
            sa.text("SET LOCAL session_replication_role = replica")
        )  # grids are summed here, not by triggers
        session.execute(sa.text("SET LOCAL maintenance_work_mem = '1GB'"))
        session.execute(sa.text("SELECT setseed(0.7)"))
        later = _take_indices(session, "building", "case_record", "unit", "plan_unit", "grid")
        for part in (_REGIONS, _GROUND):
            for statement in part.format(**names).split(";\n"):
                session.execute(sa.text(statement), {"profile": profile} if ":profile" in statement else {})
        session.execute(sa.text(_CASES.format(**names)), {"n": cases})
        for table in ("unit", "grid"):
            session.execute(
                sa.text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
            )
        for index in later:
            session.execute(sa.text(index))
        layers = "('regions', 1), ('buildings', 1), ('units', 1), ('plans', 1), ('cases', 1), ('barriers', 1)"
        session.execute(sa.text(f"INSERT INTO data_version (layer, version) VALUES {layers}"))
    with engine.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as settled:
        settled.execute(sa.text("VACUUM ANALYZE"))


def _take_indices(session: Session, *tables: str) -> list[str]:
    """Drop the indices of ``tables`` that hold no constraint; how each is made again."""
    rows = session.execute(
        sa.text(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = ANY (:tables)"
            " AND NOT EXISTS (SELECT FROM pg_constraint WHERE conname = indexname)"
        ),
        {"tables": list(tables)},
    ).all()
    for name, _ in rows:
        session.execute(sa.text(f'DROP INDEX "{name}"'))
    return [definition for _, definition in rows]
