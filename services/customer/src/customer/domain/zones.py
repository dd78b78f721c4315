"""In which time zone a customer lives: found when it is read, so that what is set or learnt later counts."""

from dataclasses import dataclass
from enum import StrEnum

from chassis.zones import country_zone, time_zone
from customer.domain.customers import Customer


class Source(StrEnum):
    """How it is known."""

    CHOSEN = "CHOSEN"
    SAID = "SAID"
    COUNTRY = "COUNTRY"
    INSTALLATION = "INSTALLATION"


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone by its name, and how it is known to be theirs."""

    name: str
    source: Source


def zone_of(customer: Customer, installation: str) -> Zone:
    """What they chose, else somebody said, else their country's where it has one, else the installation's."""
    for name, source in ((customer.chosen_zone, Source.CHOSEN), (customer.time_zone, Source.SAID)):
        if time_zone(name):
            return Zone(name, source)
    if country := country_zone(customer.region):
        return Zone(country, Source.COUNTRY)
    return Zone(installation, Source.INSTALLATION)
