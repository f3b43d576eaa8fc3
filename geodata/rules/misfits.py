"""Places where a grid map drawn elsewhere did not fit the units, told under the rule they break."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from geodata.problems import Severity
from geodata.rules.context import Context
from geodata.rules.result import Result
from geodata.rules.view import Misfit

#: kind of misfit -> rule, severity, code
KINDS: Mapping[str, tuple[str, Severity, str]] = {
    "gap": ("R03", Severity.ERROR, "R03_MISFIT_GAP"),
    "overlap": ("R04", Severity.ERROR, "R04_MISFIT_OVERLAP"),
    "outside": ("R05", Severity.ERROR, "R05_MISFIT_OUTSIDE"),
    "pieces": ("R06", Severity.ERROR, "R06_MISFIT_PIECES"),
    "building_cut": ("R07", Severity.ERROR, "R07_MISFIT_CUT"),
    "compound_split": ("R08", Severity.WARNING, "R08_MISFIT_SPLIT"),
    "unit_cut": ("R09", Severity.WARNING, "R09_MISFIT_UNIT_CUT"),
}


def misfit_results(ctx: Context, rule: str) -> Iterator[Result]:
    """Results of ``rule`` from the stored misfits of the view; areas up to the profile's sliver are left out."""
    for misfit in ctx.view.misfits or ():
        if misfit.kind not in KINDS:
            raise ValueError(f"misfit kind {misfit.kind!r} is none of {', '.join(KINDS)}")
        owner, severity, code = KINDS[misfit.kind]
        by_area = misfit.kind in ("gap", "overlap", "outside")
        if owner == rule and not (by_area and misfit.area_m2 <= ctx.profile.data.sliver_m2):
            yield _result(ctx, misfit, rule, severity, code, by_area)


def _result(ctx: Context, misfit: Misfit, rule: str, severity: Severity, code: str, by_area: bool) -> Result:
    grids = [grid for grid in misfit.grids if grid >= 0]
    owner = grids[0] if grids else None
    return ctx.found(
        rule,
        severity,
        code,
        grid=owner,
        community=misfit.community,
        value=misfit.area_m2 if by_area else None,
        limit=0 if by_area else None,
        geometry=misfit.geometry,
        area_m2=misfit.area_m2,
        households=misfit.households,
        other=[ctx.other_label(other, owner) for other in grids[1:]] or ["—"],
        name=misfit.name or "—",
    )
