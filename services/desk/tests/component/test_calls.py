"""A call that rings reaches the agent at whom it rings, on whichever replica their page is open."""

import asyncio
import contextlib
from datetime import timedelta

import pytest

from chassis.lifecycle import Lifecycle
from desk.live.calls import Calls, Over, Ringing
from desk.service import service as desk_service
from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceStub
from rapport_testing.engines.ports import free_port

NUMBER = "+4930901820"
RINGING = {"call": "c-1", "event": "ringing", "agent": "alice", "from": NUMBER}


@pytest.fixture
async def elsewhere(desk, clock):
    """The calls of another replica."""
    ports = {"grpc_port": free_port(), "http_port": free_port(), "web_port": free_port()}
    app = desk_service.app(desk.running.app.settings.model_copy(update=ports), clock)
    lifecycle = Lifecycle(app)
    await lifecycle.start()
    yield Calls(app.db, app.broadcast, app.client(CustomerServiceStub, "customer"))
    await lifecycle.stop()


class Page:
    """An agent's open page."""

    def __init__(self, calls: Calls, agent: str) -> None:
        self._ringing = calls.listen(agent)
        self._next: asyncio.Task[Ringing] = asyncio.ensure_future(anext(self._ringing))

    async def hears(self) -> Ringing:
        heard = await asyncio.wait_for(self._next, 15)
        self._next = asyncio.ensure_future(anext(self._ringing))
        return heard

    async def close(self) -> None:
        self._next.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._next
        await self._ringing.aclose()


@pytest.fixture
async def page(elsewhere):
    """Opens pages."""
    opened = []

    def begin(agent: str) -> Page:
        opened.append(Page(elsewhere, agent))
        return opened[-1]

    yield begin
    for each in opened:
        await each.close()


async def test_a_ringing_call_reaches_an_open_page_on_another_replica_with_its_customer(
    sender, page, known
) -> None:
    erika = await known("Erika Sommer", phone=NUMBER)
    alices, bobs = page("alice"), page("bob")
    await sender("telephony").send(RINGING)
    heard = await alices.hears()
    assert (heard.number, heard.customer, heard.owners[0].display_name) == (NUMBER, erika, "Erika Sommer")
    await sender("telephony").send(RINGING | {"agent": "bob", "from": "anonymous"}, "2")
    assert (await bobs.hears()).owners == ()


async def test_a_number_of_several_opens_no_page(sender, page, known) -> None:
    both = {await known("Erika", phone=NUMBER), await known("Karl", phone=NUMBER)}
    alices = page("alice")
    await sender("telephony").send(RINGING | {"from": "030 901820"})
    heard = await alices.hears()
    assert (heard.customer, {each.customer for each in heard.owners}) == ("", both)


async def test_a_page_that_opens_late_hears_what_rings_and_nothing_that_is_answered(
    sender, page, clock
) -> None:
    await sender("telephony").send(RINGING | {"call": "c-0"}, "0")
    clock.advance(timedelta(minutes=3))
    await sender("telephony").send(RINGING, "1")
    await sender("telephony").send(RINGING | {"event": "answered"}, "2")
    await sender("telephony").send(RINGING | {"call": "c-2"}, "3")
    late = RINGING | {"call": "c-3"}
    await sender("telephony").send(late | {"event": "answered"}, "4")
    await sender("telephony").send(late, "5")
    alices = page("alice")
    await alices.hears()
    await sender("telephony").send(RINGING | {"call": "c-4"}, "6")
    await alices.hears()
    assert len(alices._ringing.ag_frame.f_locals["told"]) == 2


async def test_a_call_is_over_for_the_others_when_it_is_answered_and_for_who_answered_at_its_end(
    sender, page, clock
) -> None:
    alices, bobs, telephony = page("alice"), page("bob"), sender("telephony")
    for number, agent in enumerate(("alice", "bob")):
        await telephony.send(RINGING | {"agent": agent}, f"rings-{number}")
    told = (await alices.hears()).call
    assert (await bobs.hears()).call == told
    await telephony.send(RINGING | {"event": "answered"}, "answered")
    assert await bobs.hears() == Over(told)
    clock.advance(timedelta(minutes=10))  # they still speak
    await telephony.send(RINGING | {"event": "ended"}, "ended")
    assert await alices.hears() == Over(told)


async def test_an_agent_hears_of_a_call_although_nobody_knows_whose_it_is(open_desk, sources, clock) -> None:
    from services.desk.tests.component.conftest import Sender

    desk = await open_desk(webhooks_dir=sources)
    app = desk.running.app
    await Sender(desk, clock, "telephony").send(RINGING)
    alices = Page(Calls(app.db, app.broadcast, app.client(CustomerServiceStub, "customer")), "alice")
    heard = await alices.hears()
    assert (heard.owners, heard.is_known) == ((), False)
    await alices.close()
