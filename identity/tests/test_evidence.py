"""What is never linked by itself, whatever a list has taught."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rapport_identity import matching, training
from rapport_identity.evaluating import evaluate
from rapport_identity.evidence import GENERATION, Bar
from rapport_identity.levels import APART, LEVEL
from rapport_identity.matching import Candidates
from rapport_identity.parameters import DIFFERENT_MAX, Parameters
from rapport_identity.record import KINDS, Kind, Record, record
from rapport_identity.scoring import Scorer, Verdict

from .generated import GERMANY, People

LENA = {
    "given_name": "Lena",
    "family_name": "Zwackelmann",
    "birth_date": "1984-05-17",
    "street": "Lerchenweg",
    "house_number": "12",
    "postal_code": "20999",
    "city": "Hamburg",
    "phone": "0401234567",
}
NAME = {name: LENA[name] for name in ("given_name", "family_name")}


def population(seed: int, homes: int, offices: Sequence[int]) -> list[Record]:
    """Families, twins among them, and offices whose staff share address, switchboard and info@."""
    town, rows = People(seed, GERMANY), []
    chance = town.chance
    for home in range(homes):
        shared = town.person() | {"phone": f"030{5_000_000 + home}"}
        born = town.person()["birth_date"]
        members = {(one := town.person())["given_name"]: one for _ in range(chance.randint(1, 4))}
        for at, one in enumerate(members.values()):
            own = {"given_name": one["given_name"], "birth_date": one["birth_date"] if at else born}
            own["birth_date"] = born if home % 10 == 0 and at == 1 else own["birth_date"]
            member = shared | own | {"email": f"{own['given_name']}.{home}@mail.example"}
            again = [town.again(member, 1)] if chance.random() < 0.15 else []
            rows += [(f"{home}.{at}", row) for row in (member, *again)]
    for office, size in enumerate(offices):
        desk = {"street": "Industriestr.", "house_number": str(office + 1), "postal_code": "60313"}
        desk |= {"phone": f"069{7_000_000 + office}", "email": f"info@{office}.example"}
        rows += [(f"office {office}.{at}", town.person() | desk) for at in range(size)]
    return [record(f"{at:05}:{who}", row) for at, (who, row) in enumerate(rows)]


@pytest.fixture(scope="module")
def learned() -> Parameters:
    return Candidates(population(7, 300, ()), KINDS).learn()


@pytest.mark.parametrize(
    ("one", "other", "bar"),
    [
        (LENA, LENA | {"given_name": "Mareike"}, Bar.OTHER_GIVEN_NAME),
        (LENA, LENA | {"given_name": ""}, Bar.NO_GIVEN_NAME),
        (LENA, LENA | {"birth_date": "1954-05-17"}, Bar.OTHER_BIRTH_DATE),
        (LENA, LENA | {"birth_date": "1989-11-30"}, Bar.OTHER_BIRTH_DATE),
        (NAME | {"email": "a@z.example"}, NAME | {"street": "Ring", "city": "Berlin"}, Bar.ONE_KIND),
        (NAME, NAME | {"birth_date": "1984-05-17"}, Bar.ONE_KIND),
        (
            LENA,
            LENA | {"street": "Parkallee", "postal_code": "80331", "city": "München", "phone": "0897654321"},
            Bar.AS_MUCH_AGAINST,
        ),
    ],
)
def test_a_person_is_asked_however_much_it_weighs(
    learned: Parameters, one: dict[str, str], other: dict[str, str], bar: Bar
) -> None:
    score = Scorer(learned, link_bits=-100, ask_bits=-200).score(record("1", one), record("2", other))
    assert score.verdict is Verdict.ASK
    assert bar in score.bars


@pytest.mark.parametrize(
    "slip",
    [
        {"given_name": "Leana"},
        {"birth_date": "1984-05-71"},
        {"birth_date": ""},
        {"family_name": "Kessler"},
        {"phone": "0407654321"},
        {"given_name": "Zwackelmann", "family_name": "Lena"},
    ],
)
def test_what_happens_to_one_person_bars_nothing(learned: Parameters, slip: dict[str, str]) -> None:
    assert Scorer(learned).score(record("1", LENA), record("2", LENA | slip)).bars == ()


def test_a_slip_between_two_names_that_many_have_is_another_name(learned: Parameters) -> None:
    known = learned.frequencies["given_name"]
    both = replace(known, counts={**known.counts, "jan": 9, "jana": 9})
    scorer = Scorer(replace(learned, frequencies=dict(learned.frequencies) | {"given_name": both}))
    jan, jana, janna = (record("1", LENA | {"given_name": name}) for name in ("Jan", "Jana", "Janna"))
    assert Bar.OTHER_GIVEN_NAME in scorer.score(jan, jana).bars
    assert scorer.score(jana, janna).bars == ()


levels = st.floats(0.001, 0.999)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_of_other_given_names_or_a_generation_apart_none_are_linked_whatever_was_learned(
    learned: Parameters, data: st.DataObject
) -> None:
    m = {field: tuple(data.draw(levels) for _ in each) for field, each in learned.m.items()}
    chance = data.draw(levels)
    scorer = Scorer(replace(learned, m=m, chance=(chance, chance), together=data.draw(st.floats(0, 0.5))))
    name = st.sampled_from(("Lena", "Mareike", "Jonas", "Felix", "Anna", "Bob", "Robert", "Zoe"))
    year = st.integers(1900, 2020)
    one, other = ({"given_name": data.draw(name), "birth_date": f"{data.draw(year)}-05-17"} for _ in range(2))
    years = abs(int(one["birth_date"][:4]) - int(other["birth_date"][:4]))
    level = LEVEL[Kind.GIVEN_NAME](one["given_name"].lower(), other["given_name"].lower())
    assume(level == APART[Kind.GIVEN_NAME] or years >= GENERATION)
    assert scorer.score(record("1", LENA | one), record("2", LENA | other)).verdict is not Verdict.LINK


@pytest.mark.parametrize("offices", [(), (40,), (100, 100, 100), (500,), (15, 15, 15, 15)])
def test_colleagues_and_families_do_not_teach_that_one_person_has_two_names(offices: Sequence[int]) -> None:
    records = population(11, 300, offices)
    found = matching.resolve(records, KINDS)
    assert found.parameters.m["birth_date"][-1] < 0.05
    told = evaluate(found, {each.id: each.id.partition(":")[2] for each in records})
    assert told.automatic.precision >= 0.999
    assert told.automatic.recall >= 0.7


@given(st.integers(0, 1000), st.lists(st.integers(5, 60), max_size=4))
@settings(max_examples=5, deadline=None)
def test_what_is_learned_never_says_that_names_and_dates_of_one_person_usually_differ(
    seed: int, offices: list[int]
) -> None:
    learned = Candidates(population(seed, 60, offices), KINDS).learn()
    for field, kind in learned.kinds.items():
        assert learned.m[field][-1] <= DIFFERENT_MAX.get(kind, 1.0)
        assert sum(learned.m[field]) == pytest.approx(1)


def test_parameters_that_are_not_of_single_persons_are_known(learned: Parameters) -> None:
    assert training.is_of_people(learned)
    town, rows = People(5, GERMANY), []
    for home in range(200):  # whose e-mail addresses are a slip from each other
        shared = town.person() | {"phone": f"030{5_000_000 + home}"}
        for at in range(4):
            own = {name: text for name, text in town.person().items() if name in ("given_name", "birth_date")}
            rows.append(shared | own | {"email": f"{home}.{at}@mail.example"})
    records = [record(f"{at:05}", row) for at, row in enumerate(rows)]
    assert not training.is_of_people(Candidates(records, KINDS).learn())


def test_colleagues_who_share_what_many_have_are_no_questions() -> None:
    town = population(3, 100, (40,))
    staff = [each for each in town if ":office" in each.id]
    scores = matching.resolve(staff, KINDS, Candidates(town, KINDS).learn()).scores
    assert len(scores) < 20  # of 780 pairs
