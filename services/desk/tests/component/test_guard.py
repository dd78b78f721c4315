"""What stands before pages: who has no session is asked to sign in, and nothing is done in their name."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request

from chassis.context import current_call
from desk.auth import answers
from rapport_testing.clock import ManualClock

pytestmark = pytest.mark.together

FRAGMENT = {"x-requested-with": "fragment"}


@pytest.fixture
async def desk(open_desk: Any) -> Any:
    """A desk before no service."""
    return await open_desk()


@pytest.fixture
async def page(desk: Any) -> AsyncIterator[Any]:
    """Gives browsers of a site with one page, behind the desk's own guard and sessions."""
    pages = FastAPI()

    @pages.api_route("/people/{name}", methods=["GET", "POST"])
    async def person(name: str, request: Request) -> dict[str, Any]:
        viewer, call = request.state.viewer, current_call.get()
        again = await request.state.viewer_again()
        return {
            "name": viewer.display_name,
            "agent": viewer.agent,
            "department": viewer.department,
            "may": viewer.may("cases.cases.write"),
            "as_viewer": call.credential == viewer.credential and call.principal == viewer.principal,
            "correlation_id": call.correlation_id,
            "purpose": call.purpose,
            "still": again is not None,
            "said": (await request.body()).decode(),
        }

    site = httpx.ASGITransport(desk.gate.before(pages))
    clients = []

    def open_(cookies: Any = None, who: str = "agent:alice") -> httpx.AsyncClient:
        like = desk.browser(cookies, who)
        clients.append(
            httpx.AsyncClient(transport=site, base_url=desk.url, cookies=like.cookies, headers=like.headers)
        )
        return clients[-1]

    yield open_
    for client in clients:
        await client.aclose()


async def test_a_page_knows_who_looks_and_calls_as_them(desk: Any, page: Any) -> None:
    cookies = await desk.session("agent:alice", ["cases.cases.write"], "front-desk")
    told = (await page(cookies).get("/people/erika", headers={"access-purpose": "complaint"})).json()
    assert told.pop("correlation_id")
    assert told == {
        "name": "Alice",
        "agent": "agents/alice",
        "department": "departments/front-desk",
        "may": True,
        "as_viewer": True,
        "purpose": "complaint",
        "still": True,
        "said": "",
    }


async def test_without_a_session_a_page_leads_to_signing_in_and_back(page: Any) -> None:
    answer = await page().get("/people/erika?tab=cases&page=2")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?back=/people/erika%3Ftab%3Dcases%26page%3D2"


@pytest.mark.parametrize(
    ("method", "headers"),
    [("GET", FRAGMENT), ("GET", {"accept": "text/event-stream"}), ("POST", {}), ("POST", FRAGMENT)],
)
async def test_without_a_session_all_else_says_so_beside_a_way_back(
    page: Any, method: str, headers: dict[str, str]
) -> None:
    answer = await page().request(
        method, "/people/erika", headers=headers, data={"said": "hello"} if method == "POST" else None
    )
    assert answer.status_code == 401
    assert "You are signed out." in answer.text
    assert 'href="/sign-in?back=/signed-in" target="_blank"' in answer.text


@pytest.mark.parametrize("which", ["session", "form"])
async def test_a_forged_cookie_is_nobodys(desk: Any, page: Any, which: str) -> None:
    cookies = await desk.session()
    forged = replace(cookies, **{which: "A" * 43})
    written = {"x-csrf": cookies.csrf("agent:alice")}
    answer = await page(forged).post("/people/erika", headers=written)
    assert answer.status_code == {"session": 401, "form": 403}[which]


@pytest.mark.parametrize("after", [timedelta(minutes=61), timedelta(days=1)])
async def test_a_session_that_nobody_uses_ends(
    desk: Any, page: Any, clock: ManualClock, after: timedelta
) -> None:
    browser = page(await desk.session())
    clock.advance(after)
    assert (await browser.get("/people/erika")).status_code == 303


async def test_a_session_lasts_while_it_is_used_and_half_a_day_at_most(
    desk: Any, page: Any, clock: ManualClock
) -> None:
    browser = page(await desk.session())
    statuses = []
    for _ in range(13):
        clock.advance(timedelta(minutes=59))
        statuses.append((await browser.get("/people/erika")).status_code)
    assert statuses == [200] * 12 + [303]


@pytest.mark.parametrize("by_itself", [FRAGMENT, {"accept": "text/event-stream"}])
async def test_a_page_that_keeps_itself_current_does_not_keep_its_person_signed_in(
    desk: Any, page: Any, clock: ManualClock, by_itself: dict[str, str]
) -> None:
    browser = page(await desk.session())
    statuses = []
    for _ in range(3):
        clock.advance(timedelta(minutes=29))
        statuses.append((await browser.get("/people/erika", headers=by_itself)).status_code)
    assert statuses == [200, 200, 401]


@pytest.mark.alone("all sessions of the desk are looked at")
async def test_a_session_that_is_revoked_elsewhere_ends_here(desk: Any, page: Any) -> None:
    browser = page(await desk.session())
    assert (await browser.get("/people/erika")).status_code == 200
    assert await desk.gate.sessions.end_all("agent:alice") == 1
    assert (await browser.get("/people/erika")).status_code == 303


async def test_what_has_expired_is_deleted(desk: Any, clock: ManualClock) -> None:
    await desk.session()
    clock.advance(timedelta(minutes=30))
    await desk.session("agent:bob")
    clock.advance(timedelta(minutes=45))
    assert len(await desk.gate.sessions.clean()) == 1
    assert await desk.gate.sessions.end_all("agent:bob") == 1


async def test_a_form_of_ours_is_taken_with_its_whole_body(desk: Any, page: Any) -> None:
    cookies = await desk.session()
    browser = page(cookies)
    by_header = await browser.post("/people/erika", content=b"anything")
    assert by_header.json()["said"] == "anything"
    del browser.headers["x-csrf"]
    by_field = await browser.post("/people/erika", data={"csrf": cookies.csrf("agent:alice"), "said": "ä"})
    assert by_field.json()["said"].endswith("&said=%C3%A4")


ELSEWHERE = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "none"},
    {"x-csrf": "0" * 64},
    {"x-csrf": ""},
]


async def test_what_another_site_sends_is_refused(desk: Any, page: Any) -> None:
    browser = page(await desk.session())
    for headers in ELSEWHERE:
        answer = await browser.post("/people/erika", headers=headers)
        assert (answer.status_code, "not sent by a page of yours" in answer.text) == (403, True), headers


async def test_what_says_nothing_of_where_it_comes_from_is_refused(desk: Any, page: Any) -> None:
    browser = page(await desk.session())
    del browser.headers["origin"], browser.headers["sec-fetch-site"]
    assert (await browser.post("/people/erika")).status_code == 403


async def test_a_form_survives_that_its_person_signs_in_again_and_no_other(desk: Any, page: Any) -> None:
    first = await desk.session()
    written = first.csrf("agent:alice")
    await desk.gate.sessions.end(first)
    sessions = desk.gate.sessions
    for who, status in (("agent:alice", 200), ("agent:bob", 403)):
        token = desk.token(who)
        again = await sessions.begin(token, who, first.form)
        answer = await page(again).post("/people/erika", headers={"x-csrf": written})
        assert answer.status_code == status, who


async def test_more_than_a_form_holds_is_refused(desk: Any, page: Any) -> None:
    answer = await page(await desk.session()).post(
        "/people/erika", content=b"x" * (answers.BODY_MAX_BYTES + 1)
    )
    assert answer.status_code == 413
    assert "at most 1024 KiB" in answer.text


@pytest.mark.parametrize(
    "sent",
    [
        {"files": {"letter": ("letter.txt", b"Hello")}},
        {"data": {f"field{number}": "x" for number in range(201)}},
        {"content": b"--b", "headers": {"content-type": "multipart/form-data"}},
    ],
    ids=["a file", "201 fields", "no boundary"],
)
async def test_a_form_that_no_page_has_is_not_understood(desk: Any, sent: dict[str, Any]) -> None:
    browser = await desk.signed_in()
    del browser.headers["x-csrf"]
    for path in ("/find", "/sign-out"):
        answer = await browser.post(path, **sent)
        assert answer.status_code == 400, path
        assert "at most 200 fields, and no files" in answer.text


async def test_every_answer_forbids_what_no_page_needs(desk: Any) -> None:
    browser = await desk.signed_in()
    for path in ("/", "/nowhere", "/sign-in", "/signed-out", "/static/nothing.css", "/sign-in/callback"):
        answer = await browser.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy, path
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert "camera=()" in answer.headers["permissions-policy"]
        assert (answer.headers.get("cache-control") == "no-store") is not path.startswith("/static/"), path


async def test_a_cookie_asks_nothing_of_rest(desk: Any) -> None:
    answer = await (await desk.signed_in()).get("/v1/customers")
    assert answer.status_code == 401
    assert answer.json()["reason"] == "TOKEN_MISSING"


@pytest.mark.alone("all sessions of the desk are looked at")
async def test_the_database_has_no_token_and_no_secret(desk: Any) -> None:
    token = desk.token("agent:alice")
    cookies = await desk.gate.sessions.begin(token, "Alice")
    async with desk.running.db.connection() as connection:
        (row,) = await connection.fetch("SELECT * FROM sessions")
    kept = b" ".join(value if isinstance(value, bytes) else str(value).encode() for value in row.values())
    for secret in (token.access, cookies.session, cookies.form):
        assert secret.encode() not in kept
