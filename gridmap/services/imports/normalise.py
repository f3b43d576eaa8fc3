"""Words of files into the words of the model, before anything is checked."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from geodata.fields import Kind
from geodata.problems import Problem, Severity
from geodata.units.classes import CUTTING, SYNONYMS

_DIGITS = 12

#: Words for kinds of barriers; what a row says wins over what the layer is called.
_BARRIERS: Mapping[str, str] = {
    **dict.fromkeys(("road", "roads", "道路", "路网", "道路网", "公路", "街道", "highway"), "road"),
    **dict.fromkeys(
        ("water", "waters", "river", "rivers", "waterway", "水系", "水域", "河流", "河道", "湖泊"), "water"
    ),
    **dict.fromkeys(("rail", "rails", "railway", "railways", "铁路", "轨道"), "rail"),
    **dict.fromkeys(("wall", "walls", "fence", "围墙", "栅栏"), "wall"),
    **dict.fromkeys(("compound", "compounds", "小区", "院落", "住宅小区", "小区范围"), "compound"),
}
#: Classes that are written where the kind should stand.
_KIND_OF_CLASS: Mapping[str, str] = {
    **{key.split("/")[1]: key.split("/")[0] for key in sorted(CUTTING) if not key.endswith("/")},
    **dict.fromkeys(("major_road", "minor_road", "path", "footway", "service", "track", "steps", "cycleway"), "road"),
    **dict.fromkeys(("subway", "tram"), "rail"),
    **dict.fromkeys(("pond", "ditch", "drain", "riverbank"), "water"),
}
#: OpenStreetMap extracts that name groups of classes.
_CLASSES: Mapping[str, str] = {"major_road": "primary", "minor_road": "residential"}
_GRIDS: Mapping[str, str] = {
    **dict.fromkeys(("basic", "基础", "基础网格", "一般网格", "综合网格", "普通网格"), "basic"),
    **dict.fromkeys(("special", "专属", "专属网格", "特殊网格", "专业网格"), "special"),
    **dict.fromkeys(("micro", "微网格", "微格", "楼栋网格"), "micro"),
}


def normalise(kind: Kind, frame: pd.DataFrame, layer: str) -> tuple[pd.DataFrame, list[Problem]]:
    """``frame`` with codes at full length and kinds in the model's words, and rows whose kind nobody knows."""
    if kind is Kind.REGIONS:
        return _regions(frame), []
    if kind is Kind.BARRIERS:
        return _barriers(frame, layer)
    if kind is Kind.GRIDS:
        return frame.assign(kind=_words(frame["kind"], _GRIDS).fillna("basic")), []
    return frame, []


def _regions(frame: pd.DataFrame) -> pd.DataFrame:
    """Codes of 6 or 9 digits get their zeros; level, prefix and settlement follow from the codes."""
    code, parent = _full(frame["code"]), _full(frame["parent_code"])
    level, length = levels(code)
    prefix = [None if pd.isna(c) else c[:n] for c, n in zip(code, length.tolist(), strict=True)]
    town = frame["urban_rural_code"].str[:1].map({"1": "urban", "2": "rural"})
    return frame.assign(
        code=code,
        parent_code=parent,
        level=pd.Series(level, index=frame.index, dtype="str"),
        prefix=pd.Series(prefix, index=frame.index, dtype="str"),
        settlement=town.astype("str").where(town.notna()),
    )


def _full(code: pd.Series) -> pd.Series:
    short = code.str.fullmatch(r"[0-9]{6}|[0-9]{9}").fillna(False).to_numpy(bool)
    full: pd.Series = code.where(~short, code.str.ljust(_DIGITS, "0"))
    return full


def levels(code: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """The level of each 12-digit code, and how many digits its subtree shares."""
    county = code.str.endswith("000000").fillna(False).to_numpy(bool)
    subdistrict = ~county & code.str.endswith("000").fillna(False).to_numpy(bool)
    level = np.select([county, subdistrict], ["county", "subdistrict"], "community")
    return level, np.select([county, subdistrict], [6, 9], _DIGITS)


def _barriers(frame: pd.DataFrame, layer: str) -> tuple[pd.DataFrame, list[Problem]]:
    said, cls = frame["kind"], frame["class"]
    found = _words(said, _BARRIERS)
    by_class = _words(cls, _KIND_OF_CLASS)
    # "rail" in a layer of roads is a railway: the class knows better than the layer
    found = by_class.where(by_class.isin(["rail"]) & (found == "road"), found)
    as_class = _words(said, _KIND_OF_CLASS)
    cls = cls.fillna(said.where(found.isna() & as_class.notna()))
    default = _BARRIERS.get(layer.strip().lower())
    found = found.fillna(as_class).fillna(by_class)
    if default is not None:
        found = found.fillna(default)
    unknown = found.isna().to_numpy(bool)
    problems = [
        Problem("IMPORT_BARRIER_KIND", Severity.ERROR, int(row), params={"value": "" if pd.isna(v) else str(v)[:40]})
        for row, v in zip(frame.index[unknown], said[unknown], strict=True)
    ]
    plain = cls.map(lambda c: _CLASSES.get(c, c), na_action="ignore").astype("str").where(cls.notna())
    return frame.assign(kind=found, **{"class": plain}), problems


def _words(column: pd.Series, words: Mapping[str, str]) -> pd.Series:
    """The model's word for each cell, NA where there is none."""
    plain = column.str.strip().str.lower()
    translated = plain.map(lambda w: words.get(w) or words.get(SYNONYMS.get(w, ""), None), na_action="ignore")
    return translated.astype("str").where(translated.notna())
