"""Who it is: the page of who is meant, or of who may be, with what could not be asked."""

import re
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa

from cases.service import service as cases
from chassis.db.statement import Statement
from customer.service import service as customer
from desk.pages.find import route as making
from desk.store.people import DRAFTS, Draft
from loyalty.service import service as loyalty
from rapport_testing.spans import record_spans
from rapport_testing.wait import eventually

NUMBER = "+4930901820"
FRAGMENT = {"x-requested-with": "fragment"}


@pytest.fixture
async def desk(open_desk, sources):
    """A desk before the customers and the cases."""
    return await open_desk(customer, cases, webhooks_dir=sources)


@pytest.fixture
async def browser(desk) -> httpx.AsyncClient:
    return await desk.signed_in()


async def looked(browser: httpx.AsyncClient, typed: str) -> httpx.Response:
    """The page that typing it leads to."""
    asked = await browser.post("/find", data={"q": typed})
    assert asked.status_code == 303
    assert re.fullmatch(r"/find/[0-9a-f-]{36}", asked.headers["location"])
    return await browser.get(asked.headers["location"])


async def test_what_is_typed_leads_to_who_alone_is_meant(browser, known) -> None:
    erika = await known("Erika Sommer", phone=NUMBER, email="erika@example.com")
    await known("Karl Sommer", email="karl@example.com")
    for typed in (NUMBER, "030 901820", "erika@example.com", erika, f"http://desk/{erika}?a=b"):
        led = await browser.post("/find", data={"q": typed})
        assert (led.status_code, led.headers["location"]) == (303, f"/{erika}"), typed


async def test_several_are_a_page_with_a_url_that_is_its_authors_and_tells_nothing(
    desk, browser, known
) -> None:
    for name in ("Erika", "Karl"):
        await known(f"{name} Sommer", phone=NUMBER)
    led = await browser.post("/find", data={"q": "Sommer"})
    url = led.headers["location"]
    assert re.fullmatch(r"/find/[0-9a-f-]{36}", url)
    for _ in range(2):  # Back
        page = (await browser.get(url)).text
        assert page.startswith("<!doctype html>")
        assert "Erika Sommer" in page
        assert "Karl Sommer" in page
        assert "901820" not in page
    assert (await (await desk.signed_in("agent:bob")).get(url)).status_code == 404
    assert (await browser.get(f"/find/{uuid4()}")).status_code == 404


async def test_a_promise_or_a_case_or_its_work_leads_to_its_customer(browser, known, alice) -> None:
    erika = await known("Erika Sommer")
    opened = {"customer": erika, "topic": "delivery", "owner": "agents/alice"}
    agent = {"displayName": "Alice Brandt", "phone": NUMBER, "department": "departments/front-desk"}
    assert (await alice.patch("/v1/agents/alice?allowMissing=true", json=agent)).is_success
    case = (await alice.post("/v1/cases:open", json={"case": opened})).json()["name"]
    work = {"case": case, "department": "departments/delivery", "kind": "deliver"}
    item = (await alice.post("/v1/workItems", json=work)).json()["name"]
    promise = {"customer": erika, "department": "departments/delivery", "kind": "delivery"}
    promise |= {"reference": "orders/5021", "dueTime": "2026-03-09T12:00:00Z"}
    made = (await alice.post("/v1/promises:make", json={"promise": promise})).json()["name"]
    for typed in (case, item, made, "5021", "#5021", "order 5021", "orders/5021"):
        led = await browser.post("/find", data={"q": typed})
        assert led.headers["location"] == f"/{erika}", typed
    for reference in ("orders/demo-1a2b", "Claim-77.3"):
        other = {**promise, "customer": await known(f"Of {reference}"), "reference": reference}
        assert (await alice.post("/v1/promises:make", json={"promise": other})).is_success
        led = await browser.post("/find", data={"q": reference.removeprefix("orders/")})
        assert led.headers["location"] == f"/{other['customer']}", reference
    assert "nothing of that name" in (await looked(browser, f"cases/{uuid4()}")).text


async def test_while_somebody_types_a_few_are_offered_and_nothing_is_kept(desk, browser, known) -> None:
    erika = await known("Erika <b>Sommer</b>", phone=NUMBER)
    offered = await browser.post("/find", data={"q": "Erik"}, headers=FRAGMENT)
    assert f'role="option" id="found-1" tabindex="-1" aria-selected="false" href="/{erika}"' in offered.text
    assert "Erika &lt;b&gt;" in offered.text
    assert await Statement(sa.select(DRAFTS), row=Draft).all(desk.running.db) == []


async def test_many_of_one_name_are_read_page_by_page_each_once(browser, known) -> None:
    for number in range(45):
        await known(f"Nora {number}")
    url = (await browser.post("/find", data={"q": "Nora"})).headers["location"]
    page, seen = (await browser.get(url)).text, []
    assert "These are not all" in page
    while True:
        seen += re.findall(r'href="/(customers/[^"]+)"', page)
        if not (more := re.search(r'data-more="([^"]+)" data-here="([^"]+)"', page)):
            break
        page = (await browser.get(more[1].replace("&amp;", "&"), headers=FRAGMENT)).text
        again = (await browser.get(more[2])).text
        assert set(seen) < set(re.findall(r'href="/(customers/[^"]+)"', again))
    assert len(seen) == len(set(seen)) == 45


async def test_row_7_a_number_asks_one_service_once_however_many_there_are(browser, alice) -> None:
    requests = [
        {
            "identifier": {"type": "TYPE_PHONE", "value": f"+4930901{number:04}"},
            "newCustomer": {"displayName": f"Nora {number}"},
        }
        for number in range(1000)
    ]
    made = await alice.post("/v1/customers:batchResolve", json={"requests": requests})
    assert made.is_success, made.text

    async def is_led() -> bool:
        """Whether they are found at once: while so many are compared, the service may have too much to do."""
        spans.clear()
        led = await browser.post("/find", data={"q": "030 901 0807"})
        return led.headers["location"].startswith("/customers/")

    with record_spans() as spans:
        await eventually(is_led)
    asked = [each.name for each in spans if each.kind.name == "SERVER" and "rapport." in each.name]
    assert asked == ["rapport.customer.v1.CustomerService/SearchCustomers"]


async def test_what_nobody_can_find_is_refused_in_words(desk, browser) -> None:
    for typed, word in {
        "a": "Too short",
        "a" * 201: "Too long",
        "\x00\x00": "",
        "Nobody": "Nobody is",
    }.items():
        page = await looked(browser, typed)
        assert (page.status_code, word in page.text) == (200, True)
    huge = await browser.post("/find", data={"q": "a" * 5_000_000})
    assert (huge.status_code, "at most" in huge.text) == (413, True)
    stranger = await desk.signed_in(permissions=["cases.cases.read"])
    assert 'class="refused"' in (await looked(stranger, "Erika")).text


async def test_a_service_that_is_away_costs_its_part(desk, browser, known) -> None:
    await known("Erika", phone=NUMBER)
    await desk.services["cases"].stop()
    page = (await looked(browser, "1820")).text
    assert "Cases does not answer" in page
    assert "Erika" in page
    await desk.services["customer"].stop()
    assert "Customer does not answer" in (await looked(browser, "Erika")).text


async def test_a_call_opens_the_page_of_the_one_caller_and_a_choice_of_several(browser, known) -> None:
    erika = await known("Erika Sommer", phone=NUMBER)
    for plus in ("%2B", "+"):
        led = await browser.get(f"/call?from={plus}4930901820&to={plus}493090000")
        assert (led.status_code, led.headers["location"]) == (303, f"/{erika}")
    await known("Karl Sommer", phone=NUMBER)
    page = (await browser.get("/call?from=%2B4930901820", follow_redirects=True)).text
    assert "Several have this number" in page
    assert "Karl Sommer" in page
    nobody = (await browser.get("/call?from=%2B4930777777", follow_redirects=True)).text
    assert "Nobody whom we know" in nobody
    assert "+4930777777" in nobody
    for withheld in ("/call", "/call?from=anonymous"):
        assert "withheld" in (await browser.get(withheld, follow_redirects=True)).text


async def test_a_call_says_which_number_was_dialled_and_opens_who_is_called(browser, known) -> None:
    page = (await browser.get("/call?from=%2B4930777777&to=%2B493090000", follow_redirects=True)).text
    assert "They dialled +493090000." in page
    erika = await known("Erika Sommer", phone=NUMBER)
    led = await browser.get("/call?from=%2B493090000&to=%2B4930901820")
    assert led.headers["location"] == f"/{erika}"
    await known("Karl Sommer", phone=NUMBER)
    page = (await browser.get("/call?to=%2B4930901820", follow_redirects=True)).text
    assert "Outgoing call to +4930901820" in page
    assert "Karl Sommer" in page


async def test_nobody_found_becomes_a_customer_once_without_being_typed_twice(desk, browser) -> None:
    await browser.get("/call?from=%2B4930777777")
    page = (await browser.get("/call?from=%2B4930777777", follow_redirects=True)).text
    link = re.search(r'href="(/find/[^"]+/new)"', page)[1]
    form = (await browser.get(link)).text
    assert 'name="phone" type="tel" value="+4930777777"' in form
    request_id = re.search(r'name="request_id" value="([^"]+)"', form)[1]
    typed = {"request_id": request_id, "phone": "+4930777777", "given_name": "Nora", "family_name": "Winter"}
    made = [await browser.post(link, data=typed) for _ in range(2)]
    assert [each.status_code for each in made] == [303, 303]
    assert len({each.headers["location"] for each in made}) == 1
    led = await browser.get("/call?from=%2B4930777777")
    assert led.headers["location"] == made[0].headers["location"]
    nobody = await browser.post(link, data={"request_id": str(uuid4())})
    assert (nobody.status_code, "say at least a name" in nobody.text) == (422, True)
    reader = await desk.signed_in("agent:rosa", ["customer.customers.read"])
    assert "/new" not in (await looked(reader, "Nobody")).text


@pytest.mark.parametrize(
    ("typed", "guessed"),
    [
        ("030 777777", {"phone": "030 777777"}),
        ("a@b.example", {"email": "a@b.example"}),
        ("Ada Maria Herbst", {"given_name": "Ada Maria", "family_name": "Herbst"}),
        ("#502", {}),
    ],
)
def test_what_was_looked_for_is_in_its_field(typed: str, guessed: dict[str, str]) -> None:
    assert making.guessed(typed) == guessed


async def test_the_number_of_a_card_leads_to_whose_it_is_in_any_program(open_desk) -> None:
    desk = await open_desk(customer, cases, loyalty)
    client, browser = desk.client(), await desk.signed_in()

    async def made(path: str, **body: str) -> str:
        answer = await client.post(f"/v1/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["name"]

    erika, karl = [await made("customers", displayName=name) for name in ("Erika Sommer", "Karl Sommer")]
    for program in ("bakery", "cafe"):
        await made(f"programs?programId={program}", displayName=program.title())
    for who, program, number in ((erika, "bakery", "2610000000017"), (karl, "cafe", "4000 1111")):
        joined = await made(f"programs/{program}/memberships", customer=who)
        await made(f"{joined}/cards", number=number)
    for typed, who in (("2610000000017", erika), ("2610 0000 000 17", erika), ("40001111", karl)):
        led = await browser.post("/find", data={"q": typed})
        assert led.headers["location"] == f"/{who}", typed
    assert "Nobody is found by that." in (await looked(browser, "2610000000018")).text
    called = await browser.get("/call", params={"from": "2610000000017"})
    assert called.headers["location"].startswith("/find/")
    also = await made(f"{await made('programs/cafe/memberships', customer=erika)}/cards", number="77 77 77")
    assert (await client.post(f"/v1/{also}:block", json={"reasonCode": "lost"})).is_success
    blocked = (await looked(browser, "777777")).text
    assert "Nobody is found by that." in blocked
    assert "blocked" in blocked
