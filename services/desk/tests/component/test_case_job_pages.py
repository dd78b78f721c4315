"""Doing one thing to many cases at the desk: previewed, begun once, followed, stopped."""

import re
from html import unescape
from typing import Any
from uuid import uuid4

import pytest

from cases.service import service as cases_service
from customer.service import service as customer_service
from rapport_testing.wait import eventually

pytestmark = pytest.mark.together

SERVICES = (customer_service, cases_service)


async def asked(desk: Any, path: str, **told: Any) -> Any:
    answer = await desk.client().post(f"/v1/{path}", json=told, headers={"idempotency-key": str(uuid4())})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def opened(desk: Any, count: int) -> list[str]:
    """Open cases of the front desk's, Alice's; the first has work that is not done."""
    api = desk.client()
    for name in ("alice", "bob"):
        agent = {"displayName": name.title(), "phone": "+49 30 1", "department": "departments/front-desk"}
        assert (await api.patch(f"/v1/agents/{name}?allowMissing=true", json=agent)).is_success
    case = {"topic": "late-delivery", "owner": "agents/alice"}
    names = [
        (await asked(desk, "cases:open", case={**case, "customer": f"customers/{uuid4()}"}))["name"]
        for _ in range(count)
    ]
    await asked(desk, "workItems", case=names[0], department="departments/delivery", kind="deliver-order")
    return names


def fields(page: str) -> dict[str, str]:
    """What the form sends that does it."""
    form = page.partition('action="/caseJobs"')[2].partition("</form>")[0]
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form)
    return {name: unescape(value) for name, value in found}


async def test_a_job_is_previewed_begun_once_and_says_what_became_of_each(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    first, *_ = await opened(desk, 3)
    alice = await desk.signed_in("agent:alice", ["*"], "front-desk")
    page = (await alice.get("/cases")).text
    (link,) = re.findall(r'<a href="([^"]+)">Do something to all of these', page)
    form = (await alice.get(unescape(link))).text
    assert "To which open cases of Front desk" in form
    wanted = {"department": "front-desk", "resolution": "settled", "new_owner": "agents/bob"}
    seen = (await alice.post("/caseJobs/preview", data=wanted)).text
    assert "Do it to 3 cases?" in seen
    assert "Bob is to own it, it is settled: settled" in seen
    assert f'<a href="/{first}">Late delivery</a>: ' in seen.partition("It would not be done to these")[2]
    answers = [await alice.post("/caseJobs", data=fields(seen)) for _ in range(2)]
    (job,) = {each.headers["location"] for each in answers}

    async def done() -> bool:
        return "2 of 3 done, 1 refused" in (await alice.get(job)).text

    await eventually(done)
    card = (await alice.get(f"{job}/cards")).json()["cards"]["job"]["html"]
    assert f'<a href="/{first}">' in card.partition("Nothing was done to these")[2]
    assert "Stop it" not in card
    assert "2 of 3 done, 1 refused" in (await alice.get("/caseJobs")).text


async def test_what_a_problem_brought_about_is_seen_to_at_once_and_a_job_is_stopped(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    case, *_ = await opened(desk, 1)
    outage = {"topic": "outage", "owner": "agents/alice", "kind": "KIND_PROBLEM"}
    problem = await asked(desk, "cases:open", case={**outage, "customer": f"customers/{uuid4()}"})
    link = {"case": case, "linkedCase": problem["name"], "kind": "KIND_CAUSED_BY"}
    await asked(desk, "caseLinks", **link)
    alice = await desk.signed_in("agent:alice", ["*"], "front-desk")
    new = f"/caseJobs/new?problem={problem['name'].removeprefix('cases/')}"
    assert new in (await alice.get(f"/{problem['name']}")).text
    assert "To all that this problem brought about" in (await alice.get(new)).text
    wanted = {"problem": problem["name"].removeprefix("cases/"), "text": "It works again.", "told": "1"}
    seen = (await alice.post("/caseJobs/preview", data=wanted)).text
    assert "a note for the customer, too" in seen
    job = (await alice.post("/caseJobs", data=fields(seen))).headers["location"]
    assert (await alice.post(f"{job}/cancel")).headers["location"] == job
    assert re.search(">(stopped|done)<", (await alice.get(job)).text)


async def test_nothing_to_do_and_who_may_not_are_said(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    await opened(desk, 1)
    alice = await desk.signed_in("agent:alice", ["*"], "front-desk")
    refused = await alice.post("/caseJobs/preview", data={"department": "front-desk", "topic": "complaint"})
    assert refused.status_code == 422
    assert 'class="refused"' in refused.text
    assert '<option value="complaint" selected>' in refused.text
    reader = await desk.signed_in("agent:rita", ["cases.cases.read", "cases.case_jobs.read"], "front-desk")
    assert (await reader.get("/caseJobs/new")).status_code == 403
    assert "Do something to many cases" not in (await reader.get("/caseJobs")).text
    assert (await alice.get("/caseJobs/none")).status_code == 404
    assert (await alice.post("/caseJobs", data={"request_id": "once"})).status_code == 400
