"""Customers of a bench: names with the skew of real ones, few that many have, many that few have."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from uuid import UUID

from chassis import ids

SEED = 20_260_301
BEGUN = datetime(2020, 1, 1, tzinfo=UTC)

GIVEN = """
    Maria Anna Peter Michael Thomas Andreas Ursula Wolfgang Claudia Sabine Klaus Susanne Stefan
    Christian Petra Monika Martin Karin Frank Birgit Matthias Daniel Andrea Julia Katharina
    Alexander Sebastian Hannah Lukas Leonie Felix Friedrich Charlotte Emilia Mohammed Ayşe Mehmet
    Fatma Agnieszka Tomasz Katarzyna Olga Sergej Дмитрий Елена Søren François Zoë José Inés Nguyễn
    Linh Giulia Lorenzo Jürgen Jörg Günther Käthe Bärbel Roswitha Ottilie Adalbert
"""
COMMON = """
    Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Koch Bauer Richter
    Klein Wolf Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange Werner Krause
    Lehmann Maier Köhler Herrmann Yilmaz Kaya Nowak Kowalski Ivanova Смирнова Nguyen García Rossi
    Jensen Dubois
"""
_FRONT = """
    Berg Wald Stein Bach Feld Hof Brunn Eich Linden Birk Buch Tann Rosen Sommer Winter Herbst Mai
    Nacht Morgen Abend Gold Silber Eisen Kupfer Zinn Kessel Schmied Müh Back Brau Fass Wagen Rad
    Sattel Leder Schuh Tuch Weber Seiler Fisch Vogel Hirsch Wolf Bär Fuchs Hase Lerch Falk Adler
    Stern Mond Sonnen Regen Schnee Wind Donner Hagel Kalt Warm Lang Kurz
"""
_BACK = """
    mann er bach feld hof ler meier stein berg wald burger thal au heim hausen dorf stetter inger
    ner ling holz brink kamp sen son
"""
CITIES = """
    Berlin Hamburg München Köln Frankfurt Stuttgart Düsseldorf Leipzig Dortmund Essen Bremen Dresden
    Hannover Nürnberg Duisburg Bochum Wuppertal Bielefeld Bonn Münster Karlsruhe Mannheim Augsburg
    Wiesbaden Gelsenkirchen Aachen Braunschweig Chemnitz Kiel Krefeld Halle Magdeburg Freiburg
    Oberhausen Lübeck Erfurt Mainz Rostock Kassel Hagen
"""
TRADES = """
    Logistik Bau Technik Handel Reisen Druck Gartenbau Elektro Immobilien Verlag
"""


@dataclass(frozen=True)
class Person:
    """A customer to be, and what there is to search by."""

    id: UUID
    given: str
    family: str
    company: str
    city: str
    number: int

    @property
    def email(self) -> str:
        """Their address."""
        return f"c{self.number}@example.com"

    @property
    def phone(self) -> str:
        """Their number, in E.164."""
        return f"+4930{10_000_000 + self.number}"


class Drawn:
    """Values of which the first are drawn far more often than the last, as names are (Zipf's law)."""

    def __init__(self, values: Sequence[str], chance: random.Random) -> None:
        self._values, self._chance = values, chance
        self._cumulated = list(accumulate(1 / (rank + 8) for rank in range(len(values))))

    def some(self, count: int) -> list[str]:
        """So many."""
        return self._chance.choices(self._values, cum_weights=self._cumulated, k=count)


def people(count: int) -> list[Person]:
    """So many customers, the same each time; one in ten is a company."""
    chance = random.Random(SEED)
    fronts, backs = _FRONT.split(), _BACK.split()
    families = [*COMMON.split(), *(front + back for front in fronts for back in backs)]
    double = [f"{one}-{other}" for one, other in zip(families, reversed(families), strict=True)]
    rare = [f"{front}{middle}{back}" for front in fronts for middle in ("en", "s", "er") for back in backs]
    chance.shuffle(rare)
    drawn = [
        Drawn(values, chance).some(count)
        for values in (GIVEN.split(), [*families, *rare, *double], TRADES.split(), CITIES.split())
    ]
    made = []
    for n, (given, family, trade, city) in enumerate(zip(*drawn, strict=True)):
        company = f"{family} {trade} GmbH" if n % 10 == 0 else ""
        at = BEGUN + timedelta(seconds=n)
        made.append(Person(ids.uuid7(at), given, family, company, city, n))
    return made
