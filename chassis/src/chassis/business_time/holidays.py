"""Public holidays by country and subdivision, as the `holidays` package knows them."""

import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class Holidays:
    """The holidays of a country, ISO 3166-1 alpha-2, and of a subdivision, ISO 3166-2 after the dash.

    `categories` are the package's; `public` when empty. A holiday that is observed on another day closes that
    day, too.
    """

    region_code: str
    subdivision: str = ""
    categories: tuple[str, ...] = ()

    def problems(self) -> Iterator[tuple[str, str]]:
        """What the package does not know of: the field, and what is allowed."""
        if self.region_code not in countries():
            yield "region_code", "must be an ISO 3166-1 alpha-2 country whose holidays are known, like US"
            return
        known = _country(self.region_code)
        allowed = (*known.subdivisions, *known.subdivisions_aliases)
        if self.subdivision and self.subdivision not in allowed:
            yield "subdivision", f"must be {_one_of(known.subdivisions)}, of {self.region_code}"
        if not set(self.categories) <= set(known.supported_categories):
            yield "categories", f"must be {_one_of(known.supported_categories)}, of {self.region_code}"

    def on(self, year: int) -> Mapping[date, str]:
        """The holidays of a year with their names; none in years of which none are known."""
        return _found(self, year)


@functools.lru_cache(maxsize=4096)
def _found(holidays: Holidays, year: int) -> Mapping[date, str]:
    from holidays import country_holidays

    found = country_holidays(
        holidays.region_code,
        subdiv=holidays.subdivision or None,
        years=year,
        expand=False,
        language="en_US",  # as all that we tell is; else it is the process's
        categories=holidays.categories or (PUBLIC,),
    )
    return dict(sorted(found.items()))


@functools.cache
def countries() -> frozenset[str]:
    """The countries whose holidays are known."""
    from holidays.registry import EntityLoader

    return frozenset(code for code in EntityLoader.get_country_codes() if len(code) == 2)


@functools.cache
def _country(region_code: str) -> Any:
    """What the package knows of a country."""
    from holidays import country_holidays

    return country_holidays(region_code)


def _one_of(allowed: Iterable[str]) -> str:
    known = sorted(allowed)
    return f"one of {', '.join(known)}" if known else "empty"
