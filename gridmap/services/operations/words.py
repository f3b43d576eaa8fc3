"""Operations in words: "moved 明珠苑 (212 households) from 003 to 004", in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from geodata import messages

#: More codes, and more parts of a sentence, are counted instead of listed.
_CODES_MAX, _PARTS_MAX = 5, 3
_PREFIXED = ("heal", "fill", "redraw", "front")
_FIELDS = ("code", "name", "kind", "workers", "locked", "parent_id")
_KINDS = frozenset(
    ("create", "rename", "archive", "put_in_force", "submit", "withdraw", "return", "approve", "publish", "replace",
     "restore", "unarchive")
)  # fmt: skip


def sentence(kind: str, detail: Mapping[str, Any], locale: str, prefix_length: int) -> str:
    """What an operation of the log did. Codes are shortened to their number where all are of one community."""
    if kind not in ("edit", "cut", "undo"):
        name = f"LOG_{kind.upper()}" if kind in _KINDS else "LOG_OTHER"
        told = {"before": detail.get("before", ""), "after": detail.get("after", ""), "kind": kind}
        return messages.sentence(name, locale, **told)
    words = _Words(detail, locale, prefix_length)
    if kind != "undo":
        return words.all(detail, detail.get("tool"))
    if detail.get("tool") == "redo":
        return words.say("LOG_REDO", what=words.all(detail, detail.get("of")))
    return words.say("LOG_UNDO", what=words.all(_turned(detail), detail.get("of")))


def _turned(detail: Mapping[str, Any]) -> dict[str, Any]:
    """An undo as what it took back."""
    cut = detail.get("cut")
    return {
        **detail,
        "moves": [{**move, "from": move["to"], "to": move["from"]} for move in detail["moves"]],
        "grids": [{**one, "before": one["after"], "after": one["before"]} for one in detail["grids"]],
        "cut": None if cut is None else {**cut, "joined": not cut["joined"]},
    }


class _Words:
    def __init__(self, detail: Mapping[str, Any], locale: str, prefix_length: int) -> None:
        self.locale = locale
        self.codes: dict[str, str] = {k: v or "" for k, v in detail.get("codes", {}).items()}
        every = list(self.codes.values())
        for one in detail.get("grids", ()):
            every += [attrs["code"] for attrs in (one["before"], one["after"]) if attrs is not None]
        same = len({code[:prefix_length] for code in every}) == 1 and all(len(code) > prefix_length for code in every)
        self.cut_at = prefix_length if same else 0

    def say(self, name: str, **values: Any) -> str:
        return messages.sentence(name, self.locale, **values)

    def join(self, parts: Iterable[str]) -> str:
        return ("；" if self.locale.startswith("zh") else "; ").join(parts)

    def short(self, code: str) -> str:
        return code[self.cut_at :]

    def grid(self, grid: int | None) -> str:
        return self.say("LOG_NOWHERE") if grid is None else self.short(self.codes.get(str(grid), "?"))

    def grids(self, ids: Sequence[int | None]) -> str:
        named = sorted({self.grid(grid) for grid in ids})
        listed = ("、" if self.locale.startswith("zh") else ", ").join(named[:_CODES_MAX])
        return listed if len(named) <= _CODES_MAX else self.say("LOG_AND_MORE", listed=listed, count=len(named))

    def what(self, moves: Sequence[Mapping[str, Any]]) -> str:
        """The units that moved: by their one or two compounds, else counted."""
        households = f"{sum(move['households'] for move in moves):,}"
        units = sum(len(move["units"]) for move in moves)
        each = [move["compounds"] for move in moves]
        named = sorted({name for names in each for name in names})
        if all(each) and 0 < len(named) <= 2:
            return self.say("LOG_COMPOUNDS", names=("、" if self.locale.startswith("zh") else ", ").join(named),
                            households=households)  # fmt: skip
        return self.say("LOG_UNIT" if units == 1 else "LOG_UNITS", count=f"{units:,}", households=households)

    def all(self, detail: Mapping[str, Any], tool: str | None) -> str:
        """The whole operation."""
        moves, grids = detail["moves"], detail["grids"]
        parts = self._cut(detail["cut"]) if detail.get("cut") else []
        made = [one["id"] for one in grids if one["before"] is None]
        gone = [one["id"] for one in grids if one["after"] is None]
        if tool == "split" and made and moves:
            starts = self.grids([move["from"] for move in moves])
            parts.append(self.say("LOG_SPLIT", start=starts, made=self.grids(made), what=self.what(moves)))
        elif tool == "merge" and gone and moves:
            to = self.grids([move["to"] for move in moves])
            parts.append(self.say("LOG_MERGE", gone=self.grids(gone), to=to, what=self.what(moves)))
        else:
            parts += [self.say("LOG_NEW", grids=self.grids(made))] if made else []
            parts += self._moves(moves)
            parts += [self.say("LOG_DELETE", grids=self.grids(gone))] if gone else []
        for one in grids:
            if one["before"] is not None and one["after"] is not None:
                parts += self._fields(one["before"], one["after"])
        if len(parts) > _PARTS_MAX:
            parts = [*parts[:_PARTS_MAX], self.say("LOG_PARTS", count=len(parts) - _PARTS_MAX)]
        text = self.join(parts)
        return self.say(f"LOG_{tool.upper()}", what=text) if tool in _PREFIXED else text

    def _moves(self, moves: Sequence[Mapping[str, Any]]) -> list[str]:
        if not moves:
            return []
        starts, ends = ({move[side] for move in moves} for side in ("from", "to"))
        what = self.what(moves)
        if len(ends) > 1 and len(starts) > 1:
            return [self.say("LOG_MOVES", what=what, grids=self.grids([g for g in starts | ends if g is not None]))]
        start, to = self.grids(list(starts)), self.grids(list(ends))
        name = "LOG_PLACE" if starts == {None} else "LOG_FREE" if ends == {None} else "LOG_MOVE"
        return [self.say(name, what=what, start=start, to=to)]

    def _fields(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
        code, parts = self.short(before["code"]), []
        for field in _FIELDS:
            was, now = before.get(field), after.get(field)
            if was == now or (field == "parent_id" and before["kind"] != after["kind"]):
                continue
            if field == "locked":
                parts.append(self.say("LOG_LOCK" if now else "LOG_UNLOCK", code_=code))
            elif field == "parent_id":
                parts.append(self.say("LOG_PARENT", code_=code))
            else:
                parts.append(
                    self.say(
                        f"LOG_{field.upper()}", code_=code, was=self._value(field, was), now=self._value(field, now)
                    )
                )
        return parts

    def _value(self, field: str, value: Any) -> str:
        if field == "kind":
            return self.say(f"LOG_KIND_{value.upper()}")
        return self.say("LOG_NOTHING") if value is None else self.short(value) if field == "code" else str(value)

    def _cut(self, cut: Mapping[str, Any]) -> list[str]:
        households = f"{cut['households']:,}"
        what = (
            self.say("LOG_COMPOUNDS", names=cut["compound"], households=households)
            if cut["compound"]
            else self.say("LOG_UNIT", count="1", households=households)
        )
        return [self.say("LOG_JOIN" if cut["joined"] else "LOG_CUT", what=what, grid=self.grid(cut["grid"]))]
