"""Pages while something is away, and streams of pages when they end."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from cases.service import service as cases_service
from chassis.lifecycle import Lifecycle
from customer.service import service as customer_service
from desk.live import stream
from desk.live.stream import SEATS
from desk.pages.customer import live, loading, route
from desk.pages.customer.loading import load
from loyalty.service import service as loyalty_service
from notifications.service import service as notifications_service
from services.desk.tests.component.conftest import Sender, Slow, erika

STREAM = {"accept": "text/event-stream"}  # as browsers say; all else is somebody who goes to a page
SERVICES = (customer_service, cases_service, loyalty_service, notifications_service)
VIEWERS, PEOPLE = 60, 6
NUMBER = "+4930901820"


async def heard(browser: Any, name: str, seen: asyncio.Event) -> list[dict[str, str]]:
    """Everything that a stream of the page tells, until its end."""
    told: list[dict[str, str]] = []
    event: dict[str, str] = {}
    async with browser.stream("GET", f"/live?customer={name}", timeout=None) as answer:
        assert answer.status_code == 200, await answer.aread()
        async for line in answer.aiter_lines():
            if line:
                key, _, value = line.partition(": ")
                event[key] = value
            elif event:
                told.append(event)
                event = {}
                if told[-1].get("event") == "cards":
                    seen.set()
    return told


async def test_many_viewers_are_told_when_to_come_back_and_not_together(desk: Any) -> None:
    name = await erika(desk)
    browsers = [await desk.signed_in(f"agent:alice-{number}") for number in range(PEOPLE)]
    watching = [asyncio.Event() for _ in range(VIEWERS)]
    streams = [
        asyncio.create_task(heard(browsers[number % PEOPLE], name, seen))
        for number, seen in enumerate(watching)
    ]
    async with asyncio.timeout(60):
        await asyncio.gather(*(seen.wait() for seen in watching))
        await desk.running.stop()
        ends = [told[-1] for told in await asyncio.gather(*streams)]
    assert {end["event"] for end in ends} == {"farewell"}
    retries = sorted(int(end["retry"]) for end in ends)
    assert retries[-1] - retries[0] > 3000


async def test_one_person_has_so_many_streams_and_another_is_told_to_come_much_later(desk: Any) -> None:
    name, alice = await erika(desk), await desk.signed_in()
    watching = [asyncio.Event() for _ in range(SEATS)]
    streams = [asyncio.create_task(heard(alice, name, seen)) for seen in watching]
    async with asyncio.timeout(60):
        await asyncio.gather(*(seen.wait() for seen in watching))
        (told,) = await heard(alice, name, asyncio.Event())
        assert told["event"] == "farewell"
        assert int(told["retry"]) >= 20_000
        bobs, seen = await desk.signed_in("agent:bob"), asyncio.Event()
        streams.append(asyncio.create_task(heard(bobs, name, seen)))
        await seen.wait()
        for stream in streams:
            stream.cancel()
        await asyncio.gather(*streams, return_exceptions=True)
        again = asyncio.Event()  # a seat that was left is free
        stream = asyncio.create_task(heard(await desk.signed_in(), name, again))
        while not again.is_set():
            await asyncio.wait({stream, asyncio.ensure_future(again.wait())}, return_when="FIRST_COMPLETED")
            if stream.done():
                stream = asyncio.create_task(heard(await desk.signed_in(), name, again))
        stream.cancel()


async def test_a_stream_ends_when_its_person_is_signed_out_elsewhere(desk: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(live, "SIGNED_IN_S", (0.2, 0.3))
    name = await erika(desk)
    cookies = await desk.session()
    seen = asyncio.Event()
    stream = asyncio.create_task(heard(desk.browser(cookies), name, seen))
    async with asyncio.timeout(30):
        await seen.wait()
        await desk.gate.sessions.end_all("agent:alice")
        told = await stream
    assert told[-1]["event"] == "signed-out"


async def test_before_a_session_ends_a_page_says_so_and_who_is_there_stays(
    desk: Any, clock: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(live, "SIGNED_IN_S", (0.2, 0.3))
    alice, told = await desk.signed_in(), asyncio.Queue[str]()
    clock.advance(timedelta(minutes=59))

    async def listen() -> None:
        async with alice.stream("GET", "/live", headers=STREAM, timeout=None) as answer:
            async for line in answer.aiter_lines():
                if '"html"' in line:
                    told.put_nowait(line)

    async with asyncio.timeout(30):
        listening = asyncio.create_task(listen())
        assert "Stay signed in" in await told.get()
        assert (await alice.post("/stay")).status_code == 204
        assert json.loads((await told.get()).removeprefix("data: ")) == {"html": ""}
        listening.cancel()


async def test_a_stream_whose_source_fails_says_farewell_and_does_not_beat_on(
    desk: Any, monkeypatch: Any
) -> None:
    async def breaks(*_: Any) -> Any:
        raise KeyError("a value that nobody expected")

    monkeypatch.setattr(live, "load", breaks)
    monkeypatch.setattr(stream, "BEAT_S", 0.2)
    name = await erika(desk)
    async with asyncio.timeout(30):
        told = await heard(await desk.signed_in(), name, asyncio.Event())
    assert told[-1]["event"] == "farewell"


@pytest.mark.parametrize("away", [each.name for each in SERVICES])
async def test_a_page_stands_while_a_service_is_away_and_says_so(open_desk: Any, away: str) -> None:
    desk = await open_desk(*SERVICES)
    name = await erika(desk)
    promise = {"customer": name, "department": "departments/front-desk", "kind": "refund"}
    due = (desk.running.app.clock.now()).replace(year=2027).isoformat()
    made = await desk.client().post("/v1/promises:make", json={"promise": {**promise, "dueTime": due}})
    assert made.status_code == 200, made.text
    alice = await desk.signed_in()
    await desk.services[away].stop()
    page = await alice.get(f"/{name}")
    assert page.status_code == 200
    assert f"{away.capitalize()} does not answer" in page.text
    if away not in ("cases", "customer"):
        assert "Erika Sommer" in page.text
    if away != "cases":
        assert "Refund" in page.text


async def test_the_cards_that_a_page_missed_are_asked_for_again(desk: Any) -> None:
    name = await erika(desk)
    alice = await desk.signed_in()
    told = json.loads((await alice.get(f"/{name}/cards")).text)
    cards = {"who", "advice", "worth", "points", "sections", "promises", "cases", "timeline"}
    assert set(told["cards"]) == cards
    assert (await alice.get(f"/customers/{uuid4()}/cards")).status_code == 404


async def test_a_page_whose_colleagues_names_do_not_come_waits_once(
    open_desk: Any, frozen: str, monkeypatch: Any
) -> None:
    desk = await open_desk(customer_service, peers={"cases": frozen})
    name, alice = await erika(desk), await desk.signed_in()
    monkeypatch.setattr(route, "PAGE_S", 2.0)
    asked = asyncio.ensure_future(alice.get(f"/{name}"))
    await asyncio.wait({asked, asyncio.ensure_future(asyncio.sleep(3.0))}, return_when="FIRST_COMPLETED")
    assert asked.done()
    assert "Cases does not answer" in asked.result().text
    assert "Erika Sommer" in asked.result().text


async def test_colleagues_are_called_by_name_although_another_service_is_frozen(
    open_desk: Any, frozen: str
) -> None:
    desk = await open_desk(customer_service, cases_service, peers={"loyalty": frozen})
    name = await erika(desk)
    manager = (await desk.client().get(f"/v1/{name}")).json()["relationshipManager"]
    agent = {"displayName": "Carla Winter"}
    made = await desk.client().patch(f"/v1/{manager}?updateMask=displayName", json=agent)
    assert made.status_code == 200, made.text
    page = await (await desk.signed_in()).get(f"/{name}")
    assert "Loyalty does not answer" in page.text
    assert "Carla Winter" in page.text


async def test_what_was_away_is_asked_for_again_before_it_is_time_to_look_again(
    open_desk: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(live, "LOOK_AGAIN_S", 600.0)
    desk = await open_desk(customer_service, loyalty_service)
    name, alice = await erika(desk), await desk.signed_in()
    loyalty = desk.services["loyalty"]
    await loyalty.stop()
    worths: list[str] = []
    async with asyncio.timeout(60), alice.stream("GET", f"/live?customer={name}", timeout=None) as answer:
        async for line in answer.aiter_lines():
            if '"worth"' not in line:
                continue
            worths.append(json.loads(line.partition(": ")[2])["cards"]["worth"]["html"])
            if len(worths) == 2:
                break
            loyalty.app = loyalty_service.app(loyalty.app.settings, desk.running.app.clock)
            loyalty.lifecycle = Lifecycle(loyalty.app)
            await loyalty.lifecycle.start()
    assert "Loyalty does not answer" in worths[0]
    assert "Loyalty does not answer" not in worths[1]


async def test_what_changes_waits_no_longer_for_a_service_that_is_frozen_than_a_page_does(
    open_desk: Any, frozen: str, monkeypatch: Any
) -> None:
    desk = await open_desk(customer_service, cases_service, peers={"loyalty": frozen})
    name, alice, seen = await erika(desk), await desk.signed_in(), asyncio.Event()
    hurried: asyncio.Queue[set[str]] = asyncio.Queue()

    async def noted(*asked: Any) -> Any:
        if asked[5] is not None:
            await hurried.put({*asked[6]})
        return await load(*asked)

    monkeypatch.setattr(live, "load", noted)
    monkeypatch.setattr(live, "LIVE_S", 1.0)
    stream = asyncio.create_task(heard(alice, name, seen))
    async with asyncio.timeout(60):
        await seen.wait()
        contact = {"channel": "CHANNEL_VOICE", "direction": "DIRECTION_INBOUND", "summary": "Hello?"}
        told = {"timelineEntry": contact}
        done = await desk.client().post(f"/v1/{name}/timelineEntries:recordInteraction", json=told)
        assert done.is_success, done.text
        assert await hurried.get() == set()
        while not (missed := await hurried.get()):
            pass
    assert {"values", "purchases", "allowance"} <= missed
    assert missed.isdisjoint(("timeline", "view", "promises", "cases"))
    stream.cancel()


@pytest.mark.parametrize(("stuck", "busy"), [("loyalty", "cases"), ("cases", "customer")])
async def test_a_service_that_is_slow_loses_nothing_of_a_page_while_another_is_frozen(
    open_desk: Any, frozen: str, slow: Slow, monkeypatch: Any, stuck: str, busy: str
) -> None:
    monkeypatch.setattr(loading, "PAGE_S", 0.1)
    desk = await open_desk(customer_service, cases_service, peers={stuck: frozen, busy: slow.address})
    slow.target = desk.services[busy].address
    name, alice = await erika(desk), await desk.signed_in()
    told: list[str] = []
    async with asyncio.timeout(60), alice.stream("GET", f"/live?customer={name}", timeout=None) as answer:
        async for line in answer.aiter_lines():
            if '"cards"' not in line:
                continue
            told.append(line)
            if len(told) == 1:
                contact = {"channel": "CHANNEL_VOICE", "direction": "DIRECTION_INBOUND", "summary": "Hello?"}
                done = {"timelineEntry": contact}
                await desk.client().post(f"/v1/{name}/timelineEntries:recordInteraction", json=done)
            if "Hello?" in line:
                break
    assert f"{stuck.capitalize()} does not answer" in told[0]
    assert [line for line in told if f"{busy.capitalize()} does not answer" in line] == []


async def test_a_page_that_is_open_says_when_its_customers_service_falls_silent(
    open_desk: Any, frozen: str, monkeypatch: Any
) -> None:
    monkeypatch.setattr(live, "LIVE_S", 1.0)
    desk = await open_desk(peers={"customer": frozen})
    alice, seen = await desk.signed_in(), asyncio.Event()
    stream = asyncio.create_task(heard(alice, f"customers/{uuid4()}", seen))
    async with asyncio.timeout(30):
        await seen.wait()
    stream.cancel()


async def ring(desk: Any, clock: Any, browser: Any) -> dict[str, Any]:
    """What a browser is told of a call that rings at alice."""
    await Sender(desk, clock, "telephony").send(
        {"call": "c-1", "event": "ringing", "agent": "alice", "from": NUMBER}
    )
    async with asyncio.timeout(30), browser.stream("GET", "/live", timeout=None) as answer:
        lines = answer.aiter_lines()
        while await anext(lines) != "event: ring":
            pass
        told: dict[str, Any] = json.loads((await anext(lines)).removeprefix("data: "))
    return told


async def test_a_call_that_rings_opens_the_page_of_the_one_who_has_the_number(desk, clock, known) -> None:
    erika = await known("Erika Sommer", phone=NUMBER)
    told = await ring(desk, clock, await desk.signed_in())
    assert (told["href"], "Erika Sommer" in told["html"]) == (f"/{erika}", True)


async def test_a_call_of_a_number_that_several_have_opens_no_page(desk, clock, known) -> None:
    both = {await known("Erika", phone=NUMBER), await known("Karl", phone=NUMBER)}
    told = await ring(desk, clock, await desk.signed_in())
    assert told["href"] == ""
    assert all(each in told["html"] for each in both)


async def test_whoever_may_see_no_customers_sees_the_number_of_a_call_and_no_name(desk, clock, known) -> None:
    await known("Erika Sommer", phone=NUMBER)
    told = await ring(desk, clock, await desk.signed_in(permissions=["cases.cases.read"]))
    assert told["href"] == ""
    assert "Erika" not in told["html"]
    assert NUMBER[-3:] in told["html"]


async def test_a_call_rings_although_nobody_tells_whose_it_is(open_desk, sources, clock) -> None:
    desk = await open_desk(webhooks_dir=sources)
    told = await ring(desk, clock, await desk.signed_in())
    assert (told["href"], "cannot be asked now" in told["html"]) == ("", True)


async def test_the_work_of_all_open_cases_is_asked_for_once(open_desk: Any) -> None:
    desk = await open_desk(customer_service, cases_service)
    name, alice, rest = await erika(desk), await desk.signed_in(), desk.client()
    for kind in ("deliver", "refund"):
        case = {"customer": name, "topic": kind, "owner": "agents/front-desk"}
        opened = await rest.post("/v1/cases:open", json={"case": case})
        assert opened.status_code == 200, opened.text
        work = {"case": opened.json()["name"], "department": "departments/front-desk", "kind": kind}
        made = await rest.post("/v1/workItems", json=work)
        assert made.status_code == 200, made.text
    method = {"method": "rapport.cases.v1.WorkItemService/ListWorkItems", "code": "OK"}

    def asked() -> float:
        return REGISTRY.get_sample_value("rpc_server_duration_seconds_count", method) or 0.0

    before = asked()
    page = await alice.get(f"/{name}")
    assert asked() == before + 1
    assert page.text.count('class="step here"') == 2
