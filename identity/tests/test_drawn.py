"""A sample teaches what everybody would: how common values are, and how often two are one."""

import random

import pytest

from rapport_identity import blocking, matching
from rapport_identity.evaluating import evaluate
from rapport_identity.matching import Candidates, Drawn
from rapport_identity.parameters import Parameters
from rapport_identity.record import KINDS, Record, record

from .generated import duplicated


@pytest.fixture(scope="module")
def everybody() -> list[Record]:
    rows = duplicated(11, 2000, lambda chance: chance.choice((0, 0, 1, 2)))
    return [record(f"{at:04}:{who}", row) for at, (who, row) in enumerate(rows)]


@pytest.fixture(scope="module")
def whole(everybody: list[Record]) -> Parameters:
    """What everybody teaches."""
    return Candidates(everybody, KINDS).learn()


@pytest.fixture(scope="module")
def some(everybody: list[Record]) -> Parameters:
    """What some of them teach."""
    return drawn(everybody, 600).learn()


def drawn(records: list[Record], picked: int) -> Candidates:
    """So many by chance, with all who share a key with one of them."""
    order = records.copy()
    random.Random(3).shuffle(order)
    keyed = [blocking.keys(each, KINDS) for each in order]
    found = list(blocking.pairs(keyed, blocking.too_common(keyed)))
    places = [pair for pair in found if min(pair) < picked]
    inside = sorted({at for pair in places for at in pair} | set(range(picked)))
    place = {at: n for n, at in enumerate(inside)}
    among = [(place[a], place[b]) for a, b in places]
    return Candidates([order[at] for at in inside], KINDS, drawn=Drawn(picked, len(order), among))


def test_a_sample_of_a_list_teaches_what_the_list_does(whole: Parameters, some: Parameters) -> None:
    assert some.chance[0] == pytest.approx(whole.chance[0], rel=0.25)
    for field in ("given_name", "family_name", "birth_date"):
        assert some.m[field][0] == pytest.approx(whole.m[field][0], abs=0.08)
        assert some.frequencies[field].collision == pytest.approx(
            whole.frequencies[field].collision, rel=0.35
        )


def test_people_are_found_by_what_a_sample_taught(everybody: list[Record], some: Parameters) -> None:
    truth = {each.id: each.id.partition(":")[2] for each in everybody}
    told = evaluate(matching.resolve(everybody, KINDS, some), truth)
    assert told.pairwise.precision >= 0.999
    assert told.clustered.f1 >= 0.99


def test_of_a_sample_that_is_everybody_the_same_is_learned(
    everybody: list[Record], whole: Parameters
) -> None:
    keyed = [blocking.keys(each, KINDS) for each in everybody]
    places = list(blocking.pairs(keyed, blocking.too_common(keyed)))
    all_of_them = Drawn(len(everybody), len(everybody), places)
    assert Candidates(everybody, KINDS, drawn=all_of_them).learn().version == whole.version
