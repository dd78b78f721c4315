"""The desk as a process: it stops with many who watch, and stands while other processes are frozen."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from chassis.clock import Clock
from deploy.services import TELLING as SERVICES
from desk.auth.gate import Gate
from desk.auth.renewal import Tokens
from desk.service import service as desk_service
from rapport.common.v1 import channel_pb2
from rapport.customer.v1 import timeline_service_pb2
from rapport.customer.v1.timeline_pb2 import TimelineEntry
from rapport.customer.v1.timeline_service_pb2_grpc import TimelineServiceStub
from rapport_testing.wait import eventually
from rapport_tools.cli.session import Session
from rapport_tools.local.issuer import Issuer
from rapport_tools.local.roles import ROLES
from tests.e2e.stack import START_TIMEOUT_S, Stack
from tests.e2e.test_desk import somebody
from tests.e2e.test_outages import RESTART_TIMEOUT_S, frozen

pytestmark = pytest.mark.slow

PEOPLE, EACH = 20, 10


@pytest.fixture
async def people(stack: Stack) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Browsers of people who have signed in at the desk of the platform."""
    env = Session.open().env
    settings = desk_service.settings(
        database_url=env["RAPPORT_DESK_DATABASE_URL"],
        nats_url=env["RAPPORT_LOCAL_NATS_URL"],
        jwks_url=env["RAPPORT_JWKS_URL"],
        issuer=env["RAPPORT_ISSUER"],
        public_url=env["RAPPORT_DESK_URL"],
        peers=json.loads(env["RAPPORT_PEERS"]),
    )
    app = desk_service.app(settings, Clock())
    gate, issuer = Gate(app), Issuer(stack.home)
    async with AsyncExitStack() as exits:
        await app.db.open()
        exits.push_async_callback(app.db.close)
        browsers = []
        for number in range(PEOPLE):
            token = issuer.token(f"agent:alice-{number}", ROLES["agent"], "front-desk")
            begun = await gate.sessions.begin(Tokens(token), "Alice")
            cookies = {gate.jar.session: begun.session, gate.jar.form: begun.form}
            browser = httpx.AsyncClient(
                base_url=env["RAPPORT_DESK_URL"], cookies=cookies, trust_env=False, timeout=30
            )
            browsers.append(await exits.enter_async_context(browser))
        yield browsers


class Reader:
    """Reads the stream of one customer.

    Attributes:
        told: its events, each a dictionary of its lines.
    """

    def __init__(self, browser: httpx.AsyncClient, customer: str) -> None:
        self.told: list[dict[str, str]] = []
        self._heard = asyncio.Condition()
        self.ended = asyncio.ensure_future(self._read(browser, customer))

    async def _read(self, browser: httpx.AsyncClient, customer: str) -> None:
        event: dict[str, str] = {}
        async with browser.stream("GET", f"/live?customer={customer}", timeout=None) as answer:
            assert answer.status_code == 200
            async for line in answer.aiter_lines():
                if line:
                    key, _, value = line.partition(": ")
                    event[key] = value
                elif event:
                    self.told.append(event)
                    event = {}
                    async with self._heard:
                        self._heard.notify_all()

    async def hears(self, text: str, since: int = 0) -> None:
        """Wait for an event that says something."""
        async with self._heard:
            await self._heard.wait_for(lambda: any(text in each["data"] for each in self.told[since:]))


async def test_a_desk_that_is_told_to_stop_says_farewell_to_two_hundred_who_watch_and_ends_well(
    stack: Stack, people: list[httpx.AsyncClient]
) -> None:
    customer = await asyncio.to_thread(somebody)
    before = stack.unit("desk")
    said = stack.failpoints.parent / "up.log"
    so_far = len(said.read_text())
    async with asyncio.timeout(300):
        readers: list[Reader] = []
        for _ in range(EACH):  # they come by and by
            readers += [Reader(browser, customer) for browser in people]
            await asyncio.gather(*(reader.hears("cards") for reader in readers[-PEOPLE:]))
        os.kill(before["pid"], signal.SIGTERM)
        await asyncio.gather(*(reader.ended for reader in readers))
    ends = [reader.told[-1] for reader in readers]
    assert {each["event"] for each in ends} == {"farewell"}
    retries = sorted(int(each["retry"]) for each in ends)
    assert retries[-1] - retries[0] > 3000
    assert max(sum(n * 1000 <= each < (n + 1) * 1000 for each in retries) for n in range(6)) < len(ends) / 2

    def is_back() -> bool:
        return stack.home.is_up() and stack.unit("desk")["pid"] != before["pid"]

    await eventually(is_back, START_TIMEOUT_S)
    assert "desk ended with exit code 0" in said.read_text()[so_far:]
    assert "shutdown exceeded" not in (stack.home.logs / "desk.log").read_text()  # nobody was cut off


@pytest.mark.parametrize("service", SERVICES)
async def test_a_page_and_its_stream_stand_while_a_service_is_frozen_and_say_so(
    stack: Stack, people: list[httpx.AsyncClient], service: str
) -> None:
    customer = await asyncio.to_thread(somebody)
    late = f"{service.capitalize()} does not answer"
    async with asyncio.timeout(RESTART_TIMEOUT_S * 2):
        with frozen(stack.unit(service)["pid"]) as thaw:
            page = await people[0].get(f"/{customer}")
            assert page.status_code == 200
            assert late in page.text
            assert service == "customer" or "Nora Winter" in page.text
            reader = Reader(people[1], customer)
            await reader.hears(late)
            if service != "customer":
                since = len(reader.told)
                await asyncio.to_thread(contact, customer, "while it is frozen")
                await reader.hears("while it is frozen", since)
            since = len(reader.told)
            thaw()
            card = {"customer": "who", "cases": "cases", "loyalty": "worth"}.get(service, "promises")
            while not any(late not in html for html in shown(reader.told[since:], card)):
                seen = len(reader.told)
                await reader.hears(card, seen)
        reader.ended.cancel()


async def test_a_page_stands_while_one_service_after_the_other_is_killed(
    stack: Stack, people: list[httpx.AsyncClient]
) -> None:
    customer = await asyncio.to_thread(somebody)
    for service in SERVICES:
        os.kill(stack.unit(service)["pid"], signal.SIGKILL)
        assert (await people[0].get(f"/{customer}")).status_code == 200
    await eventually(stack.home.is_up, START_TIMEOUT_S)


def shown(events: list[dict[str, str]], card: str) -> list[str]:
    """What a card said, in the order of its events."""
    cards: list[dict[str, Any]] = [json.loads(each["data"]).get("cards", {}) for each in events]
    return [each[card]["html"] for each in cards if card in each]


def contact(customer: str, summary: str) -> None:
    """They called."""
    entry = TimelineEntry(
        channel=channel_pb2.CHANNEL_VOICE,
        direction=channel_pb2.DIRECTION_INBOUND,
        topic="delivery",
        summary=summary,
    )
    request = timeline_service_pb2.RecordInteractionRequest(parent=customer, timeline_entry=entry)
    Session.open().stub(TimelineServiceStub, "customer").RecordInteraction(request)
