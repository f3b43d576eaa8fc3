"""Operations on a plan: sent, undone, listed, and who else is at work on it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from gridmap.services import operations
from gridmap.web.api import Model, endpoint
from gridmap.web.session import current_actor

Id = Annotated[int, Field(ge=1, le=2**62)]
Version = Annotated[int, Field(ge=0, le=2**62)]
Place = tuple[Annotated[float, Field(ge=-180, le=180)], Annotated[float, Field(ge=-90, le=90)]]


class MoveIn(Model):
    """Units that go to the grid ``to``; null: to no grid."""

    to: Id | None
    units: list[Id] = Field(max_length=50_000)


class AttrsIn(Model):
    """A new grid. ``region_id`` null: the community of its first units."""

    code: str = Field(max_length=60)
    name: str | None = Field(default=None, max_length=200)
    kind: str = Field(default="basic", max_length=20)
    workers: int | None = Field(default=None, ge=0, le=10_000)
    locked: bool = False
    region_id: Id | None = None
    parent_id: Id | None = None


class GridIn(Model):
    """What becomes of a grid: new with ``after``, ``gone``, or only the fields that are given changed."""

    id: Id
    after: AttrsIn | None = None
    gone: bool = False
    code: str | None = Field(default=None, max_length=60)
    name: str | None = Field(default=None, max_length=200)
    kind: str | None = Field(default=None, max_length=20)
    workers: int | None = Field(default=None, ge=0, le=10_000)
    locked: bool | None = None
    parent_id: Id | None = None

    def change(self) -> operations.Change:
        if self.gone:
            return operations.Change(self.id, gone=True)
        if self.after is not None:
            return operations.Change(self.id, self.after.model_dump(), new=True)
        fields = self.model_dump(exclude_unset=True, exclude={"id", "after", "gone"})
        required = ("code", "kind", "locked")
        return operations.Change(self.id, {k: v for k, v in fields.items() if v is not None or k not in required})


class OperationIn(Model):
    """One operation: moves and grids, or ``undoes`` (a version) or ``undoes_key`` (a key) to take back."""

    key: UUID
    tool: str = Field(max_length=20)
    moves: list[MoveIn] = Field(default_factory=list, max_length=5_000)
    grids: list[GridIn] = Field(default_factory=list, max_length=5_000)
    undoes: Version | None = None
    undoes_key: UUID | None = None
    why: str | None = Field(default=None, max_length=2_000)

    def sent(self) -> operations.Sent:
        return operations.Sent(
            self.key,
            self.tool,
            tuple(operations.Move(move.to, move.units) for move in self.moves),
            tuple(grid.change() for grid in self.grids),
            self.why,
            self.undoes,
            self.undoes_key,
        )


class OperationsIn(Model):
    """Operations of the tab ``client``, made on version ``base``, in their order; all are taken or none."""

    base: Version
    client: UUID
    operations: list[OperationIn] = Field(min_length=1, max_length=1_000)


class CutIn(Model):
    """Cut ``unit`` along ``line``: longitude, latitude of at least two places, from outside it to outside."""

    key: UUID
    base: Version
    client: UUID
    unit: Id
    line: list[Place] = Field(min_length=2, max_length=1_000)


class OperationUserOut(Model):
    """Who made it."""

    id: int
    name: str


class OperationOut(Model):
    """An operation of the log; ``sentence`` in your language, ``may_undo``: nothing later builds on it."""

    version: int
    key: str | None
    at: str
    user: OperationUserOut | None
    kind: str
    tool: str | None
    undoes: int | None
    undone_by: int | None
    sentence: str
    moves: list[dict[str, Any]]
    grids: list[dict[str, Any]]
    cut: dict[str, Any] | None
    why: str | None
    may_undo: bool


class GridNowOut(Model):
    """A grid as the server counts it."""

    id: int
    code: str
    name: str | None
    households: int
    population: int
    buildings: int
    units: int
    area_m2: float
    status: str


class TotalsOut(Model):
    """Sums of the plan."""

    grids: int
    households: int
    population: int
    unassigned_households: int
    unassigned_units: int
    within: int
    under: int
    over: int
    empty: int


class SavedOut(Model):
    """What was saved, what others did since ``base``, every grid touched, and the plan's sums."""

    version: int
    saved: list[OperationOut]
    since: list[OperationOut]
    grids: list[GridNowOut]
    totals: TotalsOut


class PieceOut(Model):
    """A piece of a cut unit."""

    id: int
    households: int
    population: int
    buildings: int
    estimated_households: int
    area_m2: float
    geometry: dict[str, Any]


class CutOut(Model):
    """The unit that was cut, and its two pieces."""

    unit: int
    pieces: list[PieceOut]


class CutSavedOut(SavedOut):
    """As for operations, and the pieces."""

    cut: CutOut


class LogQuery(Model):
    """Operations below the version ``before``."""

    before: Version | None = None
    limit: int = Field(default=50, ge=1, le=500)


class LogOut(Model):
    """Operations, newest first; ``total`` of the whole log."""

    items: list[OperationOut]
    total: int


class ChainOut(Model):
    """Whether the chain of hashes is whole; ``broken_at`` is the first version that is not as it was written."""

    intact: bool
    operations: int
    broken_at: int | None


class PulseIn(Model):
    """A tab that is there, the version it knows, and the grid it works on."""

    client: UUID
    since: Version
    grid: Id | None = None


class PresentOut(Model):
    """A tab that was heard of in the last 30 seconds."""

    client: str
    name: str
    grid: int | None
    mine: bool


class PulseOut(Model):
    """What is new: operations of other tabs, who is there, and a number that changes with the comments."""

    version: int
    since: list[OperationOut]
    present: list[PresentOut]
    comments: int


@endpoint(
    "/plans/<int:plan_id>/operations",
    tag="operations",
    method="POST",
    json=OperationsIn,
    response=SavedOut,
    errors=[409, 413],
)
def send_operations(plan_id: int, json: OperationsIn) -> SavedOut:
    """Change a draft: move units, make, change and remove grids, take operations back."""
    sent = [one.sent() for one in json.operations]
    answer = operations.apply(current_actor(), plan_id, json.base, json.client, sent)
    return SavedOut.model_validate(answer, from_attributes=True)


@endpoint("/plans/<int:plan_id>/cut", tag="operations", method="POST", json=CutIn, response=CutSavedOut, errors=[409])
def cut_unit(plan_id: int, json: CutIn) -> CutSavedOut:
    """Cut a unit of a draft in two by hand; the pieces stay in its grid."""
    answer = operations.cut(current_actor(), plan_id, json.base, json.client, json.key, json.unit, json.line)
    return CutSavedOut.model_validate(answer, from_attributes=True)


@endpoint("/plans/<int:plan_id>/operations", tag="operations", query=LogQuery, response=LogOut)
def list_operations(plan_id: int, query: LogQuery) -> LogOut:
    """The log of a plan in words."""
    page = operations.history(current_actor(), plan_id, before=query.before, limit=query.limit)
    return LogOut.model_validate(page, from_attributes=True)


@endpoint("/plans/<int:plan_id>/operations/verify", tag="operations", response=ChainOut)
def verify_operations(plan_id: int) -> ChainOut:
    """Compute the chain of hashes anew."""
    return ChainOut.model_validate(operations.verify(current_actor(), plan_id), from_attributes=True)


@endpoint("/plans/<int:plan_id>/pulse", tag="operations", method="POST", json=PulseIn, response=PulseOut)
def pulse(plan_id: int, json: PulseIn) -> PulseOut:
    """Say that you are there; what others did, and who they are."""
    found = operations.pulse(current_actor(), plan_id, json.client, json.since, json.grid)
    return PulseOut.model_validate(found, from_attributes=True)
