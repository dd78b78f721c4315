"""What changes appears by itself, without moving or interrupting anything; what no longer arrives is said."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from playwright.async_api import Locator, Page, expect

from desk.live import stream
from desk.pages.customer.route import WATCHED_MAX
from rapport_testing.engines.ports import free_port
from rapport_testing.wait import eventually
from tests.browser.company import Company, Person, SignedIn, Steps
from tests.browser.customers import say, somebody
from tests.browser.fixtures import Visit
from tests.browser.looking import shifts
from tests.browser.visitor import Visitor

SILENT_MS = 45_000
VIEWERS = 100
HEAR = """() => {
    globalThis.heard = [];
    for (const region of document.querySelectorAll("[aria-live], [role=status]"))
        new MutationObserver(() => heard.push(region.textContent)).observe(
            region, {childList: true, characterData: true, subtree: true});
}"""


# What other tabs of this browser would say that they show: other customers, and each was looked at since.
TABS = """count => {
    globalThis.tabs = new BroadcastChannel(`rapport-live-${document.body.dataset.csrf.slice(0, 16)}`);
    for (let number = 0; number < count; number++)
        tabs.postMessage({to: "leader", tab: `${number}`, looked: true,
            wants: `customers/00000000-0000-0000-0000-${String(number).padStart(12, "0")}`});
}"""
BEAT = """() => new Promise(heard => tabs.addEventListener("message", ({data}) => {
    if (data.message?.kind === "beat") setTimeout(heard);
}))"""


def word(page: Page) -> Locator:
    """What the header says of whether the page is live."""
    return page.locator("#live")


async def live(page: Page, customer: str) -> Page:
    """Their page, live."""
    await page.goto(f"/{customer}")
    await expect(word(page)).to_have_class("on")
    return page


class Proxy:
    """Something between browsers and the desk, which may hold back what streams tell.

    Attributes:
        url: where it listens.
        flowing: while it is not set, nothing more of a stream arrives; all else does.
    """

    def __init__(self, port: int) -> None:
        self._port, self._own = port, free_port()
        self.url = f"http://127.0.0.1:{self._own}"
        self.flowing = asyncio.Event()
        self.flowing.set()
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Proxy"]:
        """Pass on for the time of the block."""
        async with await asyncio.start_server(self._connected, "127.0.0.1", self._own):
            yield self
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, browser: asyncio.StreamReader, to_browser: asyncio.StreamWriter) -> None:
        desk, to_desk = await asyncio.open_connection("127.0.0.1", self._port)
        streams = asyncio.Event()

        async def ask() -> None:
            while data := await browser.read(65536):
                if data.startswith(b"GET /live"):
                    streams.set()
                to_desk.write(data)
            to_desk.close()

        async def answer() -> None:
            while data := await desk.read(65536):
                if streams.is_set():
                    await self.flowing.wait()
                to_browser.write(data)
            to_browser.close()

        self._tasks |= {asyncio.ensure_future(ask()), asyncio.ensure_future(answer())}


@pytest.fixture
async def proxied(desk: Company, visit: Visit) -> AsyncIterator[tuple[Visitor, Proxy]]:
    """Alice, who reaches the desk through a proxy."""
    async with Proxy(desk.services["desk"].app.settings.web_port).listening() as proxy:
        visitor = await visit(proxy.url)
        await desk.sign_in(visitor)
        yield visitor, proxy


async def test_the_story_happens_on_the_open_page(desk: Company, signed_in: SignedIn) -> None:
    visitor, customer = await signed_in(), await somebody(desk)
    page, steps = await live(visitor.page, customer), Steps()
    telling = steps.begin(desk.tell_story(steps.tell, customer))
    seen = {
        "relationship": ("#who", "Alice"),
        "promised": ("#promises", "Delivery of order demo"),
        "Billing": ("#sections", "Open amount"),
        "at risk": ("#promises", "the transport is taking longer"),
        "was told": ("#promises", "now"),
        "goodwill": ("#points", "Goodwill"),
    }
    for what, (card, shown) in seen.items():
        assert what in await steps.next()
        await expect(page.locator(card)).to_contain_text(shown)
        steps.go_on()
    assert (await telling).customer == customer


async def test_row_12_fifty_changes_move_nothing(desk: Company, signed_in: SignedIn) -> None:
    alone = {"givenName": "Imke", "familyName": "Ostermann"}  # of whom nobody asks whether she is another
    visitor, customer = await signed_in(), await somebody(desk, person=alone)
    page = await live(visitor.page, customer)
    await page.locator("#timeline").hover()
    async with shifts(page) as moved:
        await asyncio.gather(*(say(desk, customer, f"Change {number}") for number in range(50)))
        await expect(page.locator("#timeline")).to_contain_text("new")
    assert moved == []
    target = await page.locator("#timeline > .waiting").bounding_box()
    assert target is not None
    assert target["height"] >= 24


async def test_a_card_that_is_pointed_at_does_not_end_up_showing_what_is_over(
    desk: Company, signed_in: SignedIn
) -> None:
    visitor, customer = await signed_in(), await somebody(desk)
    await visitor.page.clock.install()
    page, card = await live(visitor.page, customer), visitor.page.locator("#timeline")
    await say(desk, customer, "All is well.")
    await expect(card).to_contain_text("All is well.")
    await live(page, customer)  # anew: what it comes with is what it shows, and nothing more is on its way
    told: dict[str, Any] = {"customer": customer, "at": 0, "cards": {}}  # however often it is asked for
    await page.route("**/cards", lambda route: route.fulfill(body=json.dumps(told)))
    shown = {name: await card.get_attribute(f"data-{name}") for name in ("version", "meaning")}
    over = {"html": "<p>What is over</p>", "version": "x", "meaning": "x"}
    await card.hover()
    for at, timeline, waiting in ((2e12, over, 1), (3e12, {"html": "", **shown}, 0)):
        told |= {"at": at, "cards": {"timeline": timeline}}
        await page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
        await expect(card.locator("> .waiting")).to_have_count(waiting)
    await page.mouse.move(1, 1)
    await page.clock.fast_forward(1000)  # longer than a card waits for whoever left it
    await expect(card).not_to_contain_text("What is over")


async def test_row_18_behind_a_proxy_that_holds_back_the_page_says_that_it_is_not_live_and_since_when(
    desk: Company, proxied: tuple[Visitor, Proxy]
) -> None:
    (visitor, proxy), customer = proxied, await somebody(desk)
    await visitor.page.clock.install()
    page = await live(visitor.page, customer)
    proxy.flowing.clear()
    await page.clock.fast_forward(SILENT_MS)
    await expect(word(page)).to_have_text(re.compile(r"not live since \d\d:\d\d"))
    proxy.flowing.set()
    await say(desk, customer, "And then it went on.")
    await expect(page.locator("#timeline")).to_contain_text("And then it went on.")
    await expect(word(page)).to_have_class("on")


async def test_row_19_a_tab_to_which_nothing_was_told_while_it_was_hidden_is_current_on_return(
    desk: Company, proxied: tuple[Visitor, Proxy]
) -> None:
    (visitor, proxy), customer = proxied, await somebody(desk)
    page = await live(visitor.page, customer)
    proxy.flowing.clear()
    await say(desk, customer, "While nobody looked.")
    await page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    await expect(page.locator("#timeline")).to_contain_text("While nobody looked.")


async def test_row_18_a_tab_of_more_customers_than_are_watched_says_so_until_it_is_looked_at(
    desk: Company, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "BEAT_S", 0.5)
    visitor, customer = await signed_in(), await somebody(desk)
    await visitor.page.clock.install()
    page = await live(visitor.page, customer)
    await page.evaluate(TABS, WATCHED_MAX)
    await page.clock.fast_forward(SILENT_MS)
    await page.evaluate(BEAT)
    await expect(word(page)).to_have_text(re.compile(r"not live since \d\d:\d\d"))
    await page.evaluate("() => dispatchEvent(new Event('focus'))")
    await expect(word(page)).to_have_class("on")


async def test_row_20_eight_tabs_load_and_hold_one_stream(desk: Company, signed_in: SignedIn) -> None:
    visitor, customer = await signed_in(), await somebody(desk)
    streams: list[str] = []
    visitor.context.on(
        "request", lambda request: streams.append(request.url) if "/live?" in request.url else None
    )
    pages = [visitor.page, *[await visitor.context.new_page() for _ in range(7)]]
    for page in pages:
        await live(page, customer)
    assert len(streams) == 1
    await say(desk, customer, "Heard everywhere.")
    for page in pages:
        await expect(page.locator("#timeline")).to_contain_text("Heard everywhere.")
    await pages[0].close()  # who held the stream
    await say(desk, customer, "Heard by those who are left.")
    for page in pages[1:]:
        await expect(page.locator("#timeline")).to_contain_text("Heard by those who are left.")


async def test_row_22_what_a_stopped_service_told_is_shown_with_since_when(
    desk: Company, signed_in: SignedIn
) -> None:
    visitor = await signed_in()
    outcome = await desk.tell_story(lambda *_: None)
    page = await live(visitor.page, outcome.customer)
    await desk.services["loyalty"].stop()
    old = re.compile(r"nothing heard since today \d\d:\d\d")

    async def troubles() -> list[str]:
        await page.reload()
        return await page.locator("#points .stale").all_inner_texts()

    async def is_old() -> bool:
        return any(map(old.search, await troubles()))

    async def is_well() -> bool:
        return await troubles() == []

    try:
        await eventually(is_old, 60)
        await expect(page.locator("#points")).to_contain_text("300")
        await expect(page.locator("#worth")).to_contain_text("Loyalty does not answer, nothing heard since")
        await expect(page.locator("#promises")).to_contain_text("Delivery of order")
        await expect(page.locator("#promises .stale")).to_have_count(0)
    finally:
        await desk.restart("loyalty")
    await eventually(is_well, 60)


async def test_row_26_a_burst_is_announced_once(desk: Company, signed_in: SignedIn) -> None:
    visitor, customer = await signed_in(), await somebody(desk)
    page = await live(visitor.page, customer)
    await page.evaluate(HEAR)
    await asyncio.gather(*(say(desk, customer, f"Change {number}") for number in range(20)))
    await expect(page.locator("#timeline")).to_contain_text("Change 19")
    await page.wait_for_function("() => heard.length > 0")
    assert len(await page.evaluate("() => heard")) == 1


async def test_row_21_a_hundred_viewers_of_a_desk_that_stops_come_back_at_different_moments(
    desk: Company,
) -> None:
    begun, people = asyncio.Semaphore(0), [Person(f"alice-{number}") for number in range(VIEWERS // 10)]
    sessions = [await desk.session(each) for each in people]
    limits = httpx.Limits(max_connections=VIEWERS)
    viewer = httpx.AsyncClient(base_url=desk.url, limits=limits, timeout=60, trust_env=False)

    async def watch(session: dict[str, str]) -> int:
        cookies = {"cookie": "; ".join(f"{name}={value}" for name, value in session.items())}
        async with viewer.stream("GET", "/live", headers=cookies) as answer:
            begun.release()
            text = "".join([part async for part in answer.aiter_text()])
        [again] = re.findall(r"event: farewell\r?\n.*?retry: (\d+)", text, re.DOTALL)
        return int(again)

    async with viewer:
        watching = [asyncio.create_task(watch(each)) for each in sessions * 10]
        for _ in watching:
            await begun.acquire()
        await desk.services["desk"].stop()
        again = sorted(await asyncio.gather(*watching))
    await desk.restart("desk")
    spread = [sum(second * 1000 <= each < (second + 1) * 1000 for each in again) for second in range(6)]
    assert max(spread) < VIEWERS / 2, spread
    assert again[-1] - again[0] > 3000
