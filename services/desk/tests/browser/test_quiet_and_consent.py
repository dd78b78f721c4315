"""What a customer allows, by what they are reached best and when not, noted by a colleague: by keyboard."""

from datetime import UTC, datetime, timedelta

from playwright.async_api import Locator, Page, expect

from tests.browser.company import ADMIN, Company, Person, SignedIn
from tests.browser.customers import somebody
from tests.browser.looking import bars

LEAD = Person("lena", "manager", "front-desk")


async def opened(page: Page, customer: str, label: str) -> Locator:
    """The form behind a button on their page, by keyboard."""
    await page.goto(f"/{customer}")
    await expect(page.locator("#live")).to_contain_text("live")
    await page.get_by_role("button", name=label).first.press("Enter")
    form = page.get_by_role("dialog").locator("form")
    await expect(form).to_be_visible()
    return form


async def test_quiet_hours_and_a_pause_are_noted_corrected_and_removed(
    desk: Company, signed_in: SignedIn
) -> None:
    page, customer = (await signed_in()).page, await somebody(desk, timeZone="Europe/Vienna")
    form = await opened(page, customer, "Quiet hours")
    await expect(form).to_contain_text("by the clock in Europe/Vienna")
    assert await bars(page, "[role=dialog]") == []
    first = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    await form.get_by_label("from", exact=True).first.fill("22:00")
    await form.get_by_label("From the day").first.fill(first)
    await form.get_by_label("to the day").first.fill(first)
    await page.keyboard.press("Control+Enter")
    await expect(form.get_by_label("until").first).to_have_attribute("aria-invalid", "true")
    await expect(form.get_by_label("from", exact=True).first).to_have_value("22:00")
    assert await bars(page, "[role=dialog]") == []
    await form.get_by_label("until").first.fill("07:00")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#told")).to_have_text("Noted when Nora Winter wants quiet.")
    kept = await desk.ask(ADMIN, "GET", f"{customer}/preferences")
    assert kept["quietHours"] == [{"days": [], "starts": "22:00", "ends": "07:00"}]
    assert len(kept["pauses"]) == 1
    form = await opened(page, customer, "Quiet hours")
    await expect(form.get_by_label("From the day").first).to_have_value(first)
    for label in ("from", "until", "From the day", "to the day"):
        await form.get_by_label(label, exact=True).first.fill("")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#told")).to_have_text("Noted when Nora Winter wants quiet.")
    kept = await desk.ask(ADMIN, "GET", f"{customer}/preferences")
    assert (kept.get("quietHours", []), kept.get("pauses", [])) == ([], [])


async def test_the_channel_and_the_language_that_a_customer_prefers_are_noted_and_taken_back(
    desk: Company, signed_in: SignedIn
) -> None:
    page, customer = (await signed_in()).page, await somebody(desk)
    preferences = f"{customer}/preferences"
    form = await opened(page, customer, "Quiet hours")
    await form.get_by_role("button", name="Channel and language").press("Enter")
    await expect(form.get_by_label("Preferred channel")).to_have_value("none")
    await form.get_by_label("Preferred channel").select_option(label="app")
    await form.get_by_label("Language in which we write").fill("deutsch, bitte")
    await page.keyboard.press("Control+Enter")
    await expect(form.get_by_label("Language in which we write")).to_have_attribute("aria-invalid", "true")
    assert await bars(page, "[role=dialog]") == []
    await form.get_by_label("Language in which we write").fill("de")
    await desk.ask(ADMIN, "PATCH", preferences, channels=["CHANNEL_SMS", "CHANNEL_EMAIL"])
    await page.keyboard.press("Control+Enter")  # meanwhile they said something else themselves
    await expect(form).to_contain_text("Somebody changed this while you wrote.")
    assert (await desk.ask(ADMIN, "GET", preferences))["channels"] == ["CHANNEL_SMS", "CHANNEL_EMAIL"]
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#told")).to_have_text("Noted how Nora Winter wants to be reached.")
    kept = await desk.ask(ADMIN, "GET", preferences)
    assert kept["channels"] == ["CHANNEL_APP", "CHANNEL_SMS", "CHANNEL_EMAIL"]
    assert kept["languageCode"] == "de"
    form = await opened(page, customer, "Quiet hours")
    await form.get_by_role("button", name="Channel and language").press("Enter")
    await expect(form.get_by_label("Preferred channel")).to_have_value("app")
    await form.get_by_label("Preferred channel").select_option(label="no preference")
    await form.get_by_label("Language in which we write").fill("")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#told")).to_have_text("Noted how Nora Winter wants to be reached.")
    kept = await desk.ask(ADMIN, "GET", preferences)
    assert (kept.get("channels", []), kept.get("languageCode", "")) == ([], "")


async def test_what_a_customer_allows_is_read_out_chosen_by_them_and_proved(
    desk: Company, signed_in: SignedIn
) -> None:
    page, customer = (await signed_in()).page, await somebody(desk)
    polls = {"displayName": "Polls", "contactDefault": "DEFAULT_DENIED"}
    await desk.ask(ADMIN, "POST", "purposes?purposeId=polls", **polls, department="departments/front-desk")
    await desk.ask(ADMIN, "POST", "purposes/polls/wordings?wordingId=en", text="Ask me once a month.")
    form = await opened(page, customer, "Contact consent")
    await expect(form).to_contain_text("They have not said anything yet.")
    await expect(form).to_contain_text("Ask me once a month.")
    assert await bars(page, "[role=dialog]") == []
    said = form.get_by_label("May we contact them by it")
    await form.get_by_label("Purpose").select_option(label="Polls")
    await page.keyboard.press("Control+Enter")  # yes or no is nobody's but theirs
    assert await said.input_value() == ""
    assert not await said.evaluate("each => each.checkValidity()")
    await said.select_option("GRANTED")
    await form.get_by_label("What proves it").fill("forms/4711")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#told")).to_contain_text("Noted: ")
    kept = await desk.ask(ADMIN, "GET", f"{customer}/consents/polls.email")
    assert (kept["state"], kept["source"], kept["proof"]) == ("STATE_GRANTED", "desk", "forms/4711")
    assert kept["wording"] == "purposes/polls/wordings/en/versions/1"
    form = await opened(page, customer, "Contact consent")
    await form.locator("summary").first.press("Enter")
    await expect(form).to_contain_text("forms/4711")
    assert await bars(page, "[role=dialog]") == []
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()


async def test_who_wants_nothing_more_is_noted_by_keyboard_once_a_colleague_has_read_what_that_is(
    desk: Company, signed_in: SignedIn
) -> None:
    page, customer = (await signed_in(LEAD)).page, await somebody(desk)
    form = await opened(page, customer, "Contact consent")
    await form.get_by_role("button", name="They want nothing more of us").press("Enter")
    asked = page.get_by_role("dialog").locator("form[action$='stop-contact']")
    await expect(asked).to_contain_text("What they have of us goes on")
    assert await bars(page, "[role=dialog]") == []
    await expect(asked.get_by_role("button", name="close")).to_be_focused()
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#told")).to_contain_text("they hear of us only about what they have of us")
    await expect(page.locator("main")).to_contain_text("Wants nothing more but what they have of us")
    await page.set_viewport_size({"width": 390, "height": 700})
    form = await opened(page, customer, "Contact consent")
    await expect(form.get_by_label("Channel")).to_be_focused()  # where an answer is noted they see it
    await expect(form.get_by_text("they want nothing more but what they have of us")).to_be_in_viewport()
    kept = await desk.ask(ADMIN, "GET", f"{customer}/preferences")
    assert kept["contactStop"]["noter"].startswith("agents/")
    await form.get_by_role("button", name="That was somebody else").press("Enter")
    asked = page.get_by_role("dialog").locator("form[action$='withdraw-stop']")
    await expect(asked).to_contain_text("What they had said before holds again")
    assert await bars(page, "[role=dialog]") == []
    await asked.get_by_role("button", name="Withdraw it").press("Enter")
    await expect(page.locator("main")).to_contain_text("was somebody else's word")
    assert "contactStop" not in await desk.ask(ADMIN, "GET", f"{customer}/preferences")
