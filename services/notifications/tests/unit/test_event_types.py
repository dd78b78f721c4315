"""What is said of the events that a policy may name is what is taken of one that does."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from chassis.errors import InvalidArgument
from chassis.events.registry import events, source_of
from notifications.usecases.conditions import require_sound
from notifications.usecases.event_types import event_types
from notifications.usecases.policy import draft_of
from rapport.notifications.v1.notice_policy_pb2 import NoticePolicy
from rapport.notifications.v1.trigger_event_pb2 import TriggerEvent

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
OF_ANY = [each for each in event_types() if not each.tells_promises]


def refused(event_type: str, **terms: Any) -> str:
    """For which field a policy on an event is refused; empty when it is not."""
    policy = draft_of(NoticePolicy(event_type=event_type, **terms)).policy("p", "front-desk", NOW)
    try:
        require_sound(policy)
    except InvalidArgument as wrong:
        return wrong.violations[0].field.removeprefix("notice_policy.")
    return ""


def roles(event: TriggerEvent) -> Iterator[tuple[str, str, bool]]:
    """Each field, as what a policy could name it, and whether that is said to do."""
    for role in ("customer", "subject", "date"):
        offered = getattr(event, f"{role}_fields")
        for field in event.fields:
            yield f"{role}_field", field.name, field.name in offered


def test_every_installed_event_but_those_of_notices_is_said_once() -> None:
    said = [each.event_type for each in event_types()]
    assert said == sorted(name for name, message in events().items() if source_of(message) != "notifications")
    assert {each.event_type for each in event_types() if each.tells_promises} == {
        "rapport.cases.v1.PromiseAtRisk",
        "rapport.cases.v1.PromiseRecovered",
    }
    for event in event_types():
        wrong = "" if "customer" in event.customer_fields or event.tells_promises else "customer_field"
        assert refused(event.event_type) == wrong, event.event_type


def test_a_field_is_taken_as_what_it_is_said_to_be_and_as_nothing_else() -> None:
    for event in OF_ANY:
        whose = {"customer_field": event.customer_fields[0]} if event.customer_fields else {}
        for role, name, is_said in roles(event):
            named = {"schedule": {"day": {role: name}}} if role == "date_field" else {role: name}
            wrong = refused(event.event_type, **whose | named).removeprefix("schedule.day.")
            if event.customer_fields or role == "customer_field":
                assert wrong == ("" if is_said else role), (event.event_type, role, name)


def test_what_says_by_when_something_is_promised_is_no_day_to_tell_of_it() -> None:
    [started] = [each for each in event_types() if each.event_type == "rapport.cases.v1.ClockStarted"]
    assert "due_time" in {each.name for each in started.fields} - {*started.date_fields}
    [opened] = [each for each in event_types() if each.event_type == "rapport.cases.v1.CaseOpened"]
    assert (opened.service, opened.customer_fields) == ("cases", ["customer"])
    assert opened.description
