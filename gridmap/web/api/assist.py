"""What the engine offers an editor: repairs, halves, filling, merging, and redraws as previews.

All take the assignment as the server has it at ``version``, and answer 409 PLAN_CHANGED if the plan has moved on.
Nothing is written; new grids are called "new:0", "new:1", ... until the editor makes them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from flask import Response, current_app, request
from pydantic import Field

from gridmap.services import assist, redraw
from gridmap.web.api import Model, api, endpoint
from gridmap.web.i18n import in_language
from gridmap.web.session import current_actor

SECONDS_MAX = 120.0
#: What tells that an editor is at work on a plan, and may ask soon.
AT_WORK = ("api.open_studio", "api.plan_ground", "api.pulse")

Id = Annotated[int, Field(ge=1, le=2**62)]
Version = Annotated[int, Field(ge=0, le=2**62)]
Region = Annotated[str, Field(pattern=r"^[0-9]{12}$")]
Lon = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Lat = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]


class GridAsk(Model):
    """A grid of the plan at ``version``."""

    version: Version
    grid: Id


class HalveAsk(GridAsk):
    """``line``: parts the grid by the side its units lie on, lon/lat; without one, into two that fit."""

    line: list[tuple[Lon, Lat]] | None = Field(default=None, min_length=2, max_length=2_000)


class FillAsk(Model):
    """``region`` null: all of the plan."""

    version: Version
    region: Region | None = None


class PreviewAsk(Model):
    """A region (null: all of the plan) or the ground of ``grids`` to redraw; ``front``: up to five plans."""

    version: Version
    region: Region | None = None
    grids: list[Id] = Field(default_factory=list, max_length=5_000)
    seconds: float = Field(default=10.0, gt=0, le=SECONDS_MAX, allow_inf_nan=False)
    seed: int = Field(default=1, ge=0, le=redraw.SEED_MAX)
    preset: Literal["few", "balanced", "shapes"] = "balanced"
    weights: dict[str, float] = Field(default_factory=dict, max_length=20)
    front: bool = False


class StopPreview(Model):
    """Keep the best plan so far to look at, or drop it."""

    how: Literal["keep", "cancel"] = "keep"


class FigureOut(Model):
    """A grid as it would stand; ``off``: households below its bound (negative) or above it."""

    grid: int | str
    code: str
    name: str
    units: int
    households: int
    population: int
    status: str
    off: int
    pieces: int
    compactness: float
    on_barriers: float | None


class SuggestionOut(Model):
    """What would move, and the grids it touches before and after; ``sentences`` in your language.

    Moves: ``to`` and ``from`` (a grid; "new:0" is to be made, null is no grid), ``units`` (ids), ``households``.
    """

    moves: list[dict[str, Any]]
    households: int
    before: list[FigureOut]
    after: list[FigureOut]
    sentences: list[str]


class RepairOut(SuggestionOut):
    """``left``: codes of grids beside the healed one that stay as wrong as they are."""

    left: list[str]


class HealOut(Model):
    """Repairs, fewest households first; ``reason`` where there is none; ``why`` the grid is not as it should be."""

    repairs: list[RepairOut]
    reason: str | None
    why: list[str]
    explanation: dict[str, Any] | None


class HalveOut(SuggestionOut):
    """``parts``: units that stay in the grid, and units for a new one; ``exact``: no other two fit better."""

    parts: list[list[int]]
    exact: bool


class LeftOut(Model):
    """Units that found no grid, and why."""

    units: list[int]
    households: int
    code: str
    reason: str
    hint: str


class FillOut(Model):
    """The moves of all communities, with the suggestion of each; what was left."""

    moves: list[dict[str, Any]]
    communities: dict[str, SuggestionOut]
    left: list[LeftOut]


class MergeOut(SuggestionOut):
    """Merging with the grid ``other``; ``fits``: the result is in the band."""

    other: int | str
    code: str
    fits: bool


class MergesOut(Model):
    """Grids to merge with, best first."""

    merges: list[MergeOut]


class PreviewJob(Model):
    """The number under which the preview is followed and stopped."""

    job: int


class PreviewOut(Model):
    """How a preview stands, best plan so far while it runs; ask at least every ten seconds, or it ends."""

    job: int
    state: str
    progress: float
    doing: str
    error_code: str | None
    error: str
    plan_id: int | None
    version: int | None
    region: str | None
    before: dict[str, Any] | None
    standing: dict[str, Any] | None
    left_out: list[str]
    plans: list[dict[str, Any]]

    @classmethod
    def told(cls, view: assist.PreviewView) -> Self:
        """The view in the reader's language."""
        known = ("plan_id", "version", "region", "before", "standing")
        return cls(
            job=view.job,
            state=view.state,
            progress=view.progress,
            doing=in_language(view, "doing"),
            error_code=view.error_code,
            error=view.error,
            left_out=view.result.get("left_out", []),
            plans=view.result["plans"],
            **{name: view.result.get(name) for name in known},
        )


@api.after_request
def get_ready(answer: Response) -> Response:
    """Load the engine in this process once an editor is seen; the tests of the web load it when they ask."""
    if request.endpoint in AT_WORK and answer.status_code == 200 and not current_app.testing:
        assist.get_ready()
    return answer


@endpoint("/plans/<int:plan_id>/heal", tag="assist", method="POST", json=GridAsk, response=HealOut, errors=[409])
def heal_grid(plan_id: int, json: GridAsk) -> HealOut:
    """Up to three ways to bring a grid and those beside it into the standard, fewest households first."""
    found = assist.heal(current_actor(), plan_id, json.version, json.grid)
    repairs = [RepairOut.model_validate(_plain(one.suggestion) | {"left": list(one.left)}) for one in found.repairs]
    return HealOut(repairs=repairs, reason=found.reason, why=list(found.why), explanation=found.explanation)


@endpoint("/plans/<int:plan_id>/halve", tag="assist", method="POST", json=HalveAsk, response=HalveOut, errors=[409])
def halve_grid(plan_id: int, json: HalveAsk) -> HalveOut:
    """A grid in two, each in one piece and in the band if that can be, or as a line parts it."""
    made = assist.halve(current_actor(), plan_id, json.version, json.grid, json.line)
    parts = [list(part) for part in made.parts]
    return HalveOut.model_validate(_plain(made.suggestion) | {"parts": parts, "exact": made.exact})


@endpoint("/plans/<int:plan_id>/fill", tag="assist", method="POST", json=FillAsk, response=FillOut, errors=[409])
def fill_plan(plan_id: int, json: FillAsk) -> FillOut:
    """Every unassigned unit into the best grid beside it; what finds none, and why."""
    made = assist.fill(current_actor(), plan_id, json.version, json.region)
    communities = {code: SuggestionOut.model_validate(_plain(one)) for code, one in made.communities}
    moves = [move for one in communities.values() for move in one.moves]
    return FillOut(moves=moves, communities=communities, left=[LeftOut.model_validate(one) for one in made.left])


@endpoint("/plans/<int:plan_id>/merges", tag="assist", method="POST", json=GridAsk, response=MergesOut, errors=[409])
def merge_grid(plan_id: int, json: GridAsk) -> MergesOut:
    """Which grids beside it a grid goes together with, best first."""
    found = assist.merges(current_actor(), plan_id, json.version, json.grid)
    return MergesOut(
        merges=[
            MergeOut.model_validate(_plain(one.suggestion) | {"other": one.other, "code": one.code, "fits": one.fits})
            for one in found
        ]
    )


@endpoint(
    "/plans/<int:plan_id>/previews",
    tag="assist",
    method="POST",
    json=PreviewAsk,
    response=PreviewJob,
    status=202,
    errors=[409],
)
def preview_plan(plan_id: int, json: PreviewAsk) -> tuple[PreviewJob, int]:
    """Have ground redrawn as a preview; your preview of the same plan before it ends."""
    weights = {**redraw.preset(json.preset), **json.weights}
    wish = redraw.Wish(json.region, json.seconds, json.seed, weights)
    job = assist.ask_preview(current_actor(), plan_id, json.version, wish, tuple(json.grids), json.front)
    return PreviewJob(job=job), 202


@endpoint("/previews/<int:job_id>", tag="assist", response=PreviewOut)
def get_preview(job_id: int) -> PreviewOut:
    """How a preview stands; asking keeps it going."""
    return PreviewOut.told(assist.follow(current_actor(), job_id))


@endpoint(
    "/previews/<int:job_id>/stop", tag="assist", method="POST", json=StopPreview, response=PreviewOut, errors=[409]
)
def stop_preview(job_id: int, json: StopPreview) -> PreviewOut:
    """End a preview before its time."""
    actor = current_actor()
    assist.stop(actor, job_id, json.how)
    return PreviewOut.told(assist.follow(actor, job_id))


def _plain(suggestion: assist.Suggestion) -> dict[str, Any]:
    """A suggestion as its model takes it."""
    return {
        "moves": list(suggestion.moves),
        "households": suggestion.households,
        "before": suggestion.before,
        "after": suggestion.after,
        "sentences": list(suggestion.sentences),
    }
