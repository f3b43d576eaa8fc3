"""What a draft changes, in sentences as somebody would say them in a meeting."""

from __future__ import annotations

from geodata import messages
from gridmap.services.load.figures import Load, Side


def sentences(found: Load, locale: str) -> tuple[str, ...]:
    """The sentences, what matters most first."""

    def say(name: str, **values: object) -> str:
        return messages.sentence(name, locale, **values)

    was, now = found.before, found.after
    if was is None:
        if now.busiest is None:
            return ()
        told = {"most": _whole(now.most), "busiest": _called(now.busiest), "median": _whole(now.median)}
        return (say("LOAD_ALONE", **told, limit=found.limit, above=now.above, gini=f"{now.gini:.2f}"),)
    if was.busiest is None or now.busiest is None:
        return ()
    said = [
        say(
            f"LOAD_BUSIEST_{_way(was.most, now.most)}",
            before=_whole(was.most),
            after=_whole(now.most),
            was=_called(was.busiest),
            now=_called(now.busiest),
        ),
        say(f"LOAD_ABOVE_{_way(was.above, now.above)}", limit=found.limit, before=was.above, after=now.above),
        say(
            f"LOAD_GINI_{_way(round(was.gini, 2), round(now.gini, 2))}",
            before=f"{was.gini:.2f}",
            after=f"{now.gini:.2f}",
            median_before=_whole(was.median),
            median_after=_whole(now.median),
        ),
    ]
    for code, name in (("LOAD_RATE", "rate"), ("LOAD_WORKER", "per_worker")):
        ends = (was.densest, now.densest) if name == "rate" else (was.strained, now.strained)
        if ends[0] is not None and ends[1] is not None:
            before, after = (f"{getattr(one, name):,.1f}" for one in ends)
            said.append(say(code, before=before, after=after, was=_called(ends[0]), now=_called(ends[1])))
    for code, row in zip(("LOAD_RELIEVED", "LOAD_BURDENED"), found.rows.ends() or (), strict=False):
        if row.before and row.after and (row.by < 0 if code == "LOAD_RELIEVED" else row.by > 0):
            counts = {"before": _whole(row.before.cases), "after": _whole(row.after.cases)}
            said.append(say(code, grid=_called(row.after), **counts))
    if was.cases != now.cases:
        said.append(say("LOAD_NOWHERE", before=_whole(was.cases), after=_whole(now.cases)))
    return tuple(said)


def _way(before: float, after: float) -> str:
    return "LESS" if after < before else "MORE" if after > before else "SAME"


def _called(side: Side) -> str:
    return side.name or side.code


def _whole(number: float) -> str:
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:,.1f}"
