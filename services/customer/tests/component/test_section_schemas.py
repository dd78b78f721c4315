"""What a department says of its sections, and what becomes of those that are there when it says otherwise."""

from datetime import timedelta

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from chassis.api.messages import timestamp
from customer.store.views import BEHIND
from customer.usecases import sections
from rapport.customer.v1 import section_service_pb2 as pb
from rapport_testing.plans import rows_read
from rapport_testing.wait import eventually


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
    assert await BEHIND.all(db, section="billing", version=2, limit=1) == []


async def test_when_it_was_drawn_anew_is_said(desk, billing, clock):
    anna = await desk.create()
    await billing.begin()
    put = await billing.put(anna.name, note="hello")
    clock.advance(timedelta(minutes=3))
    await billing.begin(display_name="Money")
    await desk.view_when(anna.name, lambda view: view.sections[0].display_name == "Money")
    drawn = await billing.get(anna.name)
    assert drawn.update_time == timestamp(clock.now()) != put.update_time
    assert drawn.as_of_time == put.as_of_time


async def test_what_is_behind_is_found_without_reading_what_is_drawn_already(desk, billing, infrastructure):
    """Of four thousand sections of two schemas before: else each step of a million would cost more."""
    await billing.begin()
    await billing.put((await desk.create()).name, note="hello")
    url = desk.running.db._url
    async with infrastructure.superuser(url) as connection:
        await connection.execute("ALTER TABLE view_sections DROP CONSTRAINT view_sections_customer_id_fkey")
        await connection.execute(
            """
            INSERT INTO view_sections
            SELECT gen_random_uuid(), section, content, drawn, as_of_time, stale_time, update_time, version,
                   CASE WHEN n <= 2000 THEN 3 WHEN n <= 3000 THEN 2 ELSE 1 END, put_id
            FROM view_sections, generate_series(1, 4000) n
            """
        )
    await infrastructure.analyze(url, "view_sections")
    for version, limit in ((3, 100), (3, 1500), (2, 100)):
        asked = {"section": "billing", "version": version, "limit": limit}
        async with desk.running.db.connection() as connection:
            plan = await connection.fetchval(
                f"EXPLAIN (ANALYZE, FORMAT JSON) {BEHIND.sql}", *BEHIND.arguments(asked)
            )
        assert rows_read(plan, "view_sections") == limit == len(await BEHIND.all(desk.running.db, **asked))


@pytest.mark.parametrize("written", ["schema_version = 2", "content = NULL, drawn = ''"])
async def test_what_is_written_while_it_was_to_be_drawn_is_left_and_does_not_end_the_drawing(
    desk, billing, monkeypatch, written
):
    """Nothing of a step is behind any more when it is locked; others are."""
    monkeypatch.setattr(sections, "CHUNK", 1)
    customers = sorted([(await desk.create()).name for _ in range(3)])
    await billing.begin()
    for each in customers:
        await billing.put(each, note="hello")
    db = desk.running.db
    async with db.connection() as connection, db.connection() as watching:
        put = connection.transaction()
        await put.start()
        await connection.execute(
            f"UPDATE view_sections SET {written} WHERE customer_id = $1", customers[0].split("/")[1]
        )
        await billing.begin(display_name="Money")

        async def is_waiting():
            return await watching.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted")

        await eventually(is_waiting)
        await put.commit()
    for each in customers[1:]:
        await desk.view_when(each, lambda view: view.sections[0].display_name == "Money")
    async with db.connection() as connection:
        versions = await connection.fetch("SELECT version FROM view_sections ORDER BY customer_id")
    assert [row["version"] for row in versions] == [1, 2, 2]


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
    clock.advance(timedelta(seconds=10))
    await withdraw(billing)
    await billing.begin()
    again, *others = customers
    kept = await billing.put(again.name, 1, note="since then")
    for each in others:
        await desk.view_when(each.name, lambda view: not view.sections)
        assert await refused(billing.get(each.name)) == "NOT_FOUND RESOURCE_NOT_FOUND"
    assert (await billing.get(again.name)).content == kept.content


async def test_content_of_before_a_schema_was_deleted_by_mistake_is_put_again(desk, billing, refused, clock):
    """What the department withdrew itself stays withdrawn, and what it replaced replaced."""
    stale = "FAILED_PRECONDITION STALE_SECTION"
    anna, bert, cleo = [(await desk.create()).name for _ in range(3)]
    await billing.begin()
    for each in (anna, bert, cleo):
        await billing.put(each, note="at eight")
    load = {each: billing.request(each, note="at eight") for each in (anna, bert, cleo)}
    before = billing.request(anna, -1, note="at seven")
    await billing.delete(bert)
    clock.advance(timedelta(hours=1))
    await withdraw(billing)
    await billing.begin()
    assert await refused(billing.sections.PutViewSection(before)) == stale  # gone already, or not yet
    for each in (anna, cleo):
        await desk.view_when(each, lambda view: not view.sections)
    assert await refused(billing.sections.PutViewSection(before)) == stale
    assert await refused(billing.sections.PutViewSection(load[bert])) == stale
    await billing.sections.PutViewSection(load[anna])
    view = await desk.view(anna)
    assert [billing.shown(each) for each in view.sections] == [{"Note": "at eight", "Open invoices": 0}]
    await billing.delete(cleo, as_of_time=load[cleo].as_of_time)
    assert await refused(billing.sections.PutViewSection(load[cleo])) == stale


async def test_what_was_put_by_a_deleted_schema_while_it_was_deleted_does_not_stay(desk, billing, clock):
    anna = await desk.create()
    await billing.begin()
    await billing.put(anna.name, note="hello")
    await withdraw(billing)
    await desk.view_when(anna.name, lambda view: not view.sections)
    await billing.begin()
    await billing.put(anna.name, note="hello")
    async with desk.running.db.connection() as connection:  # as if that had begun before the deletion
        await connection.execute("UPDATE view_sections SET schema_version = 1")
    clock.advance(timedelta(minutes=1))
    await desk.view_when(anna.name, lambda view: not view.sections)


async def test_a_schema_stays_its_departments_and_no_administrator_gives_it_to_another(billing, refused):
    await billing.begin(department="departments/billing")
    assert (await billing.begin(department="departments/billing")).etag == '"1"'
    other = {"department": "departments/delivery", "display_name": "Other"}
    for check in (True, False):
        assert await refused(billing.begin(**other, validate_only=check)) == "INVALID_ARGUMENT INVALID_NAME"
    await withdraw(billing)
    assert await refused(billing.begin(**other)) == "INVALID_ARGUMENT INVALID_NAME"
    assert (await billing.begin()).department == "departments/billing"


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


async def test_a_department_leaves_room_for_others(department, refused, monkeypatch):
    monkeypatch.setattr(sections, "DEPARTMENT_SCHEMAS_MAX", 2)
    one, two = department("one"), department("two")
    for code in ("a", "b"):
        await one.begin(name=f"sectionSchemas/{code}")
    assert await refused(one.begin()) == "FAILED_PRECONDITION TOO_MANY_SCHEMAS"
    await one.begin(name="sectionSchemas/a", display_name="Other")
    await two.begin()
    await one.sections.DeleteSectionSchema(pb.DeleteSectionSchemaRequest(name="sectionSchemas/a"))
    await one.begin()
