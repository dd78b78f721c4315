"""Two records side by side: what is of both, what of one, and what nobody says now."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from google.type.date_pb2 import Date

from chassis.context import Principal
from chassis.errors import Unavailable
from desk.auth.sessions import Viewer
from desk.pages.customer.loading import Names
from desk.pages.merging.comparing import Row, rows
from desk.pages.services import Part, Parts
from desk.ui.speech import speech
from rapport.common.v1.channel_pb2 import CHANNEL_EMAIL, CHANNEL_SMS
from rapport.customer.v1.consent_pb2 import Consent
from rapport.customer.v1.consent_service_pb2 import ListConsentsResponse
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.identifier_pb2 import Identifier
from rapport.customer.v1.view_pb2 import CustomerView

ONE, OTHER = "customers/1", "customers/2"
SAY = speech("en", "UTC", datetime(2026, 3, 2, tzinfo=UTC))
WHO = Names(Viewer(Principal("agent:alice", "front-desk", frozenset("*")), "Alice", "Bearer x", "y"), {})


def compared(one: Customer, other: Customer, parts: Mapping[str, Part[Any]] = {}) -> dict[str, Row]:
    one.name, other.name = ONE, OTHER
    return {each.label: each for each in rows([one, other], Parts(parts), WHO, SAY)}


def email(*values: str) -> Customer:
    return Customer(identifiers=[Identifier(type=Identifier.TYPE_EMAIL, value=each) for each in values])


def test_handles_that_look_alike_when_masked_differ_where_they_are_two() -> None:
    one, other = email("ida.a@x.org", "ida@x.org"), email("ida.b@x.org", "ida@x.org")
    reached = compared(one, other)["Ways to reach them"]
    assert reached.differs
    assert reached.cells == [[("E-mail id…@x.org", False), ("E-mail i…@x.org", True)]] * 2


def test_a_name_in_other_letters_is_the_same() -> None:
    assert not compared(Customer(display_name="Ida FALK"), Customer(display_name="Ida Falk"))["Name"].differs


def test_of_consents_those_differ_that_one_said_otherwise_or_not() -> None:
    def said(*consents: Consent) -> Part[Any]:
        return Part(ListConsentsResponse(consents=consents))

    def service(channel: Any, state: Any) -> Consent:
        return Consent(purpose="purposes/service", channel=channel, state=state)

    one = said(service(CHANNEL_EMAIL, Consent.STATE_GRANTED), service(CHANNEL_SMS, Consent.STATE_DENIED))
    other = said(service(CHANNEL_EMAIL, Consent.STATE_DENIED), service(CHANNEL_SMS, Consent.STATE_DENIED))
    told = compared(Customer(), Customer(), {f"{ONE}/consents": one, f"{OTHER}/consents": other})["Consent"]
    assert told.differs
    assert [[both for _, both in cell] for cell in told.cells] == [[False, True], [False, True]]


def test_what_a_service_does_not_say_now_differs_from_nothing() -> None:
    known, away = Part(CustomerView(open_case_count=2)), Part(refusal=Unavailable("UNAVAILABLE", ""))
    cases = compared(Customer(), Customer(), {f"{ONE}/view": known, f"{OTHER}/view": away})["Open cases"]
    assert cases == Row("Open cases", [[("2", True)], [("not known now", True)]], False)


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({"year": 1984, "month": 4, "day": 12}, "12 Apr 1984"),
        ({"year": 1984, "month": 4}, "Apr 1984"),
        ({"year": 1984}, "1984"),
        ({"month": 2, "day": 29}, "29 Feb"),
        ({}, ""),
    ],
)
def test_a_day_is_said_as_far_as_it_is_known(known: dict[str, int], said: str) -> None:
    assert SAY.partly(Date(**known)) == said
