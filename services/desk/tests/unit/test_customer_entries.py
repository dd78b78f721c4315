"""What the customer page says of what happened, and who did it: no browser, no service."""

import math
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration

from chassis.api.messages import timestamp
from desk.pages.customer.entries import entries, foremost, story, who_did
from desk.pages.customer.loading import Names, Promised
from desk.pages.customer.things import things
from desk.pages.services import Part, Parts
from rapport.cases.v1.agent_pb2 import Agent
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.case_service_pb2 import ListCasesResponse
from rapport.common.v1 import channel_pb2
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.identifier_pb2 import Identifier
from rapport.customer.v1.timeline_pb2 import TimelineEntry
from rapport.customer.v1.view_pb2 import CustomerView
from rapport.notifications.v1.notice_service_pb2 import ListNoticesResponse
from services.desk.tests.unit.test_customer_view import ERIKA, NOW, SAY, WHO, notice, promise, viewer


def entry(minutes: float, kind: str = "PromiseMade", **more: Any) -> TimelineEntry:
    more.setdefault("event_type", f"rapport.cases.v1.{kind}")
    return TimelineEntry(
        name=f"{ERIKA}/timelineEntries/{minutes}",
        occur_time=timestamp(NOW - timedelta(minutes=minutes)),
        actor="agents/alice",
        **more,
    )


def test_four_alike_within_ten_minutes_are_one_line_that_counts() -> None:
    lines = entries([entry(n) for n in range(6)] + [entry(200)], WHO, SAY)
    assert [line.folded for line in lines] == [5, 0]


def slip(minutes: float) -> list[TimelineEntry]:
    """What a forecast leads to, newest first: all in its trace, the last of it by itself."""
    traced: dict[str, Any] = {"trace_id": f"{minutes}"}
    told: dict[str, Any] = {**traced, "channel": channel_pb2.CHANNEL_EMAIL}
    facts = [
        entry(minutes, "GoodwillGranted", **traced),
        entry(minutes + 0.1, "PromiseRenegotiated", **traced),
        entry(minutes + 0.2, "NoticeSent", **told),
        entry(minutes + 0.3, "PromiseMade", **traced),
        entry(minutes + 0.4, "NoticeRequested", **traced),
        entry(minutes + 0.5, "PromiseAtRisk", **traced),
        entry(minutes + 0.6, "WorkItemForecast", **traced),
    ]
    for each in facts[:5]:
        each.actor = "services/cases"
    for each in facts[5:]:
        each.actor = "agents/dora"
        each.occur_time.CopyFrom(facts[5].occur_time)
    return facts


def spoken(minutes: float, trace_id: str = "") -> TimelineEntry:
    kind = "rapport.customer.v1.InteractionRecorded"
    return entry(minutes, event_type=kind, channel=channel_pb2.CHANNEL_VOICE, trace_id=trace_id)


def test_what_a_slip_led_to_is_one_line_that_says_what_was_told_by_whose_act_and_in_how_many_steps() -> None:
    lines = story([*slip(1), *slip(5), entry(9)], WHO, SAY)
    assert [(line.text, line.who, line.steps) for line in lines] == [
        ("E-mail sent", "Dora", 7),
        ("E-mail sent", "Dora", 7),
        ("Promise made", "Alice", 1),
    ]


def test_of_a_message_that_was_not_sent_the_line_says_that_and_not_that_it_is_to_be_sent() -> None:
    of: dict[str, Any] = {"trace_id": "1", "actor": "services/notifications"}
    facts = [entry(1, "NoticeSuppressed", reason_code="consent-denied"), entry(1.1, "NoticeRequested")]
    for each in facts:
        each.MergeFrom(TimelineEntry(**of))
    (line,) = story(facts, WHO, SAY)
    assert (line.text, line.steps) == ("Message not sent: consent denied", 2)


def test_what_has_no_trace_and_what_somebody_else_did_is_a_line_of_its_own() -> None:
    untraced = slip(1)
    for each in untraced:
        each.trace_id = ""
    assert [line.steps for line in story(untraced, WHO, SAY)] == [1] * 7
    lines = story([entry(1, "CaseResolved", trace_id="1"), spoken(2, "1"), entry(3, trace_id="1")], WHO, SAY)
    assert [line.steps for line in lines] == [1, 1, 1]


def test_contacts_are_seen_however_much_was_done_since() -> None:
    kinds = ("PromiseMade", "CaseOpened")
    lines = foremost(story([*(entry(n, kinds[n % 2]) for n in range(20)), spoken(30), spoken(40)], WHO, SAY))
    assert [line.contact for line in lines] == [False] * 4 + [True] * 2


def test_a_contact_is_said_as_people_say_it() -> None:
    contact = entry(
        1,
        event_type="rapport.customer.v1.InteractionRecorded",
        channel=channel_pb2.CHANNEL_VOICE,
        direction=channel_pb2.DIRECTION_INBOUND,
        topic="order",
        summary="x" * 1000,
        outcome_code="voicemail",
        duration=Duration(seconds=200),
    )
    (line,) = entries([contact], WHO, SAY)
    assert (line.text, line.contact) == ("Called us: order, voicemail, 3 minutes", True)
    assert len(line.words) < 200


def test_what_somebody_said_in_words_of_their_own_is_not_told_as_a_reason() -> None:
    contact = entry(
        1,
        event_type="rapport.customer.v1.InteractionRecorded",
        channel=channel_pb2.CHANNEL_VOICE,
        direction=channel_pb2.DIRECTION_INBOUND,
        topic="other",
    )
    (line,) = entries([contact], WHO, SAY)
    assert line.text == "Called us: something else"


def about(resource: str, kind: str, event: str = "PromiseMade", **more: Any) -> TimelineEntry:
    return entry(1, event_type=f"rapport.{kind}.v1.{event}", resource=resource, **more)


def test_an_entry_names_the_order_the_date_the_amount_and_the_way_to_reach_them() -> None:
    moved = promise(1, "RENEGOTIATED", 2, successor="promises/2", reference="orders/5021")
    after = promise(2, "OPEN", 5, predecessor="promises/1", reference="orders/5021")
    known = Customer(name=ERIKA)
    phone = f"{ERIKA}/identifiers/1"
    known.identifiers.add(name=phone, type=Identifier.TYPE_PHONE, value="+49 30 901821")
    view = CustomerView(customer=ERIKA)
    view.loyalty.goodwill.add(goodwill="goodwill/1", points=300)
    sent = notice("promises/1", "SENT")
    sent.name, sent.variables["new_date"] = "notices/1", "2026-03-04"
    case = Case(name="cases/1", topic="late-delivery", display_name="She says nobody answers")
    listed = [
        about("promises/1", "cases", "PromiseRenegotiated"),
        about("promises/1", "cases", "PromiseMade"),
        about("notices/1", "notifications", "NoticeSent", channel=channel_pb2.CHANNEL_EMAIL),
        about("goodwill/1", "loyalty", "GoodwillGranted", topic="promise-renegotiated"),
        about("cases/1", "cases", "CaseReopened", topic="late-delivery", reason_code="not-settled"),
        about("cases/1", "cases", "CaseOpened", topic="late-delivery"),
        about("cases/1/notes/7", "cases", "NoteCreated"),
        about(phone, "customer", "IdentifierCreated"),
    ]
    parts = Parts(
        promises=Part(Promised([moved, after])),
        customer=Part(known),
        view=Part(view),
        notices=Part(ListNoticesResponse(notices=[sent])),
        titles=Part(ListCasesResponse(cases=[case])),
    )
    assert [each.text for each in entries(listed, WHO, SAY, things(parts, SAY))] == [
        "Another date agreed: Delivery of order 5021, Sat 7 Mar 10:00",
        "Promise made: Delivery of order 5021, Wed 4 Mar 10:00",
        "E-mail sent: Delivery of order 5021, Wed 4 Mar",
        "Goodwill given: 300 points, the promised date moved",
        "Case reopened: She says nobody answers, not settled",
        "Case opened: She says nobody answers",
        "Note on the case: She says nobody answers",
        "A way to reach them added: Phone … 821",
    ]


@pytest.mark.parametrize(
    ("actor", "department", "fact", "who"),
    [
        ("agents/dora", "departments/front-desk", "PromiseAtRisk", "Dora Klein, delivery"),
        ("agents/emil", "departments/front-desk", "PromiseAtRisk", "Emil"),
        ("customers/019cade0-0000-7000-8000-000000000001", "", "ConsentUpdated", "the customer"),
        ("services/loyalty", "", "GoodwillGranted", "by policy"),
        ("services/cases", "departments/delivery", "PromiseBroken", "Delivery"),
        ("services/customer", "", "CustomerCreated", "automatically"),
        ("services/web-shop", "", "PurchaseRecorded", "Web shop"),
        ("services/desk", "", "InteractionRecorded", ""),
    ],
)
def test_who_did_it_is_a_person_a_department_a_policy_or_nobody(
    actor: str, department: str, fact: str, who: str
) -> None:
    dora = Agent(display_name="Dora Klein", department="departments/delivery")
    names = Names(viewer(), {"names": {("agent:alice", "agents/dora"): (math.inf, dora)}})
    assert who_did(actor, department, names, SAY, fact) == who


def test_what_a_customer_sent_is_quoted_and_not_said_of_the_desk() -> None:
    sent = entry(1, event_type="rapport.customer.v1.InteractionRecorded", summary="Where is my order?")
    sent.actor = "services/desk"
    (line,) = entries([sent], WHO, SAY)
    assert (line.who, line.words) == ("", "“Where is my order?”")


def test_a_message_that_was_sent_can_be_read() -> None:
    sent = about("notices/1", "notifications", "NoticeSent", channel=channel_pb2.CHANNEL_EMAIL)
    assert entries([sent], WHO, SAY)[0].read == "/notices/1/message"
