"""What may become of grids: codes by the standard, names, kinds, the grid above; each fault by its name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from geodata.standards import Profile
from gridmap.errors import Invalid
from gridmap.services.operations.board import Attrs, Board
from gridmap.sql import query

NAME_MAX = 80
WORKERS_MAX = 999
KINDS = ("basic", "special", "micro")
_DIGITS = re.compile(r"[0-9]+")
_MICRO = re.compile(r"[0-9A-Za-z-]{1,40}")
_FIELDS = ("code", "name", "kind", "workers", "locked", "region_id", "parent_id")


@dataclass(frozen=True, slots=True)
class Rules:
    """The standard of the plan, and the region (prefix of codes) it lies in."""

    session: Session
    plan_id: int
    profile: Profile
    prefix: str

    def changed(self, board: Board, key: str, grid: int, before: Attrs | None, fields: Mapping[str, Any]) -> Attrs:
        """The attributes of a grid with ``fields``, all of them checked. Raises ``Invalid`` OPERATION_*."""
        known = Attrs(code="") if before is None else before
        values = known.plain() | {name: fields[name] for name in _FIELDS if name in fields}
        values["name"] = self._name(key, values["name"])
        values["code"] = str(values["code"] or "").strip()
        if values["kind"] != "micro":
            values["parent_id"] = None
        after = Attrs(**values)
        if after.kind not in KINDS:
            raise Invalid("OPERATION_KIND", key=key, kind=after.kind)
        if after.workers is not None and not 0 <= after.workers <= WORKERS_MAX:
            raise Invalid("OPERATION_WORKERS", key=key, most=WORKERS_MAX)
        if after.parent_id != known.parent_id or (after.kind == "micro" and known.kind != "micro"):
            self._require_parent(board, key, grid, after)
        if after.region_id is not None and after.region_id != known.region_id:
            self._require_region(key, after.region_id)
        if before is None or (after.code, after.kind, after.parent_id) != (before.code, before.kind, before.parent_id):
            self._require_form(board, key, after)
        if before is None or after.code != before.code:
            self._require_free(board, key, grid, after.code)
        return after

    def _name(self, key: str, name: str | None) -> str | None:
        name = (name or "").strip() or None
        if name is not None and (len(name) > NAME_MAX or any(unicodedata.category(c) == "Cc" for c in name)):
            raise Invalid("OPERATION_NAME", key=key, most=NAME_MAX)
        return name

    def _require_parent(self, board: Board, key: str, grid: int, after: Attrs) -> None:
        if after.kind == "micro" and board.children(grid):
            raise Invalid("OPERATION_PARENT", key=key, grid=after.code)
        if after.parent_id is None:
            return
        board.load(grids=[after.parent_id])
        above = board.grids[after.parent_id]
        if above is None or above.kind == "micro" or after.parent_id == grid:
            raise Invalid("OPERATION_PARENT", key=key, grid=after.code)

    def _require_region(self, key: str, region_id: int) -> None:
        known = {"region": region_id, "prefix": self.prefix}
        if not self.session.scalar(query("operations", "community"), known):
            raise Invalid("OPERATION_REGION", key=key)

    def _require_form(self, board: Board, key: str, after: Attrs) -> None:
        form = self.profile.code
        fault: dict[str, Any] = {"key": key, "code_": after.code[:40], "length": form.length}
        if after.kind == "micro":
            above = board.code(after.parent_id) or ""
            if not (_MICRO.fullmatch(after.code) and after.code.startswith(above) and len(after.code) > len(above)):
                raise Invalid("OPERATION_CODE_MICRO", key=key, code_=after.code[:40], parent=above)
            return
        number = after.code[form.prefix_length :]
        if len(after.code) != form.length or not _DIGITS.fullmatch(after.code) or not after.code.isascii():
            raise Invalid("OPERATION_CODE_FORM", low=form.number_min, high=form.number_max, **fault)
        if not form.number_min <= int(number) <= form.number_max:
            raise Invalid("OPERATION_CODE_FORM", low=form.number_min, high=form.number_max, **fault)

    def _require_free(self, board: Board, key: str, grid: int, code: str) -> None:
        if board.bearer(code, grid) is not None:
            raise Invalid("OPERATION_CODE_TAKEN", key=key, code_=code)
        if self.session.scalar(query("operations", "retired"), {"plan": self.plan_id, "code": code}):
            raise Invalid("OPERATION_CODE_RETIRED", key=key, code_=code)

    def require_reserved(self, board: Board, key: str, grid: int) -> None:
        """A new grid bears an id that the server gave out and nobody has used."""
        board.load(grids=[grid])
        known = board.grids[grid] is not None or board.before_grids[grid] is not None
        if known or not self.session.scalar(query("operations", "reserved"), {"grid": grid}):
            raise Invalid("OPERATION_GRID_ID", key=key, grid=grid)
