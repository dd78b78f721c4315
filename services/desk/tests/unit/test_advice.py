"""What the customer page says of advice: a sentence for each rule, and what does it for who may."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from babel import Locale

from chassis.api.messages import enum_name, timestamp
from chassis.context import Principal
from desk.auth.sessions import Viewer
from desk.pages.customer.advice import _ACTIONS, _REASONS, _TITLES, next_of
from desk.pages.customer.loading import Cases, Promised
from desk.pages.services import Part, Parts
from desk.ui.speech import Speech
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.promise_pb2 import Promise
from rapport.cases.v1.work_item_pb2 import WorkItem
from rapport.customer.v1.advice_pb2 import AdviceRule
from rapport.customer.v1.view_pb2 import AdvicePart, CustomerView

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SAY = Speech(Locale("en", "GB"), ZoneInfo("Europe/Berlin"), NOW)
ERIKA = "customers/019cadc6-9a80-7f07-9ffb-be7cd3f05896"
SAID = {
    "kind": "delivery", "reference": "orders/5021", "due": "2026-03-01T17:00:00Z", "topic": "late-delivery",
    "days": "14", "times": "3", "expire": "2026-03-05T09:00:00+00:00", "band": "gold", "before": "platinum",
    "last": "2025-11-01", "day": "2026-03-03", "years": "3",
}  # fmt: skip


def shown(rule: str, on: str = "", may: Any = ("*",), **parts: Any) -> Any:
    """The one thing that is advised."""
    said = {name: text for name, text in SAID.items() if name != "topic" or on.startswith("cases/")}
    part = AdvicePart(
        advice_answer=f"{ERIKA}/adviceAnswers/x",
        rule=f"ADVICE_RULE_{rule}",
        priority="ADVICE_PRIORITY_NOW",
        evidence=on,
        variables=said,
    )
    viewer = Viewer(Principal("agent:alice", "front-desk", frozenset(may)), "Alice", "Bearer x", "y")
    answered = Parts({name: Part(each) for name, each in parts.items()})
    card = next_of(answered, CustomerView(advice=[part]), ERIKA, viewer, SAY)
    assert card.may == (may == ("*",))
    return card.first[0]


def test_each_rule_has_its_words_and_what_does_it() -> None:
    rules = {enum_name(AdviceRule.DESCRIPTOR, number) for number in AdviceRule.values() if number}
    assert rules == set(_TITLES) == set(_REASONS)
    elsewhere = {
        "CASE_OPEN_LONG",
        "HANDED_OVER_OFTEN",
        "DUE_UNCONFIRMED",
        "UNREACHABLE",
    }  # on a page of its own
    assert rules == set(_ACTIONS) | elsewhere
    for rule in rules:
        assert "{" not in shown(rule).because


@pytest.mark.parametrize(
    ("rule", "on", "because"),
    [
        ("BROKEN_UNTOLD", "promises/p", "Delivery of order 5021 was due yesterday, and nobody told them."),
        ("CASE_OPEN_LONG", "cases/c", "Late delivery is open for 14 days."),
        ("VALUE_FELL", "", "They were Platinum and are Gold now."),
        ("BIRTHDAY", "", "Their birthday: tomorrow."),
    ],
)
def test_why_is_said_in_words(rule: str, on: str, because: str) -> None:
    assert shown(rule, on=on).because == because


def test_a_promise_is_agreed_on_by_who_keeps_it_or_answers_for_its_case() -> None:
    promise = Promise(name="promises/p", department="departments/delivery", case="cases/c", kind="delivery")
    promise.due_time.CopyFrom(timestamp(NOW + timedelta(days=1)))
    mine = Case(name="cases/c", department="departments/front-desk")
    theirs = Case(name="cases/c", department="departments/delivery")
    for case, label in ((mine, "Agree a new date"), (theirs, None)):
        parts = {"promises": Promised([promise]), "cases": Cases([(case, [])])}
        act = shown("BROKEN_UNTOLD", "promises/p", ("cases.promises.write",), **parts).act
        assert (act.label if act else None) == label


def test_work_that_goes_round_leads_to_its_case() -> None:
    cases = Cases([(Case(name="cases/c"), [WorkItem(name="workItems/w", kind="repair")])])
    assert shown("HANDED_OVER_OFTEN", "workItems/w", cases=cases).link == "/cases/c"


def test_not_now_is_until_a_morning_on_which_somebody_works() -> None:
    assert shown("BROKEN_UNTOLD").until == "2026-03-03T08:00:00+01:00"
