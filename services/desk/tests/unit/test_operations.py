"""What the pages for operators say of what services answer, and of those that do not."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from babel import Locale
from google.protobuf.timestamp_pb2 import Timestamp
from grpc_health.v1.health_pb2 import HealthCheckResponse
from starlette.datastructures import FormData

from chassis.context import Principal
from chassis.errors import InvalidArgument, PermissionDenied, Unavailable
from desk.auth.sessions import Viewer
from desk.pages.operations import letters, providers
from desk.pages.operations.asking import LETTERS_MAX, Asked, waiting
from desk.pages.operations.overview import Overview, overview
from desk.pages.services import Part, Parts, Silence, silences
from desk.ui.speech import Speech
from rapport.cases.v1.cases_events_pb2 import CaseOpened
from rapport.common.v1.states_pb2 import SET_ASIDE_STATE_DEAD, SET_ASIDE_STATE_PARKED
from rapport.notifications.v1.provider_pb2 import Provider
from rapport.operations.v1.operations_pb2 import (
    Backlog,
    Consumer,
    DeadLetter,
    SetAside,
    Timer,
    Work,
    WorkBacklog,
)
from rapport.operations.v1.operations_service_pb2 import (
    ListConsumersResponse,
    ListDeadLettersResponse,
    ListTimersResponse,
    ListWorkResponse,
)

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SAY = Speech(Locale("en", "GB"), ZoneInfo("UTC"), NOW)
SRE = Viewer(Principal("agent:sam", "platform", frozenset({"cases.operations.read"})), "Sam", "Bearer x", "c")
AWAY: Part[Any] = Part(refusal=Unavailable("UNAVAILABLE", "The service does not answer."))
CUSTOMER = "customers/0198c0de-0000-7000-8000-000000000001"


def at(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def serving(backlog: Backlog | None = None, *consumers: Consumer) -> Asked:
    return Asked(
        Part(HealthCheckResponse(status=HealthCheckResponse.SERVING)),
        Part(backlog or Backlog(version="0.3.0")),
        Part(ListConsumersResponse(consumers=consumers)),
    )


def of(*providers: Provider, **asked: Asked) -> Overview:
    silent = {name: Silence(NOW, None) for name, each in asked.items() if each.is_silent}
    return overview(asked, silent, providers, (), SAY)


def said(page: Overview) -> list[str]:
    return [trouble.what for trouble in page.troubles]


def test_a_company_in_which_nothing_is_wrong_says_so() -> None:
    page = of(cases=serving(), loyalty=serving())
    assert page.verdict.text == "All services serve, and nothing waits for somebody."
    assert [(each.name, each.state.text) for each in page.services] == [
        ("cases", "Serves"),
        ("loyalty", "Serves"),
    ]
    assert page.troubles == []


def test_a_service_that_does_not_answer_is_unknown_in_all_and_costs_its_row() -> None:
    heard = NOW - timedelta(minutes=19)
    silent = {"loyalty": Silence(NOW - timedelta(minutes=18), heard)}
    page = overview({"cases": serving(), "loyalty": Asked(AWAY, AWAY, AWAY)}, silent, (), (), SAY)
    cases, loyalty = page.services
    assert (cases.state.text, cases.note) == ("Serves", "0.3.0")
    assert (loyalty.state.text, loyalty.note) == ("No answer", "last answered today 08:41, 19 minutes ago")
    assert {cell.text for cell in loyalty.cells} == {"unknown"}
    assert page.verdict.text == "1 service does not answer: its state is unknown."


def test_one_that_has_never_answered_says_since_when_it_was_asked() -> None:
    [row] = of(cases=Asked(AWAY, AWAY, AWAY)).services
    assert row.note == "silent since today 09:00, now, when this desk first asked"


def test_a_broker_that_is_away_leaves_the_consumers_unknown_and_the_rest_known() -> None:
    healthy = serving()
    page = of(cases=Asked(healthy.health, healthy.backlog, AWAY))
    assert [cell.text for cell in page.services[0].cells] == [
        "empty",
        "unknown",
        "0",
        "0",
        "on time",
        "on time",
    ]
    assert said(page) == ["cases does not say what waits: The service does not answer."]


def test_what_may_not_be_known_is_an_answer() -> None:
    refused: Part[Any] = Part(refusal=PermissionDenied("PERMISSION_DENIED", "Not you."))
    asked = Asked(serving().health, refused, refused)
    assert not asked.is_silent
    assert "unknown" in {cell.text for cell in of(cases=asked).services[0].cells}


def test_what_waits_is_counted_and_what_is_wrong_is_said_worst_first() -> None:
    backlog = Backlog(
        unpublished_fact_count=1200,
        oldest_unpublished_time=at(NOW - timedelta(minutes=3)),
        set_aside=[
            SetAside(
                consumer="services/cases/consumers/a", state=SET_ASIDE_STATE_PARKED, error="E", event_count=2
            ),
            SetAside(consumer="services/cases/consumers/a", state=SET_ASIDE_STATE_PARKED, event_count=3),
            SetAside(
                consumer="services/cases/consumers/b", state=SET_ASIDE_STATE_DEAD, error="F", event_count=4
            ),
        ],
        work=[WorkBacklog(kind="mail", alarm_count=1, alarm_code="535", unknown_count=2, overdue_count=3)],
        overdue_timer_count=5,
    )
    missing = Consumer(name="services/cases/consumers/c", missing=True)
    page = of(cases=serving(backlog, Consumer(pending_count=7, in_hand_count=1), missing))
    texts = [cell.text for cell in page.services[0].cells]
    assert texts == ["1,200, oldest 3 minutes", "missing at the broker", "5", "4", "1 stuck", "5 late"]
    assert [trouble.mood for trouble in page.troubles] == ["bad"] * 4 + ["warn"] * 5
    assert said(page) == [
        "The broker has no consumer c.",
        "1,200 facts of cases not published, for 3 minutes.",
        "b gave up on 4 events (F).",
        "Mail: 1 wait for us to mend something, the other side says 535.",
        "5 timers of cases due for more than a minute.",
        "a set aside 2 events (E).",
        "a keeps 3 events that it does not know.",
        "Mail: of 2 of the last day nobody knows whether they were done.",
        "Mail: 3 due for more than a minute.",
    ]


def test_a_service_that_is_not_ready_says_so() -> None:
    asked = serving()
    not_ready = Part(HealthCheckResponse(status=HealthCheckResponse.NOT_SERVING))
    page = of(cases=Asked(not_ready, asked.backlog, asked.consumers))
    assert page.services[0].state.text == "Not ready"
    assert page.verdict.text == "1 thing needs somebody."


def test_a_clock_that_is_ahead_makes_no_fact_old() -> None:
    ahead = Backlog(unpublished_fact_count=1, oldest_unpublished_time=at(NOW + timedelta(hours=1)))
    page = of(cases=serving(ahead))
    assert page.services[0].cells[0].text.startswith("1, oldest ")
    assert page.troubles == []


def test_silence_is_remembered_from_when_it_began_and_forgotten_when_it_ends() -> None:
    memory: dict[Any, Any] = {}
    minute = timedelta(minutes=1)

    def noted(service: str, is_silent: bool, minutes: int) -> Silence | None:
        return silences(memory, "health", {service: is_silent}, NOW + minutes * minute).get(service)

    assert noted("cases", True, 0) == Silence(NOW, None)
    assert noted("cases", True, 1) == Silence(NOW, None)
    assert noted("cases", False, 2) is None
    assert noted("cases", True, 3) == Silence(NOW + 3 * minute, NOW + 2 * minute)
    assert noted("cases", True, 4) == Silence(NOW + 3 * minute, NOW + 2 * minute)
    assert noted("loyalty", True, 4) == Silence(NOW + 4 * minute, None)


def test_timers_and_work_say_when_and_how_they_are() -> None:
    timer = Timer(kind="promise-due", key="1", due_time=at(NOW - timedelta(minutes=5)), attempt_count=2)
    work = Work(kind="mail", state=Work.STATE_PENDING, attempt_count=3, code="535 5.7.8", alarm=True)
    work.due_time.CopyFrom(at(NOW + timedelta(hours=2)))
    parts = Parts(
        timers=Part(ListTimersResponse(timers=[timer], next_page_token="more")),
        work=Part(ListWorkResponse(work=[work])),
    )
    page = waiting(serving(), parts, SAY)
    [due], [mail] = page.timers.rows, page.work.rows
    assert (due.what, due.due, due.is_late, due.state) == (
        "promise due",
        "5 minutes ago",
        True,
        "failed 2 times",
    )
    assert (mail.due, mail.state) == ("in 2 hours", "waits for us to mend something, attempt 3: 535 5.7.8")
    assert (page.timers.more, page.work.more) == (True, False)


def test_what_a_service_does_not_say_is_unknown_and_not_nothing() -> None:
    page = waiting(Asked(AWAY, AWAY, AWAY), Parts(timers=AWAY, work=AWAY), SAY)
    assert page.timers.trouble == page.work.trouble == "unknown: The service does not answer."


def dead_letter(number: int = 1, **more: Any) -> DeadLetter:
    told = {
        "event_type": "rapport.cases.v1.CaseOpened",
        "error": "FailedPrecondition",
        "reason": "NOT_YET",
        "customer": CUSTOMER,
        "set_aside_time": at(NOW - timedelta(hours=number)),
        **more,
    }
    return DeadLetter(name=f"services/cases/consumers/a/deadLetters/{UUID(int=number)}", **told)


def listed(**answers: Part[Any]) -> letters.Letters:
    return letters.letters(Parts(answers), {}, SRE, SAY)


def page_of(*found: DeadLetter, token: str = "") -> Part[Any]:
    return Part(ListDeadLettersResponse(dead_letters=found, next_page_token=token))


def test_dead_letters_of_all_services_are_listed_oldest_first_with_their_customer() -> None:
    page = listed(cases=page_of(dead_letter(2)), loyalty=page_of(dead_letter(3)), customer=AWAY)
    assert [(each.age, each.event, each.why) for each in page.rows] == [
        ("3 hours", "Case opened", "not yet"),
        ("2 hours", "Case opened", "not yet"),
    ]
    assert {each.customer for each in page.rows} == {CUSTOMER}
    assert page.unknown == ["customer: The service does not answer."]


def test_who_may_only_read_is_offered_nothing_to_do() -> None:
    assert not listed(cases=page_of(dead_letter())).may
    writer = Principal("agent:sam", "platform", frozenset({"cases.operations.write"}))
    assert letters.letter(dead_letter(), Viewer(writer, "Sam", "", ""), SAY).may


def test_a_list_that_is_cut_says_so_and_one_of_a_service_goes_on() -> None:
    many = page_of(*(dead_letter(n) for n in range(1, LETTERS_MAX + 1)), token="next")
    assert (listed(cases=many).next_token, listed(cases=many).is_cut) == ("next", False)
    both = listed(cases=many, loyalty=many)
    assert (both.next_token, both.is_cut, len(both.rows)) == ("", True, LETTERS_MAX)


def test_a_dead_letter_is_shown_with_its_event_and_its_trace() -> None:
    event = CaseOpened(case="cases/1")
    headers = {"ce-authid": "agent%3Aalice", "traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "other": "x"}
    shown = letters.detail(dead_letter(headers=headers, data=event.SerializeToString()), SRE, SAY)
    assert shown.attributes == [("Done by", "agent:alice")]
    assert (shown.trace_id, '"case": "cases/1"' in shown.data) == ("a" * 32, True)


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        (
            {"event_type": "rapport.gifts.v1.Given", "data": b"abc"},
            "3 bytes of a type that this desk does not know.",
        ),
        ({"data": b"\xff"}, "It is not of the type that it says, or holds what that cannot."),
    ],
)
def test_an_event_that_cannot_be_read_is_shown_as_that(told: dict[str, Any], shown: str) -> None:
    assert letters.detail(dead_letter(**told), SRE, SAY).data == shown


NAME = dead_letter().name


def test_a_form_says_what_to_do_with_which() -> None:
    form = FormData(
        [("act", "drop"), ("name", NAME), ("name", NAME), ("request_id", str(UUID(int=1))), ("sure", "1")]
    )
    wanted = letters.chosen(form)
    assert (wanted.act, wanted.names, wanted.everything, wanted.sure) == ("drop", [NAME], None, True)
    assert wanted.reason_error


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ([("act", "burn")], "act"),
        ([("act", "drop"), ("name", "customers/1")], "name"),
        ([("act", "replay"), *[("name", NAME)] * (LETTERS_MAX + 1)], "name"),
        ([("act", "replay"), ("request_id", "1")], "request_id"),
    ],
)
def test_a_form_that_is_not_ours_is_refused(wrong: list[tuple[str, str]], field: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        letters.chosen(FormData(wrong))
    assert [each.field for each in refused.value.violations] == [field]


@pytest.mark.parametrize(("reason", "wrong"), [("repaired-by-hand", False), ("", True), ("Because!", True)])
def test_a_drop_needs_a_reason_that_is_a_code(reason: str, wrong: bool) -> None:
    assert letters.chosen(FormData([("act", "drop"), ("reason", reason)])).reason_error is wrong
    assert not letters.chosen(FormData([("act", "replay"), ("reason", reason)])).reason_error


def test_a_provider_that_takes_nothing_needs_somebody() -> None:
    well = Provider(name="providers/gateway", state=Provider.STATE_AVAILABLE)
    away = Provider(
        name="providers/smtp", state=Provider.STATE_UNAVAILABLE, state_time=at(NOW), last_error_code="535"
    )
    away.waiting_count = 3
    page = of(well, away, notifications=serving())
    assert page.verdict.text == "1 thing needs somebody."
    [trouble] = page.troubles
    assert (trouble.mood, trouble.href) == ("bad", "/operations/providers#provider-smtp")
    assert re.fullmatch(r"smtp has taken no messages since .* \(535\): 3 notices wait\.", trouble.what)


def test_a_provider_says_how_it_is_and_since_when() -> None:
    since, again = Timestamp(), Timestamp()
    since.FromDatetime(NOW)
    again.FromDatetime(NOW + timedelta(minutes=2))
    away = Provider(
        name="providers/smtp",
        channel="CHANNEL_EMAIL",
        state=Provider.STATE_UNAVAILABLE,
        state_time=since,
        last_error_code="550 5.7.1",
        last_error_time=since,
        retry_time=again,
        waiting_count=1200,
    )
    [row] = providers.rows([away], SAY)
    assert (row.name, row.channel, row.state.mood, row.waiting.text) == ("smtp", "e-mail", "bad", "1,200")
    assert row.again
    assert row.is_left_alone
    assert "550 5.7.1" in row.error
    [well] = providers.rows([Provider(name="providers/gateway", state=Provider.STATE_AVAILABLE)], SAY)
    assert (well.state.mood, well.again, well.error) == ("good", "", "")
