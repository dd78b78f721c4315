"""Signing in and out, by the provider of the local stack, over HTTP, as a browser does it."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import uvicorn

from chassis.errors import Unavailable
from desk.auth import renewal
from desk.auth.provider import Provider as Renewing
from desk.auth.renewal import Tokens
from rapport_testing.engines.ports import free_port
from rapport_testing.wait import eventually
from rapport_tools.local.home import Home
from rapport_tools.local.issuer import Issuer
from rapport_tools.local.provider import Provider, Refused

SECRET = "not-a-secret"


class Company:
    """An identity provider, which can be away, and whoever uses a browser in that company."""

    def __init__(self, home: Home) -> None:
        self.port = free_port()
        self.issuer = Issuer(home, f"http://127.0.0.1:{self.port}")
        self.sites: list[str] = []
        self.provider = Provider(self.issuer, SECRET, self.sites)
        self.asked: list[str] = []
        self._server: uvicorn.Server | None = None

    async def open(self) -> None:
        app = self.provider.app()

        async def noting(scope: Any, receive: Any, send: Any) -> None:
            self.asked.append(scope["path"])
            await app(scope, receive, send)

        config = uvicorn.Config(
            noting, host="127.0.0.1", port=self.port, lifespan="off", log_level="warning", access_log=False
        )
        self._server = uvicorn.Server(config)
        self._serving = asyncio.create_task(self._server.serve())
        await eventually(lambda: self._server is not None and self._server.started)

    async def close(self) -> None:
        if self._server is not None:
            self._server.should_exit = True
            await self._serving
            self._server = None


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    """A company's identity provider, which answers."""
    home = Home(tmp_path / "home")
    home.create()
    made = Company(home)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def desk(open_desk: Any, company: Company) -> Any:
    """A desk whose people sign in there."""
    port = free_port()
    company.sites.append(f"http://127.0.0.1:{port}")
    return await open_desk(
        web_port=port,
        jwks_url=company.issuer.jwks_url,
        issuer=company.issuer.url,
        oidc_client_id="desk",
        oidc_client_secret=SECRET,
    )


async def at_provider(browser: httpx.AsyncClient, path: str) -> str:
    """Go to a page, to where signing in leads, and stop before anybody is chosen."""
    answer = await browser.get(path)
    while answer.status_code == 303 and urlsplit(answer.headers["location"]).path != "/authorize":
        answer = await browser.get(answer.headers["location"])
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def choose(browser: httpx.AsyncClient, url: str, who: str = "alice") -> str:
    """Click on somebody; where the provider sends the browser."""
    page = await browser.get(url)
    assert f'value="{who}"' in page.text
    answer = await browser.post(url, data={"who": who})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def sign_in(browser: httpx.AsyncClient, path: str = "/", who: str = "alice") -> httpx.Response:
    """The whole way; the answer that the callback gives."""
    return await browser.get(await choose(browser, await at_provider(browser, path), who))


async def viewer(desk: Any, browser: httpx.AsyncClient) -> Any:
    """Whom the desk sees in a browser."""
    return await desk.gate.sessions.viewer(desk.gate.jar.read(dict(browser.cookies)))


async def test_a_click_signs_in_and_lands_where_one_wanted_to_go(desk: Any) -> None:
    browser = desk.browser()
    answer = await sign_in(browser, "/customers/42?tab=cases")
    assert (answer.status_code, answer.headers["location"]) == (303, "/customers/42?tab=cases")
    seen = await viewer(desk, browser)
    assert (seen.agent, seen.display_name, seen.department) == (
        "agents/alice",
        "Alice",
        "departments/front-desk",
    )
    assert seen.may("cases.cases.write")
    assert not seen.may("cases.operations.read")
    assert (await browser.get("/nowhere")).status_code == 404  # no such page, but one may ask


async def test_two_tabs_that_sign_in_at_once_both_land(desk: Any) -> None:
    browser = desk.browser()
    urls = [await at_provider(browser, path) for path in ("/first", "/second")]
    backs = [await choose(browser, url) for url in urls]
    landed = [(await browser.get(back)).headers["location"] for back in reversed(backs)]
    assert landed == ["/second", "/first"]
    assert await viewer(desk, browser)


async def test_a_cookie_is_for_this_address_alone_and_no_script_reads_it(desk: Any) -> None:
    answer = await sign_in(desk.browser())
    cookies = answer.headers.get_list("set-cookie")
    assert len([each for each in cookies if "Max-Age" not in each]) == 2
    for cookie in cookies:
        assert cookie.startswith(f"rapport-{urlsplit(desk.url).port}")
        assert "; HttpOnly;" in cookie
        assert "; Path=/; SameSite=lax" in cookie
        assert "Domain" not in cookie


async def test_whoever_begins_too_many_sign_ins_keeps_the_latest(desk: Any) -> None:
    browser = desk.browser()
    urls = [await at_provider(browser, "/sign-in?back=/late") for _ in range(20)]
    assert len(browser.cookies) == 15
    assert (await browser.get(await choose(browser, urls[-1]))).headers["location"] == "/late"


@pytest.mark.parametrize(
    "back",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "\\/evil.example",
        "/\t/evil.example",
        "evil",
        "",
    ],
)
async def test_nobody_is_led_elsewhere(desk: Any, back: str) -> None:
    browser = desk.browser()
    url = await at_provider(browser, str(httpx.URL("/sign-in", params={"back": back})))
    assert (await browser.get(await choose(browser, url))).headers["location"] == "/"


async def test_a_sign_in_that_this_browser_did_not_begin_starts_again_once(desk: Any) -> None:
    stolen = await choose(victim := desk.browser(), await at_provider(victim, "/"))
    other = desk.browser()
    again = await other.get(stolen)
    assert urlsplit(again.headers["location"]).path == "/authorize"
    other.cookies.clear()  # a browser that keeps none
    back = await choose(other, again.headers["location"])
    answer = await other.get(back)
    assert answer.status_code == 400
    assert "does not keep the cookies" in answer.text
    assert await viewer(desk, other) is None


async def test_going_back_to_the_callback_does_no_harm(desk: Any) -> None:
    browser = desk.browser()
    back = await choose(browser, await at_provider(browser, "/"))
    await browser.get(back)
    answer = await browser.get(back)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert await viewer(desk, browser)


@pytest.mark.parametrize(
    ("query", "told"),
    [("error=access_denied", "refuses: access_denied"), ("code=made-up", "invalid_grant")],
)
async def test_who_is_refused_is_told_why_and_may_try_again(desk: Any, query: str, told: str) -> None:
    browser = desk.browser()
    state = parse_qs(urlsplit(await at_provider(browser, "/wanted")).query)["state"][0]
    answer = await browser.get(f"/sign-in/callback?{query}&state={state}")
    assert answer.status_code == 403
    assert told in answer.text
    assert 'href="/sign-in?back=/wanted"' in answer.text


async def test_signing_out_ends_the_session_here_and_at_the_provider(desk: Any, company: Company) -> None:
    browser = desk.browser()
    await sign_in(browser)
    seen, cookies = await viewer(desk, browser), dict(browser.cookies)
    refused = await browser.post("/sign-out", data={"csrf": "guessed"})
    assert refused.status_code == 403
    answer = await browser.post("/sign-out", data={"csrf": seen.csrf})
    assert answer.headers["location"].startswith(f"{company.issuer.url}/end?")
    assert company.issuer.url in answer.headers["content-security-policy"].partition("form-action")[2]
    back = await browser.get(answer.headers["location"])
    assert back.headers["location"] == f"{desk.url}/signed-out"
    assert "You are signed out" in (await browser.get("/signed-out")).text
    browser.cookies.update(cookies)  # somebody kept them
    assert (await browser.get("/nowhere")).headers["location"] == "/sign-in?back=/nowhere"


async def test_who_leaves_does_not_wait_for_the_provider(
    desk: Any, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sign_in(browser := desk.browser())
    seen = await viewer(desk, browser)
    with monkeypatch.context() as patch:
        patch.setattr(renewal, "_life", lambda tokens: (0.0, 0.0))  # its token is over
        patch.setattr(Renewing, "refresh", AsyncMock(side_effect=renewal.away()))
        assert (await browser.get("/wanted")).status_code == 503
        assert (await browser.post("/sign-out", data={"csrf": seen.csrf})).status_code == 303
    assert (await browser.get("/wanted")).headers["location"] == "/sign-in?back=/wanted"


async def test_signing_out_takes_no_more_than_a_form(desk: Any) -> None:
    await sign_in(browser := desk.browser())
    seen = await viewer(desk, browser)
    answer = await browser.post("/sign-out", data={"csrf": seen.csrf, "x": "x" * 1024 * 1024})
    assert answer.status_code == 413


async def test_cookies_of_other_programs_of_this_host_keep_nobody_from_signing_in(desk: Any) -> None:
    browser, name = desk.browser(), desk.gate.jar.pending
    odd = "; ".join(f"{name}{each}=x" for each in ("a b", "a(b", *map(str, range(20))))
    answer = await browser.get("/sign-in", headers={"cookie": odd})
    assert answer.status_code == 303


async def test_a_token_that_is_about_to_end_is_renewed_once_by_all_who_see_it(
    desk: Any, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sign_in(browser := desk.browser())
    monkeypatch.setattr(renewal, "_life", _over(renewal._life))
    before = len(company.asked)
    other = type(desk)(desk.running, {}, company.issuer)  # a replica
    cookies = desk.gate.jar.read(dict(browser.cookies))
    seen = await asyncio.gather(
        *(each.gate.sessions.viewer(cookies) for each in (desk, other, desk, other) for _ in range(5))
    )
    assert company.asked[before:].count("/token") == 1
    assert {each.agent for each in seen} == {"agents/alice"}
    assert len({each.credential for each in seen}) == 1


def _over(life: Any) -> Any:
    """Of the first token that is looked at, and no other, the time is over."""
    first: list[str] = []

    def looked(tokens: Tokens) -> Any:
        began, ends = life(tokens)
        first.append(tokens.access)
        return (began - 7200, began - 3600) if tokens.access == first[0] else (began, ends + 7200)

    return looked


async def test_who_is_refused_a_new_token_is_signed_out(
    desk: Any, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sign_in(browser := desk.browser())

    def refuse(_: Any) -> None:
        raise Refused("invalid_grant")

    monkeypatch.setattr(company.provider, "_refreshing", refuse)
    monkeypatch.setattr(renewal, "_life", _over(renewal._life))
    answer = await browser.get("/nowhere")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?back=/nowhere")
    assert await viewer(desk, browser) is None


async def test_a_provider_that_is_away_throws_nobody_out(
    desk: Any, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sign_in(browser := desk.browser())
    await company.close()
    life = renewal._life
    monkeypatch.setattr(renewal, "AHEAD_S", 3600.0)
    monkeypatch.setattr(renewal, "WAIT_S", 0.2)  # the desk's clock stands still: nobody else will have asked
    monkeypatch.setattr(renewal, "_life", lambda tokens: (life(tokens)[0] - 7200, life(tokens)[1]))
    assert (await browser.get("/nowhere")).status_code == 404  # the token is good for a while
    monkeypatch.setattr(renewal, "_life", lambda tokens: (0.0, 1.0))
    page = await browser.get("/nowhere")
    assert page.status_code == 503
    assert "You stay signed in" in page.text
    assert 'href="/nowhere">Try again' in page.text
    assert page.headers["retry-after"] == "5"
    form = await browser.post("/nowhere")
    assert form.status_code == 503
    with pytest.raises(Unavailable) as away:
        await viewer(desk, browser)
    assert away.value.reason == "IDENTITY_PROVIDER_UNAVAILABLE"
    await company.open()
    monkeypatch.undo()
    assert (await browser.get("/nowhere")).status_code == 404


async def test_nobody_signs_in_while_the_provider_is_away_and_is_told_so(desk: Any, company: Company) -> None:
    await company.close()
    browser = desk.browser()
    answer = await browser.get("/sign-in?back=/nowhere")
    assert answer.status_code == 503
    assert "does not answer" in answer.text
    assert 'href="/sign-in?back=/nowhere">Try again' in answer.text
    await company.open()
    assert (await sign_in(browser, "/sign-in?back=/nowhere")).headers["location"] == "/nowhere"


async def test_a_token_for_somebody_else_than_services_signs_nobody_in(
    desk: Any, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        company.issuer, "token", lambda *_: company.issuer.sign({"aud": "others", "sub": "x"})
    )
    answer = await sign_in(browser := desk.browser())
    assert answer.status_code == 403
    assert await viewer(desk, browser) is None


async def test_only_people_sign_in(desk: Any, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    token = company.issuer.token("service:cases", ["*"])
    monkeypatch.setattr(company.issuer, "token", lambda *_: token)
    answer = await sign_in(desk.browser())
    assert "Only people sign in" in answer.text


@pytest.mark.parametrize("wrong", [{"nonce": "another"}, {"aud": "another"}, {"iss": "https://another"}])
async def test_an_identity_token_that_is_not_for_this_sign_in_is_refused(
    desk: Any, company: Company, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, str]
) -> None:
    sign = company.issuer.sign
    monkeypatch.setattr(
        company.issuer, "sign", lambda claims: sign({**claims, **wrong} if "nonce" in claims else claims)
    )
    answer = await sign_in(browser := desk.browser())
    assert answer.status_code == 403
    assert "identity token is not valid" in answer.text
    assert await viewer(desk, browser) is None


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """Every line that anything logs, however little it matters."""
    caught: list[str] = []

    class Catch(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            caught.append(f"{record.name} {record.getMessage()} {record.__dict__}")

    handler, root = Catch(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield caught
    root.removeHandler(handler)
    root.setLevel(level)


async def test_no_token_code_or_state_is_in_any_log(
    desk: Any, company: Company, lines: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    browser = desk.browser()
    url = await at_provider(browser, "/")
    back = await choose(browser, url)
    await browser.get(back)
    refused = await choose(other := desk.browser(), await at_provider(other, "/"))
    await other.get(re.sub("code=[^&]+", "code=made-up", refused))
    seen = await viewer(desk, browser)
    cookies = desk.gate.jar.read(dict(browser.cookies))
    said = parse_qs(urlsplit(back).query)
    secrets = [
        said["code"][0],
        said["state"][0],
        seen.credential[7:],
        cookies.session,
        cookies.form,
        seen.csrf,
    ]
    out, err = capfd.readouterr()
    ours = [line for line in lines if not line.startswith(("httpx ", "httpcore"))]  # the test's own browser
    everything = "\n".join([*ours, out, err])
    assert not [secret for secret in secrets if secret in everything]
