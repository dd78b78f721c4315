"""How pressing cases are, as facts about their customers come in."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from cases.domain.priority import Band
from cases.store.standings import CustomerStanding
from cases.usecases.standing import values_changed
from chassis.api.messages import timestamp
from chassis.context import Call, acting, service_itself
from chassis.db.schema import INBOX, OUTBOX
from chassis.db.statement import Statement
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.case_service_pb2 import (
    BatchGetCasesRequest,
    ExplainCaseRequest,
    GetCaseRequest,
    ListCasesRequest,
    ResolveCaseRequest,
    UpdateCaseRequest,
)
from rapport.cases.v1.work_item_service_pb2 import (
    BlockWorkItemRequest,
    StartWorkItemRequest,
    UnblockWorkItemRequest,
)
from rapport.common.v1 import states_pb2, value_band_pb2
from rapport.loyalty.v1.loyalty_events_pb2 import CustomerValueChanged
from rapport_testing.wait import eventually

pytestmark = pytest.mark.together

P1, P2, P3 = (getattr(states_pb2, f"CASE_PRIORITY_P{n}") for n in (1, 2, 3))
HANDLED = Statement[Any](sa.select(INBOX.c.event_id).where(INBOX.c.event_id == sa.bindparam("event_id")))
FLOWS = Statement[Any](sa.select(OUTBOX.c.correlation_id).where(OUTBOX.c.type.endswith("CasePrioritized")))
GOLD, STANDARD = value_band_pb2.VALUE_BAND_GOLD, value_band_pb2.VALUE_BAND_STANDARD
CALL = Call("cases-values", service_itself("cases"))


@pytest.fixture
def worth(desk):
    """Hear what the customer is worth."""

    async def hear(band, version):
        value = f"customerValues/{desk.customer.partition('/')[2]}"
        told = CustomerValueChanged(
            customer_value=value, customer=desk.customer, band=band, formula_version="lifetime-1"
        )
        event = await desk.running.deliver(told, resource=value, source="loyalty", version=version)
        await eventually(lambda: HANDLED.maybe(desk.running.db, event_id=event))

    return hear


async def case_of(desk, opened):
    return await desk.cases.GetCase(GetCaseRequest(name=opened.name))


async def test_a_case_of_a_valued_customer_is_more_pressing_from_when_we_hear_of_it(desk, worth):
    opened = await desk.open(harm=states_pb2.HARM_LOSS)
    assert (opened.priority, list(opened.priority_reasons)) == (P2, ["harm-loss"])
    await worth(GOLD, 1)

    async def raised():
        return (await case_of(desk, opened)).priority == P1

    await eventually(raised)
    [told] = await desk.facts("CasePrioritized")
    assert (told.data.previous_priority, told.data.priority) == (P2, P1)
    assert list(told.data.priority_reasons) == ["harm-loss", "value-gold"]
    explained = await desk.cases.ExplainCase(ExplainCaseRequest(name=opened.name))
    assert "they are a gold customer" in explained.summary
    assert (explained.rule, explained.rule_version) == ("rules/case-priority", "1")
    assert (await desk.open(harm=states_pb2.HARM_LOSS)).priority == P1


async def test_what_comes_late_about_a_customers_value_changes_nothing(desk, worth):
    await worth(GOLD, 2)
    await worth(STANDARD, 1)
    assert (await desk.open(harm=states_pb2.HARM_LOSS)).priority == P1


async def test_of_two_who_hear_of_a_customers_value_at_once_the_later_holds(desk):
    """Also of the first word there is, when there is nothing yet that one could wait for."""
    db = desk.running.db
    with acting(CALL):

        async def hear(tx, band, version) -> None:
            standing = CustomerStanding(UUID(desk.customer.partition("/")[2]), band, version, tx.now)
            await values_changed(tx, [(standing, CALL)])

        async def late() -> None:
            async with db.transaction() as tx:
                await hear(tx, Band.STANDARD, 1)

        async with db.transaction() as tx:
            await hear(tx, Band.PLATINUM, 2)
            other = asyncio.ensure_future(late())
            await asyncio.wait([other], timeout=0.2)
        await other
    assert (await desk.open(harm=states_pb2.HARM_LOSS)).priority == P1


@pytest.mark.alone("it counts all that there is")
async def test_what_is_told_together_of_a_customers_value_is_the_last_of_it_and_has_a_cause_of_its_own(desk):
    opened, ours = await desk.open(harm=states_pb2.HARM_LOSS), UUID(desk.customer.partition("/")[2])
    told = [(uuid4(), Band.PLATINUM, 1), (ours, Band.GOLD, 3), (ours, Band.STANDARD, 2)]
    calls = [replace(CALL, cause_id=uuid4(), correlation_id=f"flow-{n}") for n in range(3)]
    with acting(CALL):
        async with desk.running.db.transaction() as tx:
            standings = [CustomerStanding(*each, tx.now) for each in told]
            await values_changed(tx, list(zip(standings, calls, strict=True)))

    async def raised():
        return (await case_of(desk, opened)).priority == P1

    await eventually(raised)
    assert [row["correlation_id"] for row in await FLOWS.all(desk.running.db)] == ["flow-1"]


async def test_a_missed_promise_makes_its_customers_cases_more_pressing(desk):
    opened, resolved = await desk.open(), await desk.open()
    await desk.cases.ResolveCase(ResolveCaseRequest(name=resolved.name, resolution="delivered"))
    assert opened.priority == P3
    await desk.make(due_days=-2, make_time=timestamp(desk.in_days(-5)), keep_time=timestamp(desk.in_days(-1)))

    async def raised():
        return (await case_of(desk, opened)).priority == P2

    await eventually(raised)
    assert list((await case_of(desk, opened)).priority_reasons) == ["harm-inconvenience", "promises-missed"]
    assert (await case_of(desk, resolved)).priority == P3


async def test_what_it_does_to_the_customer_is_corrected(desk):
    opened = await desk.open()
    request = UpdateCaseRequest(case=Case(name=opened.name, harm=states_pb2.HARM_SEVERE, etag=opened.etag))
    changed = await desk.cases.UpdateCase(request)
    assert (changed.harm, changed.priority) == (states_pb2.HARM_SEVERE, P1)
    updated, prioritized = await desk.facts("CaseUpdated", "CasePrioritized")
    assert (list(updated.data.updated_fields), updated.data.harm) == (["harm"], states_pb2.HARM_SEVERE)
    assert prioritized.version == updated.version + 1


@pytest.mark.alone("it counts all that there is")
async def test_cases_are_listed_by_priority_and_got_by_name(desk):
    severe, mild = await desk.open(harm=states_pb2.HARM_SEVERE), await desk.open()
    listed = await desk.cases.ListCases(ListCasesRequest(filter="priority = P1"))
    assert list(listed.cases) == [severe]
    nobody = f"cases/{uuid4()}"
    names = [mild.name, nobody, severe.name]
    got = await desk.cases.BatchGetCases(BatchGetCasesRequest(names=names, allow_missing=True))
    assert list(got.cases) == [mild, Case(), severe]


async def test_a_batch_with_a_case_that_is_not_there_is_refused(desk, refused):
    request = BatchGetCasesRequest(names=[(await desk.open()).name, f"cases/{uuid4()}"])
    assert await refused(desk.cases.BatchGetCases(request)) == "NOT_FOUND RESOURCE_NOT_FOUND"


async def test_the_customer_is_shown_where_the_work_is(desk):
    opened = await desk.open()
    assert opened.progress == states_pb2.CASE_PROGRESS_RECEIVED
    item = await desk.add(opened.name)
    assert (await case_of(desk, opened)).progress == states_pb2.CASE_PROGRESS_RECEIVED
    await desk.work_items.StartWorkItem(StartWorkItemRequest(name=item.name))
    assert (await case_of(desk, opened)).progress == states_pb2.CASE_PROGRESS_IN_PROGRESS
    await desk.work_items.BlockWorkItem(BlockWorkItemRequest(name=item.name, reason_code="customer-answer"))
    assert (await case_of(desk, opened)).progress == states_pb2.CASE_PROGRESS_WAITING_FOR_CUSTOMER
    await desk.work_items.UnblockWorkItem(UnblockWorkItemRequest(name=item.name))
    assert (await case_of(desk, opened)).progress == states_pb2.CASE_PROGRESS_IN_PROGRESS
    other = await desk.open()
    resolved = await desk.cases.ResolveCase(ResolveCaseRequest(name=other.name, resolution="answered"))
    assert resolved.progress == states_pb2.CASE_PROGRESS_RESOLVED
