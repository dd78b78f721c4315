"""Pictures of the story for README.md, the desk at the moment that decides each act: `make pictures`.

No test run collects it: it tells the story on the platform as it is started.
"""

import asyncio
import re
import threading
from pathlib import Path

import pytest
from playwright.async_api import expect

from rapport_tools.cli.session import Session
from rapport_tools.demo.acts import broker, departments, slip
from rapport_tools.demo.acts.slip import know_the_customer
from rapport_tools.demo.story import Story
from tests.browser.fixtures import Visit
from tests.browser.pictures import small
from tests.e2e.test_desk import signed_in

PATIENCE_S = 60
FOLDER = Path(__file__).parents[2] / "docs" / "demo"
MOMENTS = {  # the act, the step that decides it, and what the page says then
    "slip": (slip.ACT, "Loyalty granted", "told before due"),
    "departments": (departments.ACT, "corrected the invoice", "kept"),
    "broker": (broker.ACT, "The view says so", re.compile("behind|nothing heard")),
}


class Moment:
    """The step at which the story waits until it was looked at."""

    def __init__(self, words: str) -> None:
        self._words, self._loop = words, asyncio.get_running_loop()
        self.come = asyncio.Event()
        self.seen = threading.Event()

    def tell(self, what: str, _: str) -> None:
        """Called by the story, in its thread."""
        if self._words in what:
            self._loop.call_soon_threadsafe(self.come.set)
            self.seen.wait(PATIENCE_S)


@pytest.mark.usefixtures("stack")
async def test_pictures(visit: Visit) -> None:
    moment = Moment("")
    story = Story(Session.open, lambda what, changed: moment.tell(what, changed))
    know_the_customer(story)
    alice = await visit(Session.open().desk())
    await signed_in(alice.page, f"/{story.customer}", "Alice")
    for name, (act, words, shown) in MOMENTS.items():
        moment = Moment(words)
        playing = asyncio.create_task(asyncio.to_thread(story.play, act))
        await asyncio.wait_for(moment.come.wait(), PATIENCE_S)
        await alice.page.reload()
        await expect(alice.page.locator("#promises")).to_contain_text(shown)
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / f"{name}.webp").write_bytes(await small(alice.page))
        moment.seen.set()
        await playing
