"""What cases are about, looked at: whose owner has left, and another one named by keyboard."""

import pytest
from playwright.async_api import expect

from tests.browser.company import ADMIN, Company, Person, SignedIn
from tests.browser.looking import barriers, flaws

SAM = Person("sam", "supervisor", "front-desk")


@pytest.fixture(scope="module", autouse=True)
async def topics(desk: Company) -> None:
    """One of Alice's, and one below it whose owner has left."""
    for name in ("alice", "bob"):
        agent = {"displayName": name.title(), "phone": "+49 30 1", "department": "departments/front-desk"}
        await desk.ask(ADMIN, "PATCH", f"agents/{name}?allowMissing=true", **agent)
    topic = {"displayName": "Delivery", "department": "departments/front-desk"}
    await desk.ask(ADMIN, "POST", "topics?topicId=delivery", defaultOwner="agents/alice", **topic)
    below = {**topic, "displayName": "A late one", "parentTopic": "topics/delivery"}
    await desk.ask(ADMIN, "POST", "topics?topicId=late-delivery", defaultOwner="agents/bob", **below)
    await desk.ask(ADMIN, "PATCH", "agents/bob?updateMask=inactive", inactive=True)


async def test_somebody_is_named_in_place_of_who_has_left_by_keyboard(
    desk: Company, signed_in: SignedIn
) -> None:
    page = (await signed_in(SAM)).page
    found = []
    for path in ("/topics", "/topics/late-delivery"):
        for width, scheme in ((320, "dark"), (768, "light"), (1920, "light")):
            await page.set_viewport_size({"width": width, "height": 800})
            await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            await page.goto(path)
            found += [f"{path} {width}: {each}" for each in [*await barriers(page), *await flaws(page)]]
    assert found == [], "\n".join(found)
    await page.goto("/topics")
    left = page.get_by_role("region", name="Whose owner has left")
    await left.get_by_role("link", name="A late one").press("Enter")
    await page.get_by_label("Who owns cases about it").select_option(label="Alice, front desk")
    await page.evaluate("() => document.activeElement.blur()")
    await page.keyboard.press("y")
    await page.wait_for_url("**/topics")
    await expect(left).to_be_hidden()
    await expect(page.locator("tr", has_text="A late one")).to_contain_text("Alice")
