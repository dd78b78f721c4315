"""The local stack's identity provider gives a code to the desk alone, once, and tokens for it once."""

import base64
import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from chassis.auth.tokens import Verifier
from rapport_tools.local.home import Home
from rapport_tools.local.issuer import Issuer
from rapport_tools.local.people import PEOPLE
from rapport_tools.local.provider import Provider
from rapport_tools.local.roles import ROLES

SITE, VERIFIER = "http://127.0.0.1:8080", "v" * 43
BACK = f"{SITE}/sign-in/callback"
DIGEST = hashlib.sha256(VERIFIER.encode()).digest()
ASKED = {
    "client_id": "desk",
    "response_type": "code",
    "redirect_uri": BACK,
    "state": "s",
    "nonce": "n",
    "code_challenge": base64.urlsafe_b64encode(DIGEST).rstrip(b"=").decode(),
    "code_challenge_method": "S256",
}


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    home = Home(tmp_path)
    home.create()
    return Issuer(home, "http://127.0.0.1:8070")


@pytest.fixture
def browser(issuer: Issuer) -> httpx.AsyncClient:
    app = Provider(issuer, "secret", [SITE]).app()
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=issuer.url)


async def code(browser: httpx.AsyncClient, who: str) -> str:
    answer = await browser.post("/authorize", params=ASKED, data={"who": who})
    location = urlsplit(answer.headers["location"])
    assert f"{location.scheme}://{location.netloc}{location.path}" == BACK
    return parse_qs(location.query)["code"][0]


async def tokens(browser: httpx.AsyncClient, secret: str = "secret", **told: str) -> Any:
    answer = await browser.post("/token", data=told, auth=("desk", secret))
    return answer.json()


@pytest.mark.parametrize("who", PEOPLE)
async def test_everybody_is_a_click_and_has_what_their_role_says(
    browser: httpx.AsyncClient, issuer: Issuer, who: str
) -> None:
    assert PEOPLE[who].name in (await browser.get("/authorize", params=ASKED)).text
    redeemed = {"grant_type": "authorization_code", "redirect_uri": BACK, "code_verifier": VERIFIER}
    given = await tokens(browser, code=await code(browser, who), **redeemed)
    bearer = f"Bearer {given['access_token']}"
    principal = await Verifier(issuer.jwks_url, issuer.url).verify(bearer)
    assert principal.subject == f"agent:{who}"
    assert principal.department == PEOPLE[who].department
    assert principal.permissions == ROLES[PEOPLE[who].role]


async def test_codes_and_refresh_tokens_are_taken_once(browser: httpx.AsyncClient) -> None:
    redeemed = {"grant_type": "authorization_code", "redirect_uri": BACK, "code_verifier": VERIFIER}
    redeemed["code"] = await code(browser, "alice")
    refresh = {
        "grant_type": "refresh_token",
        "refresh_token": (await tokens(browser, **redeemed))["refresh_token"],
    }
    assert await tokens(browser, **redeemed) == {"error": "invalid_grant"}
    assert "access_token" in await tokens(browser, **refresh)
    assert await tokens(browser, **refresh) == {"error": "invalid_grant"}


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"code": "made-up"}, "invalid_grant"),
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"redirect_uri": f"{SITE}/elsewhere"}, "invalid_grant"),
        ({"secret": "guessed"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
async def test_nobody_but_the_desk_that_began_gets_tokens(
    browser: httpx.AsyncClient, wrong: dict[str, str], error: str
) -> None:
    redeemed = {"grant_type": "authorization_code", "redirect_uri": BACK, "code_verifier": VERIFIER}
    redeemed["code"] = await code(browser, "alice")
    assert await tokens(browser, **(redeemed | wrong)) == {"error": error}


@pytest.mark.parametrize(
    "wrong",
    [
        {"redirect_uri": "https://evil.example/sign-in/callback"},
        {"client_id": "another"},
        {"response_type": "token"},
        {"code_challenge_method": "plain"},
        {"code_challenge": ""},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
async def test_nobody_is_sent_elsewhere_or_without_proof(
    browser: httpx.AsyncClient, wrong: dict[str, str]
) -> None:
    for method in ("GET", "POST"):
        answer = await browser.request(method, "/authorize", params=ASKED | wrong)
        assert answer.status_code == 400
        assert "location" not in answer.headers


async def test_a_name_of_elsewhere_that_leads_here_is_refused(browser: httpx.AsyncClient) -> None:
    for path in ("/authorize", "/jwks", "/.well-known/openid-configuration"):
        answer = await browser.get(path, headers={"host": "evil.example"})
        assert answer.status_code == 400
