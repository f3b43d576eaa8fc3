"""From the coordinates of a file to stored longitude and latitude: which reading, which datum, and the way itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import shapely
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from geodata.crs import CrsGuess, Datum, read_crs, recognise, to_stored
from geodata.datum import DATUMS, DatumReport, detect
from geodata.fields import Kind
from geodata.problems import Problem, Severity
from geodata.readers import Batch, Source
from gridmap.db.models import Region
from gridmap.errors import Invalid
from gridmap.services.imports.views import CrsChoice, DatumView
from gridmap.sql import query

if TYPE_CHECKING:
    import pandas as pd

Shapes = NDArray[np.object_]
Bounds = tuple[float, float, float, float]

#: Records looked at to recognise CRS and datum.
SAMPLE = 2000
#: Trusted geometries the detective compares with, per layer.
_TRUSTED_MAX = 20_000
_MARGIN_DEG = 0.05
#: Readings this near the best one in plausibility leave the question open.
_AS_GOOD = 0.9


def key_of(guess: CrsGuess) -> str:
    """How a choice of reading is written: the CRS, then ``yx`` and the packing where they apply."""
    name = f"EPSG:{guess.epsg}" if guess.epsg else guess.crs
    return " ".join(filter(None, (name, "yx" if guess.swapped else "", guess.packing)))


def guess_of(key: str, guesses: list[CrsGuess]) -> CrsGuess:
    """The reading that ``key`` means: one of ``guesses``, or a CRS a person names ("EPSG:4549", " yx" if swapped).

    Raises ``GeodataError`` CRS_UNREADABLE.
    """
    for guess in guesses:
        if key_of(guess) == key:
            return guess
    crs, *flags = key.split(" ") if key.upper().startswith("EPSG:") else [key]
    named = read_crs(crs)
    for guess in guesses:
        if not flags and read_crs(guess.crs).equals(named, ignore_axis_order=True):
            return guess
    packing = next((flag for flag in flags if flag in ("dddmmss", "ddd.mmss")), "")
    return CrsGuess("CRS_DECLARED", crs, 1.0, swapped="yx" in flags, packing=packing, declared=named.name)  # type: ignore[arg-type]


def choices(guesses: list[CrsGuess], locale: str) -> tuple[CrsChoice, ...]:
    """``guesses`` for a person to choose from, the likeliest first."""
    return tuple(
        CrsChoice(key_of(g), read_crs(g.crs).name, g.sentence(locale), round(g.plausibility, 3), g.bounds)
        for g in guesses
    )


def the_one(guesses: list[CrsGuess]) -> CrsGuess:
    """The reading to take when nobody chose; ``Invalid`` IMPORT_CRS_UNKNOWN or IMPORT_CRS_ASK where it is not clear."""
    if not guesses:
        raise Invalid("IMPORT_CRS_UNKNOWN")
    rivals = [g for g in guesses[1:] if g.plausibility >= _AS_GOOD * guesses[0].plausibility]
    if rivals and guesses[0].code != "CRS_DECLARED":
        names = "、".join(key_of(g) for g in (guesses[0], *rivals[:5]))
        raise Invalid("IMPORT_CRS_ASK", choices=names)
    return guesses[0]


def readings(session: Session, source: Source, mapping: Mapping[str, str], kind: Kind) -> list[CrsGuess]:
    """The possible readings of the file's coordinates, the likeliest first; empty for a table without any."""
    xy = _xy(raw_sample(source, mapping, kind))
    if not len(xy):
        return []
    bounds = (*np.nanmin(xy, axis=0).tolist(), *np.nanmax(xy, axis=0).tolist())
    return recognise(source.crs_wkt, bounds, xy[:SAMPLE], trusted_extent(session))


def raw_sample(source: Source, mapping: Mapping[str, str], kind: Kind) -> Shapes:
    """Geometries of the first records that have one, as the file has them."""
    found: list[Shapes] = []
    for part in source.batches(SAMPLE):
        shapes = part.geometry if part.geometry is not None else _points_of(part, mapping, kind)
        found.append(shapes[~shapely.is_missing(shapes)])
        if sum(map(len, found)) >= SAMPLE:
            break
    return np.concatenate(found) if found else np.zeros(0, dtype=object)


def _points_of(part: Batch, mapping: Mapping[str, str], kind: Kind) -> Shapes:
    if not {"lon", "lat"} <= set(mapping) or not len(part):
        return np.zeros(0, dtype=object)
    from geodata.columns import apply_mapping

    numbers, _ = apply_mapping(kind, part, _with_required(mapping, kind, part))
    return table_points(numbers)


def table_points(frame: pd.DataFrame) -> Shapes:
    """Points of the columns ``lon`` and ``lat`` in the file's CRS; None where either is empty or both are 0."""
    xy = frame[["lon", "lat"]].to_numpy(np.float64, na_value=np.nan)
    known = np.isfinite(xy).all(axis=1) & (xy != 0).any(axis=1)
    points = np.full(len(frame), None, dtype=object)
    points[known] = shapely.points(xy[known])
    return points


def stored(batch: Batch, frame: pd.DataFrame, guess: CrsGuess | None, datum: Datum) -> tuple[Shapes, list[Problem]]:
    """The geometries of ``batch`` in stored lon/lat, None where there are none, and what could not be placed."""
    shapes = batch.geometry
    if shapes is None:
        has_columns = {"lon", "lat"} <= set(frame.columns)
        shapes = table_points(frame) if has_columns else np.full(len(batch), None, dtype=object)
    if guess is None or shapely.is_missing(shapes).all():
        return shapes, []
    placed: Shapes = shapes if is_stored(guess, datum) else to_stored(shapes, guess, datum)
    bounds = shapely.bounds(placed)
    with np.errstate(invalid="ignore"):
        on_earth = (np.abs(bounds[:, ::2]).max(axis=1) <= 180) & (np.abs(bounds[:, 1::2]).max(axis=1) <= 90)
    lost = ~shapely.is_missing(placed) & ~on_earth
    if not lost.any():
        return placed, []
    placed = placed.copy()
    placed[lost] = None
    return placed, [Problem("IMPORT_UNPLACED", Severity.ERROR, int(row)) for row in batch.rows[lost]]


def is_stored(guess: CrsGuess, datum: Datum) -> bool:
    """Whether coordinates so read are stored coordinates already."""
    from geodata.crs import stored_transformer

    plain = not guess.swapped and not guess.packing and datum == "CGCS2000"
    return plain and stored_transformer(guess.crs) is None


def trusted_extent(session: Session) -> Bounds | None:
    """The extent of all regions, None where there are none."""
    box = sa.func.ST_Extent(Region.geom)
    inner = sa.select(box.label("box")).subquery()
    corners = (getattr(sa.func, f)(inner.c.box) for f in ("ST_XMin", "ST_YMin", "ST_XMax", "ST_YMax"))
    west, south, east, north = session.execute(sa.select(*corners)).one()
    return None if west is None else (west, south, east, north)


def judge_datum(session: Session, kind: Kind, lonlat: Shapes) -> DatumReport:
    """The detective's report on a sample in stored coordinates, against trusted layers around it."""
    return detect(kind, lonlat, trusted_layers(session, lonlat))


def trusted_layers(session: Session, lonlat: Shapes) -> dict[Kind, Shapes]:
    """Layers already accepted around ``lonlat``, by kind."""
    bounds = shapely.total_bounds(lonlat) if len(lonlat) else np.full(4, np.nan)
    if not np.isfinite(bounds).all():
        return {}
    names = ("west", "south", "east", "north")
    margins = (-_MARGIN_DEG, -_MARGIN_DEG, _MARGIN_DEG, _MARGIN_DEG)
    box = {name: float(v) + m for name, v, m in zip(names, bounds, margins, strict=True)}
    found: dict[Kind, Shapes] = {}
    for kind in (Kind.BUILDINGS, Kind.BARRIERS, Kind.REGIONS):
        rows = session.scalars(query("imports", f"trusted_{kind}"), {**box, "most": _TRUSTED_MAX}).all()
        if rows:
            found[kind] = shapely.from_wkb(np.array([*rows, None], dtype=object)[:-1])
    return found


def datum_view(report: DatumReport, locale: str) -> DatumView:
    """The report as plain values."""
    return DatumView(
        best=report.best,
        confident=report.confident,
        against=report.against.value if report.against else None,
        sentence=report.sentence(locale),
        hypotheses=tuple(
            {
                "datum": h.datum,
                "median_offset_m": round(h.median_offset_m, 1),
                "p90_m": round(h.p90_m, 1),
                "compared": h.n,
                "outside": h.outside,
            }
            for h in report.hypotheses
        ),
    )


def datum_named(name: str) -> Datum:
    """The datum a person means; ``Invalid`` IMPORT_DATUM."""
    plain = name.upper().replace("-", "").replace("_", "").replace(" ", "")
    plain = {"WGS84": "CGCS2000", "GCJ": "GCJ02", "BD": "BD09", "4490": "CGCS2000"}.get(plain, plain)
    for datum in DATUMS:
        if datum == plain:
            return datum
    raise Invalid("IMPORT_DATUM", datum=name[:40])


def _with_required(mapping: Mapping[str, str], kind: Kind, batch: Batch) -> Mapping[str, str]:
    """Longitude and latitude alone, with any column standing in for fields that must be mapped."""
    from geodata.fields import FIELDS

    chosen = {name: mapping[name] for name in ("lon", "lat")}
    any_column = str(batch.attributes.columns[0])
    return chosen | {field.name: any_column for field in FIELDS[kind] if field.required}


def _xy(shapes: Shapes) -> NDArray[np.float64]:
    xy = shapely.get_coordinates(shapes)
    finite: NDArray[np.float64] = xy[np.isfinite(xy).all(axis=1)]
    return finite


def name_of(wkt: str | None) -> str | None:
    """The name of a declared CRS with its EPSG code where it has one."""
    if wkt is None:
        return None
    crs = read_crs(wkt)
    code = crs.to_epsg(min_confidence=60)
    return f"{crs.name} (EPSG:{code})" if code else str(crs.name)


def sample_stored(source: Source, mapping: Mapping[str, str], kind: Kind, guess: CrsGuess) -> Shapes:
    """The first records' geometries in longitude and latitude as read by ``guess``, datum not undone."""
    sample = raw_sample(source, mapping, kind)
    placed: Shapes = to_stored(sample, guess) if len(sample) else sample
    return placed
