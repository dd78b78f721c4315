"""A purchase, looked at: its lines, what came back of them, and whose it is."""

from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.company import ADMIN, Company, SignedIn
from tests.browser.customers import moment, somebody
from tests.browser.looking import bars, narrow


def line(product: str, quantity: str, units: int) -> dict[str, Any]:
    amount = {"currencyCode": "USD", "units": str(units)}
    return {"product": product, "quantity": {"value": quantity}, "amount": amount}


@pytest.fixture(scope="module")
async def bought(desk: Company) -> str:
    """A purchase of three lines, of which a piece came back; and one that is nobody's."""
    purchase: dict[str, Any] = {
        "customer": await somebody(desk, "Erika Sommer"),
        "amount": {"currencyCode": "USD", "units": "42"},
        "purchaseTime": moment(desk, days=2),
        "reference": "31198570044",
        "store": "store-330",
        "lines": [
            line("sku-4711", "2", 30) | {"discountAmount": {"currencyCode": "USD", "units": "5"}},
            line("cheese-by-weight", "0.742", 13),
            line("coupon-7", "0", -1),
        ],
    }
    made = await desk.ask(ADMIN, "POST", "purchases:record", purchase=purchase)
    await desk.ask(ADMIN, "POST", f"{made['name']}:return", lines=[{"line": 1, "quantity": {"value": "1"}}])
    nobodys = {name: value for name, value in purchase.items() if name not in ("customer", "lines")}
    nobodys |= {"reference": "31198570045"}
    await desk.ask(ADMIN, "POST", "purchases:record", purchase=nobodys, receiptCode="K7QF-2M9X-4TBD-8WRH")
    return str(made["name"])


async def test_a_purchase_says_its_lines_and_what_came_back_at_any_width(
    desk: Company, signed_in: SignedIn, bought: str
) -> None:
    page = (await signed_in()).page
    await narrow(page)
    await page.goto(f"/{bought}")
    cells = page.locator("tbody tr").first.locator("td, th")
    await expect(cells).to_have_text(["1", "sku-4711", "2", "US$30.00", "US$5.00", "1"])
    await expect(page.get_by_role("region", name="Returns")).to_contain_text("-US$15.00")
    assert await bars(page) == []
    await page.goto("/purchases")
    await expect(page.locator("li[data-key]").first).to_be_visible()
    assert await bars(page) == []


async def test_purchases_are_found_by_keyboard_from_the_customer_and_by_product(
    desk: Company, signed_in: SignedIn, bought: str
) -> None:
    page = (await signed_in()).page
    await page.goto(f"/{bought}")
    await page.get_by_role("link", name="All purchases of this customer").press("Enter")
    await expect(page.locator(f'li[data-key="{bought}"]')).to_contain_text("store-330, 3 lines")
    await page.get_by_role("link", name="All customers").press("Enter")
    await page.get_by_label("Product").fill("cheese-by-weight")
    await page.get_by_label("Product").press("Enter")
    await expect(page.locator("li[data-key]")).to_have_count(1)
    await page.get_by_role("link", name="Purchase 31198570044").press("Enter")
    await page.get_by_role("button", name="why: US$42.00").press("Enter")
    await expect(page.get_by_role("dialog")).to_contain_text("Because")


async def test_what_is_nobodys_says_so(desk: Company, signed_in: SignedIn, bought: str) -> None:
    page = (await signed_in()).page
    await page.goto("/purchases?receipt=31198570045")
    await expect(page.locator("li[data-key]")).to_contain_text("nobody is known yet")
    await page.get_by_role("link", name="Purchase 31198570045").press("Enter")
    await expect(page.get_by_text("What it consists of is not known.")).to_be_visible()
