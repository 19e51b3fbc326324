"""Province, city, county as selects that follow one another, with or without script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shop.divisions import Division, children, lookup

Options = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Regions:
    """What each select offers; `counties` is None where the second level is the last."""

    provinces: Options
    cities: Options
    counties: Options | None
    chosen: Mapping[str, str]
    code: str | None

    @property
    def second_is_county(self) -> bool:
        """Whether below the province there are counties at once, as in Shanghai."""
        return self.counties is None


def regions(values: Mapping[str, Any]) -> Regions:
    """The selects for what was chosen so far; a level that does not fit the one above is empty.

    `code` is the division an address may end in, None as long as it is not complete.
    """
    provinces = children()
    province = _held(provinces, values.get("province"))
    cities = children(province.code) if province else ()
    city = _held(cities, values.get("city"))
    whole = not cities or all(one.leaf for one in cities)
    counties = () if whole or city is None else children(city.code)
    county = _held(counties, values.get("county"))
    last = county or city or province
    third = None if province and (whole or (city and city.leaf)) else _options(counties)
    return Regions(
        provinces=_options(provinces),
        cities=_options(cities),
        counties=third,
        chosen={
            "province": province.code if province else "",
            "city": city.code if city else "",
            "county": county.code if county else "",
        },
        code=last.code if last and last.leaf else None,
    )


def levels_of(code: str | None) -> dict[str, str]:
    """The values of the selects for a division of any level; empty for none."""
    path = lookup(code) if code else None
    if path is None:
        return {}
    province = f"{path.code[:2]}0000"
    if path.code == province:
        return {"province": province}
    below = {one.code for one in children(province)}
    if path.code in below:
        return {"province": province, "city": path.code}
    city = next((one for one in below if path.code in {c.code for c in children(one)}), "")
    return {"province": province, "city": city, "county": path.code}


def _held(divisions: tuple[Division, ...], code: str | None) -> Division | None:
    return next((one for one in divisions if one.code == code), None)


def _options(divisions: tuple[Division, ...]) -> Options:
    return [(one.code, one.name) for one in divisions]
