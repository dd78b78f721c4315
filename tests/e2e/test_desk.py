"""The walk of somebody with a customer on the line, on the platform as it is started, by keyboard alone."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import nats
import pytest
from playwright.async_api import Page, expect

from chassis import ids
from chassis.clock import Clock
from chassis.events.envelope import headers
from chassis.events.registry import subject_of
from rapport.cases.v1.cases_events_pb2 import PromiseAtRisk
from rapport.customer.v1 import customer_pb2, customer_service_pb2, identifier_pb2
from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceStub
from rapport.operations.v1 import operations_service_pb2
from rapport.operations.v1.operations_service_pb2_grpc import OperationsServiceStub
from rapport_testing.wait import eventually
from rapport_tools.cli.session import Session
from rapport_tools.demo.story import Story
from tests.browser.company import Steps
from tests.browser.fixtures import Visit
from tests.browser.looking import tab_to
from tests.browser.visitor import Visitor
from tests.e2e.stack import Stack

NUMBER, SPELLED = "+49 30 901824", "(030) 90 18\u00a024"
FIRST_STEPS = {
    "promised": ("#promises", "Delivery of order demo"),
    "Billing": ("#sections", "Open amount"),
    "at risk": ("#promises", "the transport is taking longer"),
    "was told": ("#promises", "told before due"),
    "goodwill": ("#points", "Goodwill"),
}


@pytest.fixture
async def alice(stack: Stack, visit: Visit) -> Visitor:
    """A browser at the desk of the platform; nobody has signed in."""
    return await visit(Session.open().env["RAPPORT_DESK_URL"])


def somebody(number: str = "") -> str:
    """A new customer."""
    kinds = identifier_pb2.Identifier
    known = [kinds(type=kinds.TYPE_PHONE, value=number)] if number else []
    known.append(kinds(type=kinds.TYPE_EMAIL, value=f"{ids.uuid7(Clock().now())}@example.com"))
    customer = customer_pb2.Customer(
        person=customer_pb2.Person(given_name="Nora", family_name="Winter"),
        identifiers=known,
        language_code="de",
        region_code="DE",
    )
    request = customer_service_pb2.CreateCustomerRequest(customer=customer)
    return str(Session.open().stub(CustomerServiceStub, "customer").CreateCustomer(request).name)


async def signed_in(page: Page, path: str, who: str) -> None:
    """Go to a page, sign in as somebody on the way, by keyboard, and land there."""
    await page.goto(path)
    await tab_to(page, page.get_by_role("button", name=re.compile(rf"^{who}\b")))
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**{path}")


async def test_row_28_two_tabs_sign_in_and_both_land_where_they_were_to_go(alice: Visitor) -> None:
    paths = [f"/{somebody()}" for _ in range(2)]
    tabs = [alice.page, await alice.context.new_page()]
    for tab, path in zip(tabs, paths, strict=True):
        await tab.goto(path)
    for tab, path in reversed(list(zip(tabs, paths, strict=True))):
        await tab.get_by_role("button", name=re.compile(r"^Alice\b")).click()
        await tab.wait_for_url(f"**{path}")
        await expect(tab.get_by_role("heading", level=1)).to_have_text("Nora Winter")


async def test_an_operator_signs_somebody_out_everywhere(alice: Visitor, stack: Stack) -> None:
    page, path = alice.page, f"/{somebody()}"
    await signed_in(page, path, "Sam")
    told = stack.run("sign-out", "sam")
    assert "sam is signed out: 1 session ended." in told.stdout, told.stderr

    async def is_out() -> bool:
        await page.goto(path)
        return not page.url.endswith(path)

    await eventually(is_out)
    assert "PERMISSION_DENIED" in stack.run("sign-out", "sam", "--as", "agent:alice").stderr


async def test_those_who_sign_in_with_a_click_are_colleagues_by_name(alice: Visitor) -> None:
    page = alice.page
    await signed_in(page, f"/{somebody()}", "Rita")
    await page.keyboard.press("m")
    chosen = page.get_by_label("Relationship manager").get_by_role("option")
    await expect(chosen.first).to_be_attached()
    names = [each.partition(",")[0] for each in await chosen.all_inner_texts()]
    assert {"Sam", "Rita", "Dora", "Ada"} <= set(names)
    assert "Nils" not in names  # runs the services, and answers for no customer


async def test_there_is_a_message_to_send_that_asks_for_what_its_words_need(alice: Visitor) -> None:
    page = alice.page
    await signed_in(page, f"/{somebody()}", "Alice")
    await page.keyboard.press("s")
    form = page.get_by_role("dialog").locator("form")
    await form.get_by_label("Template").select_option("templates/visit-arranged")
    for field, typed in (("Time window", "10 bis 12 Uhr"), ("Work", "Einbau"), ("Day", "Freitag, 1. März")):
        await form.get_by_label(field).fill(typed)
    await form.get_by_label("Work").press("Control+Enter")
    await expect(form.locator(".preview")).to_contain_text("10 bis 12 Uhr: Einbau")
    await expect(form.get_by_label("Template").get_by_role("option")).to_have_count(1)  # no promise's date


async def test_the_walk(alice: Visitor) -> None:
    customer = somebody(NUMBER)
    page = alice.page
    await signed_in(page, f"/{somebody()}", "Alice")
    await recognise(page, customer)
    await watch_the_story(page, customer)
    await ask_why_and_see_the_trace(page)
    await give_goodwill(page)
    await decide_on_a_lost_update(page, customer)


async def recognise(page: Page, customer: str) -> None:
    """By a number, as the display of a telephone writes it."""
    await page.keyboard.press("Control+k")
    await page.keyboard.type(SPELLED)
    await expect(page.locator("#found a")).to_have_count(1)
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/{customer}")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Nora Winter")
    await expect(page.locator("#live")).to_have_class("on")


async def watch_the_story(page: Page, customer: str) -> None:
    """It happens on the open page."""
    steps = Steps()
    story = Story(Session.open, steps.tell, customer)
    telling = steps.begin(asyncio.to_thread(story.run))
    assert "known" in await steps.next()
    steps.go_on()
    for what, (card, shown) in FIRST_STEPS.items():
        assert what in await steps.next()
        await expect(page.locator(card)).to_contain_text(shown)
        steps.go_on()
    assert (await telling).goodwill


async def ask_why_and_see_the_trace(page: Page) -> None:
    """Back to the human who began it, and to everything that was done for it."""
    await page.locator("#main").focus()
    await tab_to(page, page.locator("#promises").get_by_role("button", name="why").first)
    await page.keyboard.press("Enter")
    panel = page.get_by_role("dialog")
    await expect(panel.get_by_role("listitem").last).to_contain_text("Dora")
    await tab_to(page, panel.get_by_role("link", name="trace").last)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/traces/*")

    async def is_there() -> bool:  # spans arrive by and by
        await page.reload()
        rows = await page.get_by_role("row").all_inner_texts()
        return all(any(each in row for row in rows) for each in ("notifications", "loyalty", "smtp"))

    await eventually(is_there, 60)
    await page.go_back()
    await expect(page.locator("#live")).to_have_class("on")


async def give_goodwill(page: Page) -> None:
    """For what went wrong; what the customer has is seen at once."""
    points = page.locator("#points")
    await expect(points).to_contain_text("300")
    await page.keyboard.press("g")
    await expect(page.get_by_role("dialog").get_by_label("Points")).to_be_focused()
    await page.get_by_role("dialog").get_by_label("Reason").select_option("our-mistake")
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(points).to_contain_text("400")


async def decide_on_a_lost_update(page: Page, customer: str) -> None:
    """A colleague was faster: one sees what they changed, and nothing typed is gone."""
    await page.keyboard.press("e")
    name = page.get_by_role("dialog").get_by_label("Last name")
    await tab_to(page, name)
    await page.keyboard.type("Winter-Berg")
    changed = customer_pb2.Customer(name=customer, person=customer_pb2.Person(given_name="Eleonora"))
    request = customer_service_pb2.UpdateCustomerRequest(customer=changed)
    request.update_mask.paths.append("person.given_name")
    Session.open("department:dora", "delivery").stub(CustomerServiceStub, "customer").UpdateCustomer(request)
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_role("dialog").locator(".refused")).to_contain_text("Eleonora")
    await expect(name).to_have_value("Winter-Berg")
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Winter-Berg"))


@pytest.fixture
async def dead_letter(stack: Stack) -> AsyncIterator[str]:
    """An event that loyalty gave up on: of a promise whose name is none."""
    now = Clock().now()
    message = PromiseAtRisk(promise="promises/nonsense", customer=somebody())
    row: dict[str, Any] = {
        "id": ids.uuid7(now),
        "type": message.DESCRIPTOR.full_name,
        "resource": message.promise,
        "resource_version": 1,
        "time": now,
        "actor": "service:cases",
        "correlation_id": "",
        "causation_id": ids.uuid7(now),
        "traceparent": "",
        "data": message.SerializeToString(),
    }
    connection: Any = await nats.connect(Session.open().env["RAPPORT_LOCAL_NATS_URL"])
    await connection.jetstream().publish(
        subject_of(type(message)), row["data"], headers=headers(row, "cases")
    )
    await connection.close()
    yield f"services/loyalty/consumers/loyalty-promises/deadLetters/{UUID(str(row['id']))}"
    operations = Session.open().stub(OperationsServiceStub, "loyalty")
    listed = operations.ListDeadLetters(
        operations_service_pb2.ListDeadLettersRequest(parent="services/loyalty/consumers/-")
    )
    for each in listed.dead_letters:
        operations.DeleteDeadLetter(
            operations_service_pb2.DeleteDeadLetterRequest(name=each.name, reason_code="test-data")
        )


async def test_the_walk_of_who_runs_it_a_dead_letter_is_replayed(alice: Visitor, dead_letter: str) -> None:
    page = alice.page
    alice.let("status of 404")  # until loyalty has given up
    await signed_in(page, "/operations", "Nils")

    async def is_there() -> bool:
        await page.goto("/operations/dead-letters")
        return bool(await page.locator(f'a[href="/operations/{dead_letter}"]').count())

    await eventually(is_there, 60)
    await tab_to(page, page.locator(f'a[href="/operations/{dead_letter}"]'))
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/deadLetters/*")
    await tab_to(page, page.get_by_role("button", name="Replay"))
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("main")).to_contain_text("1 of 1 dead letter replayed")
