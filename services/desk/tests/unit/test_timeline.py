"""What of a timeline is looked at: URLs, filters, and what the page says."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from babel import Locale
from google.protobuf.descriptor_pool import Default

from chassis.api import filters
from chassis.api.messages import timestamp
from chassis.context import Principal
from chassis.errors import InvalidArgument, Unavailable
from customer.store.timeline import LIST_ENTRIES
from desk.auth.sessions import Viewer
from desk.pages.customer.loading import Cases, Names
from desk.pages.services import Part, Parts
from desk.pages.timeline.route import KINDS, PAGE, Chosen, Timeline, chosen, timeline
from desk.ui.speech import Speech
from desk.ui.words import CHANNELS
from rapport.cases.v1 import cases_events_pb2 as _cases  # noqa: F401 - known to the pool
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.work_item_pb2 import WorkItem
from rapport.customer.v1 import customer_events_pb2 as _customer  # noqa: F401
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.timeline_pb2 import TimelineEntry
from rapport.customer.v1.timeline_service_pb2 import ListTimelineEntriesResponse
from rapport.loyalty.v1 import loyalty_events_pb2 as _loyalty  # noqa: F401
from rapport.notifications.v1 import notifications_events_pb2 as _notifications  # noqa: F401

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
SAY = Speech(Locale("en", "GB"), BERLIN, NOW)
WHO = Names(Viewer(Principal("agent:alice"), "Alice", "Bearer x", "y"), {})  # is known by name
ERIKA = "customers/019cadc6-9a80-7f07-9ffb-be7cd3f05896"
CASE = "cases/019cadc6-9a80-7f07-9ffb-be7cd3f05896"
ALL: Mapping[str, str] = {
    "channel": "in-person",
    "department": "delivery",
    "case": CASE,
    "since": "2026-03-01",
    "until": "2026-03-28",
}


def shown(what: Chosen, count: int, token: str = "", before: int = 0) -> Timeline:
    told = [
        TimelineEntry(
            name=f"{ERIKA}/timelineEntries/{number}",
            event_type="rapport.customer.v1.CustomerUpdated",
            actor="services/customer",
            department="departments/delivery",
            occur_time=timestamp(NOW - timedelta(seconds=number)),
        )
        for number in range(count)
    ]
    answered = ListTimelineEntriesResponse(timeline_entries=told, next_page_token=token)
    parts = Parts(timeline=Part(answered), customer=Part(Customer(name=ERIKA, display_name="Erika Sommer")))
    return timeline(ERIKA, what, parts, before, WHO, SAY)


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_chosen_is_a_filter_that_the_list_takes(kind: str) -> None:
    asked = chosen({**ALL, "kind": kind}).filter(BERLIN)
    assert filters.parse(asked, LIST_ENTRIES.filters).shape


@pytest.mark.parametrize("event_type", [each for types in KINDS.values() for each in types])
def test_every_kind_is_of_events_that_there_are(event_type: str) -> None:
    assert Default().FindMessageTypeByName(f"rapport.{event_type}")


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_channel_is_one_that_the_list_takes(channel: str) -> None:
    assert filters.parse(Chosen(channel=channel).filter(BERLIN), LIST_ENTRIES.filters).params


def test_days_are_whole_days_where_the_reader_is() -> None:
    asked = Chosen(since="2026-03-28", until="2026-03-29").filter(BERLIN)
    assert asked == 'occur_time >= "2026-03-27T23:00:00Z" AND occur_time < "2026-03-29T22:00:00Z"'


@pytest.mark.parametrize(
    "asked",
    [{"kind": "secrets"}, {"channel": "VOICE"}, {"department": 'x" OR'}, {"case": "1"}, {"since": "soon"},
     {"until": "1969-12-31"}, {"until": "9999-12-31"}],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_is_refused_by_its_name(asked: dict[str, str]) -> None:
    with pytest.raises(InvalidArgument) as refused:
        chosen(asked)
    assert [each.field for each in refused.value.violations] == [*asked]


def test_a_choice_is_a_link_that_takes_itself_back() -> None:
    page = shown(Chosen(kind="promises", channel="voice"), 1)
    chips = {chip.label: chip for chip in page.chips["kind"]}
    assert chips["Promises"].chosen
    assert chips["Promises"].href == f"/{ERIKA}/timeline?channel=voice"
    assert chips["Goodwill"].href == f"/{ERIKA}/timeline?kind=goodwill&channel=voice"


def test_a_case_and_its_work_are_called_as_people_wrote_them_and_by_what_they_are_about() -> None:
    wrote = Case(name=CASE, topic="other", display_name="damaged parcel: it was wet")
    vase = WorkItem(name="workItems/1", kind="other", display_name="pick up the broken vase")
    other = Case(name=CASE.replace("019c", "019d"), topic="order-delivery")
    order = WorkItem(name="workItems/2", kind="deliver-order", reference="orders/5021")
    told = [
        TimelineEntry(resource=each.name, event_type="rapport.cases.v1.CaseOpened", occur_time=timestamp(NOW))
        for each in (wrote, vase, other)
    ]
    parts = Parts(
        timeline=Part(ListTimelineEntriesResponse(timeline_entries=told)),
        cases=Part(Cases([(wrote, [vase]), (other, [order])])),
    )
    page = timeline(ERIKA, Chosen(), parts, 0, WHO, SAY)
    called = ["Damaged parcel: it was wet", "Order delivery, order 5021"]
    assert [chip.label.rpartition(", ")[0] for chip in page.chips["case"]] == called
    said = [line.text.partition(": ")[2] for line in page.entries]
    assert said == [called[0], "pick up the broken vase", called[1]]


def test_each_case_of_the_page_is_a_choice_by_what_it_is_about_and_since_when() -> None:
    other = CASE.replace("019c", "019d")
    told = [
        TimelineEntry(resource=case, topic=topic, occur_time=timestamp(NOW - timedelta(days=days)))
        for case, topic, days in ((CASE, "note", 8), (other, "refund", 20), (CASE, "late-delivery", 40))
    ]
    parts = Parts(timeline=Part(ListTimelineEntriesResponse(timeline_entries=told)))
    page = timeline(ERIKA, Chosen(case=CASE), parts, 0, WHO, SAY)
    assert [(chip.label, chip.chosen) for chip in page.chips["case"]] == [
        ("Late delivery, 21 Jan", True),
        ("Refund, 10 Feb", False),
    ]
    assert page.chips["case"][0].href == f"/{ERIKA}/timeline"
    assert chosen({"case": other}).url(ERIKA) == page.chips["case"][1].href


def test_where_all_there_is_is_shown_what_would_give_nothing_is_no_choice() -> None:
    labels = {field: [chip.label for chip in chips] for field, chips in shown(Chosen(), 3).chips.items()}
    assert labels == {"department": ["Everything", "Delivery"], "case": []}
    assert len(shown(Chosen(), 3, "more").chips["channel"]) == len(CHANNELS) + 1


def test_a_choice_is_taken_back_by_everything() -> None:
    first = shown(Chosen(kind="promises", channel="voice"), 1).chips["kind"][0]
    assert (first.label, first.href, first.chosen) == (
        "Everything",
        f"/{ERIKA}/timeline?channel=voice",
        False,
    )


def test_what_is_folded_is_kept_behind_its_line() -> None:
    (line,) = shown(Chosen(), 5).entries
    assert [each.name[-1] for each in line.behind] == ["1", "2", "3", "4"]


def test_the_next_page_goes_on_where_this_one_ends_and_back_shows_as_much() -> None:
    further = shown(Chosen(kind="cases"), PAGE, "next", before=PAGE).further
    assert further
    assert further.href == f"/{ERIKA}/timeline?kind=cases&after=next&shown=100"
    assert further.here == f"/{ERIKA}/timeline?kind=cases&shown=150"


def test_nothing_and_nothing_like_it_and_nobody_answering_are_three_things() -> None:
    assert shown(Chosen(), 0).nothing == "Nothing happened yet."
    assert shown(Chosen(kind="goodwill"), 0).nothing == "Nothing like this happened."
    away = Parts(timeline=Part(refusal=Unavailable("UNAVAILABLE", "It is away.")))
    page = timeline(ERIKA, Chosen(), away, 0, WHO, SAY)
    assert (page.nothing, bool(page.trouble)) == ("", True)
