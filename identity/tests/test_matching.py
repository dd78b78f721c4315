"""Who is who: what a matcher promises whatever the records are."""

import random
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport_identity import blocking, matching
from rapport_identity.evaluating import evaluate
from rapport_identity.evidence import Bar
from rapport_identity.parameters import Parameters
from rapport_identity.record import KINDS, Kind, Record, record
from rapport_identity.scoring import Score, Scorer, Verdict

from .generated import AUSTRALIA, GERMANY, People, Region, duplicated

ADA = {
    "given_name": "Ada",
    "family_name": "Okafor",
    "birth_date": "1984-05-17",
    "street": "Feather Lane",
    "house_number": "12",
    "postal_code": "3165",
    "city": "Marsden",
    "email": "ada@okafor.example",
    "phone": "0301234567",
}


def invented(seed: int, people: int, region: Region = AUSTRALIA) -> list[Record]:
    rows = duplicated(seed, people, lambda chance: chance.choice((0, 0, 1, 2)), region)
    return [record(f"{at:04}:{who}", row) for at, (who, row) in enumerate(rows)]


def families(seed: int, number: int) -> list[Record]:
    """People who share a house, a family name and often a phone; some of them are there twice."""
    town, rows = People(seed), []
    for house in range(number):
        home = town.person() | {"phone": f"030{town.chance.randrange(10**6, 10**7)}"}
        names = {(person := town.person())["given_name"]: person["birth_date"] for _ in range(3)}
        for at, (name, born) in enumerate(names.items()):
            member = home | {"given_name": name, "birth_date": born}
            again = [town.again(member, 2)] if town.chance.random() < 0.4 else []
            rows += [(f"{house}.{at}", row) for row in (member, *again)]
    return [record(f"{at:04}:{who}", row) for at, (who, row) in enumerate(rows)]


def truth(records: list[Record]) -> dict[str, str]:
    return {each.id: each.id.partition(":")[2] for each in records}


@pytest.fixture(scope="module")
def learned() -> Parameters:
    """From people who have an e-mail and a phone, too; families among them share both, and a house."""
    chance = random.Random(7)
    records = []
    for at, (who, row) in enumerate(duplicated(7, 400, lambda chance: chance.choice((0, 1)))):
        mail = f"{who}@mail.example" if chance.random() < 0.8 else ""
        phone = str(301_000_000 + int(who) * 7919) if chance.random() < 0.8 else ""
        records.append(record(f"{at}", row | {"email": mail, "phone": phone}))
    for at in range(60):
        office = {"email": "info@office.example", "phone": "0309999999"}
        person, _ = duplicated(1000 + at, 1, lambda chance: 1)[:2]
        records.append(record(f"office {at}", person[1] | office))
    return matching.Candidates(records, KINDS).learn()


@pytest.fixture(scope="module")
def scorer(learned: Parameters) -> Scorer:
    return Scorer(learned)


def compared(scorer: Scorer, **others: str) -> Score:
    """Ada beside somebody who is as she is but for this."""
    return scorer.score(record("1", ADA), record("2", ADA | others))


def test_two_records_that_agree_are_linked(scorer: Scorer) -> None:
    assert compared(scorer).verdict is Verdict.LINK


def test_names_in_each_others_place_are_seen(scorer: Scorer) -> None:
    score = compared(scorer, given_name="Okafor", family_name="Ada")
    said = {part.field: part.level for part in scorer.parts(score)}
    assert (said["order of names"], said["given_name"], said["family_name"]) == ("swapped", "same", "same")
    assert score.verdict is Verdict.LINK


def test_conflicting_identifiers_are_never_linked_by_themselves(scorer: Scorer) -> None:
    score = compared(scorer, email="someone@else.example", phone="0407654321")
    assert score.verdict is Verdict.ASK
    assert Bar.CONFLICTING_IDENTIFIERS in score.bars


@pytest.mark.parametrize(("wrong_of_100", "is_conflict"), [(0, True), (1, True), (10, False)])
def test_another_identifier_is_a_conflict_where_data_say_that_it_is_reliable(
    wrong_of_100: int, is_conflict: bool
) -> None:
    kinds = {**KINDS, "number": Kind.IDENTIFIER}
    records = []
    for at, (who, row) in enumerate(duplicated(11, 500, lambda chance: 1)):
        number = 10**8 + int(who) * 104_729 + (7_919 * 10**4 if at % 200 < 2 * wrong_of_100 and at % 2 else 0)
        records.append(record(f"{at}", row | {"number": str(number)}, kinds))
    scorer = Scorer(matching.Candidates(records, kinds).learn())
    one, other = (
        record(at, ADA | {"number": n}, kinds) for at, n in (("1", "311457806"), ("2", "908263144"))
    )
    assert (Bar.CONFLICTING_IDENTIFIERS in scorer.score(one, other).bars) is is_conflict


def test_another_address_of_e_mail_alone_is_no_conflict(scorer: Scorer) -> None:
    assert compared(scorer, email="ada@work.example").verdict is Verdict.LINK


def test_a_shared_identifier_alone_links_nobody(scorer: Scorer) -> None:
    office = {"email": "info@office.example", "phone": "0309999999"}
    a, b = record("1", {"given_name": "Ada"} | office), record("2", {"given_name": "Ada"} | office)
    score = scorer.score(a, b)
    assert score.verdict is not Verdict.LINK
    assert Bar.ONLY_SHARED in score.bars


def test_a_name_alone_links_nobody_however_rare_it_is(scorer: Scorer) -> None:
    name = {"given_name": "Quirin", "family_name": "Okonkwo-Featherstone"}
    one = record("1", name | {"email": "quirin@okonkwo.example"})
    score = scorer.score(one, record("2", name | {"street": "Hauptstr. 7", "city": "Berlin"}))
    assert score.verdict is Verdict.ASK
    assert Bar.NAME_ALONE in score.bars


def test_without_a_name_or_birth_date_that_agrees_a_person_is_asked(scorer: Scorer) -> None:
    nobody = {name: text for name, text in ADA.items() if "name" not in name and name != "birth_date"}
    score = scorer.score(record("1", nobody), record("2", nobody))
    assert score.verdict is Verdict.ASK
    assert Bar.NOTHING_PERSONAL in score.bars


def test_a_rare_name_says_more_than_a_common_one(learned: Parameters, scorer: Scorer) -> None:
    common = max(learned.frequencies["family_name"].counts.items(), key=lambda each: each[1])[0]

    def weight(name: str) -> float:
        score = scorer.score(record("1", {"family_name": name}), record("2", {"family_name": name}))
        return next(part.weight for part in scorer.parts(score) if part.field == "family_name")

    assert weight("Okonkwo-Featherstone") > weight(common)


def test_people_of_one_household_are_not_one_person() -> None:
    records = families(3, 300)
    found = matching.resolve(records, KINDS)
    assert found.parameters.together > 0
    told = evaluate(found, truth(records))
    assert told.clustered.precision >= 0.99
    assert told.clustered.recall >= 0.9


def test_where_nobody_lives_together_slips_in_name_and_birth_date_keep_nobody_apart() -> None:
    assert matching.resolve(invented(5, 1000), KINDS).parameters.together == 0


@given(st.integers(0, 40), st.data())
@settings(max_examples=25, deadline=None)
def test_a_score_is_the_sum_of_its_parts_whichever_record_comes_first(
    scorer: Scorer, seed: int, data: st.DataObject
) -> None:
    records = invented(seed, 20)
    a, b = data.draw(st.sampled_from(records)), data.draw(st.sampled_from(records))
    score, turned = scorer.score(a, b), scorer.score(b, a)
    assert score.bits == pytest.approx(sum(part.weight for part in scorer.parts(score)))
    assert scorer.parts(score) == scorer.parts(turned)
    assert (score.bits, score.verdict, score.bars) == (turned.bits, turned.verdict, turned.bars)


def test_parameters_are_the_same_after_they_were_written(learned: Parameters) -> None:
    again = Parameters.from_json(learned.to_json())
    assert again == learned
    assert again.version == learned.version


@given(st.integers(0, 10_000))
@settings(max_examples=5, deadline=None)
def test_people_are_the_same_in_whatever_order_records_come(seed: int) -> None:
    records = invented(seed, 80)
    shuffled = random.Random(seed).sample(records, len(records))
    found, again = matching.resolve(records, KINDS), matching.resolve(shuffled, KINDS)
    assert found.people == again.people


@given(st.integers(0, 10_000))
@settings(max_examples=5, deadline=None)
def test_every_pair_that_shares_a_key_is_a_candidate_and_no_other(seed: int) -> None:
    records = invented(seed, 60)
    keyed = [blocking.keys(each, KINDS) for each in records]
    stop = blocking.too_common(keyed)
    found = set(blocking.pairs(keyed, stop))
    assert found == {(a, b) for a, b in combinations(range(len(records)), 2) if (keyed[a] & keyed[b]) - stop}


@pytest.mark.parametrize(
    "slip",
    [
        {"birth_date": "1984-05-71", "city": "Narsden"},
        {"given_name": "Okafor", "family_name": "Ada"},
        {"family_name": "Bello", "email": ""},
        {"house_number": "21", "street": "", "phone": "030124567"},
    ],
)
def test_a_pair_with_a_few_slips_still_shares_a_key(slip: dict[str, str]) -> None:
    a, b = record("1", ADA), record("2", ADA | slip)
    assert blocking.keys(a, KINDS) & blocking.keys(b, KINDS)


@pytest.mark.parametrize("region", [AUSTRALIA, GERMANY])
def test_invented_people_are_found_and_none_is_taken_for_another(region: Region) -> None:
    records = invented(11, 500, region)
    told = evaluate(matching.resolve(records, KINDS), truth(records))
    assert told.clustered.f1 >= 0.98
    assert told.pairwise.precision >= 0.999


def test_one_record_alone_teaches_nothing() -> None:
    with pytest.raises(ValueError, match="two records at least"):
        matching.resolve([record("1", ADA)], KINDS)


@pytest.mark.parametrize("known_to_be_shared", [True, False])
def test_an_office_among_families_teaches_nobody_that_names_and_dates_say_nothing(
    known_to_be_shared: bool,
) -> None:
    office = {"street": "Industriestr. 1", "postal_code": "60313", "city": "Frankfurt"}
    if not known_to_be_shared:  # who knows it leaves it out
        office |= {"email": "info@office.example", "phone": "+4969712345678"}
    own = ("given_name", "family_name", "birth_date")
    staff = [
        record(f"staff {n}", {name: each.values.get(name, ()) for name in own} | office)
        for n, each in enumerate(invented(5, 300, GERMANY)[:100])
    ]
    learned = matching.Candidates([*invented(11, 300, GERMANY), *staff], KINDS).learn()
    assert max(learned.m["given_name"][-1], learned.m["birth_date"][-1]) <= 0.1
    home = {
        "family_name": "Wagner",
        "street": "Gartenweg 7",
        "postal_code": "10999",
        "phone": "+493077777777",
    }
    marie = record("1", home | {"given_name": "Marie", "birth_date": "1994-08-12"})
    mehmet = record("2", home | {"given_name": "Mehmet", "birth_date": "1971-10-24"})
    assert Scorer(learned).score(marie, mehmet).verdict is not Verdict.LINK
