"""Fixtures of tests that look at pages: one browser for a run, and visitors of it."""

import os
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Generator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tests.browser.visitor import PATIENCE_MS, Visitor, visiting

if TYPE_CHECKING:
    from playwright.async_api import Browser

# First the one without windows: in the others each visitor opens one, which costs four times as much.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
REQUIRED = "RAPPORT_BROWSER_REQUIRED"  # set where a test that is skipped proves nothing: in CI
KEPT = Path(__file__).parents[2] / "build" / "browser"  # what is kept of tests that failed
FAILED = pytest.StashKey[bool]()
ARGUMENTS = [
    "--js-flags=--no-maglev --no-turbofan",  # pages live for moments: to optimize them takes longer
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",  # nothing outside
    "--disable-dev-shm-usage",  # containers have little of it
]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Let fixtures know how the test went."""
    report: Any = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


def chromium() -> str:
    """Where chromium is. Skips the test when there is none, and fails it where that must not be."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    reason = "no chromium on PATH (`apt-get install chromium-headless-shell`)"
    if os.environ.get(REQUIRED):
        pytest.fail(f"{reason}, and {REQUIRED} is set")
    pytest.skip(reason)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator["Browser"]:
    """One browser for all tests of this worker; each visitor has a context of its own."""
    path = chromium()
    from playwright.async_api import async_playwright, expect

    expect.set_options(timeout=PATIENCE_MS)
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, *as_root])
        yield launched
        await launched.close()


class Visit(Protocol):
    """Opens a browser of somebody's; arguments as of `tests.browser.visitor.visiting`."""

    def __call__(self, base_url: str, **how: Any) -> Awaitable[Visitor]:
        """Open it."""
        ...


@pytest.fixture
async def visit(browser: "Browser", request: pytest.FixtureRequest) -> AsyncIterator[Visit]:
    """Opens browsers, watches what goes wrong in them, and keeps what they saw of a test that failed."""
    visitors: list[Visitor] = []
    async with AsyncExitStack() as opened:

        async def open_one(base_url: str, **how: Any) -> Visitor:
            visitor = await opened.enter_async_context(visiting(browser, base_url, **how))
            visitors.append(visitor)
            return visitor

        yield open_one
        problems = [problem for visitor in visitors for problem in await visitor.problems()]
        if problems or request.node.stash.get(FAILED, False):
            folder = KEPT / re.sub(r"[^\w.-]+", "_", request.node.nodeid)
            for number, visitor in enumerate(visitors, 1):
                await visitor.keep(folder / str(number))
    assert not problems, "\n".join(problems)
