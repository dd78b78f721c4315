"""An import that is taken back leaves the untouched as they were, and the others as others left them."""

import asyncio
import random
from datetime import timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from chassis.db.statement import Statement
from chassis.inbox.freshness import Standing
from customer.domain import provenance
from customer.domain.customers import PROFILE_FIELDS, KeptCustomer
from customer.domain.identifiers import Identifier
from customer.names import CUSTOMER
from customer.store.tables import CUSTOMERS, HELD, TIMELINE, VIEWS
from customer.usecases import imports, reverting
from rapport.common.v1.import_outcome_pb2 import IMPORT_OUTCOME_KNOWN
from rapport.customer.v1 import customer_pb2
from rapport.customer.v1.customer_pb2 import Person
from rapport.customer.v1.customer_service_pb2 import DeleteIdentifierRequest, UpdateCustomerRequest
from rapport.customer.v1.import_job_pb2 import ImportJob
from rapport.customer.v1.import_service_pb2 import RevertImportJobRequest
from rapport.loyalty.v1.loyalty_events_pb2 import PurchaseRecorded
from rapport_testing.wait import eventually
from services.customer.tests.component.importing import (
    committed,
    effects,
    findings,
    random_row,
    staged,
    until,
)

State = ImportJob.State
_CUSTOMERS = Statement(sa.select(CUSTOMERS), row=KeptCustomer)
_IDENTIFIERS = Statement(sa.select(*HELD), row=Identifier)
_SHOWN = Statement(
    sa.union(
        *(
            sa.select(each.c.customer_id).where(each.c.customer_id == sa.bindparam("id"))
            for each in (VIEWS, TIMELINE)
        )
    )
)


SOURCES = ("cases", "loyalty", "notifications")  # beside itself


@pytest.fixture(autouse=True)
async def others(desk):
    """The services whose facts are on timelines, which say that they have none on their way."""
    beating = asyncio.create_task(desk.running.beat(*SOURCES))
    yield beating
    beating.cancel()


async def everybody(desk):
    """All that is kept of each customer, but when it changed and how often."""
    held = {}
    for each in await _CUSTOMERS.all(desk.running.db):
        profile = {name: getattr(each, name) for name in PROFILE_FIELDS}
        held[each.id] = (profile, provenance.sources(each), each.relationship_manager, set())
    for each in await _IDENTIFIERS.all(desk.running.db):
        held[each.customer_id][3].add(
            (each.id, each.type, each.system, each.value, each.shared, each.version)
        )
    return held


async def reverted(desk, job):
    await desk.imports.RevertImportJob(RevertImportJobRequest(name=job.name))
    return await until(desk, job, State.STATE_REVERTED)


async def update(desk, name, **fields):
    changed = customer_pb2.Customer(name=name, **fields)
    return await desk.customers.UpdateCustomer(
        UpdateCustomerRequest(customer=changed, update_mask={"paths": list(fields)})
    )


async def meddle(desk, dice, touched):
    """Somebody does something with one of the customers; says which."""
    name = f"customers/{dice.choice(sorted(touched))}"
    act = dice.choice(("call", "name", "zone", "handle"))
    if act == "call":
        await desk.record(name)
    elif act == "name":
        await update(desk, name, person=Person(given_name=f"Other{dice.random()}"))
    elif act == "zone":
        await update(desk, name, time_zone=dice.choice(["Europe/Kiev", "Asia/Tokyo"]))
    elif identifiers := (await desk.get(name)).identifiers:
        request = DeleteIdentifierRequest(name=dice.choice(identifiers).name)
        await desk.customers.DeleteIdentifier(request)


def expected(before, after, left, called):
    """What becomes of a customer; and whether that is because of what others did since."""
    if before is None:
        is_kept = left != after or called
        return (left if is_kept else None), is_kept
    (was, said_before, _, had), (made, said, _, got), (profile, says, manager, has) = before, after, left
    touched = {name for name in made if made[name] != profile[name]}
    if touched & {name for name in made if made[name] != was[name]} or (got - had) - has:
        return left, True
    imported = {name for name in made if made[name] != was[name] or said.get(name) != said_before.get(name)}
    imported -= touched
    again = {name: was[name] if name in imported else profile[name] for name in profile}
    words = {name: each for name, each in says.items() if name not in imported}
    words |= {name: each for name, each in said_before.items() if name in imported}
    return (again, words, manager, has - (got - had)), False


@pytest.mark.parametrize("seed", range(4))
async def test_untouched_customers_are_as_before_and_touched_ones_as_others_left_them(
    desk, monkeypatch, seed
):
    monkeypatch.setattr(imports, "CHUNK", 3)
    monkeypatch.setattr(reverting, "CHUNK", 2)
    dice = random.Random(seed)
    await committed(desk, await staged(desk, *(random_row(desk, dice) for _ in range(10))))
    before = await everybody(desk)
    job = await committed(desk, await staged(desk, *(random_row(desk, dice) for _ in range(14))))
    after, did = (
        await everybody(desk),
        [e for e in await effects(desk, job) if e.outcome != IMPORT_OUTCOME_KNOWN],
    )
    for _ in range(4):
        await meddle(desk, dice, after)
    left = await everybody(desk)
    called = {fact.data.customer for fact in await desk.facts("InteractionRecorded")}

    done = await reverted(desk, job)
    now = await everybody(desk)
    kept = set()
    for each in left:
        name = f"customers/{each}"
        wanted, is_kept = expected(before.get(each), after[each], left[each], name in called)
        assert now.get(each) == wanted
        kept |= {name} if is_kept else set()
    told = [each for each in await findings(desk, job) if each.reason in ("CHANGED_SINCE", "CUSTOMER_IN_USE")]
    assert {name for name in kept if any(name in each.description for each in told)} == kept
    assert {each.line for each in told} <= {each.line for each in did}
    assert done.reverted_count == sum(each.customer not in kept for each in did)
    assert done.kept_count == sum(each.customer in kept for each in did)
    assert await reverted(desk, job) == done  # asked again


async def test_whom_an_import_made_is_nobody_afterwards_and_their_handles_are_free(desk):
    row = customer_pb2.Customer(identifiers=[desk.email("n@example.com")], person=Person(given_name="Nils"))
    job = await committed(desk, await staged(desk, row))
    nils = (await desk.resolve(desk.email("n@example.com"))).customer
    await desk.view_when(nils, lambda view: view.latest_timeline_entries)
    await reverted(desk, job)
    (fact,) = await desk.facts("CustomerDeleted")
    assert (fact.data.customer, fact.data.import_job, fact.actor) == (nils, job.name, "agent:alice")

    async def forgotten():
        return not await _SHOWN.all(desk.running.db, id=CUSTOMER.ids(nils)[0])

    await eventually(forgotten)
    assert (await committed(desk, await staged(desk, row))).created_count == 1
    assert (await desk.resolve(desk.email("n@example.com"))).customer != nils


async def test_imports_that_are_taken_back_in_the_reverse_of_their_order_leave_nothing(desk):
    rows = [
        customer_pb2.Customer(identifiers=[desk.external("crm:1")], language_code=language)
        for language in ("de", "fr")
    ]
    rows[1].identifiers.append(desk.email("n@example.com"))
    jobs = [await committed(desk, await staged(desk, row)) for row in rows]
    done = [await reverted(desk, job) for job in reversed(jobs)]
    assert [(job.reverted_count, job.kept_count) for job in done] == [(1, 0), (1, 0)]
    assert await everybody(desk) == {}


async def test_whom_a_later_import_says_too_is_kept_until_that_is_taken_back(desk):
    row = customer_pb2.Customer(identifiers=[desk.email("n@example.com")], person=Person(given_name="Nils"))
    first, second = [await committed(desk, await staged(desk, row)) for _ in range(2)]
    assert (second.matched_count, second.changed_count) == (1, 0)
    assert (await reverted(desk, first)).kept_count == 1
    (told,) = await findings(desk, first)
    assert told.reason == "CUSTOMER_IN_USE"
    assert (await desk.resolve(desk.email("n@example.com"))).customer


async def test_who_bought_is_kept_also_before_that_is_on_their_timeline(desk):
    row = customer_pb2.Customer(identifiers=[desk.email("n@example.com")])
    job = await committed(desk, await staged(desk, row))
    async with desk.running.db.connection() as connection:
        await connection.execute("UPDATE customers SET bought = true")
    assert (await reverted(desk, job)).kept_count == 1
    assert [each.reason for each in await findings(desk, job)] == ["CUSTOMER_IN_USE"]


async def test_a_value_that_a_later_import_says_too_is_not_put_back(desk):
    def row(language):
        return customer_pb2.Customer(identifiers=[desk.external("crm:1")], language_code=language)

    jobs = [await committed(desk, await staged(desk, row(each))) for each in ("de", "fr", "fr")]
    assert (await reverted(desk, jobs[1])).kept_count == 1
    (told,) = [each for each in await findings(desk, jobs[1]) if each.reason == "CHANGED_SINCE"]
    assert "a later import" in told.description
    assert (await reverted(desk, jobs[2])).kept_count == 0


async def test_nobody_is_deleted_while_it_is_not_known_what_others_have_of_them(desk, others):
    row = customer_pb2.Customer(identifiers=[desk.email("n@example.com")])
    job = await committed(desk, await staged(desk, row))
    others.cancel()
    app = desk.running.app
    await eventually(lambda: app.freshness.of("loyalty").standing is not Standing.FRESH)
    await desk.imports.RevertImportJob(RevertImportJobRequest(name=job.name))
    desk.clock.advance(timedelta(seconds=5))
    await desk.running.fire(reverting.REVERT_TIMER)
    assert (await desk.resolve(desk.email("n@example.com"))).customer
    beating = asyncio.create_task(desk.running.beat(*SOURCES))
    await until(desk, job, State.STATE_REVERTED)
    beating.cancel()


async def test_what_is_told_late_of_somebody_deleted_makes_nothing_of_them(desk):
    row = customer_pb2.Customer(identifiers=[desk.email("n@example.com")])
    job = await committed(desk, await staged(desk, row))
    nils = (await desk.resolve(desk.email("n@example.com"))).customer
    await reverted(desk, job)
    anna = (await desk.create(desk.email("a@example.com"))).name
    for customer in (nils, anna):
        await desk.deliver(PurchaseRecorded(purchase=f"purchases/{uuid4()}", customer=customer))
    await desk.view_when(anna, lambda view: len(view.latest_timeline_entries) > 1)
    assert not await _SHOWN.all(desk.running.db, id=CUSTOMER.ids(nils)[0])


async def test_an_import_is_taken_back_as_long_as_it_is_kept_what_it_did(desk, refused):
    job = await staged(desk, customer_pb2.Customer(identifiers=[desk.email("n@example.com")]))
    request = RevertImportJobRequest(name=job.name)
    assert await refused(desk.imports.RevertImportJob(request)) == "FAILED_PRECONDITION IMPORT_NOT_DONE"
    done = await committed(desk, job)
    assert done.revert_expire_time.seconds == done.end_time.seconds + 90 * 24 * 3600
    desk.clock.advance(timedelta(days=90))
    await desk.running.fire(reverting.FORGET_TIMER)
    assert await effects(desk, job) == []
    assert await refused(desk.imports.RevertImportJob(request)) == "FAILED_PRECONDITION IMPORT_TOO_OLD"
