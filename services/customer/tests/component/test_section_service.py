"""A department writes its own part of the view, and nobody else does."""

import asyncio
from datetime import timedelta

import pytest

from chassis.api.messages import timestamp
from rapport.customer.v1 import section_service_pb2 as pb
from rapport.customer.v1.view_service_pb2 import BatchGetCustomerViewsRequest, WatchCustomerViewRequest

pytestmark = pytest.mark.together

MINE = {"note": "Pays late", "count": 3}
DRAWN = {"Note": "Pays late", "Open invoices": 3}


@pytest.fixture
async def billing(department):
    """A department with a schema."""
    made = department("billing")
    await made.begin()
    return made


async def test_a_section_is_drawn_in_the_view_without_its_content(desk, billing, clock):
    anna = await desk.create()
    put = await billing.put(anna.name, **MINE)
    view = await desk.view_when(anna.name, lambda view: view.sections)
    [section] = view.sections
    assert (section.name, section.department) == (f"{anna.name}/view/sections/billing", "departments/billing")
    assert (section.display_name, billing.shown(section)) == ("Billing", DRAWN)
    assert [cell.alarm for cell in section.cells] == [False, True]
    assert section.as_of_time == timestamp(clock.now())
    assert section.content == b""
    assert put.content == billing.content(**MINE)
    assert await billing.get(anna.name) == put
    listed = await billing.sections.ListViewSections(pb.ListViewSectionsRequest(parent=view.name))
    assert list(listed.view_sections) == [put]


async def test_whoever_watches_the_view_sees_it_change(desk, billing):
    anna = await desk.create()
    watching = desk.views.WatchCustomerView(WatchCustomerViewRequest(name=f"{anna.name}/view"), timeout=30)
    await billing.put(anna.name, **MINE)
    while not (message := await watching.read()).customer_view.sections:
        assert message
    assert billing.shown(message.customer_view.sections[0]) == DRAWN
    watching.cancel()


async def test_who_has_written_reads_it_with_the_consistency_token(desk, billing):
    anna = await desk.create()
    for count in range(1, 4):
        call = billing.sections.PutViewSection(billing.request(anna.name, count=count))
        await call
        token = dict(await call.trailing_metadata())["consistency-token"]
        view = await desk.view(anna.name, consistency_token=token)
        assert billing.shown(view.sections[0]) == {"Open invoices": count}


@pytest.mark.alone("all there is is counted")
async def test_a_million_in_a_night_tell_nobody_and_write_no_view(desk, billing):
    """A stream of events has a size, which belongs to what all departments tell."""
    anna = await desk.create()
    before = await desk.view_when(anna.name, lambda view: view.latest_timeline_entries)
    async with desk.running.db.connection() as connection:
        events = await connection.fetchval("SELECT count(*) FROM outbox")
        for count in range(1, 4):
            await billing.put(anna.name, count, count=count)
            shown = await desk.view(anna.name)
            assert [billing.shown(each) for each in shown.sections] == [{"Open invoices": count}]
        await billing.delete(anna.name)
        await billing.begin(display_name="Money")
        assert (await desk.view(anna.name)).update_time == before.update_time
        assert await connection.fetchval("SELECT count(*) FROM outbox") == events
        assert await connection.fetchval("SELECT max(version) FROM views") == 1
        audited = await connection.fetch("SELECT what FROM audit WHERE resources LIKE '%/view/sections/%'")
    assert sorted(row["what"].rpartition("/")[2] for row in audited) == [
        "DeleteViewSection", "PutViewSection", "PutViewSection", "PutViewSection",
    ]  # fmt: skip


async def test_it_is_there_before_anything_was_told_of_the_customer(desk, billing):
    anna = await desk.create()
    await desk.view_when(anna.name, lambda view: view.latest_timeline_entries)
    await billing.put(anna.name, **MINE)
    async with desk.running.db.connection() as connection:
        await connection.execute("DELETE FROM views")
    bea = await desk.create(given_name="Bea")
    batch = BatchGetCustomerViewsRequest(names=[f"{each.name}/view" for each in (anna, bea)])
    found, other = (await desk.views.BatchGetCustomerViews(batch)).customer_views
    assert not other.sections  # of another customer, of whom the department says nothing
    for view in (found, await desk.view(anna.name)):
        assert [billing.shown(each) for each in view.sections] == [DRAWN]
        assert view.display_name == anna.display_name


async def test_who_wrote_it_is_explained_and_what_it_holds_is_not_repeated(desk, billing):
    anna = await desk.create()
    put = await billing.put(anna.name, **MINE)
    explained = await billing.sections.ExplainViewSection(pb.ExplainViewSectionRequest(name=put.name))
    assert explained.customer == anna.name
    [cause] = explained.causes
    assert cause.method == "rapport.customer.v1.SectionService/PutViewSection"
    assert cause.actor == "agents/alice"
    assert explained.inputs["department"] == "departments/billing"
    assert "late" not in str(explained)
    assert "event_id" not in pb.ExplainViewSectionRequest.DESCRIPTOR.fields_by_name  # no event tells of it


async def test_nobody_else_writes_a_departments_section(desk, department, billing, refused):
    anna, delivery = await desk.create(), department("delivery")
    etag = (await billing.put(anna.name, **MINE)).etag
    await delivery.begin()
    theirs, own = billing.request(anna.name), delivery.request(anna.name)
    with_etag = billing.request(anna.name, etag=etag)
    both = pb.BatchPutViewSectionsRequest(requests=[own, theirs])
    stub, schema = delivery.sections, billing.schema()
    for call in (
        stub.PutViewSection(theirs),
        stub.PutViewSection(with_etag),
        stub.BatchPutViewSections(both),
        stub.DeleteViewSection(pb.DeleteViewSectionRequest(name=theirs.name, etag=etag)),
        stub.PutSectionSchema(schema),
        stub.PutSectionSchema(billing.schema(validate_only=True)),
        stub.DeleteSectionSchema(pb.DeleteSectionSchemaRequest(name=schema.name)),
    ):
        assert await refused(call) == "PERMISSION_DENIED NOT_OWNER"
    assert (await billing.get(anna.name)).etag == etag
    assert await refused(delivery.get(anna.name)) == "NOT_FOUND RESOURCE_NOT_FOUND"


async def test_what_comes_late_does_not_overwrite_what_is_newer(desk, billing, refused):
    anna = await desk.create()
    await billing.put(anna.name, note="new")
    assert await refused(billing.put(anna.name, -1, note="old")) == "FAILED_PRECONDITION STALE_SECTION"
    same = await billing.put(anna.name, note="as new, mended")
    assert (await billing.put(anna.name, -1, etag=same.etag, note="so be it")).etag == '"3"'
    assert await refused(billing.put(anna.name, etag=same.etag)) == "ABORTED ETAG_MISMATCH"
    assert billing.shown(await billing.get(anna.name))["Note"] == "so be it"


async def test_of_many_that_come_at_once_the_newest_stays(desk, billing):
    anna = await desk.create()
    puts = [billing.put(anna.name, -abs(second), count=second) for second in (5, 3, 9, 1, 7, 2)]
    done = await asyncio.gather(*puts, return_exceptions=True)
    assert any(not isinstance(each, Exception) for each in done)
    while isinstance(done[3], Exception):  # another first one won: told to try again
        done[3] = await billing.put(anna.name, -1, count=1)
    assert billing.shown(await billing.get(anna.name))["Open invoices"] == 1
    await desk.view_when(
        anna.name, lambda view: [billing.shown(each)["Open invoices"] for each in view.sections] == [1]
    )


async def test_two_departments_and_what_happens_meanwhile_lose_nothing(desk, department):
    anna, departments = await desk.create(), [department("billing"), department("delivery")]
    for each in departments:
        await each.begin()
    for turn in range(1, 8):
        puts = [each.put(anna.name, turn, count=turn) for each in departments]
        redrawn = departments[0].begin(display_name=f"Billing {turn}")
        await asyncio.gather(*puts, redrawn, *(desk.record(anna.name) for _ in range(2)))

    def is_complete(view):
        counts = [departments[0].shown(section).get("Open invoices") for section in view.sections]
        heading = view.sections[0].display_name if counts else ""
        return counts == [7, 7] and heading == "Billing 7" and len(view.latest_timeline_entries) == 15

    view = await desk.view_when(anna.name, is_complete)
    assert [section.department for section in view.sections] == [
        "departments/billing",
        "departments/delivery",
    ]


async def test_a_section_that_is_withdrawn_is_gone_and_nothing_late_brings_it_back(desk, billing, refused):
    anna = await desk.create()
    first = await billing.put(anna.name, **MINE)
    await billing.delete(anna.name, etag=first.etag)
    await desk.view_when(anna.name, lambda view: not view.sections)
    assert await refused(billing.get(anna.name)) == "NOT_FOUND RESOURCE_NOT_FOUND"
    assert await refused(billing.delete(anna.name)) == "NOT_FOUND RESOURCE_NOT_FOUND"
    assert await refused(billing.put(anna.name, **MINE)) == "FAILED_PRECONDITION STALE_SECTION"
    again = await billing.put(anna.name, 1, **MINE)
    assert again.etag == '"3"'
    await desk.view_when(anna.name, lambda view: view.sections)


async def test_a_section_is_withdrawn_as_of_a_time_and_what_was_read_before_does_not_bring_it_back(
    desk, billing, refused, clock
):
    anna, stale = await desk.create(), "FAILED_PRECONDITION STALE_SECTION"
    await billing.put(anna.name, 40, **MINE)  # by a clock that is ahead
    await billing.delete(anna.name)
    assert await refused(billing.put(anna.name, 40, **MINE)) == stale
    clock.advance(timedelta(minutes=30))
    load = billing.request(anna.name, -60, note="of a load at night")
    back = await billing.put(anna.name, -90, **MINE)
    early = timestamp(clock.now() - timedelta(seconds=100))
    assert await refused(billing.delete(anna.name, as_of_time=early)) == stale
    await billing.delete(anna.name)
    assert await refused(billing.sections.PutViewSection(load)) == stale
    back = await billing.put(anna.name, 1, **MINE)
    await billing.delete(anna.name, as_of_time=early, etag=back.etag)
    await billing.sections.PutViewSection(load)


async def test_what_is_withdrawn_before_it_comes_does_not_come_then(desk, billing, refused, clock, nobody):
    """A load has read it, and not put it yet."""
    anna, now = await desk.create(), timestamp(clock.now())
    for who, said in (anna.name, {}), (nobody, {"as_of_time": now}):
        assert await refused(billing.delete(who, **said)) == "NOT_FOUND RESOURCE_NOT_FOUND"
    await billing.delete(anna.name, as_of_time=now)
    await billing.delete(anna.name, as_of_time=now)
    await billing.delete(anna.name, as_of_time=timestamp(clock.now() - timedelta(minutes=1)))
    for seconds in (-60, 0):
        late = billing.put(anna.name, seconds, **MINE)
        assert await refused(late) == "FAILED_PRECONDITION STALE_SECTION"
    assert await refused(billing.get(anna.name)) == "NOT_FOUND RESOURCE_NOT_FOUND"
    await billing.delete(anna.name, as_of_time=timestamp(clock.now() + timedelta(seconds=5)))
    assert await refused(billing.put(anna.name, 5, **MINE)) == "FAILED_PRECONDITION STALE_SECTION"
    await billing.put(anna.name, 6, **MINE)
    assert [billing.shown(each) for each in (await desk.view(anna.name)).sections] == [DRAWN]


async def test_what_is_newer_keeps_its_place_and_the_rest_of_a_batch_is_written(desk, billing):
    """A load at night meets what was put meanwhile, or withdrawn."""
    names = [(await desk.create()).name for _ in range(3)]
    newer = await billing.put(names[0], 10, **MINE)
    await billing.put(names[1], 10, **MINE)
    await billing.delete(names[1])
    many = pb.BatchPutViewSectionsRequest(requests=[billing.request(each, note="x") for each in names])
    answer = await billing.sections.BatchPutViewSections(many)
    assert [answer.Outcome.Name(each.outcome) for each in answer.results] == [
        "OUTCOME_STALE",
        "OUTCOME_STALE",
        "OUTCOME_STORED",
    ]
    there, withdrawn, stored = answer.results
    assert (there.view_section.as_of_time, there.view_section.etag) == (newer.as_of_time, newer.etag)
    assert not withdrawn.HasField("view_section")
    assert (stored.view_section.name, stored.view_section.etag) == (
        f"{names[2]}/view/sections/billing",
        '"1"',
    )
    shown = [(await desk.view(name)).sections for name in names]
    assert [[billing.shown(each).get("Note") for each in one] for one in shown] == [["Pays late"], [], ["x"]]


async def test_for_what_is_wrong_nothing_of_a_batch_is_written(desk, billing, refused, nobody):
    anna, bert = await desk.create(), await desk.create(given_name="Bert")
    many = pb.BatchPutViewSectionsRequest(
        requests=[billing.request(each.name, note="x") for each in (bert, anna)]
    )
    results = (await billing.sections.BatchPutViewSections(many)).results
    written = [each.view_section for each in results]
    assert [each.name.split("/view")[0] for each in written] == [bert.name, anna.name]
    assert [(each.etag, len(each.cells)) for each in written] == [('"1"', 0)] * 2
    for wrong, reason in [
        (billing.request(nobody), "NOT_FOUND RESOURCE_NOT_FOUND"),
        (billing.request(bert.name, etag='"7"'), "ABORTED ETAG_MISMATCH"),
        (billing.request(bert.name, note="a\nb"), "INVALID_ARGUMENT INVALID_TEXT"),
        (billing.request(anna.name), "INVALID_ARGUMENT INVALID_NAME"),
    ]:
        batch = pb.BatchPutViewSectionsRequest(requests=[billing.request(anna.name, 1, note="y"), wrong])
        assert await refused(billing.sections.BatchPutViewSections(batch)) == reason
    for each in (anna, bert):
        assert (await billing.get(each.name)).etag == '"1"'


async def test_what_content_may_not_hold_is_refused_where_it_stands_and_not_repeated(desk, billing, refused):
    anna = await desk.create()
    batch = pb.BatchPutViewSectionsRequest(requests=[billing.request(anna.name, note="secret\x1b")])
    with pytest.raises(Exception, match=r"requests\[0\].content.note: must be one line") as caught:
        await billing.sections.BatchPutViewSections(batch)
    assert "secret" not in str(caught.value)
    large = billing.request(anna.name)
    large.content = b"\0" * 2049
    assert await refused(billing.sections.PutViewSection(large)) == "INVALID_ARGUMENT TOO_LONG"
    ahead = billing.put(anna.name, 61)
    assert await refused(ahead) == "INVALID_ARGUMENT INVALID_TIME"
    stale = billing.request(anna.name)
    stale.stale_time.CopyFrom(stale.as_of_time)
    assert await refused(billing.sections.PutViewSection(stale)) == "INVALID_ARGUMENT INVALID_TIME"


async def test_a_section_needs_a_schema(desk, department, refused):
    anna, strangers = await desk.create(), department("strangers")
    assert await refused(strangers.put(anna.name)) == "NOT_FOUND RESOURCE_NOT_FOUND"


@pytest.mark.alone("all there is is counted")
async def test_the_largest_sections_leave_a_view_small(desk, department):
    """As many as there may be, with as many cells, as long labels and as much content as is allowed."""
    anna = await desk.create()
    wide = "\U0001f4e6"
    for number in range(32):
        each = department(f"dept-{number:02}")
        each.descriptors = each.contract(**{f"f{i}": wide * 38 + f"{i:02}" for i in range(16)})
        await each.begin(display_name=wide * 40)
        await each.put(anna.name, **{f"f{i}": "x" * (200 if i < 9 else 5) for i in range(16)})
    view = await desk.view_when(anna.name, lambda view: view.excerpts)
    assert view.ByteSize() < 64 * 1024
    assert len(view.sections) > 8
    assert view.excerpts == ["sections"]
    listed = pb.ListViewSectionsRequest(parent=view.name, page_size=100)
    assert len((await each.sections.ListViewSections(listed)).view_sections) == 32
