"""What is typed is never lost, done once, and goes to whom it was meant for."""

import asyncio
from secrets import randbelow
from typing import Any

import pytest
from playwright.async_api import Locator, Page, Route, expect

from rapport_testing.wait import eventually
from tests.browser.company import ADMIN, ALICE, DORA, Company, Person, SignedIn
from tests.browser.customers import contacts, say, somebody, surname
from tests.browser.looking import focused, shifts
from tests.browser.visitor import Visitor

ALT_GR_E = """() => document.body.dispatchEvent(
    new KeyboardEvent("keydown", {key: "e", modifierAltGraph: true, bubbles: true}))"""
GREETING = {"type": "TYPE_INFORMATION", "purpose": "purposes/service", "defaultLanguageCode": "en"}
OPENED = {"topic": "complaint", "owner": "agents/alice"}
SUSAN = Person("susan", "manager")


@pytest.fixture(scope="module")
async def greeting(desk: Company) -> str:
    """A message that people may send, without anything to fill in."""
    made = await desk.ask(SUSAN, "POST", "templates?templateId=a-greeting", **GREETING)
    text = {"subject": "Good day", "body": "Dear {{ customer_name }}, good day. {{ contact_name }}"}
    await desk.ask(SUSAN, "POST", f"{made['name']}/texts?templateTextId=en", **text)
    return str(made["name"])


def note(page: Page) -> Locator:
    """The box that is always there."""
    return page.get_by_label("What did the customer say?")


async def at(visitor: Visitor, customer: str) -> Page:
    """Their page, live."""
    await visitor.page.goto(f"/{customer}")
    await expect(visitor.page.locator("#live")).to_contain_text("live")
    return visitor.page


async def opened(page: Page, letter: str) -> Locator:
    """The form that a key opens."""
    await page.keyboard.press(letter)
    form = page.get_by_role("dialog").locator("form")
    await expect(form).to_be_visible()
    return form


async def kept(page: Page, change: Any) -> None:
    """Do what changes a form, and wait until its draft is kept."""
    async with page.expect_response(lambda answer: "/drafts/" in answer.url) as answered:
        await change
    assert (await answered.value).ok


async def test_row_1_what_was_typed_is_there_after_a_field_changes_and_the_page_is_loaded_again(
    desk: Company, signed_in: SignedIn
) -> None:
    visitor, customer = await signed_in(), await somebody(desk)
    page = await at(visitor, customer)
    await kept(page, note(page).fill("She will be away until Friday."))
    await kept(page, page.get_by_label("Channel").first.select_option("EMAIL"))
    await page.reload()
    await expect(note(page)).to_have_value("She will be away until Friday.")
    await expect(page.get_by_label("Channel").first).to_have_value("EMAIL")
    elsewhere = await signed_in()
    await expect(note(await at(elsewhere, customer))).to_have_value("She will be away until Friday.")
    other = await signed_in(Person("bob"))
    await expect(note(await at(other, customer))).to_have_value("")


async def test_a_note_that_is_sent_as_soon_as_it_is_typed_leaves_no_draft_behind(
    desk: Company, signed_in: SignedIn
) -> None:
    visitor, customer = await signed_in(), await somebody(desk)
    await visitor.page.clock.install()
    page = await at(visitor, customer)
    kept_late: list[str] = []
    page.on("request", lambda request: kept_late.append(request.url) if "/drafts/" in request.url else None)
    for words in ("First.", "Second."):
        await note(page).fill(words)
        await note(page).press("Control+Enter")
        await expect(note(page)).to_have_value("")
        await page.clock.fast_forward(1000)
    assert kept_late == []
    assert sorted(await contacts(desk, customer)) == ["First.", "Second."]


async def test_row_2_a_session_that_dies_while_one_types_costs_nothing_and_the_note_is_there_once(
    desk: Company, signed_in: SignedIn
) -> None:
    visitor, customer = await signed_in(), await somebody(desk)
    page = await at(visitor, customer)
    await note(page).fill("Wants to be called back.")
    await desk.gate.sessions.end_all("agent:alice")
    visitor.expect("status of 401")

    async def is_over() -> bool:
        return (
            await visitor.context.request.head("/live", headers={"x-requested-with": "fragment"})
        ).status == 401

    await eventually(is_over)
    await note(page).press("Control+Enter")
    await expect(page.locator(".refused").get_by_role("link", name="Sign in")).to_be_visible()
    await expect(note(page)).to_have_value("Wants to be called back.")
    await desk.sign_in(visitor)
    await note(page).press("Control+Enter")
    await expect(note(page)).to_have_value("")
    assert await contacts(desk, customer) == ["Wants to be called back."]


async def test_a_refusal_that_comes_after_its_form_was_closed_is_shown_and_announced(
    desk: Company, signed_in: SignedIn
) -> None:
    customer = await somebody(desk)
    page, answers = await at(await signed_in(SUSAN), customer), asyncio.Event()

    async def later(route: Route) -> None:
        await answers.wait()
        await route.continue_()

    await page.route(
        "**/act/goodwill*",
        lambda route: later(route) if route.request.method == "POST" else route.continue_(),
    )
    form = await opened(page, "g")
    await form.get_by_label("Reason").select_option("our-mistake")
    await form.get_by_label("Points").fill("0")
    await page.keyboard.press("Control+Enter")
    await expect(form.get_by_role("button", name="Give")).to_be_disabled()
    await page.keyboard.press("Escape")
    await expect(form).to_be_hidden()
    answers.set()
    await expect(form.get_by_label("Points")).to_have_attribute("aria-invalid", "true")
    await expect(page.locator("#told")).not_to_be_empty()


async def to_send(visitor: Visitor, customer: str) -> Page:
    """Their page, on which a message to them was just sent, which can be taken back for ten seconds."""
    await visitor.page.clock.install()
    page = await at(visitor, customer)
    form = await opened(page, "S")
    send = form.get_by_role("button", name="Send to Nora Winter")
    await expect(form).to_contain_text("Nora")
    await send.click()
    return page


async def notices(desk: Company, customer: str) -> list[Any]:
    """What they were told, or are about to be."""
    listed = await desk.ask(ALICE, "GET", f'notices?filter=customer="{customer}"')
    return list(listed.get("notices", []))


async def states(desk: Company, customer: str) -> list[str]:
    """Where their messages are, by name."""
    return sorted(each["state"].removeprefix("NOTICE_STATE_") for each in await notices(desk, customer))


LATE_WORDS = """() => {
    const read = Response.prototype.text;
    Response.prototype.text = function () {
        return new Promise(done => { window.arrive = () => done(read.call(this)); });
    };
}"""
READ_ONLY = "form => [...form.elements].every(each => each.readOnly ?? true)"  # but what is no text


async def test_nothing_can_be_typed_into_a_form_that_is_about_to_be_replaced(
    desk: Company, signed_in: SignedIn, greeting: str
) -> None:
    page = await at(await signed_in(), await somebody(desk))
    form = await opened(page, "s")
    await page.evaluate(LATE_WORDS)
    await form.get_by_label("Template").dispatch_event("change")
    await page.wait_for_function("() => window.arrive")  # the answer is there, and its words are not
    assert await form.evaluate(READ_ONLY)
    await page.evaluate("() => window.arrive()")
    await expect(form).to_be_visible()


async def test_row_3_a_message_goes_to_whom_its_button_names_whatever_is_opened_meanwhile(
    desk: Company, signed_in: SignedIn, greeting: str
) -> None:
    visitor = await signed_in(SUSAN)
    nora, erik = await somebody(desk), await somebody(desk, "Erik")
    page = await to_send(visitor, nora)
    await expect(page.locator("#toast")).to_contain_text("Nora Winter gets it in 10 seconds")
    await page.goto(f"/{erik}")
    [notice] = await eventually(lambda: notices(desk, nora))
    assert (notice["customer"], notice["template"]) == (nora, greeting)
    assert await notices(desk, erik) == []


async def test_a_case_work_and_a_promise_are_read_in_the_words_in_which_they_were_told(
    desk: Company, signed_in: SignedIn
) -> None:
    words = "Rückruf wegen der Lieferung"
    alice = {"displayName": "Alice", "phone": "+49 30 901820", "department": "departments/front-desk"}
    await desk.ask(ADMIN, "PATCH", "agents/alice?allowMissing=true", **alice)
    page = await at(await signed_in(), await somebody(desk))
    for letter, label, shown in (
        ("o", "Topic", "#cases article strong"),
        ("w", "Task", "#cases .step"),
        ("p", "What is promised", "#promises"),
    ):
        form = await opened(page, letter)
        await form.get_by_label(label).fill(words)
        for department in await form.locator("[name=department]").all():
            await department.select_option("departments/front-desk")
        await page.keyboard.press("Control+Enter")
        await expect(page.locator(shown)).to_contain_text(words)
    await page.goto("/")
    for card in ("#cases", "#items", "#promises"):
        await expect(page.locator(card)).to_contain_text(words)


async def test_row_15_what_is_taken_back_within_ten_seconds_is_never_sent_and_what_is_not_goes_once(
    desk: Company, signed_in: SignedIn, greeting: str
) -> None:
    visitor, customer = await signed_in(SUSAN), await somebody(desk)
    page = await to_send(visitor, customer)
    undo = page.locator("#toast [data-letter=Z]")
    await expect(undo).to_be_focused()
    await undo.click()
    form = page.get_by_role("dialog").locator("form")
    await expect(form).to_be_visible()
    await expect(undo).to_be_hidden()
    assert await states(desk, customer) == ["SUPPRESSED"]
    await form.get_by_role("button", name="Send to Nora Winter").click()
    await expect(undo).to_be_visible()
    await page.clock.run_for(11_000)
    await expect(undo).to_be_hidden()
    assert len(await notices(desk, customer)) == 2


async def test_a_message_that_was_sent_goes_out_though_its_author_signs_out_at_once(
    desk: Company, signed_in: SignedIn, greeting: str
) -> None:
    visitor, customer = await signed_in(SUSAN), await somebody(desk)
    page = await to_send(visitor, customer)
    await expect(page.locator("#toast")).to_contain_text("Nora Winter gets it in 10 seconds")
    await page.locator("details.self summary").click()
    await page.get_by_role("button", name="Undo for 10 seconds").click()
    await expect(page.get_by_role("button", name="Undo for 2 minutes")).to_be_visible()
    await page.get_by_role("button", name="Sign out").click()
    await page.wait_for_url("**/signed-out*")
    [notice] = await notices(desk, customer)
    assert (notice["template"], await states(desk, customer)) == (greeting, ["REQUESTED"])


async def cases_of(desk: Company, customer: str, *titles: str) -> list[str]:
    """Cases of Alice's."""
    agent = {"displayName": "Alice", "email": "alice@example.com", "department": "departments/front-desk"}
    await desk.ask(ADMIN, "PATCH", "agents/alice?allowMissing=true", **agent)
    return [
        (
            await desk.ask(
                ALICE, "POST", "cases:open", case={**OPENED, "customer": customer, "displayName": each}
            )
        )["name"]
        for each in titles
    ]


async def test_a_case_that_was_resolved_is_opened_again_at_once_by_undo_or_later_by_its_key(
    desk: Company, signed_in: SignedIn
) -> None:
    visitor, customer = await signed_in(), await somebody(desk)
    [case] = await cases_of(desk, customer, "Wet parcel")
    page = await at(visitor, customer)
    toast = page.locator("#toast")
    for by_undo in (True, False):
        resolve = await opened_by(page, "R", "Resolve the case Wet parcel, Nora Winter")
        await resolve.get_by_label("Resolution").select_option("settled")
        await page.keyboard.press("Control+Enter")
        undo = toast.locator("[data-letter=Z]")
        await expect(undo).to_be_focused()
        settled = page.locator("#cases").get_by_role("button", name="Reopen the case")
        await expect(settled).to_be_visible()
        if by_undo:
            await page.keyboard.press("z")
        else:
            await page.keyboard.press("u")
            form = page.get_by_role("dialog", name="Reopen the case Wet parcel").locator("form")
            await form.get_by_label("Reason").select_option("not-settled")
            await page.keyboard.press("Control+Enter")
        await expect(toast).to_have_text("Reopened: Wet parcel.")
        await expect(settled).to_be_hidden()
        assert (await focused(page))["tag"] != "body"
        await page.reload()
    assert (await desk.ask(ALICE, "GET", case))["reopenCount"] == 2


async def test_undo_of_a_resolution_goes_when_somebody_else_has_opened_the_case_again(
    desk: Company, signed_in: SignedIn
) -> None:
    visitor, customer = await signed_in(), await somebody(desk)
    [case] = await cases_of(desk, customer, "Wet parcel")
    page = await at(visitor, customer)
    resolve = await opened_by(page, "R", "Resolve the case")
    await resolve.get_by_label("Resolution").select_option("settled")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#cases").get_by_role("button", name="Reopen the case")).to_be_visible()
    await desk.ask(ALICE, "POST", f"{case}:reopen")
    await expect(page.locator("#toast")).to_be_empty()
    assert (await focused(page))["tag"] != "body"


async def test_a_letter_acts_on_the_row_that_has_the_focus_and_asks_where_none_has(
    desk: Company, signed_in: SignedIn
) -> None:
    visitor, customer = await signed_in(), await somebody(desk)
    await cases_of(desk, customer, "Wet parcel", "Wrong invoice")
    page = await at(visitor, customer)
    panel = page.get_by_role("dialog")
    await page.keyboard.press("r")
    await expect(panel).to_have_attribute("aria-label", "Resolve the case: which one?")
    await page.keyboard.press("2")
    await expect(panel.locator("h2")).to_have_text("Resolve the case Wet parcel, Nora Winter")
    await page.keyboard.press("Escape")
    assert (await focused(page))["words"].startswith("Resolve the case")
    await page.keyboard.press("w")
    await expect(panel.locator("h2")).to_have_text("Ask a department Wet parcel, Nora Winter")
    await page.keyboard.press("Escape")
    await page.locator("#cases .case").filter(has_text="Wrong invoice").get_by_role("link").first.focus()
    await page.keyboard.press("r")
    await expect(panel.locator("h2")).to_have_text("Resolve the case Wrong invoice, Nora Winter")


async def test_the_focus_stays_where_something_was_done(desk: Company, signed_in: SignedIn) -> None:
    visitor, customer = await signed_in(), await somebody(desk)
    await cases_of(desk, customer, "Wet parcel")
    page = await at(visitor, customer)
    await page.clock.install()
    await note(page).fill("She will come by.")
    await note(page).press("Control+Enter")
    await expect(page.locator("section.note")).to_be_focused()
    resolve = await opened_by(page, "R", "Resolve the case")
    await resolve.get_by_label("Resolution").select_option("settled")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#cases").get_by_role("button", name="Reopen the case")).to_be_visible()
    await page.clock.run_for(11_000)
    await expect(page.locator("#toast")).to_be_empty()
    await expect(page.locator("#cases [data-key]", has_text="Wet parcel")).to_be_focused()


async def test_what_cannot_be_taken_back_is_not_done_by_a_key_and_enter(
    desk: Company, signed_in: SignedIn
) -> None:
    visitor, customer = await signed_in(), await somebody(desk)
    promise = {"customer": customer, "kind": "delivery", "department": "departments/front-desk"}
    promise["dueTime"] = "2027-03-01T11:00:00Z"
    made = await desk.ask(ALICE, "POST", "promises:make", promise=promise)
    page = await at(visitor, customer)
    panel = page.get_by_role("dialog")
    for keys, state in (("Enter", "OPEN"), ("Control+Enter", "KEPT")):
        await page.keyboard.press("k")
        await expect(panel).to_contain_text("it cannot be taken back")
        await page.keyboard.press(keys)
        await expect(panel).to_be_hidden()
        assert (await desk.ask(ALICE, "GET", made["name"]))["state"] == f"PROMISE_STATE_{state}"


async def opened_by(page: Page, letter: str, title: str) -> Locator:
    """The form of a title that a key opens, once the page offers it."""
    await expect(page.locator(f'[data-letter="{letter}"]')).to_be_visible()
    await page.keyboard.press(letter)
    return page.get_by_role("dialog", name=title).locator("form")


async def test_a_note_that_is_refused_is_mended_in_the_box_which_is_empty_again_after_that(
    desk: Company, signed_in: SignedIn
) -> None:
    visitor, customer = await signed_in(), await somebody(desk)
    page = await at(visitor, customer)
    await note(page).fill(" ")  # which a browser takes for something
    await note(page).press("Control+Enter")
    await expect(page.locator(".note .refused")).to_be_visible()
    await expect(note(page)).to_be_focused()
    for words in ("She will come by.", "She came by."):
        await note(page).fill(words)
        await note(page).press("Control+Enter")
        await expect(note(page)).to_have_value("")
        await expect(page.locator(".note .refused")).to_be_hidden()
    assert sorted(await contacts(desk, customer)) == ["She came by.", "She will come by."]


async def test_a_call_that_rings_leaves_a_message_that_can_be_taken_back_in_sight(
    desk: Company, signed_in: SignedIn, greeting: str
) -> None:
    phone = f"+4930{7_000_000 + randbelow(1_000_000)}"
    caller = await somebody(desk, "Erik", identifiers=[{"type": "TYPE_PHONE", "value": phone}])
    susan = Person(surname().lower(), "manager")
    visitor, customer = await signed_in(susan), await somebody(desk)
    page = await to_send(visitor, customer)
    undo = page.locator("#toast [data-letter=Z]")
    await expect(undo).to_be_focused()
    await desk.call(phone, phone, agent=susan.name)
    await expect(page.locator(f'[data-call] a[href="/{caller}"]')).to_be_visible()
    assert page.url.endswith(customer)
    await undo.click()
    await expect(page.get_by_role("dialog").locator("form")).to_be_visible()
    assert await states(desk, customer) == ["SUPPRESSED"]


async def test_row_9_a_key_with_another_key_held_and_keys_in_fields_do_nothing(
    desk: Company, signed_in: SignedIn
) -> None:
    visitor, customer = await signed_in(), await somebody(desk)
    page = await at(visitor, customer)
    panel = page.get_by_role("dialog")
    for keys in ("Alt+e", "Control+Alt+e", "Control+Shift+W", "Shift+E", "Meta+e"):
        await page.keyboard.press(keys)
    await page.evaluate(ALT_GR_E)
    await expect(panel).to_be_hidden()
    assert page.url.endswith(customer)
    await note(page).press_sequentially("egnop")
    await expect(panel).to_be_hidden()
    await expect(note(page)).to_have_value("egnop")
    await page.get_by_text("Alice, front desk").click()
    await page.get_by_role("button", name="Keys are letters: switch off").click()
    await page.reload()
    await page.keyboard.press("e")
    await expect(panel).to_be_hidden()
    await page.evaluate("() => localStorage.clear()")
    await page.reload()
    await opened(page, "e")


async def test_row_10_what_changes_while_one_types_takes_no_focus_and_no_key(
    desk: Company, signed_in: SignedIn
) -> None:
    visitor, customer = await signed_in(), await somebody(desk)
    page = await at(visitor, customer)
    await note(page).press_sequentially("Every ")
    for number in range(3):
        await say(desk, customer, f"Said meanwhile {number}")
        await expect(page.locator("#timeline")).to_contain_text(f"Said meanwhile {number}")
        await page.keyboard.type("letter ")
    assert (await focused(page))["tag"] == "textarea"
    await expect(note(page)).to_have_value("Every letter letter letter ")
    await expect(page.get_by_role("dialog")).to_be_hidden()


async def test_row_11_eight_changes_leave_a_typed_field_and_an_opened_reason_as_they_are(
    desk: Company, signed_in: SignedIn
) -> None:
    visitor, customer = await signed_in(), await somebody(desk)
    page = await at(visitor, customer)
    await note(page).fill("Half a sen")
    await page.locator("#who").get_by_role("button", name="why").click()
    panel = page.get_by_role("dialog")
    await expect(panel).to_contain_text("Because")
    reason = await panel.inner_text()
    for number in range(8):
        await say(desk, customer, f"Change {number}")
    await expect(page.locator("#timeline")).to_contain_text("Change 7")
    assert await panel.inner_text() == reason
    await expect(note(page)).to_have_value("Half a sen")
    await page.keyboard.press("Escape")
    assert (await focused(page))["words"] == "why: Nora Winter"


async def test_row_13_of_two_who_correct_at_once_both_texts_survive_and_the_second_decides(
    desk: Company, signed_in: SignedIn
) -> None:
    visitor, customer = await signed_in(), await somebody(desk)
    page = await at(visitor, customer)
    form = await opened(page, "E")
    await form.get_by_label("Last name").fill("Winter-Berg")
    known = await desk.ask(DORA, "GET", customer)
    changed = {"person": {"givenName": "Eleonora", "familyName": "Winter"}, "etag": known["etag"]}
    await desk.ask(DORA, "PATCH", customer, **changed)
    await form.get_by_label("Last name").press("Control+Enter")
    told = form.locator(".refused")
    await expect(told).to_contain_text("Eleonora")
    await expect(form.get_by_label("Last name")).to_have_value("Winter-Berg")
    await expect(form.get_by_label("First name")).to_have_value("Eleonora")  # which one did not touch
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    person = (await desk.ask(ALICE, "GET", customer))["person"]
    assert (person["givenName"], person["familyName"]) == ("Eleonora", "Winter-Berg")


async def test_row_13_two_with_one_customer_know_of_each_other_and_nobody_is_locked_out(
    desk: Company, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = await somebody(desk)
    alice, dora = await signed_in(), await signed_in(DORA)
    page, theirs = await at(alice, customer), await at(dora, customer)
    async with shifts(page) as moved:
        for each, who in ((page, "Dora"), (theirs, "Alice")):
            await expect(each.locator("#also")).to_have_text(f"Also here: {who}")
    assert moved == []
    second = await at_another_tab(alice, customer)
    await expect(second.locator("#also")).to_have_text("Also here: Dora")
    await note(page).fill("I call her back.")
    await note(page).press("Control+Enter")
    await expect(theirs.locator("#timeline")).to_contain_text("I call her back.")
    monkeypatch.setattr("desk.live.presence.LINGERS_S", 1.0)
    await dora.context.close()  # as when a browser is lost
    await expect(page.locator("#also")).to_be_hidden()


async def at_another_tab(visitor: Visitor, customer: str) -> Page:
    """The page once more in the same browser."""
    page = await visitor.context.new_page()
    await page.goto(f"/{customer}")
    return page


async def test_row_14_five_clicks_and_a_lost_answer_are_one_note(desk: Company, signed_in: SignedIn) -> None:
    visitor, customer = await signed_in(), await somebody(desk)
    page = await at(visitor, customer)
    lost = asyncio.Event()

    async def lose_the_first(route: Route) -> None:
        if lost.is_set():
            await route.continue_()
        else:
            lost.set()
            await route.fetch()  # the service did it
            await route.abort()

    await page.route("**/act/contact", lose_the_first)
    visitor.expect("ERR_FAILED")
    await note(page).fill("Once is enough.")
    await page.get_by_role("button", name="Record").evaluate(
        "button => { for (let click = 0; click < 5; click++) button.click() }"
    )
    await expect(note(page)).to_have_value("")
    assert lost.is_set()
    assert await contacts(desk, customer) == ["Once is enough."]
