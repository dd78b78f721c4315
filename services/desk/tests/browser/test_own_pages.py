"""The customer's own pages in a browser: at any width, by keyboard, without script, in German and English."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import expect

from rapport.customer.v1 import self_service_link_service_pb2 as pb
from rapport.customer.v1.consent_service_pb2 import IssueConsentTokenRequest
from rapport.customer.v1.consent_service_pb2_grpc import ConsentServiceStub
from rapport.customer.v1.self_service_link_service_pb2_grpc import SelfServiceLinkServiceStub
from rapport_testing.clock import ManualClock
from rapport_testing.wait import eventually
from tests.browser.company import ADMIN, ALICE, Company, SignedIn
from tests.browser.customers import in_trouble
from tests.browser.fixtures import Visit
from tests.browser.looking import bars, keyboard_stops


@pytest.fixture(scope="module")
def time_of_day() -> ManualClock:
    """Three days ago, which a customer takes to get into trouble."""
    return ManualClock(datetime.now(UTC) - timedelta(days=3))


@pytest.fixture(scope="module")
def desk_settings() -> dict[str, Any]:
    """Something else sends text messages here, and colleagues call."""
    return {"customer_channels": ["voice", "sms"]}


@pytest.fixture(scope="module")
async def erika(desk: Company, time_of_day: ManualClock) -> str:
    """The customer whose delivery slips."""
    return await in_trouble(desk, time_of_day)


@pytest.fixture(scope="module")
async def link(desk: Company, erika: str) -> str:
    """The path that her messages carry."""
    links = desk.services["customer"].stub(SelfServiceLinkServiceStub)
    token = (
        await links.GetSelfServiceLink(pb.GetSelfServiceLinkRequest(name=f"{erika}/selfServiceLink"))
    ).token
    return f"/c/{token}"


async def test_everybody_can_use_them_at_any_width(desk: Company, visit: Visit, link: str) -> None:
    page = (await visit(desk.url)).page
    for path in ("", "/contact", "/unsubscribe?purpose=marketing", "/unsubscribe"):
        await page.goto(f"{link}{path}")
        assert await bars(page) == [], path
        await keyboard_stops(page)


async def test_she_sees_what_moved_and_asks_by_keyboard_alone_without_script(
    desk: Company, visit: Visit, link: str, erika: str
) -> None:
    page = (await visit(desk.url, java_script_enabled=False, locale="en-GB")).page
    await page.goto(link)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Ihre Zusagen und Vorgänge")
    case = page.get_by_role("region", name="Verspätete Lieferung")
    await expect(case).to_contain_text("Alice Brandt kümmert sich jetzt darum.")
    await expect(case.locator(".moved").first).to_contain_text("der Transport dauert länger als geplant")
    await page.get_by_label("Ihre Nachricht").fill("Can you leave it next door?")
    await page.get_by_role("button", name="Senden").press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("Es ist bei uns, und Sie hören von uns.")
    await expect(page.locator("blockquote")).to_have_text("Can you leave it next door?")

    async def heard() -> bool:
        view = await desk.ask(ALICE, "GET", f"{erika}/timelineEntries")
        return any("next door" in each.get("summary", "") for each in view["timelineEntries"])

    await eventually(heard)


async def test_she_unsubscribes_and_chooses_in_english(
    desk: Company, visit: Visit, link: str, erika: str
) -> None:
    await desk.ask(ADMIN, "PATCH", f"{erika}?updateMask=languageCode", languageCode="en-GB")
    page = (await visit(desk.url, locale="de")).page
    await page.goto(f"{link}/unsubscribe?purpose=marketing")
    await expect(page.locator("html")).to_have_attribute("lang", "en-GB")
    await page.get_by_role("button", name="Unsubscribe").press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("Marketing")
    await page.get_by_role("link", name="Change that").press("Enter")
    news = page.get_by_role("group", name="Marketing")
    await expect(news.get_by_label("e-mail")).not_to_be_checked()
    await news.get_by_label("SMS").check()
    await page.get_by_label("Preferred channel").select_option("sms")
    await page.get_by_role("button", name="Save").press("Enter")
    await expect(page.get_by_role("status")).to_have_text("Saved. It holds from now on.")
    await expect(news.get_by_label("SMS")).to_be_checked()
    await desk.ask(ADMIN, "PATCH", f"{erika}?updateMask=languageCode", languageCode="de")


async def test_a_colleague_sees_what_she_sees_at_any_width(signed_in: SignedIn, erika: str) -> None:
    page = (await signed_in()).page
    await page.goto(f"/{erika}/known")
    await expect(page.get_by_role("link", name="What they see by their link")).to_be_visible()
    assert await bars(page) == []
    await page.get_by_role("link", name="What they see by their link").press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("what they see by their link")
    assert await bars(page) == []
    await page.get_by_role("button", name="Take their links back").press("Enter")
    await expect(page.get_by_role("dialog")).to_contain_text("The next has another link")


async def asked_to_confirm(desk: Company) -> str:
    """The path of what somebody was sent who said yes; of another person each time."""
    about = f"letters-{uuid4().hex[:8]}"
    purpose = {"displayName": "Gartenbrief", "contactDefault": "DEFAULT_DENIED"}
    purpose |= {"department": "departments/front-desk", "description": "Was im Garten zu tun ist."}
    await desk.ask(
        ADMIN, "POST", f"purposes?purposeId={about}", doubleOptInChannels=["CHANNEL_EMAIL"], **purpose
    )
    text = "Sie dürfen mir einmal im Monat schreiben."
    await desk.ask(ADMIN, "POST", f"purposes/{about}/wordings?wordingId=de", text=text)
    email = {"type": "TYPE_EMAIL", "value": f"{about}@example.com"}
    vera = await desk.ask(
        ADMIN, "POST", "customers", displayName="Vera", languageCode="de", identifiers=[email]
    )
    said = {"state": "STATE_GRANTED", "wording": f"purposes/{about}/wordings/de/versions/1"}
    consent = f"{vera['name']}/consents/{about}.email"
    await desk.ask(ADMIN, "PATCH", f"{consent}?allowMissing=true", **said)
    consents = desk.services["customer"].stub(ConsentServiceStub)
    to = vera["identifiers"][0]["name"]
    issued = await consents.IssueConsentToken(IssueConsentTokenRequest(name=consent, identifier=to))
    return f"/c/{issued.token}/confirm"


async def test_who_was_sent_a_link_confirms_by_keyboard_without_script_at_any_width(
    desk: Company, visit: Visit
) -> None:
    path = await asked_to_confirm(desk)
    page = (await visit(desk.url, locale="en-GB")).page
    await page.goto(path)
    assert await bars(page) == []
    await expect(page.locator("main")).to_contain_text("Per E-Mail, zu diesem Thema: Gartenbrief.")
    await expect(page.locator("blockquote")).to_have_text("Sie dürfen mir einmal im Monat schreiben.")
    await expect(page.get_by_role("navigation")).to_have_count(0)
    await keyboard_stops(page)
    await page.get_by_role("button", name="Ja, ich bestätige es").press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Danke, das ist bestätigt")
    assert await bars(page) == []


async def test_she_says_when_she_wants_quiet_and_stops_the_rest(
    desk: Company, visit: Visit, link: str
) -> None:
    page = (await visit(desk.url, java_script_enabled=False)).page
    await page.goto(f"{link}/contact")
    hours = page.get_by_role("group", name="Ruhezeiten 1")
    await hours.get_by_label("Von").fill("22:00")
    await hours.get_by_label("Bis").fill("07:00")
    await page.get_by_role("button", name="Speichern").press("Enter")
    await expect(page.get_by_role("status")).to_be_visible()
    await expect(hours.get_by_label("Von")).to_have_value("22:00")
    await page.get_by_role("group", name="Werbung").get_by_label("SMS").check()
    await page.get_by_role("button", name="Speichern").press("Enter")
    await expect(page.get_by_role("group", name="Werbung").get_by_label("SMS")).to_be_checked()
    await page.get_by_role("button", name="Alle anderen Nachrichten beenden").press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Keine Nachrichten mehr von uns")
    await page.get_by_role("button", name="Ja, alle anderen Nachrichten beenden").press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("Beendet.")
    await page.get_by_role("link", name="Ändern").press("Enter")
    await expect(page.locator("main")).to_contain_text("Das gilt seit")
    await expect(page.get_by_role("group", name="Werbung").get_by_label("SMS")).not_to_be_checked()
    await expect(hours.get_by_label("Von")).to_have_value("22:00")
