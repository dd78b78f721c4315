"""Two records are made one customer, seen side by side before, and taken apart again."""

from playwright.async_api import Page, expect

from rapport_testing.wait import eventually
from tests.browser.company import ADMIN, ALICE, Company, Person, SignedIn
from tests.browser.customers import contacts, merged, say, somebody, taken_apart
from tests.browser.looking import barriers

RITA = Person("rita", "relations")  # who may merge customers


def named(given: str, family: str = "Falk") -> dict[str, str]:
    return {"givenName": given, "familyName": family}


async def beside(page: Page, customer: str, typed: str) -> None:
    """From a customer's page to that with both."""
    await page.goto(f"/{customer}")
    await page.keyboard.press("j")
    panel = page.get_by_role("dialog")
    await panel.get_by_label("Their other record").fill(typed)
    await page.keyboard.press("Control+Enter")
    await panel.locator(".hit a").click()
    await page.wait_for_url("**/same/*")


async def test_two_records_are_compared_and_made_one_whose_page_either_name_opens(
    desk: Company, signed_in: SignedIn
) -> None:
    born = {"birthDate": {"year": 1984, "month": 4, "day": 12}}
    ida = await somebody(desk, person=named("Ida") | born)
    idda = await somebody(desk, person=named("Idda"))
    page = (await signed_in(RITA)).page
    await beside(page, idda, ida)

    name, birth, manager = [page.get_by_role("row", name=each) for each in ("Name", "Born", "Manager")]
    await expect(name).to_contain_text("differs")
    await expect(birth.get_by_role("cell")).to_have_text(["none", "12 Apr 1984"])
    await expect(manager).not_to_contain_text("differs")
    await expect(page.get_by_label("Whose name and details stay")).to_have_value(ida)  # the older
    await expect(page.get_by_role("main")).to_contain_text("It can be undone")
    assert await barriers(page) == []
    await page.get_by_label("Reason").select_option("entered-twice")
    await page.get_by_label("Note for colleagues").fill("Spelt wrongly on the phone.")
    await page.get_by_role("button", name="They are one customer").click()

    await page.wait_for_url(f"**/{ida}")
    who = page.locator("#who")
    for words in (
        "Also known as Idda Falk",
        "since today",
        "by Rita: entered twice",
        "Spelt wrongly on the phone.",
    ):
        await expect(who).to_contain_text(words)
    await page.goto(f"/{idda}")
    await page.wait_for_url(f"**/{ida}")
    await expect(page.locator("#timeline")).to_contain_text("Two records became one: Idda Falk")


async def test_services_that_do_not_know_a_merge_yet_are_named_until_they_do(
    desk: Company, signed_in: SignedIn
) -> None:
    page, one, other = (await signed_in(RITA)).page, await somebody(desk), await somebody(desk, "Norah")
    await desk.services["loyalty"].lifecycle.stop()
    try:
        await merged(desk, one, other)
        await page.goto(f"/{one}")
        await expect(page.locator("#who")).to_contain_text("Not known yet by: Loyalty")
    finally:
        await desk.restart("loyalty")
    await expect(page.locator("#who")).to_contain_text("Also known as Norah Winter")

    async def is_known() -> bool:
        listed = await desk.ask(ADMIN, "GET", f"customerMerges?customer={one}")
        return not listed["customerMerges"][0]["unawareServices"]

    await eventually(is_known, 60)
    await page.reload()
    await expect(page.locator("#who")).not_to_contain_text("Not known yet")


async def test_a_merge_is_undone_for_a_reason_after_a_look_at_what_was_recorded_meanwhile(
    desk: Company, signed_in: SignedIn
) -> None:
    page, one, other = (await signed_in(RITA)).page, await somebody(desk), await somebody(desk, "Norah")
    await merged(desk, one, other)
    await say(desk, one, "Moves to Kiel.")
    await page.goto(f"/{one}")
    undo, panel = page.get_by_role("button", name="Undo the merge"), page.get_by_role("dialog")
    await undo.click()
    await expect(panel).to_contain_text("Each keeps what is of their own record")
    await panel.get_by_role("link", name="look at it").click()
    await expect(page.get_by_role("main")).to_contain_text("Moves to Kiel.")
    assert await barriers(page) == []

    await page.go_back()
    await undo.click()
    await panel.get_by_label("Reason").select_option("two-persons")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#toast")).to_contain_text("they are two customers again")
    await expect(page.locator("#who")).not_to_contain_text("One with the record")
    await page.goto(f"/{other}")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Norah Winter")
    await expect(page.locator("#timeline")).not_to_contain_text("Kiel")
    assert page.url.endswith(other)


async def test_a_person_and_an_organization_stay_two_and_the_form_says_why_and_keeps_what_was_typed(
    desk: Company, signed_in: SignedIn
) -> None:
    person, firm = await somebody(desk), await somebody(desk, "Falk")
    visitor = await signed_in(RITA)
    visitor.expect("status of 422")
    page = visitor.page
    await beside(page, person, firm)
    organization = {"legalName": "Falk & Co"}
    await desk.ask(ALICE, "PATCH", f"{firm}?updateMask=organization", organization=organization)
    await page.get_by_label("Reason").select_option("same-person")
    await page.get_by_label("Note for colleagues").fill("She owns it.")
    await page.get_by_role("button", name="They are one customer").click()
    await expect(page.locator(".refused")).to_contain_text("A person and an organization are two customers")
    await expect(page.get_by_label("Note for colleagues")).to_have_value("She owns it.")
    await page.goto(f"/{person}/same/{firm.removeprefix('customers/')}")
    await expect(page.get_by_role("main")).to_contain_text("One is a person, the other an organization.")
    await expect(page.get_by_role("button", name="They are one customer")).to_have_count(0)


async def test_what_finds_the_customer_alone_is_said_to_be_of_them_already(
    desk: Company, signed_in: SignedIn
) -> None:
    page, one, other = (await signed_in(RITA)).page, await somebody(desk), await somebody(desk, "Norah")
    await merged(desk, one, other)
    await page.goto(f"/{one}")
    await page.keyboard.press("j")
    await page.get_by_role("dialog").get_by_label("Their other record").fill(other)
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_role("dialog")).to_contain_text("of whom it is already")
    await expect(page.locator("#told")).to_contain_text("of whom it is already")
    await page.goto(f"/{one}/same/{other.removeprefix('customers/')}")
    await page.wait_for_url(f"**/{one}")


async def test_who_may_not_merge_is_offered_neither_merging_nor_undoing(
    desk: Company, signed_in: SignedIn
) -> None:
    one, other = await somebody(desk), await somebody(desk, "Norah")
    await merged(desk, one, other)
    visitor = await signed_in(ALICE)
    await visitor.page.goto(f"/{one}")
    await expect(visitor.page.locator("#who")).to_contain_text("Also known as Norah Winter")
    for name in ("Same person as", "Undo the merge"):
        await expect(visitor.page.get_by_role("button", name=name)).to_have_count(0)
    visitor.expect("status of 403")
    await visitor.page.goto(f"/{one}/same/{(await somebody(desk)).removeprefix('customers/')}")
    await expect(visitor.page.get_by_role("heading", level=1)).to_have_text("You may not see this")


async def test_a_contact_of_the_other_is_assigned_to_them_by_keyboard_and_undo_takes_that_back(
    desk: Company, signed_in: SignedIn
) -> None:
    page, one, other = (await signed_in(RITA)).page, await somebody(desk), await somebody(desk, "Norah")
    await taken_apart(desk, one, other)
    await page.goto(f"/{one}")
    await expect(page.locator("#who")).to_contain_text("Taken for “Norah Winter” until lately.")
    await page.get_by_role("link", name="What was recorded meanwhile").click()
    card = page.locator("#meanwhile")
    contact = card.get_by_role("listitem").filter(has_text="Moves to Kiel.")
    await contact.get_by_role("button", name="Say whose it is").focus()
    await page.keyboard.press("Enter")
    panel = page.get_by_role("dialog")
    await expect(panel.get_by_label("Whose it is")).to_have_value(other)
    assert await barriers(page) == []
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#toast")).to_contain_text("It is of Norah Winter now.")
    await expect(contact).to_contain_text("It is of Norah Winter.")
    assert await contacts(desk, other) == ["Moves to Kiel."]
    assert await contacts(desk, one) == []
    await page.locator("#toast").get_by_role("button", name="Undo").click()
    await expect(contact).not_to_contain_text("It is of Norah Winter.")
    assert await contacts(desk, one) == ["Moves to Kiel."]


async def test_nobody_says_whose_a_contact_is_while_the_merge_holds_nor_who_may_not_merge(
    desk: Company, signed_in: SignedIn
) -> None:
    one, other = await somebody(desk), await somebody(desk, "Norah")
    merge = await merged(desk, one, other)
    await say(desk, one, "Moves to Kiel.")
    path = f"/{one}/merges/{merge.removeprefix('customerMerges/')}"
    page = (await signed_in(RITA)).page
    await page.goto(path)
    await expect(page.locator("#meanwhile")).to_contain_text("Then somebody says here of each contact")
    await expect(page.locator("main .act")).to_have_count(0)
    await desk.ask(ADMIN, "POST", f"{merge}:undo", reasonCode="two-persons")
    page = (await signed_in()).page
    await page.goto(path)
    await expect(page.locator("#meanwhile")).to_contain_text("Moves to Kiel.")
    await expect(page.locator("main .act")).to_have_count(0)
