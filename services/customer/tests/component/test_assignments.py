"""A contact that was recorded while two were taken for one is assigned to the one whose it is."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from rapport.cases.v1 import cases_events_pb2 as cases
from rapport.customer.v1 import customer_events_pb2 as facts
from rapport.customer.v1 import timeline_service_pb2 as timeline
from rapport.customer.v1.timeline_pb2 import TimelineEntry


@pytest.fixture
async def anna(desk):
    return (await desk.create(family_name="Kruse")).name


@pytest.fixture
async def ann(desk):
    return (await desk.create(family_name="Kruse")).name


@pytest.fixture
async def contact(desk, anna, ann):
    """What was recorded of Anna while Ann was taken for her, which is over."""
    desk.clock.advance(timedelta(minutes=1))
    merge = await desk.merge(anna, ann)
    desk.clock.advance(timedelta(minutes=1))
    recorded = await desk.record(anna, reference="meanwhile")
    desk.clock.advance(timedelta(minutes=1))
    await desk.undo(merge)
    desk.clock.advance(timedelta(minutes=1))
    return recorded


async def assign(desk, entry, customer, **more):
    request = timeline.AssignTimelineEntryRequest(name=entry.name, assigned_customer=customer, **more)
    return await desk.timeline.AssignTimelineEntry(request)


async def contacts(desk, customer, **how):
    """The references of what is on a timeline."""
    asked = timeline.ListTimelineEntriesRequest(parent=customer, **how)
    listed = (await desk.timeline.ListTimelineEntries(asked)).timeline_entries
    return [each.reference for each in listed if each.reference]


async def viewed(desk, customer):
    shown = (await desk.view(customer)).latest_timeline_entries
    return [each.reference for each in shown if each.reference]


async def test_an_assigned_contact_is_on_the_other_timeline_and_in_their_view_under_its_own_name(
    desk, anna, ann, contact
):
    await desk.record(anna, reference="after")
    await desk.record(ann, reference="their-own")

    assigned = await assign(desk, contact, ann, etag=contact.etag)

    assert (assigned.name, assigned.assigned_customer) == (contact.name, ann)
    assert await contacts(desk, ann) == ["their-own", "meanwhile"]
    assert await contacts(desk, anna) == ["after"]
    assert await viewed(desk, ann) == ["their-own", "meanwhile"]
    assert await viewed(desk, anna) == ["after"]
    got = timeline.GetTimelineEntryRequest(name=contact.name)
    assert await desk.timeline.GetTimelineEntry(got) == assigned


async def test_an_assignment_is_told_and_explained(desk, anna, ann, contact):
    await assign(desk, contact, ann)

    [told] = await desk.facts("TimelineEntryAssigned")
    assert told.data == facts.TimelineEntryAssigned(
        timeline_entry=contact.name, customer=ann, previous_customer=anna
    )
    asked = timeline.ExplainTimelineEntryRequest(name=contact.name)
    explained = await desk.timeline.ExplainTimelineEntry(asked)
    assert explained.causes[0].event_type.endswith("TimelineEntryAssigned")


async def test_assigned_twice_it_is_assigned_once(desk, ann, contact):
    once = await assign(desk, contact, ann)
    assert await assign(desk, contact, ann, etag=once.etag) == once
    assert len(await desk.facts("TimelineEntryAssigned")) == 1


async def test_an_assignment_is_taken_back_and_the_entry_is_as_it_was(desk, anna, ann, contact):
    once = await assign(desk, contact, ann)
    back = await assign(desk, once, anna, etag=once.etag)
    assert back.assigned_customer == ""
    assert await contacts(desk, anna) == await viewed(desk, anna) == ["meanwhile"]
    assert await contacts(desk, ann) == await viewed(desk, ann) == []
    assert len(await desk.facts("TimelineEntryAssigned")) == 2


async def test_whoever_was_slower_is_refused(desk, anna, ann, contact, refused):
    await assign(desk, contact, ann)
    assert await refused(assign(desk, contact, anna, etag=contact.etag)) == "ABORTED ETAG_MISMATCH"
    assert await contacts(desk, ann) == ["meanwhile"]


async def test_a_repeat_is_answered_as_the_first(desk, anna, ann, contact):
    request_id = str(uuid4())
    first = await assign(desk, contact, ann, request_id=request_id)
    assert await assign(desk, contact, ann, request_id=request_id) == first


async def test_only_what_was_recorded_while_an_undone_merge_held_is_assigned(desk, anna, ann, refused):
    never = await desk.record(anna, reference="never-in-doubt")
    wanted = "FAILED_PRECONDITION NOT_RECORDED_MEANWHILE"
    assert await refused(assign(desk, never, ann)) == wanted
    desk.clock.advance(timedelta(minutes=1))
    merge = await desk.merge(anna, ann)
    desk.clock.advance(timedelta(minutes=1))
    holding, theirs = await desk.record(anna), await desk.record(ann)
    assert await refused(assign(desk, holding, ann)) == wanted
    desk.clock.advance(timedelta(minutes=1))
    await desk.undo(merge)
    assert await refused(assign(desk, never, ann)) == wanted
    assert await refused(assign(desk, theirs, anna)) == wanted


async def test_it_is_assigned_to_neither_a_stranger_nor_nobody(desk, ann, contact, refused):
    stranger = (await desk.create()).name
    for other in (stranger, f"customers/{uuid4()}"):
        assert await refused(assign(desk, contact, other)) == "INVALID_ARGUMENT NOT_OF_MERGE"


async def test_an_unknown_entry_is_not_found(desk, anna, ann, refused):
    unknown = timeline.AssignTimelineEntryRequest(
        name=f"{anna}/timelineEntries/{uuid4()}", assigned_customer=ann
    )
    told = await refused(desk.timeline.AssignTimelineEntry(unknown))
    assert told == "NOT_FOUND RESOURCE_NOT_FOUND"


async def test_a_fact_of_a_service_stays_where_it_says(desk, anna, ann, contact, refused):
    event = await desk.deliver(cases.CaseOpened(case=f"cases/{uuid4()}", customer=anna, topic="late"))
    await desk.view_when(anna, lambda view: view.cases)
    fact = TimelineEntry(name=f"{anna}/timelineEntries/{event}")
    assert await refused(assign(desk, fact, ann)) == "FAILED_PRECONDITION NOT_A_CONTACT"


async def test_who_are_one_again_have_all_of_it_once_and_apart_again_each_their_own(desk, anna, ann, contact):
    await assign(desk, contact, ann)
    again = await desk.merge(anna, ann)
    assert await contacts(desk, anna) == await contacts(desk, ann) == ["meanwhile"]
    assert await viewed(desk, anna) == ["meanwhile"]
    await desk.undo(again)
    assert (await contacts(desk, anna), await contacts(desk, ann)) == ([], ["meanwhile"])


async def test_a_long_timeline_with_assigned_contacts_is_paged_in_its_order(desk, anna, ann):
    desk.clock.advance(timedelta(minutes=1))
    merge = await desk.merge(anna, ann)
    recorded = []
    for number in range(12):
        desk.clock.advance(timedelta(minutes=1))
        recorded.append(await desk.record(ann if number % 2 else anna, reference=f"n-{number}"))
    desk.clock.advance(timedelta(minutes=1))
    await desk.undo(merge)
    for each in recorded[::2]:
        await assign(desk, each, ann)
    found, token = [], ""
    while True:
        asked = timeline.ListTimelineEntriesRequest(parent=ann, page_size=5, page_token=token)
        page = await desk.timeline.ListTimelineEntries(asked)
        found += [each.reference for each in page.timeline_entries if each.reference]
        if not (token := page.next_page_token):
            break
    assert found == [f"n-{number}" for number in reversed(range(12))]


async def test_many_at_once_assign_it_once(desk, ann, contact):
    await asyncio.gather(*(assign(desk, contact, ann) for _ in range(20)))
    assert len(await desk.facts("TimelineEntryAssigned")) == 1
    assert await viewed(desk, ann) == ["meanwhile"]
