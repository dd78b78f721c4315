import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from google.protobuf.duration_pb2 import Duration

from chassis.api import filters
from chassis.api.actors import actor_name
from chassis.api.messages import timestamp
from customer.domain.timeline import INTERACTION
from customer.store.timeline import LIST_ENTRIES
from rapport.cases.v1.cases_events_pb2 import WorkItemCalled
from rapport.common.v1 import channel_pb2
from rapport.customer.v1.timeline_service_pb2 import (
    BatchRecordInteractionsRequest,
    GetTimelineEntryRequest,
    ListTimelineEntriesRequest,
)
from rapport.customer.v1.timeline_service_pb2_grpc import TimelineServiceStub
from rapport.notifications.v1.notifications_events_pb2 import NoticeSent
from rapport_testing.plans import rows_read
from rapport_testing.wait import eventually

# Each contact so many times more, one second before the other.
MORE = """
    INSERT INTO timeline
    SELECT gen_random_uuid(), customer_id, occur_time - n * interval '1 s', event_type, service, resource,
           reference, channel, direction, topic, summary, department, actor, trace_id, amount, currency_code
    FROM timeline, generate_series(1, $2::integer) n WHERE event_type = $1
"""


async def listed(desk, customer, **paging):
    request = ListTimelineEntriesRequest(parent=customer, **paging)
    return await desk.timeline.ListTimelineEntries(request)


async def interactions(desk, customer):
    """The contacts on a timeline, without the facts beside them."""
    entries, token = [], ""
    while True:
        page = await listed(desk, customer, page_size=1000, page_token=token)
        entries += [entry for entry in page.timeline_entries if entry.event_type == INTERACTION]
        token = page.next_page_token
        if not token:
            return entries


async def test_a_contact_is_recorded_told_and_listed(desk):
    anna = await desk.create()
    took = Duration(seconds=200)
    entry = await desk.record(
        anna.name,
        summary="Where is my order?",
        resource="cases/1",
        reference="orders/10248",
        outcome_code="reached",
        duration=took,
    )
    assert (entry.outcome_code, entry.duration) == ("reached", took)
    assert entry.occur_time == timestamp(desk.clock.now())
    assert (entry.event_type, entry.service, entry.actor) == (
        INTERACTION,
        "services/customer",
        "agents/alice",
    )
    assert entry.department == "departments/front-desk"
    assert entry.trace_id
    assert await interactions(desk, anna.name) == [entry]
    assert await desk.timeline.GetTimelineEntry(GetTimelineEntryRequest(name=entry.name)) == entry
    (fact,) = await desk.facts("InteractionRecorded")
    assert (fact.data.timeline_entry, fact.data.customer, fact.data.topic) == (
        entry.name,
        anna.name,
        "late-delivery",
    )
    assert (fact.data.resource, fact.data.reference) == ("cases/1", "orders/10248")
    assert (fact.data.outcome_code, fact.data.duration) == ("reached", took)
    assert (fact.data.department, fact.data.occur_time) == (entry.department, entry.occur_time)
    assert b"Where" not in fact.data.SerializeToString()


async def test_the_fact_of_a_contact_does_not_make_a_second_entry(desk):
    anna = await desk.create()
    await desk.record(anna.name)
    await desk.view_when(anna.name, lambda view: len(view.latest_timeline_entries) == 2)
    assert [entry.event_type for entry in (await listed(desk, anna.name)).timeline_entries] == [
        INTERACTION,
        "rapport.customer.v1.CustomerCreated",
    ]


async def test_contacts_that_arrive_together_are_each_recorded_by_who_told_them(desk):
    anna = await desk.create()
    bob = desk.running.stub(TimelineServiceStub, subject="agent:bob")
    calls = [
        stub.RecordInteraction(desk.interaction(anna.name, topic=f"topic-{i}"))
        for i in range(30)
        for stub in (desk.timeline, bob)
    ]
    entries = await asyncio.gather(*calls)
    assert [entry.actor for entry in entries] == ["agents/alice", "agents/bob"] * 30
    assert len(await interactions(desk, anna.name)) == 60
    facts = await desk.facts("InteractionRecorded")
    told = {fact.data.timeline_entry: actor_name(fact.actor, "customer") for fact in facts}
    assert told == {entry.name: entry.actor for entry in entries}


async def test_a_wrong_contact_hurts_none_that_arrive_with_it(desk, nobody):
    anna = await desk.create()
    wrong = [desk.interaction(nobody), desk.interaction(anna.name, topic="Not A Code")]
    requests = [desk.interaction(anna.name) for _ in range(10)] + wrong
    results = await asyncio.gather(*map(desk.timeline.RecordInteraction, requests), return_exceptions=True)
    assert [isinstance(result, Exception) for result in results] == [False] * 10 + [True] * 2
    assert len(await interactions(desk, anna.name)) == 10


async def test_a_request_id_makes_a_retry_safe(desk):
    anna = await desk.create()
    request = desk.interaction(anna.name, request_id=str(uuid4()))
    first = await desk.timeline.RecordInteraction(request)
    assert await desk.timeline.RecordInteraction(request) == first
    assert await interactions(desk, anna.name) == [first]


async def test_a_contact_that_is_not_well_formed_is_refused(desk, refused, nobody):
    for fields, reason in (
        ({"channel": 0}, "INVALID_ENUM"),
        ({"channel": 99}, "INVALID_ENUM"),
        ({"direction": 0}, "INVALID_ENUM"),
        ({"topic": "Late Delivery"}, "INVALID_CODE"),
        ({"summary": "a\0b"}, "INVALID_TEXT"),
        ({"summary": "x" * 4001}, "TOO_LONG"),
        ({"resource": "what she said"}, "INVALID_NAME"),
        ({"resource": "order-7"}, "INVALID_NAME"),
        ({"reference": "what she said"}, "INVALID_CODE"),
        ({"occur_time": timestamp(datetime(1969, 12, 31, tzinfo=UTC))}, "INVALID_TIME"),
        ({"occur_time": timestamp(datetime(2026, 3, 3, 9, 1, tzinfo=UTC))}, "INVALID_TIME"),
        ({"parent": "anna"}, "INVALID_NAME"),
        ({"parent": ""}, "REQUIRED"),
        ({"request_id": "once"}, "INVALID_UUID"),
    ):
        call = desk.record(**{"customer": nobody} | fields)
        assert await refused(call) == f"INVALID_ARGUMENT {reason}"


async def test_a_contact_may_be_old_or_a_day_ahead(desk):
    anna = await desk.create()
    for at in (datetime(1970, 1, 1, tzinfo=UTC), desk.clock.now() + timedelta(days=1)):
        entry = await desk.record(anna.name, occur_time=timestamp(at))
        assert entry.occur_time == timestamp(at)


async def test_a_batch_is_recorded_whole_or_not_at_all(desk, refused, nobody):
    anna = await desk.create()
    batch = BatchRecordInteractionsRequest(requests=[desk.interaction(anna.name) for _ in range(1000)])
    recorded = await desk.timeline.BatchRecordInteractions(batch, timeout=30)
    assert len(recorded.timeline_entries) == 1000
    wrong = BatchRecordInteractionsRequest(requests=[desk.interaction(anna.name), desk.interaction(nobody)])
    assert await refused(desk.timeline.BatchRecordInteractions(wrong)) == "NOT_FOUND RESOURCE_NOT_FOUND"
    assert len(await interactions(desk, anna.name)) == 1000
    for requests, reason in (([], "REQUIRED"), ([desk.interaction(anna.name)] * 1001, "TOO_LONG")):
        call = desk.timeline.BatchRecordInteractions(BatchRecordInteractionsRequest(requests=requests))
        assert await refused(call) == f"INVALID_ARGUMENT {reason}"


async def test_a_long_timeline_is_read_to_its_end_newest_first_without_gaps_or_repeats(desk):
    anna = await desk.create()
    requests = [
        desk.interaction(anna.name, occur_time=timestamp(desk.clock.now() - timedelta(minutes=i % 50)))
        for i in range(500)
    ]
    await desk.timeline.BatchRecordInteractions(BatchRecordInteractionsRequest(requests=requests), timeout=30)
    await desk.view_when(anna.name, lambda view: len(view.latest_timeline_entries) == 20)
    seen, token = [], ""
    while True:
        page = await listed(desk, anna.name, page_size=77, page_token=token)
        seen += page.timeline_entries
        token = page.next_page_token
        if not token:
            break
    assert len({entry.name for entry in seen}) == len(seen) == 501
    moments = [entry.occur_time.ToMicroseconds() for entry in seen]
    assert moments == sorted(moments, reverse=True)


async def test_an_entry_that_arrives_while_one_reads_on_is_not_read_twice(desk):
    anna = await desk.create()
    await desk.view_when(anna.name, lambda view: view.latest_timeline_entries)
    first = [await desk.record(anna.name, topic=f"t{i}") for i in range(4)]
    page = await listed(desk, anna.name, page_size=2)
    desk.clock.advance(timedelta(seconds=1))
    await desk.record(anna.name, topic="late")
    rest = await listed(desk, anna.name, page_size=10, page_token=page.next_page_token)
    names = [entry.name for entry in (*page.timeline_entries, *rest.timeline_entries)]
    assert names[:4] == [entry.name for entry in reversed(first)]


async def test_a_page_reads_the_rows_it_shows_and_no_others_however_long_the_timeline(
    desk, spans, infrastructure
):
    anna = await desk.create()
    for _ in range(2):
        await desk.record(anna.name)
    page = await listed(desk, anna.name, page_size=1)
    await listed(desk, anna.name, page_token=page.next_page_token)
    queries = [span.attributes.get("db.query.text", "") for span in spans]
    (sql,) = (query for query in queries if "(timeline.occur_time, timeline.id) <" in query)
    async with desk.running.db.connection() as connection:
        await connection.execute(MORE, INTERACTION, 20_000)
        await infrastructure.analyze(desk.running.db._url, "timeline")
        row = await connection.fetchrow("SELECT * FROM timeline ORDER BY occur_time OFFSET 10000 LIMIT 1")
        lines = await connection.fetch(
            f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) {sql}",
            row["customer_id"],
            row["occur_time"],
            row["id"],
            51,
        )
    plan = [line[0].strip() for line in lines]
    own, assigned = [line for line in plan if " on timeline " in line]
    assert "Index Scan Backward using timeline_customer" in own
    assert "(actual rows=51" in own
    assert "Index Scan Backward using timeline_assigned" in assigned
    assert "(actual rows=0" in assigned


@pytest.mark.parametrize(
    ("asked", "most"),
    [
        ('event_type = "rapport.customer.v1.InteractionRecorded"', 60),  # usual: what is shown
        ('occur_time >= "2020-01-01T00:00:00Z" AND occur_time < "2020-01-01T02:00:00Z"', 0),
        ("channel = FAX", 10_002),  # none: her own, once, and nobody else's
        ('resource = "cases/019cade0-0000-7000-8000-000000000003"', 10_002),
    ],
    ids=["usual", "days", "channel", "case"],
)
async def test_a_rare_choice_reads_one_customers_timeline_at_most(desk, infrastructure, asked, most):
    anna, *others = [await desk.create() for _ in range(7)]
    for each in (anna, *others):
        await desk.record(each.name)
    chosen = filters.parse(asked, LIST_ENTRIES.filters)
    statement = LIST_ENTRIES._build(chosen, descending=True, continued=False)
    async with infrastructure.superuser(desk.running.db._url) as connection:
        await connection.execute(MORE, INTERACTION, 10_000)
        await connection.execute("ANALYZE timeline")
        arguments = statement.arguments(
            {"customer_id": UUID(anna.name.partition("/")[2]), "limit": 51, **chosen.params}
        )
        plan = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.sql}", *arguments)
    assert rows_read(plan, "timeline") <= most


async def test_the_timeline_of_nobody_is_not_found(desk, refused, nobody):
    assert await refused(desk.record(nobody)) == "NOT_FOUND RESOURCE_NOT_FOUND"
    assert await refused(listed(desk, nobody)) == "NOT_FOUND RESOURCE_NOT_FOUND"
    assert await refused(listed(desk, "anna")) == "INVALID_ARGUMENT INVALID_NAME"
    assert await refused(listed(desk, nobody, page_token="x")) == "INVALID_ARGUMENT INVALID_PAGE_TOKEN"


async def test_notices_are_on_the_timeline_with_their_channel(desk):
    anna = await desk.create()
    await desk.deliver(
        NoticeSent(
            notice=f"notices/{uuid4()}",
            customer=anna.name,
            kind="promise-at-risk",
            channel="CHANNEL_EMAIL",
            department="departments/delivery",
        )
    )

    async def told():
        entries = (await listed(desk, anna.name)).timeline_entries
        return [entry for entry in entries if entry.event_type == NoticeSent.DESCRIPTOR.full_name]

    (entry,) = await eventually(told)
    assert (entry.service, entry.topic, entry.actor) == (
        "services/notifications",
        "promise-at-risk",
        "services/notifications",
    )
    assert entry.department == "departments/delivery"
    assert (entry.channel, entry.direction) == (channel_pb2.CHANNEL_EMAIL, channel_pb2.DIRECTION_OUTBOUND)


async def test_how_a_call_of_ours_ended_is_found_as_of_any_contact(desk):
    anna = await desk.create()
    await desk.record(anna.name, outcome_code="no-answer")
    called = WorkItemCalled(work_item=f"workItems/{uuid4()}", customer=anna.name, outcome_code="no-answer")
    await desk.deliver(called)

    async def both():
        found = (await listed(desk, anna.name, filter='outcome_code = "no-answer"')).timeline_entries
        return {each.event_type for each in found} == {INTERACTION, WorkItemCalled.DESCRIPTOR.full_name}

    await eventually(both)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("channel = EMAIL", ["b"]),
        ('outcome_code = "no-answer" OR topic = "b"', ["b", "a"]),
        ("direction = OUTBOUND", []),
        ('event_type = "rapport.customer.v1.InteractionRecorded"', ["b", "a"]),
        ('resource = "cases/1"', ["a"]),
        ('resource = "cases/1" OR channel = EMAIL', ["b", "a"]),
        ('department = "departments/elsewhere"', []),
        (
            'event_type = "rapport.customer.v1.InteractionRecorded" AND occur_time < "2020-01-01T00:00:00Z"',
            [],
        ),
    ],
)
async def test_a_timeline_is_filtered(desk, asked, found):
    anna = await desk.create()
    await desk.record(anna.name, topic="a", resource="cases/1", outcome_code="no-answer")
    await desk.record(anna.name, topic="b", channel=channel_pb2.CHANNEL_EMAIL)
    entries = (await listed(desk, anna.name, filter=asked)).timeline_entries
    assert [entry.topic for entry in entries] == found


async def test_a_timeline_is_read_from_its_beginning_as_from_its_end(desk):
    anna = await desk.create()
    told = [await desk.record(anna.name, topic=topic) for topic in "abc"]
    kind = f'event_type = "{INTERACTION}"'
    for order, expected in (("occur_time", told), ("occur_time desc", told[::-1]), ("", told[::-1])):
        first = await listed(desk, anna.name, filter=kind, order_by=order, page_size=2)
        rest = await listed(desk, anna.name, filter=kind, order_by=order, page_token=first.next_page_token)
        assert [*first.timeline_entries, *rest.timeline_entries] == expected
