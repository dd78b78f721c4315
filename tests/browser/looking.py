"""What is looked at on a page: whether everybody can use it, reach it by keyboard, and nothing jumps."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from axe_playwright_python.base import AXE_SCRIPT

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page

STANDARD = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Of what axe says, only what is wrong leaves the page: what is right is far more. It would read
# style sheets by itself, for which none of these rules asks.
BARRIERS = """async ([within, values]) => {
    const runOnly = {type: "tag", values}, preload = {assets: ["media"]};
    const options = {resultTypes: ["violations"], runOnly, preload, selectors: false};
    const {violations} = await axe.run(within, options);
    const where = rule => rule.nodes.map(node => node.html.slice(0, 160)).join(", ");
    return violations.map(rule => `${rule.id} (${rule.help}): ${where(rule)}`);
}"""
# Contrast is three quarters of what axe costs: it is judged once for each look (`looks.js`).
AXE = f"{AXE_SCRIPT}; axe.configure({{rules: [{{id: 'color-contrast', selector: '[data-look]'}}]}})"
LOOKS_OF_WORDS = (Path(__file__).parent / "looks.js").read_text()
TABS_MAX = 200
WIDTHS = (320, 390, 768, 1280, 1920)
# Once in each scheme: what axe finds depends on how wide a page is by whether it is narrow or not.
LOOKS: tuple[tuple[Literal["light", "dark"], int], ...] = (("dark", 1280), ("light", 320))
DRAWN = "() => new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))"
FOCUSED = """() => {
    const at = document.activeElement;
    const drawn = style => (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0)
        || style.boxShadow !== "none";
    // The frame around a field may show that it has the focus.
    const frame = at.closest(":is(form, label):focus-within") ?? at;
    const seen = drawn(getComputedStyle(at)) || drawn(getComputedStyle(frame));
    // Of what stands over it, something may cover a part and not the whole.
    const box = at.getBoundingClientRect();
    const at_tenths = (x, y) => [box.x + x * box.width / 10, box.y + y * box.height / 10];
    const hits = [1, 5, 9].flatMap(x => [2, 5, 8].map(y => document.elementFromPoint(...at_tenths(x, y))));
    const covered = !hits.some(hit => at.contains(hit) || hit?.closest("label")?.control === at);
    const words = (at.getAttribute("aria-label") || at.innerText || at.name || at.id || "").trim();
    return {tag: at.tagName.toLowerCase(), words: words.replace(/\\s+/g, " ").slice(0, 60), seen, covered};
}"""
# Comes by what has the focus: whether that was never so before, and then what it is.
PASS = f"""() => {{
    const at = document.activeElement;
    if (at === document.body) return ["again"];
    if (at === passed.at(-1)) return ["just now"];
    return passed.includes(at) ? ["again"] : (passed.push(at), ["never", ({FOCUSED})()]);
}}"""
FLAWS = (Path(__file__).parent / "flaws.js").read_text()
SPACED = (Path(__file__).parent / "spaced.js").read_text()
WATCH_SHIFTS = """() => {
    globalThis.shifts = [];
    const words = source => source.node?.parentElement?.outerHTML.slice(0, 120);
    const note = list => shifts.push(...list.map(each => ({by: each.value, of: each.sources.map(words)})));
    const observer = new PerformanceObserver(list => note(list.getEntries()));
    observer.observe({type: "layout-shift"});
    globalThis.endShifts = () => { note(observer.takeRecords()); observer.disconnect(); return shifts; };
}"""


async def barriers(page: "Page", within: str = "html") -> list[str]:
    """What axe finds against WCAG 2.2 AA: a line for each rule, with the elements.

    It runs as the inspector does, beside the page's policy: the policy stays as it is.
    """
    if not await page.evaluate("() => 'axe' in globalThis"):  # half of what it costs
        await page.evaluate(AXE)
    await page.evaluate(LOOKS_OF_WORDS, within)
    found: list[str] = await page.evaluate(BARRIERS, [within, STANDARD])
    return found


async def flaws(page: "Page") -> list[str]:
    """What bars people and axe does not look at: a line for each, with the element."""
    found: list[str] = await page.evaluate(FLAWS)
    return found


async def narrow(page: "Page") -> None:
    """Make the page as narrow as it gets, where most is in the way."""
    await _resize(page, WIDTHS[0])


async def widths(page: "Page") -> AsyncIterator[int]:
    """The page at every width, one after the other, without being loaded anew: no script lays it out."""
    for width in WIDTHS:
        await _resize(page, width)
        yield width


async def bars(page: "Page", within: str = "html") -> list[str]:
    """What bars anybody from the page: `flaws` at every width, and `barriers` in light and in dark.

    It is left in light, and narrow.
    """
    found = [f"{width}: {each}" async for width in widths(page) for each in await flaws(page)]
    for scheme, width in LOOKS:
        await _resize(page, width)
        await page.emulate_media(color_scheme=scheme)
        found += [f"{scheme}: {each}" for each in await barriers(page, within)]
    return found


async def _resize(page: "Page", width: int) -> None:
    await page.set_viewport_size({"width": width, "height": 800})


async def spaced(page: "Page") -> None:
    """Give the page's words the space that some people need."""
    await page.evaluate(SPACED)


async def focused(page: "Page") -> dict[str, Any]:
    """What has the focus: its `tag`, its `words`, whether that is `seen`, and whether it is `covered`."""
    answer: dict[str, Any] = await page.evaluate(FOCUSED)
    return answer


async def tab_to(page: "Page", target: "Locator") -> list[dict[str, Any]]:
    """Press Tab until the target has the focus. AssertionError when it cannot be reached, with the way.

    Returns what had the focus on the way; each could be seen to have it.
    """
    way = []
    for _ in range(TABS_MAX):
        await page.keyboard.press("Tab")
        at = await focused(page)
        assert at["seen"] or at["tag"] == "body", f"one cannot see that it has the focus: {at}"
        way.append(at)
        if await target.evaluate("(wanted) => wanted === document.activeElement"):
            return way
    raise AssertionError(f"{target} is not reached by Tab; the way is {[each['words'] for each in way]}")


async def keyboard_stops(page: "Page") -> list[dict[str, Any]]:
    """Everything that Tab comes by, from the top of the page until it leaves it."""
    await page.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0); globalThis.passed = [] }")
    way: list[dict[str, Any]] = []
    for _ in range(TABS_MAX):
        await page.keyboard.press("Tab")
        before, *stop = await page.evaluate(PASS)
        if before == "again":
            return way
        way += stop  # of a field with several parts, such as a day, each is a stop
    raise AssertionError(f"Tab does not come round; the way is {[each['words'] for each in way]}")


@asynccontextmanager
async def shifts(page: "Page") -> AsyncIterator[list[Any]]:
    """What moved during the block without the visitor having done anything; filled at its end."""
    moved: list[Any] = []
    await page.evaluate(WATCH_SHIFTS)
    yield moved
    await page.evaluate(DRAWN)
    moved += await page.evaluate("() => endShifts()")
