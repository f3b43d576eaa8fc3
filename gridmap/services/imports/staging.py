"""Staging: the file, batch by batch, into ``import_row``, with everything found on the way.

One transaction: a process killed in the middle leaves nothing behind, and its advisory lock tells
:func:`gridmap.services.imports.recover` that it is gone. Progress is written by transactions of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlalchemy.orm import Session

from geodata.checks import Fingerprints, row_checks, set_checks
from geodata.checks.geometry import AREAS
from geodata.columns import apply_mapping
from geodata.coverage import repair
from geodata.crs import CrsGuess
from geodata.datum import DatumReport
from geodata.errors import CodedError
from geodata.fields import Kind
from geodata.problems import Problem, Severity
from geodata.readers import Batch, Source
from gridmap.db.engine import service, transaction
from gridmap.db.loading import keys_vouched
from gridmap.db.models import ImportBatch
from gridmap.errors import Conflict, NotFound
from gridmap.jobs.app import defer
from gridmap.services import audit
from gridmap.services.actor import Actor, Role
from gridmap.services.imports import batches, coordinates, enrich, files, joining, known
from gridmap.services.imports import mapping as columns
from gridmap.services.imports.copying import copy_problems, copy_rows
from gridmap.services.imports.marks import Marks, release_unused
from gridmap.services.imports.normalise import normalise
from gridmap.services.imports.views import BatchView
from gridmap.services.versions import versions
from gridmap.sql import query

Progress = Callable[[float, str], None]

ROWS = 32_768
LOCK = 0x696D70  # "imp": the advisory lock of whoever works on a batch
#: Findings that only inform or warn are kept up to this many of a code; all are counted.
_KEPT = 1_000
_REPORT_EVERY_S = 0.5
_READING, _COMPARING = 0.85, 0.9


@service
def stage(session: Session, actor: Actor, batch_id: int) -> BatchView:
    """Ask for the batch to be staged by a worker; rows outside the actor's regions will be refused."""
    batch = _prepared(session, actor, batch_id)
    defer(session, "stage_import", lock=f"import-{batch_id}", batch_id=batch_id)
    return batches.view(session, batch, actor)


@service
def prepare(session: Session, actor: Actor, batch_id: int) -> BatchView:
    """As :func:`stage`, for a caller that will call :func:`run_stage` itself."""
    return batches.view(session, _prepared(session, actor, batch_id), actor)


def run_stage(batch_id: int, progress: Progress | None = None) -> None:
    """Stage the batch now. A fault is stored with the batch (state "failed") and raised."""
    say = _Teller(batch_id, progress)
    error: CodedError = CodedError("IMPORT_INTERRUPTED")
    done = False
    try:
        with transaction() as session:
            session.execute(sa.text("SELECT pg_advisory_xact_lock(:lock, :batch)"), {"lock": LOCK, "batch": batch_id})
            _Stager(session, batch_id, say).run()
        done = True
    except CodedError as caught:
        error = caught
        raise
    finally:
        if not done:
            _store_failure(batch_id, error)


def _prepared(session: Session, actor: Actor, batch_id: int) -> ImportBatch:
    batch = batches.locked(session, actor, batch_id, states=batches.OPEN)
    batch.options = {**batch.options, "prefixes": list(actor.prefixes(Role.PLANNER))}
    batch.state, batch.progress, batch.error = "reading", 0.0, None
    audit.record(session, actor, "import.stage", "import_batch", batch_id)
    session.flush()
    return batch


def _store_failure(batch_id: int, error: CodedError) -> None:
    params = {key: value if isinstance(value, int | float) else str(value) for key, value in error.params.items()}
    stored = {"code": error.code, "params": params, "row": error.row}
    with transaction() as session:
        values = {"state": "failed", "error": stored, "progress": 0.0}
        session.execute(_being_read(batch_id).values(values))


def _being_read(batch_id: int) -> sa.Update:
    """A change of the batch as long as nobody cancelled it."""
    return sa.update(ImportBatch).where(ImportBatch.id == batch_id, ImportBatch.state == "reading")


class _Teller:
    """Progress to the caller, and to everyone by a transaction of its own."""

    def __init__(self, batch_id: int, progress: Progress | None) -> None:
        self._batch_id, self._progress, self._last = batch_id, progress, monotonic()

    def __call__(self, share: float, doing: str) -> None:
        if self._progress is not None:
            self._progress(share, doing)
        if monotonic() - self._last < _REPORT_EVERY_S:
            return
        self._last = monotonic()
        with transaction() as session:
            told = session.execute(_being_read(self._batch_id).values(progress=share))
        if not told.rowcount:  # type: ignore[attr-defined]
            raise Conflict("IMPORT_CANCELLED")


class _Stager:
    """One run over a file."""

    def __init__(self, session: Session, batch_id: int, say: _Teller) -> None:
        found = session.get(ImportBatch, batch_id)
        if found is None:
            raise NotFound("NOT_FOUND")
        if found.state != "reading":
            raise Conflict("IMPORT_CANCELLED")
        self.session, self.batch, self.say = session, found, say
        self.kind = Kind(found.kind)
        self.known = known.load(session, found)
        self.counted: Counter[str] = Counter()
        self.rows = self.bad = self.estimated = 0
        self.marks = Marks()
        self.frames: list[Any] = []
        self.writing: Future[None] | None = None
        self.found: list[Problem] = []
        self.buildings: known.Buildings | None = None

    def run(self) -> None:
        """Read, check, write, and leave the batch staged."""
        batches.clear(self.session, self.batch.id)
        self.session.execute(query("imports", "hold_batch"), {"batch": self.batch.id})
        with keys_vouched(self.session), files.opened(self.batch) as source, ThreadPoolExecutor(1) as self.writer:
            self.source = source
            self.mapping, origin = columns.mapping_of(self.session, self.batch, source)
            self.guess, self.datum, report = self._reading(source)
            self._note([*source.notes, *self._datum_notes(report)])
            for part in source.batches(ROWS):
                self._take(part)
                self.say(self._share(), str(self.rows))
            self._written()
            self.say(_READING, "")
            bad_later = self._compare()
        self._finish(origin, report, bad_later)

    def _share(self) -> float:
        total = self.source.row_count
        return _READING * min(1.0, self.rows / total) if total else 0.5 * _READING

    def _reading(self, source: Source) -> tuple[CrsGuess | None, Any, DatumReport | None]:
        """How to read coordinates: what the person chose, else what is clear by itself."""
        mapping = self.mapping
        guesses = coordinates.readings(self.session, source, mapping, self.kind)
        if not guesses and not self.batch.crs and source.geometry_type is None:
            return None, "CGCS2000", None
        guess = coordinates.guess_of(self.batch.crs, guesses) if self.batch.crs else coordinates.the_one(guesses)
        if self.batch.datum:
            return guess, self.batch.datum, None
        sample = coordinates.sample_stored(source, mapping, self.kind, guess)
        report = coordinates.judge_datum(self.session, self.kind, sample)
        return guess, report.best if report.confident else "CGCS2000", report

    def _datum_notes(self, report: DatumReport | None) -> list[Problem]:
        if report is None or report.confident:
            return []
        code = "IMPORT_DATUM_ASSUMED" if report.against is None else "IMPORT_DATUM_UNSURE"
        params = {"zh": report.sentence("zh"), "en": report.sentence("en")}
        return [Problem(code, Severity.WARNING, params=params)]

    def _take(self, part: Batch) -> None:
        """One batch of records: typed, placed, joined, checked, written."""
        frame, problems = apply_mapping(self.kind, part, self.mapping, tz=known.time_zone())
        problems = [*part.problems, *problems]
        if not len(part):
            self.found += problems
            return
        if self.kind is Kind.BUILDINGS:  # "约300户" is an estimate, whoever made it
            frame["estimated"] = frame["households_approximate"].astype("boolean")
        frame = frame.drop(columns=[name for name in frame.columns if name.endswith("_approximate")])
        frame, found = normalise(self.kind, frame, self.source.layer)
        shapes, unplaced = coordinates.stored(part, frame, self.guess, self.datum)
        problems += [*found, *unplaced]
        frame = frame.drop(columns=["lon", "lat"], errors="ignore")
        if self.kind is Kind.BUILDINGS and self.batch.options.get("estimate") is not None:
            frame = enrich.estimated(frame, shapes, self.batch.options["estimate"])
            self.estimated += int(frame["estimated"].sum())
        own, shapes, frame, unjoined = self._joined(part, frame, shapes)
        checked = self._checked(frame, shapes, {p.row for p in (*problems, *unjoined)})
        problems += [*unjoined, *checked]
        shapes = _repaired(part.rows, shapes, checked)
        frame = enrich.with_community(self.kind, frame, shapes, self.known)
        problems += self._foreign(frame, shapes)
        if self.kind is Kind.REGIONS:
            frame = enrich.with_area(frame, shapes)
        if self.kind is Kind.UNITS:
            frame = self._with_community_column(frame, part)
        bad = np.isin(part.rows, [p.row for p in problems if p.row is not None and p.severity is Severity.ERROR])
        source = _impersonal(part, problems)
        self._written()
        # the server takes these rows while the next ones are read
        self.writing = self.writer.submit(
            copy_rows, self.session, self.batch.id, frame, _only(shapes, own), bad, source
        )
        self.found = problems
        self.rows += len(part)
        self.bad += int(bad.sum())

    def _written(self) -> None:
        """Wait for the rows on their way, then write what was found in them."""
        if self.writing is not None:
            self.writing.result()
            self.writing = None
        self._note(self.found)
        self.found = []

    def _joined(self, part: Batch, frame: pd.DataFrame, shapes: Any) -> tuple[Any, Any, pd.DataFrame, list[Problem]]:
        """Rows without a place take that of a known building; ``own`` tells whose geometry is to be stored."""
        own = np.ones(len(frame), dtype=bool)
        if part.geometry is not None or self.kind not in (Kind.BUILDINGS, Kind.CASES):
            return own, shapes, frame, []
        if self.buildings is None:
            self._written()
            self.buildings = known.buildings(self.session, self.known)
        joined = joining.join(self.kind, frame, shapes, self.buildings)
        hit = joined.building >= 0
        if hit.any():
            shapes = shapes.copy()
            shapes[hit] = self.buildings.point[joined.building[hit]]
        if self.kind is Kind.BUILDINGS:
            own = ~hit
            ids = np.where(hit, self.buildings.id[joined.building] if len(self.buildings.id) else 0, 0)
            frame = frame.assign(building_id=pd.array(ids, dtype="Int64"))
            frame.loc[~hit, "building_id"] = pd.NA
        return own, shapes, frame, joined.problems

    def _checked(self, frame: pd.DataFrame, shapes: Any, told: set[int | None]) -> list[Problem]:
        """The row checks; kept for the comparison of rows afterwards. What is told already is not told twice."""
        import geopandas as gpd

        whole = gpd.GeoDataFrame(frame, geometry=shapes, crs="EPSG:4490")
        self.marks.add(Fingerprints.of(self.kind, whole))
        if self.kind in AREAS:
            self.frames.append(whole)
        found = row_checks(self.kind, whole, self.known.context)
        return [p for p in found if not (p.code == "CHECK_GEOMETRY_MISSING" and p.row in told)]

    def _foreign(self, frame: pd.DataFrame, shapes: Any) -> list[Problem]:
        """Rows that the checks let pass though the batch may not speak of them."""
        outside = np.zeros(len(frame), dtype=bool)
        if "region_id" in frame and len(self.known.foreign_ids):
            outside = frame["region_id"].isin(self.known.foreign_ids).fillna(False).to_numpy(bool)
        if not self.known.bounded:
            pass
        elif self.kind is Kind.REGIONS:
            outside = ~frame["code"].str.startswith(self.known.prefixes, na=False).to_numpy(bool)
        elif self.kind is Kind.BARRIERS and self.known.context.ground is not None:
            import shapely

            outside = ~shapely.is_missing(shapes) & ~shapely.intersects(self.known.context.ground, shapes)
        return [Problem("IMPORT_FOREIGN", Severity.ERROR, int(row)) for row in frame.index[outside]]

    def _with_community_column(self, frame: pd.DataFrame, part: Batch) -> pd.DataFrame:
        derive = self.batch.options.get("derive") or ""
        name = derive.removeprefix("column:")
        if not derive.startswith("column:") or name not in part.attributes.columns:
            return frame
        return frame.assign(community=part.attributes[name].astype("str").set_axis(frame.index))

    def _compare(self) -> int:
        """Rows against one another; how many more of them are bad now."""
        import geopandas as gpd

        frame = None
        if self.frames:
            frame = gpd.GeoDataFrame(pd.concat(self.frames), crs="EPSG:4490")
        release_unused()
        found = set_checks(self.kind, frame, self.known.context, self.marks.whole())
        self._note(found)
        rows = sorted({p.row for p in found if p.row is not None and p.severity is Severity.ERROR})
        if not rows:
            return 0
        marked = self.session.execute(query("imports", "mark_bad"), {"batch": self.batch.id, "rows": rows})
        return int(marked.rowcount)  # type: ignore[attr-defined]

    def _note(self, problems: list[Problem]) -> None:
        """Keep findings: all errors, and the first of everything else."""
        kept = []
        for problem in problems:
            self.counted[problem.code] += 1
            if problem.severity is Severity.ERROR or self.counted[problem.code] <= _KEPT:
                kept.append(problem)
        copy_problems(self.session, self.batch.id, kept)

    def _finish(self, origin: str, datum: DatumReport | None, bad_later: int) -> None:
        self.say(_COMPARING, "")
        self.session.execute(sa.text("ANALYZE import_row"))
        batch, source = self.batch, self.source
        self.session.refresh(batch, with_for_update=True)
        if batch.state != "reading":
            raise Conflict("IMPORT_CANCELLED")
        batch.state, batch.progress, batch.error = "staged", 1.0, None
        batch.rows_total, batch.rows_bad = self.rows, self.bad + bad_later
        batch.format, batch.layer, batch.header_hash = source.format.value, source.layer, source.header_hash
        batch.report = {
            "encoding": {"name": source.encoding.name, "how": source.encoding.how},
            "crs": _crs_report(self.guess, source),
            "datum": {"used": self.datum, **_datum_report(datum)},
            "mapping": {"from": origin, "columns": self.mapping},
            "personal": list(source.personal),
            "found": dict(self.counted),
            "estimated": self.estimated,
            "versions": versions(self.session),
        }


def _only(shapes: Any, mask: Any) -> Any:
    kept = shapes.copy()
    kept[~mask] = None
    return kept


def _impersonal(part: Batch, problems: list[Problem]) -> pd.DataFrame:
    """The records as they stood, without those that held personal values: what stands beside them may be a name."""
    private = {p.row for p in problems if p.code == "PERSONAL_VALUE"}
    if not private:
        return part.attributes
    return part.attributes.mask(pd.Series([int(row) in private for row in part.rows], index=part.attributes.index))


def _repaired(rows: Any, shapes: Any, checked: list[Problem]) -> Any:
    """Shapes whose repair changes next to nothing, repaired; the others stay as they are, their rows being refused."""
    slight = (p for p in checked if p.code == "CHECK_GEOMETRY_INVALID" and p.severity is Severity.WARNING)
    minor = [p.row for p in slight if p.row is not None]
    if not minor:
        return shapes
    which = np.isin(rows, minor)
    fixed = shapes.copy()
    fixed[which] = repair(shapes[which]).geometry
    return fixed


def _crs_report(guess: CrsGuess | None, source: Source) -> Mapping[str, Any] | None:
    if guess is None:
        return None
    return {
        "key": coordinates.key_of(guess),
        "declared": coordinates.name_of(source.crs_wkt),
        "zh": guess.sentence("zh"),
        "en": guess.sentence("en"),
    }


def _datum_report(report: DatumReport | None) -> Mapping[str, Any]:
    if report is None:
        return {}
    view = coordinates.datum_view(report, "zh")
    return {
        "confident": view.confident,
        "against": view.against,
        "zh": view.sentence,
        "en": report.sentence("en"),
        "hypotheses": list(view.hypotheses),
    }
