"""Who is one person, and of whom people are asked: the same in whatever order they came."""

import csv
import gzip
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from itertools import count
from pathlib import Path
from random import Random
from string import ascii_lowercase
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customer.domain.customers import ORGANIZATION, PERSON, new_customer
from customer.domain.identifiers import Handle, IdentifierType, Quality
from customer.domain.match_board import Board, Group, Step
from customer.domain.match_features import FIELDS, Features, features_of
from customer.domain.matches import (
    CONTRADICTED,
    MEMBERS_MAX,
    NOT_LEARNED,
    ONE_HOUSEHOLD,
    OTHER_IDS,
    QUESTIONS_MAX,
    SAID_TWO,
    Judge,
    MatchCandidate,
    MatchState,
    pair_of,
)
from rapport_identity import training
from rapport_identity.evidence import Bar
from rapport_identity.matching import Candidates
from rapport_identity.parameters import Parameters
from rapport_identity.record import record

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DATA = Path(__file__).parents[4].parent / "shared" / "data" / "identity"
LINK, ASK = 6.6, -3.3


def judge_by(parameters: Parameters, *, learned: bool = True) -> Judge:
    return Judge(UUID(int=7), parameters, learned=learned, link_bits=LINK, ask_bits=ASK)


def features(number: int, kind: str = PERSON, ids: str = "", **said: str) -> Features:
    known = record(str(UUID(int=number)), said, FIELDS)
    proofs = {("EXTERNAL_ID", "crm"): frozenset({ids})} if ids else {}
    return Features(UUID(int=number), kind, known, proofs)


class World:
    """Customers who arrive one after the other, in plain dictionaries: what the database keeps."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.known: dict[UUID, Features] = {}
        self.keys: dict[int, set[UUID]] = {}
        self.groups: dict[UUID, Group] = {}
        self.kept: dict[tuple[UUID, UUID], MatchCandidate] = {}
        self._ids = (UUID(int=n) for n in count(10_000))

    def arrive(self, *new: Features) -> None:
        """Compare these with everybody there is, and with each other."""
        self.known |= {each.customer_id: each for each in new}
        pairs = set()
        for each in new:
            for key in each.keys:
                holders = self.keys.setdefault(key, set())
                pairs |= {pair_of(each.customer_id, other) for other in holders - {each.customer_id}}
                holders.add(each.customer_id)
        board = Board(self.judge, Step(NOW, "clock", lambda: next(self._ids)))
        board.know(self.known)
        board.add(set(self.groups.values()), self.kept.values())
        board.review([each for each in self.kept if each in pairs])
        board.compare(pairs)
        for pair in board.links():
            if pair[1] not in board.group(pair[0]):
                board.linked(pair)
        board.ask_once()
        self.kept |= {each.pair: each for each in board.changed}
        self.groups = {each: board.group(each) for each in self.known}

    def people(self) -> list[list[UUID]]:
        """Who is one person."""
        return sorted({tuple(sorted(self.groups[each])) for each in self.known})  # type: ignore[return-value]

    def state(self, a: int, b: int) -> MatchState:
        """What became of two."""
        return self.kept[pair_of(UUID(int=a), UUID(int=b))].state

    def bars(self, a: int, b: int) -> Sequence[str]:
        """Why two are asked about."""
        return self.kept[pair_of(UUID(int=a), UUID(int=b))].bars


@cache
def believed() -> Judge:
    return judge_by(training.believed(FIELDS))


ANNA = {"given_name": "Anna", "family_name": "Keller", "birth_date": "1984-04-12"}


def test_what_is_only_believed_links_nobody() -> None:
    world = World(judge_by(training.believed(FIELDS), learned=False))
    world.arrive(features(1, **ANNA), features(2, **ANNA))
    assert (world.state(1, 2), world.bars(1, 2)) == (MatchState.PENDING, [NOT_LEARNED])


def test_two_ids_of_one_system_are_a_question_however_alike_they_are() -> None:
    world = World(believed())
    world.arrive(features(1, ids="7", **ANNA), features(2, ids="8", **ANNA))
    assert (world.state(1, 2), world.bars(1, 2)) == (MatchState.PENDING, [OTHER_IDS])


def test_who_is_like_each_of_two_with_other_ids_is_linked_with_one_and_asked_about_with_the_other() -> None:
    world = World(believed())
    world.arrive(features(1, ids="7", **ANNA), features(2, ids="8", **ANNA))
    world.arrive(features(3, **ANNA))
    states = sorted((world.state(1, 3), world.state(2, 3)))
    assert states == [MatchState.LINKED, MatchState.PENDING]
    assert CONTRADICTED in [*world.bars(1, 3), *world.bars(2, 3)]


def test_whoever_compares_the_same_again_changes_nothing() -> None:
    world = World(believed())
    world.arrive(features(1, ids="7", **ANNA), features(2, ids="8", **ANNA))
    world.arrive(features(3, **ANNA))
    before = {pair: replace(each) for pair, each in world.kept.items()}
    for n in (1, 2, 3):
        world.arrive(world.known[UUID(int=n)])
    assert world.kept == before


def test_who_were_said_to_be_two_are_not_made_one_by_a_third() -> None:
    world = World(believed())
    world.arrive(features(1, **ANNA), features(2, **ANNA, email="a@b.example"))
    rejected = World(believed())
    rejected.arrive(features(1, **ANNA))
    rejected.kept[pair_of(UUID(int=1), UUID(int=2))] = said_two(world)
    rejected.arrive(features(2, **ANNA, email="a@b.example"))
    rejected.arrive(features(3, **ANNA))
    assert len(rejected.people()) == 2
    assert SAID_TWO in [*rejected.bars(1, 3), *rejected.bars(2, 3)]


def said_two(world: World) -> MatchCandidate:
    """The candidate of the first two, rejected."""
    candidate = world.kept[pair_of(UUID(int=1), UUID(int=2))]
    candidate.become(MatchState.REJECTED, "agent:alice", "twins", NOW)
    return candidate


def test_a_pair_does_not_come_back_by_another_name_of_one_of_them() -> None:
    before = World(believed())
    before.arrive(features(1, **ANNA), features(2, **ANNA))
    world = World(believed())
    world.arrive(features(1, **ANNA))
    world.kept[pair_of(UUID(int=1), UUID(int=2))] = said_two(before)
    world.arrive(features(2, **ANNA))
    # Somebody makes the third one with the second: what was said of that holds of the third.
    world.known[UUID(int=3)] = features(3, **ANNA)
    world.groups |= dict.fromkeys((UUID(int=2), UUID(int=3)), frozenset({UUID(int=2), UUID(int=3)}))
    world.arrive(features(3, **ANNA))
    assert pair_of(UUID(int=1), UUID(int=3)) not in world.kept


def test_a_person_is_no_organization_of_the_same_name() -> None:
    world = World(believed())
    number = {"phone": "+49301234567"}
    world.arrive(
        features(1, family_name="Keller", **number), features(2, ORGANIZATION, legal_name="Keller", **number)
    )
    assert world.kept == {}


HOME = {"street": "Lindenallee 7", "postal_code": "10115", "city": "Berlin", "phone": "+493012345678"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"given_name": "Lena"}, {"given_name": "Mareike"}),
        ({"birth_date": "1955-04-07"}, {"birth_date": "1985-04-07"}),
        ({"birth_date": "1955-04-07"}, {"birth_date": "1957-04-07"}),
        ({"birth_date": "1955-04-07"}, {"birth_date": ""}),
    ],
    ids=["twins", "father and son", "born in two years", "one without a date"],
)
def test_who_may_only_live_together_are_asked_about(one: dict[str, str], other: dict[str, str]) -> None:
    world = World(believed())
    world.arrive(features(1, **ANNA | HOME | one), features(2, **ANNA | HOME | other))
    assert world.state(1, 2) is MatchState.PENDING
    assert not {ONE_HOUSEHOLD, Bar.OTHER_GIVEN_NAME.name, Bar.OTHER_BIRTH_DATE.name}.isdisjoint(
        world.bars(1, 2)
    )


def test_a_slip_of_the_day_is_none_of_another_person() -> None:
    world = World(believed())
    world.arrive(features(1, **ANNA | HOME), features(2, **ANNA | HOME | {"birth_date": "1984-04-13"}))
    assert world.state(1, 2) is MatchState.LINKED


def test_what_several_are_known_to_have_is_no_reason_even_to_ask() -> None:
    people = []
    for n, given_name in enumerate(("Anna", "Bernd"), 1):
        profile = {"kind": PERSON, "given_name": given_name, "family_name": given_name * 2}
        known = new_customer(UUID(int=n), profile, "agents/alice", NOW)
        handles = [
            Handle(kind, "", value, value, Quality.VALID, shared=True)
            for kind, value in (
                (IdentifierType.EMAIL, "info@office.example"),
                (IdentifierType.PHONE, "+49301234567"),
            )
        ]
        people.append(features_of(known, handles))
    world = World(believed())
    world.arrive(*people)
    assert world.kept == {}


def test_who_joins_a_group_contradicts_none_of_it() -> None:
    world = World(believed())
    home = ANNA | HOME
    group = frozenset((UUID(int=1), UUID(int=2)))
    world.arrive(features(1, **home | {"given_name": "Lena"}), features(2, **home | {"given_name": "L"}))
    world.groups |= dict.fromkeys(group, group)
    world.arrive(features(3, **home | {"given_name": "Lisa"}))
    assert world.state(2, 3) is MatchState.PENDING
    assert CONTRADICTED in world.bars(2, 3)


def test_strangers_are_not_chained_by_a_name_and_a_date_that_a_form_fills_in() -> None:
    world = World(believed())
    for at in range(1, 31):
        world.arrive(
            features(
                at,
                given_name="Max",
                family_name="Mustermann",
                birth_date="1980-05-05",
                email=f"{'abcdefghij'[at % 10] * 7}{'klmnopqrst'[at // 10] * 7}@mail.example",
            )
        )
    assert max(map(len, world.people())) <= MEMBERS_MAX


def mustermann(at: int, **more: str) -> Features:
    """One of many who gave the same name and date, each with an address and a mailbox of their own."""
    far = "".join(Random(at).choices(ascii_lowercase, k=14))
    own = {"email": f"{far}@{at}.example", "street": far.title(), "postal_code": far[:5], "city": far[::-1]}
    born = {"given_name": "Max", "family_name": "Mustermann", "birth_date": "1980-05-05"}
    return features(at, **born | own | more)


def test_of_many_who_are_alike_the_likeliest_few_are_asked_about() -> None:
    world = World(believed())
    for at in range(1, 31):
        world.arrive(mustermann(at))
    asked = Counter(each for pair, c in world.kept.items() if c.is_open for each in pair)
    assert 0 < sum(asked.values()) <= 30 * QUESTIONS_MAX
    assert len(world.people()) == 30
    there = mustermann(7).record.values
    likelier = {"street": there["street"][0], "postal_code": there["postal_code"][0], "given_name": "Moritz"}
    world.arrive(mustermann(31, **likelier))
    assert pair_of(UUID(int=7), UUID(int=31)) in world.kept


@cache
def febrl() -> tuple[Judge, list[Features]]:
    """Those of febrl1 who are several records, with parameters learned from the whole list."""
    path = DATA / "febrl1.csv.gz"
    if not path.exists():
        pytest.skip(f"{path} is not here")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    known = [
        features(
            n,
            **{
                field: row.get(column, "") or ""
                for field, column in (
                    ("given_name", "given_name"),
                    ("family_name", "surname"),
                    ("birth_date", "date_of_birth"),
                    ("street", "address_1"),
                    ("house_number", "street_number"),
                    ("street_2", "address_2"),
                    ("postal_code", "postcode"),
                    ("city", "suburb"),
                    ("state", "state"),
                )
            },
        )
        for n, row in enumerate(rows, 1)
    ]
    learned = Candidates([each.record for each in known], FIELDS).learn()
    return judge_by(learned), known


@given(st.randoms(use_true_random=False), st.integers(1, 20))
@settings(max_examples=15, deadline=None)
def test_arrival_in_any_order_and_in_any_batches_gives_the_people_that_all_at_once_give(
    random: object, at_once: int
) -> None:
    judge, known = febrl()
    some = random.sample(known, 150)  # type: ignore[attr-defined]
    world, whole = World(judge), World(judge)
    for start in range(0, len(some), at_once):
        world.arrive(*some[start : start + at_once])
    whole.arrive(*sorted(some, key=lambda each: each.customer_id))
    assert world.people() == whole.people()
