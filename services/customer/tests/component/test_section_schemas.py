"""What a department says of its sections, and what becomes of those that are there when it says otherwise."""

from datetime import timedelta

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from customer.store.sections import LOCKED_BEHIND
from customer.usecases import sections
from rapport.customer.v1 import section_service_pb2 as pb


def get(of):
    return of.sections.GetSectionSchema(pb.GetSectionSchemaRequest(name=f"sectionSchemas/{of.name}"))


async def listed(of):
    return list((await of.sections.ListSectionSchemas(pb.ListSectionSchemasRequest())).section_schemas)


def withdraw(of):
    return of.sections.DeleteSectionSchema(pb.DeleteSectionSchemaRequest(name=f"sectionSchemas/{of.name}"))


@pytest.fixture
async def billing(department):
    return department("billing")


async def test_a_schema_is_kept_as_it_was_put(billing, department, refused):
    delivery = department("delivery")
    assert await refused(get(billing)) == "NOT_FOUND RESOURCE_NOT_FOUND"
    put = await billing.begin()
    assert (put.department, put.message_type) == ("departments/billing", "billing.v1.Items")
    assert (put.descriptors, put.etag) == (billing.descriptors, '"1"')
    assert await get(billing) == put
    other = await delivery.begin()
    assert await listed(billing) == [put, other]
    assert await billing.begin() == put  # says nothing new


async def test_what_is_only_checked_is_not_kept(billing, refused):
    assert (await billing.begin(validate_only=True)).etag == '"1"'
    assert await listed(billing) == []
    broken = billing.begin(validate_only=True, descriptors=b"\xff")
    assert await refused(broken) == "INVALID_ARGUMENT INVALID_SCHEMA"


async def test_a_schema_has_a_size(billing, refused):
    large = billing.descriptors + b"\0" * 64 * 1024
    assert await refused(billing.begin(descriptors=large)) == "INVALID_ARGUMENT TOO_LONG"
    assert await refused(billing.begin(descriptors=b"")) == "INVALID_ARGUMENT REQUIRED"
    assert await refused(billing.begin(display_name="x" * 41)) == "INVALID_ARGUMENT TOO_LONG"


async def test_a_change_since_it_was_read_is_refused(billing, refused):
    first = await billing.begin()
    await billing.begin(display_name="Money", etag=first.etag)
    assert await refused(billing.begin(etag=first.etag)) == "ABORTED ETAG_MISMATCH"


async def test_another_schema_draws_anew_what_is_there(desk, billing, monkeypatch):
    """In steps of a few at once, until all are drawn."""
    monkeypatch.setattr(sections, "CHUNK", 2)
    customers = [await desk.create() for _ in range(5)]
    await billing.begin()
    for each in customers:
        await billing.put(each.name, note="hello", count=1)
    billing.descriptors = billing.contract(note="Remark", count="Unpaid")
    await billing.begin(display_name="Money")
    for each in customers:
        view = await desk.view_when(
            each.name, lambda view: view.sections and view.sections[0].display_name == "Money"
        )
        assert billing.shown(view.sections[0]) == {"Remark": "hello", "Unpaid": 1}
        found = await billing.get(each.name)
        assert (found.content, found.etag) == (billing.content(note="hello", count=1), view.sections[0].etag)


async def test_what_was_put_by_the_schema_of_before_while_it_changed_is_drawn_anew_as_well(
    desk, billing, clock
):
    anna = await desk.create()
    await billing.begin()
    await billing.put(anna.name, note="hello")
    await billing.begin(display_name="Money")
    await desk.view_when(anna.name, lambda view: view.sections and view.sections[0].display_name == "Money")
    async with desk.running.db.connection() as connection:  # as if that had committed only now
        await connection.execute("UPDATE view_sections SET schema_version = 1")
    clock.advance(timedelta(minutes=1))
    await desk.view_when(anna.name, lambda view: view.sections[0].etag == '"3"')
    db = desk.running.db
    assert await LOCKED_BEHIND.all(db, section="billing", version=2, limit=1) == []


async def test_a_schema_that_could_not_read_what_is_there_is_refused(billing, refused):
    await billing.begin()
    reduced = billing.contract(note="Note")
    assert await refused(billing.begin(descriptors=reduced)) == "FAILED_PRECONDITION SCHEMA_INCOMPATIBLE"
    files = FileDescriptorSet.FromString(reduced)
    files.file[0].message_type[0].reserved_range.add(start=2, end=3)
    await billing.begin(descriptors=files.SerializeToString())
    assert await refused(billing.begin()) == "FAILED_PRECONDITION SCHEMA_INCOMPATIBLE"


async def test_with_its_schema_a_departments_sections_are_withdrawn(desk, billing, refused, monkeypatch):
    monkeypatch.setattr(sections, "CHUNK", 2)
    customers = [await desk.create() for _ in range(3)]
    await billing.begin()
    for each in customers:
        await billing.put(each.name, note="hello")
        await desk.view_when(each.name, lambda view: view.sections)
    await withdraw(billing)
    for each in customers:
        await desk.view_when(each.name, lambda view: not view.sections)
        assert await refused(billing.put(each.name, 1)) == "NOT_FOUND RESOURCE_NOT_FOUND"
    assert await listed(billing) == []
    assert await refused(withdraw(billing)) == "NOT_FOUND RESOURCE_NOT_FOUND"


async def test_a_schema_that_is_put_again_at_once_does_not_keep_what_was_withdrawn(
    desk, billing, refused, clock, monkeypatch
):
    monkeypatch.setattr(sections, "CHUNK", 1)
    customers = [await desk.create() for _ in range(12)]
    await billing.begin()
    for each in customers:
        await billing.put(each.name, note="hello")
    load = [billing.request(each.name, note="of a load before") for each in customers]
    clock.advance(timedelta(seconds=10))
    await withdraw(billing)
    await billing.begin()
    again, *others = customers
    kept = await billing.put(again.name, 1, note="since then")
    for each, late in zip(others, load[1:], strict=True):
        await desk.view_when(each.name, lambda view: not view.sections)
        assert await refused(billing.get(each.name)) == "NOT_FOUND RESOURCE_NOT_FOUND"
        assert await refused(billing.sections.PutViewSection(late)) == "FAILED_PRECONDITION STALE_SECTION"
    await billing.put(others[0].name, 1, note="since then")
    assert (await billing.get(again.name)).content == kept.content


async def test_a_withdrawn_schema_stays_its_departments(desk, billing, department, refused):
    await billing.begin()
    await withdraw(billing)
    thief = department("delivery")
    stolen = thief.schema(name="sectionSchemas/billing")
    assert await refused(thief.sections.PutSectionSchema(stolen)) == "PERMISSION_DENIED NOT_OWNER"
    other = billing.contract(count="Count")
    assert await refused(billing.begin(descriptors=other)) == "FAILED_PRECONDITION SCHEMA_INCOMPATIBLE"
    assert (await billing.begin()).etag == '"3"'


async def test_a_view_has_room_for_so_many(department, refused, monkeypatch):
    monkeypatch.setattr(sections, "SCHEMAS_MAX", 2)
    one, two, three = (department(name) for name in ("one", "two", "three"))
    await one.begin()
    await two.begin()
    await one.begin()
    assert await refused(three.begin()) == "FAILED_PRECONDITION TOO_MANY_SCHEMAS"
    await withdraw(one)
    await three.begin()
    assert await refused(one.begin()) == "FAILED_PRECONDITION TOO_MANY_SCHEMAS"
