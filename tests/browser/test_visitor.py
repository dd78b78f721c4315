"""What goes wrong in a browser is noticed, and the helpers see what they are to see."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest

from rapport_testing.engines.ports import free_port
from tests.browser.fixtures import REQUIRED, Visit, chromium
from tests.browser.looking import barriers, keyboard_stops, shifts, tab_to
from tests.browser.visitor import Visitor

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'"
PAGES = {
    "/good": """<!doctype html><html lang="en"><title>Good</title><link rel="icon" href="/icon">
        <main><h1>Good</h1><a href="/good">again</a> <button>act</button> <input aria-label="name"></main>""",
    "/inline": "<!doctype html><link rel=icon href=/icon><p style='color: red'>inline</p>",
    "/broken": "<!doctype html><link rel=icon href=/icon><script src=/broken.js></script>",
    "/broken.js": "throw new Error('it broke')",
    "/elsewhere": "<!doctype html><link rel=icon href=/icon><a href='http://elsewhere.example/'>go</a>",
    "/barred": "<!doctype html><html><link rel=icon href=/icon><img src=/icon><button></button>",
    "/pale": """<!doctype html><html lang="en"><title>Pale</title><link rel="icon" href="/icon">
        <link rel="stylesheet" href="/pale.css"><main><h1>Pale</h1><p>as it should be</p>
        <button class="a" disabled>off</button><button class="a">one</button><button class="a">of two</button>
        <p class="b">as it should be</p><div class="night"><p class="b">too dark</p></div>
        <p class="c">1</p><p class="c">too light</p><p class="d">too light, <b>and so is this</b></p>
        <div class="float"><p>as it should be</p></div>
        <div class="float over"><p>on what floats</p></div></main>""",
    "/pale.css": """.a, .c { color: #999; background: #fff } .d { color: #aaa } .b { color: #333 }
        .night { background: #222 } .float { position: absolute; left: 0; top: 500px; background: #fff }
        .over { top: 600px; background: #333 }""",
    "/unseen": """<!doctype html><link rel=icon href=/icon><link rel=stylesheet href=/unseen.css>
        <button>unseen</button>""",
    "/unseen.css": "button:focus-visible { outline: none }",
    "/icon": "",
}


@pytest.fixture(scope="module")
async def pages() -> AsyncIterator[str]:
    """A server of the pages above, under a policy as strict as the desk's."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readline()).decode().split()[1]
        body = PAGES.get(path, "nothing is here").encode()
        status = "200 OK" if path in PAGES else "404 Not Found"
        kind = {"js": "text/javascript", "css": "text/css"}.get(path.rpartition(".")[2], "text/html")
        head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-security-policy: {POLICY}\r\n"
        writer.write(f"{head}content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    port = free_port()
    async with await asyncio.start_server(answer, "127.0.0.1", port):
        yield f"http://127.0.0.1:{port}"


async def seen(visitor: Visitor) -> str:
    """What went wrong, and is from now on expected, so that this test does not fail."""
    problems = await visitor.problems()
    visitor.expect("")
    return "\n".join(problems)


async def test_a_good_page_has_no_problems_and_no_barriers(visit: Visit, pages: str) -> None:
    visitor = await visit(pages)
    await visitor.page.goto("/good")
    assert await visitor.problems() == []
    assert await barriers(visitor.page) == []


async def test_what_the_policy_blocks_is_a_problem(visit: Visit, pages: str) -> None:
    visitor = await visit(pages)
    await visitor.page.goto("/inline")
    assert "policy: style-src-attr blocks" in await seen(visitor)


async def test_an_error_of_a_script_is_a_problem(visit: Visit, pages: str) -> None:
    visitor = await visit(pages)
    await visitor.page.goto("/broken")
    assert "it broke" in await seen(visitor)


async def test_a_page_that_is_not_found_is_a_problem_unless_it_is_expected(visit: Visit, pages: str) -> None:
    visitor = await visit(pages)
    await visitor.page.goto("/missing")
    assert "404" in "".join(await visitor.problems())
    visitor.expect("status of 404")
    assert await visitor.problems() == []


async def test_an_expected_problem_that_does_not_come_is_one(visit: Visit, pages: str) -> None:
    visitor = await visit(pages)
    visitor.expect("status of 409")
    assert await visitor.problems() == ["expected, and not said: status of 409"]
    await visitor.page.goto("/missing")
    visitor._expected.clear()
    visitor.expect("status of 404")


async def test_nobody_outside_is_reached(visit: Visit, pages: str) -> None:
    visitor = await visit(pages)
    await visitor.page.goto("/elsewhere")
    await visitor.page.get_by_text("go").click()
    await visitor.page.wait_for_url("chrome-error://**")
    assert "a request to elsewhere: http://elsewhere.example/" in await seen(visitor)


async def test_barriers_are_found(visit: Visit, pages: str) -> None:
    visitor = await visit(pages)
    await visitor.page.goto("/barred")
    found = " ".join(await barriers(visitor.page))
    assert {"image-alt", "button-name", "html-has-lang", "document-title"} <= set(found.split())


async def test_words_that_cannot_be_read_are_found_once_for_each_look(visit: Visit, pages: str) -> None:
    visitor = await visit(pages)
    await visitor.page.goto("/pale")
    [found] = await barriers(visitor.page)
    assert found.startswith("color-contrast")
    assert re.findall(r">(\w[\w ,]*)<", found) == [
        "one", "too dark", "too light", "too light, ", "and so is this", "and so is this", "on what floats",
    ]  # fmt: skip
    [found] = await barriers(visitor.page, ".night")
    assert "too dark" in found


async def test_the_keyboard_comes_by_everything(visit: Visit, pages: str) -> None:
    visitor = await visit(pages)
    await visitor.page.goto("/good")
    assert [stop["words"] for stop in await keyboard_stops(visitor.page)] == ["again", "act", "name"]
    way = await tab_to(visitor.page, visitor.page.get_by_role("button"))
    assert [stop["tag"] for stop in way] == ["a", "button"]


async def test_a_focus_that_is_not_seen_is_a_problem(visit: Visit, pages: str) -> None:
    visitor = await visit(pages)
    await visitor.page.goto("/unseen")
    with pytest.raises(AssertionError, match="cannot see that it has the focus"):
        await tab_to(visitor.page, visitor.page.get_by_role("button"))


async def test_what_moves_is_seen(visit: Visit, pages: str) -> None:
    visitor = await visit(pages)
    await visitor.page.goto("/good")
    async with shifts(visitor.page) as nothing:
        pass
    async with shifts(visitor.page) as moved:
        await visitor.page.evaluate(
            "() => document.querySelector('main').prepend(document.createElement('h2'), 'hint')"
        )
    assert (nothing, len(moved)) == ([], 1)


def test_where_no_browser_is_tests_are_skipped_and_fail_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv(REQUIRED, raising=False)
    with pytest.raises(pytest.skip.Exception, match="no chromium on PATH"):
        chromium()
    monkeypatch.setenv(REQUIRED, "1")
    with pytest.raises(pytest.fail.Exception, match="is set"):
        chromium()
