"""What customers are to each other."""

import asyncio
from datetime import timedelta
from itertools import pairwise

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.api.messages import timestamp
from chassis.grpc.status import refusal
from customer.names import CUSTOMER
from customer.store.relationships import BELONGS_TO
from customer.usecases import relationships as usecases
from rapport.customer.v1 import relationship_service_pb2 as pb
from rapport.customer.v1.customer_pb2 import Organization
from rapport.customer.v1.relationship_pb2 import Relationship
from rapport.customer.v1.relationship_service_pb2_grpc import RelationshipServiceStub
from rapport_testing.wait import eventually

pytestmark = pytest.mark.together


@pytest.fixture
async def related(desk):
    return desk.running.stub(RelationshipServiceStub)


@pytest.fixture
def relate(related):
    async def of(customer, kind, other, **fields):
        relationship = Relationship(customer=customer.name, kind=kind, related_customer=other.name, **fields)
        return await related.CreateRelationship(pb.CreateRelationshipRequest(relationship=relationship))

    return of


@pytest.fixture
async def acme(desk):
    return await desk.create(organization=Organization(legal_name="Acme"))


async def listed(related, customer, **fields):
    request = pb.ListRelationshipsRequest(customer=customer.name, **fields)
    return list((await related.ListRelationships(request)).relationships)


async def test_an_employee_and_the_employer_read_one_relationship_from_either_side(
    desk, related, relate, acme
):
    anna, family = await desk.create(), await desk.create(organization=Organization(legal_name="Bergs"))
    works = await relate(anna, "employee-of", acme, role="Head of purchasing")
    lives = await relate(anna, "member-of-household", family)
    assert await listed(related, anna) == [works, lives]
    assert await listed(related, acme) == [works]
    assert await listed(related, family) == [lives]
    assert await listed(related, anna, filter="kind = member-of-household") == [lives]
    assert (await related.GetRelationship(pb.GetRelationshipRequest(name=works.name))) == works
    (told, _) = await desk.facts("RelationshipCreated")
    assert (told.data.customer, told.data.related_customer, told.data.kind) == (
        anna.name, acme.name, "employee-of",
    )  # fmt: skip
    assert "purchasing" not in str(told.data)


@pytest.mark.alone("the clock is moved")
async def test_relationships_come_in_pages_merged_from_both_sides_in_their_order(desk, related, relate, acme):
    made = []
    for n in range(5):
        other = await desk.create()
        made.append(await (relate(other, "employee-of", acme) if n % 2 else relate(acme, "owner-of", other)))
        desk.clock.advance(timedelta(seconds=1))
    found, token = [], ""
    while True:
        request = pb.ListRelationshipsRequest(customer=acme.name, page_size=2, page_token=token)
        page = await related.ListRelationships(request)
        found += page.relationships
        if not (token := page.next_page_token):
            break
    assert found == made


async def test_what_holds_already_is_refused_with_its_name_and_may_be_noted_again_once_it_ended(
    desk, related, relate, acme
):
    anna = await desk.create()
    first = await relate(anna, "employee-of", acme)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await relate(anna, "employee-of", acme, role="Boss")
    told = refusal(caught.value)
    assert (told.reason, told.metadata["resource"]) == ("RELATIONSHIP_EXISTS", first.name)
    await relate(acme, "employee-of", anna)
    await relate(anna, "customer-of", acme)
    ended = timestamp(desk.clock.now())
    await related.UpdateRelationship(
        pb.UpdateRelationshipRequest(relationship=Relationship(name=first.name, end_time=ended))
    )
    again = await relate(anna, "employee-of", acme)
    holding = await listed(related, anna, filter="kind = employee-of AND NOT end_time:*")
    assert [each.name for each in holding if each.customer == anna.name] == [again.name]


async def test_twenty_who_note_one_relationship_at_once_make_one(desk, relate, acme):
    anna = await desk.create()
    answers = await asyncio.gather(
        *(relate(anna, "employee-of", acme) for _ in range(20)), return_exceptions=True
    )
    refused = {refusal(each).reason for each in answers if isinstance(each, grpc.aio.AioRpcError)}
    assert refused == {"RELATIONSHIP_EXISTS"}
    assert sum(isinstance(each, Relationship) for each in answers) == 1
    assert len(await desk.facts("RelationshipCreated")) == 1


async def test_employees_of_one_company_do_not_wait_for_each_other(desk, relate, acme, monkeypatch):
    inside, may_go = asyncio.Event(), asyncio.Event()
    lock_people = usecases.lock_people

    async def held(tx, names, **how):
        monkeypatch.setattr(usecases, "lock_people", lock_people)
        locked = await lock_people(tx, names, **how)
        inside.set()
        await may_go.wait()
        return locked

    monkeypatch.setattr(usecases, "lock_people", held)
    first = asyncio.create_task(relate(await desk.create(), "employee-of", acme))
    await asyncio.wait_for(inside.wait(), 15)
    second = await relate(await desk.create(), "employee-of", acme)
    assert not first.done()
    may_go.set()
    assert (await first).related_customer == second.related_customer


async def test_a_role_that_shows_nothing_is_none(related, relate, desk, acme):
    noted = await relate(await desk.create(), "employee-of", acme, role="  \u2800 ")
    assert noted.role == ""
    change = Relationship(name=noted.name, role="Boss")
    request = pb.UpdateRelationshipRequest(relationship=change)
    assert (await related.UpdateRelationship(request)).role == "Boss"
    change.role = " "
    request = pb.UpdateRelationshipRequest(relationship=change, update_mask={"paths": ["role"]})
    assert (await related.UpdateRelationship(request)).role == ""


async def test_nobody_is_related_to_themselves_or_to_nobody(relate, acme, refused, nobody):
    assert await refused(relate(acme, "subsidiary-of", acme)) == "FAILED_PRECONDITION SAME_CUSTOMER"
    stranger = type(acme)(name=nobody)
    for pair in ((acme, stranger), (stranger, acme)):
        call = relate(pair[0], "employee-of", pair[1])
        assert await refused(call) == "NOT_FOUND RESOURCE_NOT_FOUND"


async def test_parent_companies_make_no_circle_however_long_but_what_ended_is_past(
    desk, related, relate, refused
):
    chain = [await desk.create(organization=Organization(legal_name=f"Acme {n}")) for n in range(4)]
    links = [await relate(low, "subsidiary-of", high) for low, high in pairwise(chain)]
    assert await refused(relate(chain[3], "subsidiary-of", chain[0])) == (
        "FAILED_PRECONDITION RELATIONSHIP_CIRCLE"
    )
    await relate(chain[3], "supplier-of", chain[0])
    past = {"end_time": timestamp(desk.clock.now())}
    await relate(chain[3], "subsidiary-of", chain[0], **past)
    ending = pb.UpdateRelationshipRequest(relationship=Relationship(name=links[1].name, **past))
    await related.UpdateRelationship(ending)
    await relate(chain[3], "subsidiary-of", chain[0])


async def test_a_merge_is_made_whatever_customers_are_to_each_other_and_a_circle_of_it_ends_nowhere(
    desk, related, relate, acme, refused
):
    low, middle, high = [await desk.create(organization=Organization(legal_name=n)) for n in "ABC"]
    await relate(low, "subsidiary-of", middle)
    above = await relate(middle, "subsidiary-of", high)
    await desk.merge(low.name, high.name)
    assert len(await listed(related, low)) == 2
    await relate(acme, "subsidiary-of", middle)
    assert await refused(relate(middle, "subsidiary-of", acme)) == "FAILED_PRECONDITION RELATIONSHIP_CIRCLE"
    ended = Relationship(name=above.name, end_time=timestamp(desk.clock.now()))
    await related.UpdateRelationship(pb.UpdateRelationshipRequest(relationship=ended))


async def test_a_step_to_the_parent_company_is_one_look_however_often_it_was_planned(desk, relate):
    chain = [await desk.create(organization=Organization(legal_name=f"Acme {n}")) for n in range(3)]
    for low, high in pairwise(chain):
        await relate(low, "subsidiary-of", high)
    types = ("uuid",) * BELONGS_TO.sql.count("UUID")
    async with desk.running.db.connection() as connection:
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        await connection.execute(f"PREPARE belongs ({', '.join(types)}) AS {BELONGS_TO.sql}")
        ids = ", ".join(f"'{CUSTOMER.ids(each.name)[0]}'" for each in (chain[0], chain[2]))
        await connection.execute("SET enable_seqscan = off")  # which so few rows are read by otherwise
        rows = await connection.fetch(f"EXPLAIN (ANALYZE, BUFFERS OFF) EXECUTE belongs ({ids})")
        await connection.execute("DEALLOCATE belongs")
        await connection.execute("RESET plan_cache_mode; RESET enable_seqscan")
    plan = "\n".join(row[0] for row in rows)
    assert "Seq Scan on relationships" not in plan
    assert "Index Cond: ((customer_id = " in plan


async def test_two_who_close_a_circle_from_both_ends_at_once_do_not(desk, relate, monkeypatch):
    """The first has looked for a circle, and not committed, when the second comes."""
    one, other = [await desk.create(organization=Organization(legal_name=name)) for name in ("A", "B")]
    inside, may_go = asyncio.Event(), asyncio.Event()
    insert = usecases.store.INSERT_RELATIONSHIP

    class Held:
        async def rows(self, tx, rows):
            monkeypatch.setattr(usecases.store, "INSERT_RELATIONSHIP", insert)
            inside.set()
            await may_go.wait()
            return await insert.rows(tx, rows)

    monkeypatch.setattr(usecases.store, "INSERT_RELATIONSHIP", Held())
    first = asyncio.create_task(relate(one, "subsidiary-of", other))
    await asyncio.wait_for(inside.wait(), 15)
    second = asyncio.create_task(relate(other, "subsidiary-of", one))
    async with desk.running.db.connection() as watching:
        await eventually(lambda: watching.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))
    may_go.set()
    await first
    with pytest.raises(grpc.aio.AioRpcError, match="belongs to"):
        await second


async def test_a_relationship_is_changed_and_ends_and_is_not_taken_up_again(
    desk, related, relate, acme, refused
):
    works = await relate(await desk.create(), "employee-of", acme)

    async def update(*paths, etag="", **fields):
        return await related.UpdateRelationship(
            pb.UpdateRelationshipRequest(
                relationship=Relationship(name=works.name, etag=etag, **fields),
                update_mask=FieldMask(paths=paths),
            )
        )

    now = desk.clock.now()
    begun = timestamp(now - timedelta(days=9))
    changed = await update("role", "start_time", role="Boss", start_time=begun)
    assert (changed.role, changed.start_time, changed.etag) == ("Boss", begun, '"2"')
    assert await refused(update("role", etag=works.etag)) == "ABORTED ETAG_MISMATCH"
    early = update("end_time", end_time=timestamp(now - timedelta(days=10)))
    assert await refused(early) == "INVALID_ARGUMENT INVALID_TIME"
    future = update("end_time", end_time=timestamp(now + timedelta(days=1)))
    assert await refused(future) == "INVALID_ARGUMENT INVALID_TIME"
    ended = await update("end_time", end_time=timestamp(now))
    assert ended.end_time == timestamp(now)
    assert await refused(update("end_time")) == "FAILED_PRECONDITION RELATIONSHIP_ENDED"
    told = await desk.facts("RelationshipUpdated", "RelationshipEnded")
    assert [(each.type.rpartition(".")[2], each.version) for each in told] == [
        ("RelationshipUpdated", 2), ("RelationshipEnded", 3),
    ]  # fmt: skip
    explained = await related.ExplainRelationship(pb.ExplainRelationshipRequest(name=works.name))
    assert explained.summary.startswith("Relationship ended")


async def test_a_relationship_that_never_was_is_deleted_and_that_is_told(
    desk, related, relate, acme, refused
):
    works = await relate(await desk.create(), "employee-of", acme)
    stale = pb.DeleteRelationshipRequest(name=works.name, etag='"7"')
    assert await refused(related.DeleteRelationship(stale)) == "ABORTED ETAG_MISMATCH"
    await related.DeleteRelationship(pb.DeleteRelationshipRequest(name=works.name))
    for call in (
        related.GetRelationship(pb.GetRelationshipRequest(name=works.name)),
        related.DeleteRelationship(pb.DeleteRelationshipRequest(name=works.name)),
    ):
        assert await refused(call) == "NOT_FOUND RESOURCE_NOT_FOUND"
    assert await listed(related, acme) == []
    (told,) = await desk.facts("RelationshipDeleted")
    assert told.version == 2


async def test_relationships_of_nobody_are_not_found(related, nobody, refused):
    call = related.ListRelationships(pb.ListRelationshipsRequest(customer=nobody))
    assert await refused(call) == "NOT_FOUND RESOURCE_NOT_FOUND"


async def test_relationships_are_of_a_customer_by_all_names_that_a_merge_made_theirs(
    desk, related, relate, acme, refused
):
    anna, other = await desk.create(), await desk.create()
    works = await relate(anna, "employee-of", acme)
    lives = await relate(other, "neighbor-of", anna)
    await desk.merge(anna.name, other.name)
    for name in (anna, other):
        assert await listed(related, name) == [works, lives]
    assert await refused(relate(other, "employee-of", acme)) == "ALREADY_EXISTS RELATIONSHIP_EXISTS"
    assert await refused(relate(anna, "friend-of", other)) == "FAILED_PRECONDITION SAME_CUSTOMER"


async def test_a_circle_of_parent_companies_is_seen_through_merged_names(desk, relate, refused):
    low, high, twin, top = [
        await desk.create(organization=Organization(legal_name=name)) for name in ("L", "H", "H2", "T")
    ]
    await relate(low, "subsidiary-of", high)
    await relate(twin, "subsidiary-of", top)
    await desk.merge(high.name, twin.name)
    assert await refused(relate(top, "subsidiary-of", low)) == "FAILED_PRECONDITION RELATIONSHIP_CIRCLE"
