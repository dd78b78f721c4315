"""Who was sent a link to confirm a yes confirms it on a page that shows nothing else of whoever said it."""

from typing import Any

import httpx
import pytest

from customer.service import service as customer_service
from desk.selfservice.site import PREFIX
from rapport.customer.v1.consent_service_pb2 import IssueConsentTokenRequest
from rapport.customer.v1.consent_service_pb2_grpc import ConsentServiceStub
from services.desk.tests.component.test_own_pages import customer, made, said

FORM = {"content-type": "application/x-www-form-urlencoded"}
ENDED = "This confirms nothing any more"


class Asked:
    """Somebody who was sent what confirms a yes, and a browser that is nobody's."""

    def __init__(self, desk: Any, name: str, address: str, token: str) -> None:
        self.name, self.address = name, address
        self.path = f"{PREFIX}{token}/confirm"
        self.browser: httpx.AsyncClient = desk.browser()
        self.browser.headers.clear()

    async def look(self) -> httpx.Response:
        return await self.browser.get(self.path)

    async def click(self) -> httpx.Response:
        return await self.browser.post(self.path, headers=FORM)


@pytest.fixture
async def desk(open_desk: Any) -> Any:
    """The desk, and news of which customers confirm that they want them."""
    opened = await open_desk(customer_service)
    news = {"displayName": "News of ours", "contactDefault": "DEFAULT_DENIED"}
    news |= {"doubleOptInChannels": ["CHANNEL_EMAIL"], "department": "departments/front-desk"}
    news |= {"defaultLanguageCode": "en", "description": "Once a month."}
    answer = await opened.client().post("/v1/purposes?purposeId=news", json=news)
    assert answer.is_success, answer.text
    wording = {"text": "You may write to me about <new> things."}
    answer = await opened.client().post("/v1/purposes/news/wordings?wordingId=en", json=wording)
    assert answer.is_success, answer.text
    return opened


@pytest.fixture
async def erika(desk: Any) -> Asked:
    """She said yes, and was sent what confirms it."""
    api = desk.client()
    email = {"type": "TYPE_EMAIL", "value": "erika@example.com"}
    erika = await made(
        api, "/v1/customers", displayName="Erika Sommer", languageCode="de", identifiers=[email]
    )
    consent = {"state": "STATE_GRANTED", "wording": "purposes/news/wordings/en/versions/1"}
    path = f"/v1/{erika['name']}/consents/news.email?allowMissing=true"
    assert (await api.patch(path, json=consent)).json()["state"] == "STATE_DENIED"
    [address] = erika["identifiers"]
    consents = desk.services["customer"].stub(
        ConsentServiceStub, ["customer.consents.issue"], subject="service:notifications"
    )
    request = IssueConsentTokenRequest(
        name=f"{erika['name']}/consents/news.email", identifier=address["name"]
    )
    return Asked(desk, erika["name"], address["name"], (await consents.IssueConsentToken(request)).token)


async def test_who_opens_it_sees_what_it_is_and_the_button_confirms_it(desk: Any, erika: Asked) -> None:
    shown = await erika.look()
    assert shown.status_code == 200
    assert '<html lang="de">' in shown.text
    for words in (
        'zu diesem Thema: <span lang="en">News of ours</span>.',
        '<p class="soft" lang="en">Once a month.</p>',
        '<blockquote lang="en">You may write to me about &lt;new&gt; things.</blockquote>',
    ):
        assert words in shown.text
    german = {"translations": [{"languageCode": "de", "displayName": "Unsere Neuigkeiten"}]}
    assert (await desk.client().patch("/v1/purposes/news", json=german)).is_success
    shown = await erika.look()
    assert 'zu diesem Thema: <span lang="de">Unsere Neuigkeiten</span>.' in shown.text
    assert "Erika" not in shown.text
    assert "/contact" not in shown.text  # of whose address it is nothing is known
    assert (await erika.browser.head(erika.path)).status_code == 200
    assert await said(desk, erika, "news.email") == "STATE_DENIED"
    assert (await erika.click()).status_code == 200
    assert await said(desk, erika, "news.email") == "STATE_GRANTED"
    for again in (await erika.look(), await erika.click()):
        assert "Unsere Neuigkeiten" in again.text
        assert "<button" not in again.text


async def test_what_is_over_says_so_and_confirms_nothing(desk: Any, erika: Asked) -> None:
    api = desk.client()
    assert (await api.delete(f"/v1/{erika.address}")).is_success
    for ended in (await erika.look(), await erika.click()):
        assert ended.status_code == 404
        assert "<button" not in ended.text
    erika.browser.headers["accept-language"] = "en"
    assert ENDED in (await erika.look()).text
    assert await said(desk, erika, "news.email") == "STATE_DENIED"


async def test_it_opens_no_page_of_theirs_and_their_link_confirms_nothing(desk: Any, erika: Asked) -> None:
    token = erika.path.removeprefix(PREFIX).removesuffix("/confirm")
    for path in (token, f"{token}/contact", f"{'A' * 48}/confirm", f"{'A' * 43}/confirm"):
        assert (await erika.browser.get(f"{PREFIX}{path}")).status_code == 404, path


async def test_what_they_agree_to_is_shown_where_they_choose_it_and_named_by_what_they_say(desk: Any) -> None:
    her = await customer(desk, "Erika", languageCode="de")
    text = {"text": "Sie dürfen mir von <Neuem> schreiben."}
    assert (await desk.client().post("/v1/purposes/news/wordings?wordingId=de", json=text)).is_success
    html = await her.page("/contact")
    assert "Sie dürfen mir von &lt;Neuem&gt; schreiben." in html
    form = await her.form("/contact")
    await her.post("/contact", **form | {"want-news.sms": "on"})
    noted = (await desk.client().get(f"/v1/{her.name}/consents/news.sms")).json()
    assert noted["wording"] == "purposes/news/wordings/de/versions/1"
    await her.post("/stop")
    noted = (await desk.client().get(f"/v1/{her.name}/consents/news.sms")).json()
    assert (noted["state"], noted["wording"], noted["source"]) == ("STATE_DENIED", "", "stop-all")


async def test_they_choose_the_language_of_pages_and_messages(desk: Any) -> None:
    her = await customer(desk, "Erika", languageCode="de")
    form = await her.form("/contact")
    assert form["language"] == "de"
    await her.post("/contact", **form)
    preferences = (await desk.client().get(f"/v1/{her.name}/preferences")).json()
    assert preferences["etag"] == ""  # as it was: nothing is said
    await her.post("/contact", **form | {"language": "en"})
    assert '<html lang="en-GB">' in await her.page()
    await her.post("/contact", **await her.form("/contact") | {"language": "tlh"})
    preferences = (await desk.client().get(f"/v1/{her.name}/preferences")).json()
    assert preferences["languageCode"] == "en"
