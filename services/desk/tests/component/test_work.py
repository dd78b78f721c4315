"""My work: what I and my department have to do."""

import re
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest

from cases.service import service as cases_service
from customer.service import service as customer_service
from desk.pages.customer import loading as of_customer
from desk.pages.work import loading
from desk.pages.work.loading import CASES_MAX, CUSTOMERS_MAX

pytestmark = pytest.mark.together

SERVICES = (customer_service, cases_service)


async def made(client: Any, path: str, **told: Any) -> Any:
    answer = await client.post(path, json=told, headers={"idempotency-key": str(uuid4())})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def seeded(desk: Any) -> dict[str, Any]:
    """Erika has an open case of Alice's, a promise of the front desk's, and work that waits for it."""
    api = desk.client()
    await api.patch(
        "/v1/agents/alice?allowMissing=true",
        json={"displayName": "Alice", "phone": "+49 30 901820", "department": "departments/front-desk"},
    )
    erika = await made(api, "/v1/customers", displayName="Erika Sommer")
    case = await made(
        api,
        "/v1/cases:open",
        case={"customer": erika["name"], "topic": "late-delivery", "owner": "agents/alice"},
    )
    await made(api, "/v1/workItems", case=case["name"], department="departments/front-desk", kind="call-back")
    due = desk.running.app.clock.now() + timedelta(days=2)
    promise = {
        "customer": erika["name"],
        "department": "departments/front-desk",
        "kind": "refund",
        "dueTime": due.isoformat(),
    }
    await made(api, "/v1/promises:make", promise=promise)
    return dict(erika)


async def test_the_page_names_promises_cases_and_work_with_whom_they_are_about(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    erika = await seeded(desk)
    alice = await desk.signed_in("agent:alice", ["*"], "front-desk")
    page = (await alice.get("/")).text
    assert page.count(f'<a href="/{erika["name"]}">Erika Sommer</a>') == 3
    assert "Refund" in page
    assert "Late delivery" in page
    assert "Call back" in page


@pytest.mark.alone("cases and promises of one person are counted")
async def test_a_promise_that_moved_says_so_with_the_date_that_was_and_why(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    await seeded(desk)
    api, now = desk.client(), desk.running.app.clock.now()
    (promise,) = (await api.get("/v1/promises")).json()["promises"]
    later = {"dueTime": (now + timedelta(days=4)).isoformat(), "reasonCode": "customer-away"}
    assert (await api.post(f"/v1/{promise['name']}:renegotiate", json=later)).is_success
    alice = await desk.signed_in("agent:alice", ["*"], "front-desk")
    page = (await alice.get("/")).text
    (line,) = re.findall(r'<span class="stale age">(Another date.*?)</span></div>', page)
    assert re.fullmatch(r"Another date: <s>.+</s> now <b>.+</b>, .+", line)


async def test_what_is_due_first_is_shown_first_however_much_there_is(open_desk: Any, monkeypatch) -> None:
    monkeypatch.setattr(loading, "PROMISES_MAX", 2)
    monkeypatch.setattr(loading, "CASES_MAX", 1)
    desk = await open_desk(*SERVICES)
    erika = await seeded(desk)
    api, now = desk.client(), desk.running.app.clock.now()
    for kind, hours in (("call-back", 60), ("invoice-copy", 1), ("repair", 30)):
        promise = {
            "customer": erika["name"],
            "department": "departments/front-desk",
            "kind": kind,
            "dueTime": (now + timedelta(hours=hours)).isoformat(),
        }
        await made(api, "/v1/promises:make", promise=promise)
    later = {"customer": erika["name"], "topic": "opened-later", "owner": "agents/alice"}
    await made(api, "/v1/cases:open", case=later)
    alice = await desk.signed_in("agent:alice", ["*"], "front-desk")
    page = (await alice.get("/")).text
    assert page.index("Invoice copy") < page.index("Repair")
    assert "Refund" not in page  # which is due after two days
    assert ("Late delivery" in page, "Opened later" in page) == (True, False)
    assert page.count("There is more than this") == 2


async def test_of_a_customer_with_many_promises_what_is_due_first_is_seen_first(
    open_desk: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(of_customer, "PROMISES_MAX", 2)
    desk = await open_desk(*SERVICES)
    api, now = desk.client(), desk.running.app.clock.now()
    erika = await made(api, "/v1/customers", displayName="Erika Sommer")
    for kind, hours in (("subscription", 60), ("urgent-matter", 1), ("renewal", 50), ("delivery", 30)):
        due = (now + timedelta(hours=hours)).isoformat()
        promise = {"customer": erika["name"], "department": "departments/front-desk", "kind": kind}
        await made(api, "/v1/promises:make", promise={**promise, "dueTime": due})
    alice = await desk.signed_in("agent:alice", ["*"], "front-desk")
    page = (await alice.get(f"/{erika['name']}")).text
    assert page.index("Urgent matter") < page.index('">Delivery')
    assert "Subscription" not in page.partition('id="timeline"')[0]
    assert "at least" in page.partition('id="timeline"')[0]


async def test_a_customer_who_is_not_there_takes_the_names_of_no_others(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    erika = await seeded(desk)
    promise = {
        "customer": "customers/0199b2a4-6f0e-7c2a-9d1e-5c8f3a7b2e60",
        "department": "departments/front-desk",
        "kind": "repair",
        "dueTime": (desk.running.app.clock.now() + timedelta(hours=1)).isoformat(),
    }
    await made(desk.client(), "/v1/promises:make", promise=promise)
    alice = await desk.signed_in("agent:alice", ["*"], "front-desk")
    page = (await alice.get("/")).text
    assert page.count(f'<a href="/{erika["name"]}">Erika Sommer</a>') == 3
    assert "a customer</a>" in page


@pytest.mark.alone("cases and promises of one person are counted")
async def test_a_supervisor_sees_whose_cases_of_a_department_are_open_the_longest_in_pages(
    open_desk: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(loading, "CASES_MAX", 2)
    desk = await open_desk(*SERVICES)
    erika = await seeded(desk)
    api = desk.client()
    for name, department in (("bob", "front-desk"), ("bill", "billing")):
        whose = {"displayName": name.title(), "phone": "+49 30 1", "department": f"departments/{department}"}
        assert (await api.patch(f"/v1/agents/{name}?allowMissing=true", json=whose)).is_success
    for topic, owner in (("damaged", "bob"), ("invoice-wrong", "bill"), ("complaint", "bob")):
        opened = {"customer": erika["name"], "topic": topic, "owner": f"agents/{owner}"}
        await made(api, "/v1/cases:open", case=opened)
    sam = await desk.signed_in("agent:sam", ["*"], "front-desk")
    page = (await sam.get("/cases")).text
    assert re.findall(r"<b><a href=\"/cases/[^\"]+\">([^<]+)</a>", page) == ["Late delivery", "Damaged"]
    assert re.findall(r"open for [^<]*", page) == [
        "open for 1 minute, waits for Front desk. Alice owns it.",
        "open for 1 minute. Bob owns it.",
    ]
    (more,) = re.findall(r'data-more="([^"]+)"', page)
    rest = (await sam.get(unescape(more), headers={"x-requested-with": "fragment"})).text
    assert re.findall(r"<b><a href=\"/cases/[^\"]+\">([^<]+)</a>", rest) == ["Complaint"]
    assert "data-more" not in rest
    assert "Invoice wrong" in (await sam.get("/cases?department=billing")).text
    assert 'href="/cases?department=billing"' in page
    assert (await sam.get("/cases?department=No")).status_code == 404


async def test_another_department_has_none_of_it(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    await seeded(desk)
    dora = await desk.signed_in("agent:dora", ["*"], "delivery")
    page = (await dora.get("/")).text
    assert "Erika" not in page
    assert "Nothing is due." in page


async def test_who_belongs_to_no_department_is_told_so(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    nobody = await desk.signed_in("agent:nobody", ["*"], "")
    assert "You belong to no department" in (await nobody.get("/")).text


async def test_what_others_promised_to_my_customers_is_mine_to_know(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    erika = await seeded(desk)
    due = (desk.running.app.clock.now() + timedelta(hours=3)).isoformat()
    promise = {"customer": erika["name"], "department": "departments/delivery", "kind": "repair"}
    await made(desk.client(), "/v1/promises:make", promise={**promise, "dueTime": due})
    alice = await desk.signed_in("agent:alice", ["*"], "front-desk")
    card = (await alice.get("/")).text.partition('id="customers"')[2].partition("</section>")[0]
    assert "Repair" in card
    assert ", Delivery" in card
    assert "Refund" not in card  # which is of my department


async def test_who_manages_customers_finds_them_on_the_first_page(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    rita = {"displayName": "Rita", "phone": "+49 30 901821", "department": "departments/relations"}
    await desk.client().patch("/v1/agents/rita?allowMissing=true", json=rita)
    nora = await made(desk.client(), "/v1/customers", displayName="Nora Winter")
    given = f"/v1/{nora['name']}:assignRelationshipManager"
    await made(desk.client(), given, relationshipManager="agents/rita")
    page = (await (await desk.signed_in("agent:rita", ["*"], "relations")).get("/")).text
    assert f'<a href="/{nora["name"]}">Nora Winter</a>' in page


@pytest.mark.alone("cases and promises of one person are counted")
async def test_of_more_customers_than_are_asked_about_the_page_says_that_there_are_more(
    open_desk: Any,
) -> None:
    desk = await open_desk(*SERVICES)
    rita = {"displayName": "Rita", "phone": "+49 30 901821", "department": "departments/relations"}
    await desk.client().patch("/v1/agents/rita?allowMissing=true", json=rita)

    async def managed(number: int) -> None:
        customer = await made(desk.client(), "/v1/customers", displayName=f"Customer {number}")
        given = f"/v1/{customer['name']}:assignRelationshipManager"
        await made(desk.client(), given, relationshipManager="agents/rita")
        due = (desk.running.app.clock.now() + timedelta(days=2)).isoformat()
        promise = {"customer": customer["name"], "department": "departments/billing", "kind": "refund"}
        await made(desk.client(), "/v1/promises:make", promise=promise | {"dueTime": due})

    for number in range(CUSTOMERS_MAX + 1):
        await managed(number)
    page = (await (await desk.signed_in("agent:rita", ["*"], "relations")).get("/")).text
    assert page.count("<b>Refund</b>") == CUSTOMERS_MAX
    assert "There is more than this: these are the first." in page
    assert re.search(r"You manage (<a [^>]*>Customer \d+</a>,? ?\s*){12} and more\.", page), page


@pytest.mark.alone("cases and promises of one person are counted")
async def test_who_answers_for_as_many_cases_as_are_shown_sees_of_each_what_it_waits_for(
    open_desk: Any,
) -> None:
    desk = await open_desk(*SERVICES)
    erika, api = await seeded(desk), desk.client()
    case = {"customer": erika["name"], "topic": "late-delivery", "owner": "agents/alice"}
    for _ in range(CASES_MAX - 1):
        await made(api, "/v1/cases:open", case=case)
    page = (await (await desk.signed_in("agent:alice", ["*"], "front-desk")).get("/")).text
    card = page.partition('id="cases"')[2].partition("</section>")[0]
    assert "does not answer" not in card
    assert card.count("waits for Front desk") == 1
    assert len(set(re.findall(r"/act/resolve\?on=\w+%2F[\w-]+", card))) == CASES_MAX - 1


async def test_who_may_change_what_all_own_chooses_a_department(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    await seeded(desk)
    sam = await desk.signed_in("agent:sam", ["*"], "delivery")
    assert 'href="/work/front-desk"' in (await sam.get("/")).text
    page = (await sam.get("/work/front-desk")).text
    assert 'data-watch="work/front-desk"' in page
    assert "Refund" in page
    assert (await sam.get("/work/front-desk/cards")).json()["customer"] == "work/front-desk"
    dora = await desk.signed_in("agent:dora", ["cases.*", "customer.*"], "delivery")
    assert "/work/front-desk" not in (await dora.get("/")).text


async def test_who_operates_the_services_is_led_to_them(open_desk: Any) -> None:
    nils = await (await open_desk(*SERVICES)).signed_in("agent:nils", ["cases.operations.read"], "platform")
    assert (await nils.get("/")).headers["location"] == "/operations"


@pytest.mark.alone("a service is stopped")
async def test_the_page_stands_while_cases_is_away(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    await desk.services["cases"].stop()
    alice = await desk.signed_in("agent:alice", ["*"], "front-desk")
    answer = await alice.get("/")
    assert answer.status_code == 200
    assert answer.text.count("Cases does not answer") == 6


@pytest.mark.alone("cases and promises of one person are counted")
async def test_cases_are_found_by_words_and_orders_and_no_url_has_what_was_typed(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    erika, api = await seeded(desk), desk.client()
    case = {"customer": erika["name"], "topic": "damaged", "owner": "agents/alice"}
    settled = await made(api, "/v1/cases:open", case={**case, "displayName": "A vase in pieces"})
    await made(api, f"/v1/{settled['name']}:resolve", resolution="refunded")
    alice = await desk.signed_in("agent:alice", ["*"], "front-desk")

    async def found(typed: str) -> tuple[str, str]:
        led = (await alice.post("/cases/find", data={"q": typed})).headers["location"]
        assert typed not in led
        return led, (await alice.get(led)).text

    _, page = await found("late deliv")
    assert re.findall(r"<b><a href=\"/cases/[^\"]+\">([^<]+)</a>", page) == ["Late delivery"]
    assert "Alice owns it." in page
    led, page = await found("vase")
    assert "No case has this." in page
    page = (await alice.get(f"{led}?settled=1")).text
    assert "A vase in pieces</a>" in page
    assert "refunded after 1 minute" in page
    assert "/act/resolve" not in page.partition("A vase in pieces")[2]
    led, page = await found("v")
    assert 'class="refused"' in page
    other = await desk.signed_in("agent:bob", ["*"], "front-desk")
    assert (await other.get(led)).status_code == 404
