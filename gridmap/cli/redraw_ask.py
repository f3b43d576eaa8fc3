"""What the options of ``gridmap redraw-file`` ask for, read before any file is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geodata.errors import GeodataError

if TYPE_CHECKING:
    from geodata.redraw.task import Ask


def asked(given: dict[str, Any]) -> Ask:
    """What is asked for; raises ``REDRAW_*`` for what cannot be read, before any file is."""
    from geodata import standards
    from geodata.redraw.model import NO_LIMIT, PARTS, Band
    from geodata.redraw.task import Ask, bands_of

    people = {name: given[name] for name in ("population_min", "population_max") if given[name] is not None}
    if people and not given["population"]:
        raise GeodataError("REDRAW_POPULATION_COLUMN")

    def band(low: int, high: int) -> Band:
        low_p, high_p = people.get("population_min", 0), people.get("population_max", NO_LIMIT)
        if not 0 <= low <= high or high < 1:
            raise GeodataError("REDRAW_BAND", low=low, high=high)
        if not 0 <= low_p <= high_p:
            raise GeodataError("REDRAW_BAND", low=low_p, high=high_p)
        return Band(low, high, low_p, high_p)

    if (given["low"] is None) != (given["high"] is None):
        raise GeodataError("REDRAW_BAND_HALF")
    general = None if given["low"] is None else band(given["low"], given["high"])
    bands = {}
    if given["standard"]:
        for name, made in bands_of(standards.load(given["standard"])).items():
            limit = people.get("population_max", made.population_max if given["population"] else NO_LIMIT)
            bands[name] = Band(made.households_min, made.households_max, people.get("population_min", 0), limit)
    for text in given["bands"]:
        name, _, limits = text.rpartition("=")
        low, _, high = limits.partition("-")
        if not name or not low.strip().isdecimal() or not high.strip().isdecimal():
            raise GeodataError("REDRAW_BAND_WRITTEN", text=text)
        bands[name.strip()] = band(int(low), int(high))
    if general is None and not bands:
        raise GeodataError("REDRAW_BAND_MISSING")
    weights = dict(_weight(text) for text in given["weights"])
    unknown = sorted(set(weights) - set(PARTS))
    if unknown:
        raise GeodataError("REDRAW_WEIGHT_UNKNOWN", name=unknown[0], names=", ".join(PARTS))
    return Ask(
        general,
        bands,
        households=given["households"],
        population=given["population"],
        group=given["group"],
        class_=given["class_"],
        compound=given["compound"],
        workload=given["workload"],
        locks=given["locks"],
        weights=weights,
        tolerance_m=given["tolerance_m"],
    )


def _weight(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError:
        raise GeodataError("REDRAW_WEIGHT_WRITTEN", text=text) from None
