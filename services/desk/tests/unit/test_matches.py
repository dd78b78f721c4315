"""What the matcher says is said in every language, and how much that is in words as in bars."""

from datetime import UTC, datetime
from typing import Any

import pytest

from customer.domain import matches
from desk.language.catalogues import CATALOGUES
from desk.pages.matches.view import BARS, merged, rows
from desk.ui.speech import speech
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.identifier_pb2 import Identifier
from rapport.customer.v1.match_pb2 import MatchCandidate
from rapport_identity.levels import NAMES

NOW = datetime(2026, 11, 28, tzinfo=UTC)


def person(**names: str) -> Customer:
    customer = Customer()
    for field, value in names.items():
        setattr(customer.person, field, value)
    return customer


def field(name: str, level: str, weight: float) -> MatchCandidate.Field:
    return MatchCandidate.Field(field=name, level=level, weight=weight)


def told(*fields: MatchCandidate.Field, pair: Any = None, languages: str = "en") -> Any:
    pair = pair or [person(given_name="Robert"), person(given_name="Bob")]
    return rows(MatchCandidate(fields=fields), pair, speech(languages, "UTC", NOW))


def test_of_who_was_merged_since_it_is_said_that_another_record_is_shown() -> None:
    candidate = MatchCandidate(customer="customers/1", other_customer="customers/2")
    zoe = Customer(name="customers/9", display_name="Zoe")
    known = {"customers/1": Customer(name="customers/1", display_name="Anna"), "customers/2": zoe}
    say = speech("en", "UTC", NOW)
    assert merged(candidate, known, say) == ["Zoe"]
    assert merged(candidate, known | {"customers/2": Customer(name="customers/2")}, say) == []


def test_of_very_many_handles_the_first_are_shown_and_how_many_more_there_are() -> None:
    many, few = (
        Customer(
            identifiers=[Identifier(type=Identifier.TYPE_EMAIL, value=f"a{n}@example.com") for n in range(of)]
        )
        for of in (31, 4)
    )
    (row,) = [each for each in told(pair=[many, few]) if any(map(len, each.sides))]
    assert [len(side) for side in row.sides] == [4, 4]
    assert row.sides[0][-1] == "and 28 more"


def test_why_somebody_is_asked_is_said_in_every_language() -> None:
    words = {MatchCandidate.Bar.Name(bar).removeprefix("BAR_"): said for bar, said in BARS.items()}
    assert words == matches.BARS
    assert {*BARS} == {*MatchCandidate.Bar.values()} - {MatchCandidate.BAR_UNSPECIFIED}


@pytest.mark.parametrize("language", sorted(CATALOGUES.keys() - {"en"}))
def test_how_two_values_agree_is_said_in_every_language(language: str) -> None:
    say = speech(language, "UTC", NOW)
    levels = {level for names in NAMES.values() for level in names}
    assert {each for each in levels if say.code(each) == each} == set()


@pytest.mark.parametrize(
    ("bits", "speaks", "mood"),
    [
        (9, "speaks strongly for it", "ok"),
        (2, "speaks for it", "ok"),
        (0.5, "speaks a little for it", "ok"),
        (0, "says nothing", "soft"),
        (-1, "speaks a little against it", "no"),
        (-3, "speaks against it", "no"),
        (-20, "speaks strongly against it", "no"),
    ],
)
def test_how_much_a_field_says_is_said_in_words_and_drawn(bits: float, speaks: str, mood: str) -> None:
    [row] = told(field("given_name", "nickname", bits))
    assert (row.level, row.speaks, row.mood) == ("nickname", speaks, mood)
    assert row.bits == pytest.approx(max(bits / 12, -1))


def test_what_only_one_says_is_shown_and_says_nothing() -> None:
    pair = [person(given_name="Ada", family_name="Herbst"), person(given_name="Ada")]
    _, row = told(field("given_name", "same", 4), field("family_name", "unknown", 0), pair=pair)
    assert (row.level, row.speaks, row.sides) == ("", "", [["Herbst"], []])


def test_that_two_may_only_live_together_is_said_where_it_speaks_against_it() -> None:
    home = "as likely as address and family name agree"
    labels = [row.label for row in told(field("household", home, -2.5))]
    assert labels == ["First name", "They may only live together"]
    assert len(told(field("household", home, -0.1))) == 1
