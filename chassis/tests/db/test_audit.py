"""The audit: who did or read what, for whom, about what and what for."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from google.protobuf import descriptor_pb2

from chassis.context import Call, Principal, current_call
from chassis.db import read_audit
from chassis.db.read_audit import ReadAudit
from chassis.db.schema import AUDIT
from chassis.db.statement import Statement
from chassis.errors import AlreadyExists, FailedPrecondition, NotFound, Refusal, ResourceExists, Unavailable
from chassis.grpc.readings import Readings
from rapport.cases.v1 import case_pb2, case_service_pb2, note_pb2
from rapport.customer.v1 import customer_pb2, customer_service_pb2, view_service_pb2
from rapport_testing.wait import eventually

_ROWS = Statement[Any](sa.select(AUDIT).order_by(AUDIT.c.id))
DESK = Principal("service:desk", "desk", frozenset({"*"}))
BOB = Principal("agent:bob", "billing", frozenset({"*"}), via=DESK)


def call(what: str, principal: Principal = BOB) -> Call:
    return Call(what, principal, correlation_id="flow-1", purpose="complaint")


@pytest.fixture
async def db(database: Any) -> Any:
    return await database()


async def rows(db: Any) -> list[tuple[str, ...]]:
    columns = ("actor", "department", "via", "purpose", "what", "resources", "correlation_id")
    return [tuple(row[column] for column in columns) for row in await _ROWS.all(db)]


async def test_a_write_names_both_who_acts_and_who_relays_it(db: Any, opened: Any) -> None:
    token = current_call.set(call("cases.Open"))
    try:
        async with db.transaction() as tx:
            tx.record(opened("cases/1"), version=1)
            tx.touch("cases/1/notes/1")
            tx.answer(note_pb2.Note(name="cases/1/notes/2"))
    finally:
        current_call.reset(token)
    about = "cases/1 cases/1/notes/1 cases/1/notes/2"
    assert await rows(db) == [
        ("agent:bob", "billing", "service:desk", "complaint", "cases.Open", about, "flow-1")
    ]


async def test_an_answer_that_a_department_owns_is_not_committed_without_the_comparison(
    db: Any, opened: Any
) -> None:
    async def forgetful() -> None:
        current_call.set(call("cases.Update"))
        async with db.transaction() as tx:
            tx.record(opened("cases/1"), version=1)
            tx.answer(case_pb2.Case(name="cases/1"))

    with pytest.raises(RuntimeError, match=r"cases.Update must call tx.require_owner"):
        await asyncio.create_task(forgetful())
    assert await rows(db) == []


async def test_readings_are_written_once_a_second_and_once_for_what_repeats(
    db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_audit, "EVERY_S", 0.01)
    noted = ReadAudit(db)
    for _ in range(1000):
        noted.note(call("customer.Get"), "customers/1")
    noted.note(call("customer.Get", Principal("agent:eve")), "customers/1")
    noted.note(call("customer.Get"), "customers/2")
    running = asyncio.create_task(noted.run())

    async def three() -> bool:
        return len(await rows(db)) == 3

    await eventually(three)
    running.cancel()
    told = ("complaint", "customer.Get")
    assert sorted(await rows(db)) == [
        ("agent:bob", "billing", "service:desk", *told, "customers/1", "flow-1"),
        ("agent:bob", "billing", "service:desk", *told, "customers/2", "flow-1"),
        ("agent:eve", "", "", *told, "customers/1", "flow-1"),
    ]


async def test_readings_wait_for_the_database_and_then_nobody_reads(
    db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_audit, "EVERY_S", 0.01)
    monkeypatch.setattr(read_audit, "NOTED_MAX", 2)
    noted, fetch = ReadAudit(db), db.fetch

    async def away(*_: Any) -> Any:
        raise OSError("away")

    db.fetch = away
    noted.note(call("customer.Get"), "customers/1")
    await noted.finish()
    noted.note(call("customer.Get"), "customers/2")
    with pytest.raises(Unavailable) as caught:
        noted.note(call("customer.Get"), "customers/3")
    assert caught.value.reason == "AUDIT_UNAVAILABLE"
    db.fetch = fetch
    await noted.finish()
    noted.note(call("customer.Get"), "customers/3")
    await noted.finish()
    assert [row[5] for row in await rows(db)] == ["customers/1", "customers/2", "customers/3"]


async def test_a_stop_waits_for_readings_that_are_being_written(
    db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_audit, "EVERY_S", 0.01)
    noted, fetch = ReadAudit(db), db.fetch
    writing, go_on = asyncio.Event(), asyncio.Event()

    async def slow(*args: Any) -> Any:
        writing.set()
        await go_on.wait()
        return await fetch(*args)

    db.fetch = slow
    noted.note(call("customer.Get"), "customers/1")
    running = asyncio.create_task(noted.run())
    await writing.wait()
    noted.note(call("customer.Get"), "customers/2")
    asyncio.get_running_loop().call_later(0.1, go_on.set)
    await noted.finish()
    running.cancel()
    db.fetch = fetch
    assert sorted(row[5] for row in await rows(db)) == ["customers/1", "customers/2"]


@pytest.mark.parametrize("lost", ["the question", "the answer"])
async def test_readings_that_a_stop_could_not_write_are_written_once_in_a_second_try(
    db: Any, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    monkeypatch.setattr(read_audit, "EVERY_S", 0.01)
    noted, fetch, tries = ReadAudit(db), db.fetch, []

    async def lose(*args: Any) -> Any:
        tries.append(1)
        if len(tries) > 1 or lost == "the answer":
            await fetch(*args)
        if len(tries) == 1:
            raise OSError("lost")

    db.fetch = lose
    noted.note(call("customer.Get"), "customers/1")
    noted.note(call("customer.Get"), "customers/2")
    await noted.finish()
    db.fetch = fetch
    assert sorted(row[5] for row in await rows(db)) == ["customers/1", "customers/2"]


async def test_many_readings_are_written_in_parts_and_what_is_written_is_not_kept(
    db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_audit, "AT_ONCE", 2)
    monkeypatch.setattr(read_audit, "NOTED_MAX", 5)
    noted, fetch, tries = ReadAudit(db), db.fetch, []

    async def fail_second(*args: Any) -> Any:
        tries.append(1)
        if len(tries) == 2:
            raise OSError("disk full")
        return await fetch(*args)

    db.fetch = fail_second
    for number in range(5):
        noted.note(call("customer.Get"), f"customers/{number}")
    assert not await noted._write()
    noted.note(call("customer.Get"), "customers/5")  # there is room again
    assert await noted._write()
    db.fetch = fetch
    assert sorted(row[5] for row in await rows(db)) == [f"customers/{number}" for number in range(6)]


def readings(noted: list[str]) -> Readings:
    files = (customer_service_pb2, case_service_pb2, view_service_pb2)
    services = [service for file in files for service in file.DESCRIPTOR.services_by_name.values()]
    return Readings(services, lambda _, *what: noted.append(" ".join(filter(None, what))))


def test_whatever_writes_nothing_is_a_reading() -> None:
    found = readings([])
    for service in (customer_service_pb2, case_service_pb2, view_service_pb2):
        for each in service.DESCRIPTOR.services_by_name.values():
            for method in each.methods:
                reads = method.GetOptions().idempotency_level == descriptor_pb2.MethodOptions.NO_SIDE_EFFECTS
                assert (found.of(f"/{each.full_name}/{method.name}") is not None) == reads, method.full_name


def test_a_reading_names_what_was_asked_and_what_was_found() -> None:
    noted: list[str] = []
    token = current_call.set(call("x"))
    try:
        note = readings(noted).of("/rapport.customer.v1.CustomerService/ListCustomers")
        assert note is not None
        both = [customer_pb2.Customer(name="customers/1"), customer_pb2.Customer(name="customers/2")]
        note(
            customer_service_pb2.ListCustomersRequest(page_token="t"),
            customer_service_pb2.ListCustomersResponse(customers=both, next_page_token="n"),
        )
        note(view_service_pb2.GetCustomerViewRequest(name="customers/3/view"), b"stored bytes")
        names = ["customers/1", "customers/2"]
        note(
            customer_service_pb2.BatchGetCustomersRequest(names=names),
            customer_service_pb2.BatchGetCustomersResponse(customers=both),
        )
    finally:
        current_call.reset(token)
    assert noted == ["customers/1 customers/2", "customers/3/view", "customers/1 customers/2"]


ANNA = f"customers/{UUID(int=1)}"


def taken() -> Refusal:
    return AlreadyExists(
        "IDENTIFIER_TAKEN", f"belongs to {ANNA}", {"field": "identifier", "customer": ANNA}, retry_after_s=1
    )


async def test_a_refusal_that_names_somebody_is_a_reading_that_says_why(
    db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit = ReadAudit(db)
    told = Readings([], audit.note)
    item = f"workItems/{UUID(int=3)}"
    current_call.set(call("customer.Create"))
    for _ in range(1000):
        assert told.refused(taken()).metadata["customer"] == ANNA
    told.refused(FailedPrecondition("WORK_ITEM_FINISHED", "", {"work_item": item, "state": "DONE"}))
    told.refused(FailedPrecondition("INSUFFICIENT_POINTS", "", {"points": 7, "permission": "cases.read"}))
    told.refused(NotFound(f"customers/{UUID(int=9)}"))
    await audit.finish()
    found = [(row["what"], row["resources"], row["refused"]) for row in await _ROWS.all(db)]
    assert sorted(found) == [
        ("customer.Create", ANNA, "IDENTIFIER_TAKEN"),
        ("customer.Create", item, "WORK_ITEM_FINISHED"),
    ]


@pytest.mark.parametrize(
    ("told", "reason", "metadata", "retry_after_s"),
    [
        (taken(), "IDENTIFIER_TAKEN", {"field": "identifier"}, 1),
        (ResourceExists(ANNA), "RESOURCE_EXISTS", {}, 0),
    ],
)
async def test_while_readings_cannot_be_audited_a_refusal_stays_one_and_names_nobody(
    db: Any,
    monkeypatch: pytest.MonkeyPatch,
    told: AlreadyExists,
    reason: str,
    metadata: Any,
    retry_after_s: float,
) -> None:
    monkeypatch.setattr(read_audit, "NOTED_MAX", 0)
    current_call.set(call("customer.Create"))
    refusal = Readings([], ReadAudit(db).note).refused(told)
    assert isinstance(refusal, AlreadyExists)
    assert (refusal.reason, refusal.metadata, refusal.retry_after_s) == (reason, metadata, retry_after_s)
    assert ANNA not in refusal.message
