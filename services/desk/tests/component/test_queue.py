"""The queue of a department, and taking what comes first."""

import asyncio
import re
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest

from cases.service import service as cases_service
from customer.service import service as customer_service
from rapport_testing.wait import eventually

SERVICES = (customer_service, cases_service)
DELIVERY = "departments/delivery"
LEAD = "cases.*", "customer.*"


async def made(client: Any, path: str, **told: Any) -> Any:
    answer = await client.post(path, json=told, headers={"idempotency-key": str(uuid4())})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def agent(api: Any, code: str, **said: Any) -> None:
    told = {"displayName": code.title(), "phone": "+49 30 901820", "department": DELIVERY, **said}
    assert (await api.patch(f"/v1/agents/{code}?allowMissing=true", json=told)).is_success


@pytest.fixture
async def desk(open_desk: Any) -> Any:
    """Dora and Emil work for delivery, which has a team; two pieces of work of Erika's wait."""
    desk = await open_desk(*SERVICES)
    api = desk.client()
    await made(
        api, "/v1/teams?teamId=returns", displayName="Returns", department=DELIVERY, skills=["refunds"]
    )
    await agent(api, "dora", capacity=1)
    await agent(api, "emil", teams=["teams/returns"])
    erika = await made(api, "/v1/customers", displayName="Erika Sommer")
    case = {
        "customer": erika["name"],
        "topic": "late-delivery",
        "owner": "agents/dora",
        "department": DELIVERY,
    }
    opened = await made(api, "/v1/cases:open", case=case)
    work = {"case": opened["name"], "department": DELIVERY}
    item = await made(api, "/v1/workItems", **work, kind="deliver-order")
    due = (desk.running.app.clock.now() + timedelta(hours=2)).isoformat()
    promise = {
        "customer": erika["name"],
        "department": DELIVERY,
        "kind": "delivery",
        "workItem": item["name"],
    }
    await made(api, "/v1/promises:make", promise=promise | {"dueTime": due})
    await made(api, "/v1/workItems", **work, kind="repair", team="teams/returns", requiredSkills=["refunds"])
    return desk


def text(page: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub("<.*?>", " ", page)))


async def take(person: Any) -> str:
    answer = await person.post("/next/take", data={"request_id": str(uuid4())})
    assert (answer.status_code, answer.headers["x-done"]) == (200, "1"), answer.text
    return text(answer.text)


async def test_the_queue_says_what_waits_why_in_that_order_and_who_is_there(desk: Any) -> None:
    dora = await desk.signed_in("agent:dora", ["*"], "delivery")
    await dora.post("/next/presence", data={"state": "BUSY"})

    async def known() -> bool:
        return "promised for" in text((await dora.get("/queue/delivery")).text)

    await eventually(known)
    page = text((await dora.get("/queue/delivery")).text)
    assert page.index("Deliver order") < page.index("Repair")
    assert page.count("Erika Sommer") == 4  # of each, also for who hears the name of a button alone
    assert "which is soon: that alone counts" in page
    assert "needs refunds" in page
    assert "for Returns" in page
    assert "Waiting 2" in page
    assert "Dora Busy has 0 of 1" in page
    assert "Emil Not here has 0" in page
    team = text((await dora.get("/queue/delivery/teams/returns")).text)
    assert "Repair" in team
    assert "Deliver order" not in team
    assert (await dora.get("/queue")).headers["location"] == "/queue/delivery"
    assert (await dora.get("/queue?department=billing")).headers["location"] == "/queue/billing"
    assert (await dora.get("/queue?department=../x")).headers["location"] == "/queue/delivery"


async def test_that_work_is_reserved_for_a_language_is_said_where_somebody_does_not_speak_it(
    desk: Any,
) -> None:
    api = desk.client()
    (case,) = (await api.get("/v1/cases")).json()["cases"]
    told = {"case": case["name"], "department": DELIVERY, "kind": "call-back", "languageCode": "fr-CA"}
    await made(api, "/v1/workItems", **told)
    dora = await desk.signed_in("agent:dora", ["*"], "delivery")
    reserved = "for a while only for who speaks French"
    assert reserved not in text((await dora.get("/queue/delivery")).text)  # both say nothing: they speak any
    assert "as nothing waits longer than 3 days" in text((await dora.get("/queue/delivery")).text)
    await agent(api, "dora", languageCodes=["fr"])
    await agent(api, "emil", languageCodes=["de"])
    assert reserved in text((await dora.get("/queue/delivery")).text)
    await agent(api, "emil", languageCodes=["de", "fr-FR"])
    assert reserved not in text((await dora.get("/queue/delivery")).text)


async def test_who_takes_the_next_hears_why_and_has_it_in_hand(desk: Any) -> None:
    dora = await desk.signed_in("agent:dora", ["*"], "delivery")
    page = text((await dora.get("/")).text)
    assert "Take the next" in page
    assert "You have nothing in hand." in page
    assert "Yours now: Deliver order" in await take(dora)
    assert "You have nothing in hand." not in text((await dora.get("/")).text)
    assert "You have 1 of 1: finish something first." in await take(dora)


async def test_who_is_given_nothing_hears_what_it_would_need(desk: Any) -> None:
    api = desk.client()
    await agent(api, "dora", capacity=5)
    dora = await desk.signed_in("agent:dora", ["*"], "delivery")
    await take(dora)
    told = await take(dora)
    assert "What waits is for others." in told
    assert "It is for Returns." in told
    emil = await desk.signed_in("agent:emil", ["*"], "delivery")
    assert "Yours now: Repair" in await take(emil)
    assert "Nothing waits." in await take(emil)


async def test_who_says_that_they_are_away_is_given_nothing_until_they_are_back(desk: Any) -> None:
    dora = await desk.signed_in("agent:dora", ["*"], "delivery")
    answer = await dora.post("/next/presence", data={"state": "AWAY", "until": "23:59"})
    assert "You are: Away until" in text(answer.text)
    assert "You are away until" in await take(dora)
    assert 'aria-pressed="true">Away' in (await dora.get("/next/presence")).text
    wrong = await dora.post("/next/presence", data={"state": "AWAY", "until": "soon"})
    assert wrong.status_code == 400
    await dora.post("/next/presence", data={"state": "AVAILABLE"})
    assert "Yours now: Deliver order" in await take(dora)


async def test_a_lead_says_what_people_can_do_and_makes_teams(desk: Any) -> None:
    lead = await desk.signed_in("agent:lena", ["*"], "delivery")
    form = (await lead.get("/queue/agents/dora/abilities")).text
    etag = re.search(r'name="etag" value="([^"]*)"', form)
    assert etag is not None
    typed = {"skills": "refunds, wine", "teams": "returns", "languages": "de, en", "capacity": "4"}
    sent = {**typed, "etag": unescape(etag[1]), "request_id": str(uuid4())}
    done = await lead.post("/queue/agents/dora/abilities", data=sent)
    assert done.headers.get("x-done") == "1", done.text
    dora = (await desk.client().get("/v1/agents/dora")).json()
    assert (dora["skills"], dora["teams"], dora["capacity"]) == (["refunds", "wine"], ["teams/returns"], 4)
    stale = await lead.post("/queue/agents/dora/abilities", data={**sent, "request_id": str(uuid4())})
    assert "x-done" not in stale.headers
    wrong = await lead.post(
        "/queue/agents/dora/abilities", data={**sent, "skills": "Not A Code", "etag": "", "capacity": "4"}
    )
    assert 'aria-invalid="true"' in wrong.text
    new = {"code": "claims", "called": "Claims", "skills": "tax", "request_id": str(uuid4())}
    assert (await lead.post("/queue/delivery/new-team", data=new)).headers.get("x-done") == "1"
    changed = {"called": "Claims", "skills": "tax, wine", "request_id": str(uuid4())}
    assert (await lead.post("/queue/teams/claims/abilities", data=changed)).headers.get("x-done") == "1"
    assert (await desk.client().get("/v1/teams/claims")).json()["skills"] == ["tax", "wine"]
    assert "Claims" in (await lead.get("/queue/delivery")).text


async def test_who_leads_nobody_is_offered_no_forms(desk: Any) -> None:
    may = ["cases.work_items.read", "cases.work_items.write", "cases.presences.read", "cases.teams.read"]
    dora = await desk.signed_in("agent:dora", may, "delivery")
    page = (await dora.get("/queue/delivery")).text
    assert "abilities" not in page
    assert "new-team" not in page


async def test_an_open_page_is_told_when_the_queue_changes_and_that_somebody_is_there(desk: Any) -> None:
    dora = await desk.signed_in("agent:dora", ["*"], "delivery")
    api = desk.client()
    async with dora.stream("GET", "/live?queue=queue/delivery", timeout=None) as stream:
        lines = stream.aiter_lines()

        async def told(*words: str) -> None:
            async for line in lines:
                if line.startswith("data:") and all(word in line for word in words):
                    return

        async with asyncio.timeout(30):
            await told('"waits"', "Deliver order", "Repair")

            async def there() -> bool:
                presence = (await api.get("/v1/agents/dora/presence")).json()
                return presence["state"] == "STATE_AVAILABLE"

            await eventually(there)
            await take(dora)
            await told('"people"', "has 1 of 1")
