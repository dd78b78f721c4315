"""Somebody at a browser: a context of their own, in which nothing may go wrong unnoticed."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Page, Request

WIDE = {"width": 1280, "height": 800}
NARROW = {"width": 390, "height": 844}
LOOPBACK = {"127.0.0.1", "localhost", ""}
PATIENCE_MS = 15_000.0
# Violations of the policy are said on the console, too; this names what was blocked, and where.
REPORT_VIOLATIONS = """document.addEventListener("securitypolicyviolation", violation => console.error(
    `policy: ${violation.effectiveDirective} blocks ${violation.blockedURI || violation.sample} `
    + `at ${violation.sourceFile}:${violation.lineNumber}`))"""


class Visitor:
    """A person's browser.

    Attributes:
        page: its first tab.
        context: for more tabs, cookies, being offline.
        zone: where its clock is.
    """

    def __init__(self, context: "BrowserContext", page: "Page", zone: str) -> None:
        self.context, self.page, self.zone = context, page, zone
        self._said: list[str] = []
        self._expected: list[re.Pattern[str]] = []
        self._allowed: list[re.Pattern[str]] = []
        context.on("weberror", lambda error: self._said.append(f"error of a page: {error.error}"))
        context.on("console", self._console)
        context.on("request", self._request)

    def expect(self, problem: str) -> None:
        """Let what a page says be; a pattern. A refusal (409) that a test provokes is on the console."""
        self._expected.append(re.compile(problem))

    def let(self, problem: str) -> None:
        """Let what a page may say be, whether it says so or not; a pattern."""
        self._allowed.append(re.compile(problem))

    async def problems(self) -> list[str]:
        """What went wrong so far, and was not expected; and what was expected and never came."""
        for page in self.context.pages:
            await page.evaluate("0")  # what was said before has arrived
        known = [*self._expected, *self._allowed]
        unexpected = [said for said in self._said if not any(each.search(said) for each in known)]
        missing = [each.pattern for each in self._expected if not any(map(each.search, self._said))]
        return unexpected + [f"expected, and not said: {each}" for each in missing]

    async def keep(self, folder: Path) -> None:
        """Keep a picture of each tab, and the trace (`playwright show-trace`)."""
        for number, page in enumerate(self.context.pages, 1):
            await page.screenshot(path=folder / f"tab-{number}.png")
        await self.context.tracing.stop(path=folder / "trace.zip")

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self._said.append(f"console: {message.text} ({message.location['url']})")

    def _request(self, request: "Request") -> None:
        if urlsplit(request.url).scheme in ("http", "https", "ws", "wss") and (
            urlsplit(request.url).hostname not in LOOPBACK
        ):
            self._said.append(f"a request to elsewhere: {request.url}")


@asynccontextmanager
async def visiting(
    browser: "Browser",
    base_url: str,
    *,
    narrow: bool = False,
    dark: bool = False,
    zone: str = "Europe/Berlin",
    **options: Any,
) -> AsyncIterator[Visitor]:
    """A visitor for the time of the block; nothing moves, as for people who ask for less motion.

    Args:
        browser: whose context it is.
        base_url: what paths are relative to.
        narrow: a phone of 390 x 844 instead of a desk's screen of 1280 x 800.
        dark: prefers dark.
        zone: where the visitor's clock is.
        options: as of `Browser.new_context`.
    """
    phone = {"is_mobile": True, "has_touch": True} if narrow else {}
    chosen: dict[str, Any] = {
        "base_url": base_url,
        "viewport": NARROW if narrow else WIDE,
        "color_scheme": "dark" if dark else "light",
        "reduced_motion": "reduce",
        "locale": "en-GB",
        "timezone_id": zone,
        **phone,
        **options,
    }
    context = await browser.new_context(**chosen)
    try:
        context.set_default_timeout(PATIENCE_MS)
        await context.add_init_script(REPORT_VIOLATIONS)
        await context.tracing.start()
        yield Visitor(context, await context.new_page(), zone)
    finally:
        await context.close()
