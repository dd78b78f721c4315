"""How well people are found: public lists of known difficulty, and invented ones of every kind."""

import csv
import gzip
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from rapport_identity import matching
from rapport_identity.evaluating import Evaluation, evaluate
from rapport_identity.record import KINDS, Kind, record

from .generated import AUSTRALIA, GERMANY, NETHERLANDS, People, Region, Row, duplicated

pytestmark = pytest.mark.slow

DATA = Path(__file__).parents[2] / "../shared/data/identity"
FEBRL = {
    "given_name": "given_name",
    "surname": "family_name",
    "street_number": "house_number",
    "address_1": "street",
    "address_2": "street_2",
    "suburb": "city",
    "postcode": "postal_code",
    "state": "state",
    "date_of_birth": "birth_date",
}
NUMBERED = FEBRL | {"soc_sec_id": "identifier"}  # of those of one person 7 in 100 have wholly another one
FAKE = {
    "first_name": "given_name",
    "surname": "family_name",
    "dob": "birth_date",
    "city": "city",
    "email": "email",
}


def judged(rows: list[tuple[str, Row, str]]) -> Evaluation:
    """How well a list is resolved whose rows say who it is, what is written, and of which list."""
    kinds = {**KINDS, "identifier": Kind.IDENTIFIER}
    records = [record(str(at), row, kinds, source=source) for at, (_, row, source) in enumerate(rows)]
    return evaluate(matching.resolve(records, kinds), {str(at): who for at, (who, *_) in enumerate(rows)})


@pytest.mark.skipif(not DATA.is_dir(), reason="the folder ../shared/data/identity is missing")
@pytest.mark.parametrize(
    ("file", "columns", "truth", "f1"),
    [
        ("febrl1", FEBRL, "entity", 0.996),
        ("febrl3", FEBRL, "entity", 0.996),
        ("febrl3", NUMBERED, "entity", 0.996),
        ("splink_fake_1000", FAKE, "cluster", 0.82),
    ],
)
def test_of_public_lists_people_are_found(file: str, columns: dict[str, str], truth: str, f1: float) -> None:
    with gzip.open(DATA / f"{file}.csv.gz", "rt") as source:
        read = list(csv.DictReader(source))
    told = judged([(row[truth], {f: row[c] for c, f in columns.items()}, "") for row in read])
    assert told.clustered.f1 >= f1
    assert told.pairwise.precision >= 0.999


def several(chance: Random) -> int:
    return chance.choices((0, 1, 2, 3, 4, 5), (40, 20, 15, 10, 10, 5))[0]


@pytest.mark.parametrize(
    ("seed", "people", "duplicates", "region"),
    [
        (1, 2000, several, AUSTRALIA),
        (2, 4000, lambda chance: chance.choices((0, 1), (3, 1))[0], AUSTRALIA),
        (5, 2000, several, GERMANY),
        (6, 2000, several, NETHERLANDS),
    ],
)
def test_of_invented_lists_people_are_found(
    seed: int, people: int, duplicates: Callable[[Random], int], region: Region
) -> None:
    told = judged([(who, row, "") for who, row in duplicated(seed, people, duplicates, region)])
    assert told.clustered.f1 >= 0.996
    assert told.pairwise.precision >= 0.999


def test_of_two_clean_lists_people_are_found() -> None:
    town = People(9)
    people = [town.person() for _ in range(5000)]
    one = [(str(at), person, "one") for at, person in enumerate(people)]
    two = [
        (str(at), town.again(person, town.chance.randint(1, 4)), "two") for at, person in enumerate(people)
    ]
    told = judged(one + two)
    assert told.clustered.f1 >= 0.998
    assert told.pairwise.precision >= 0.999
