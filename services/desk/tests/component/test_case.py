"""The page of a case: which department has what of it, and what they do with it."""

import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from cases.service import service as cases_service
from customer.service import service as customer_service
from rapport_testing.wait import eventually
from rapport_tools.local.roles import ROLES

pytestmark = pytest.mark.together

AGENT = sorted(ROLES["agent"])
DELIVERY, BILLING = "departments/delivery", "departments/billing"


async def made(client: Any, path: str, **told: Any) -> Any:
    answer = await client.post(path, json=told, headers={"idempotency-key": str(uuid4())})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def agent(api: Any, code: str, department: str) -> None:
    told = {"displayName": code.capitalize(), "phone": "+49 30 901820", "department": department}
    assert (await api.patch(f"/v1/agents/{code}?allowMissing=true", json=told)).is_success


@pytest.fixture
async def desk(open_desk: Any) -> Any:
    """The desk with customers and cases; Alice and Bob work for delivery, Carol for billing."""
    opened = await open_desk(customer_service, cases_service)
    api = opened.client()
    for code, department in (("alice", DELIVERY), ("bob", DELIVERY), ("carol", BILLING)):
        await agent(api, code, department)
    return opened


async def work(desk: Any, **told: Any) -> Any:
    """A piece of delivery's work on a case of Erika's that Alice owns."""
    api = desk.client()
    erika = await made(api, "/v1/customers", displayName="Erika Sommer")
    case = {"customer": erika["name"], "topic": "late-delivery", "owner": "agents/alice"}
    opened = await made(api, "/v1/cases:open", case=case)
    item = await made(
        api, "/v1/workItems", case=opened["name"], department=DELIVERY, kind="deliver-order", **told
    )
    return {"customer": erika["name"], **item}


def held(html: str) -> dict[str, str]:
    """The hidden fields of a form."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', html)
    return {name: unescape(value) for name, value in found}


async def act(who: Any, item: Any, action: str, **typed: str) -> Any:
    """Open a form about the work, and send it with what is typed."""
    path = f"/{item['customer']}/act/{action}?on={item['name']}"
    form = await who.get(path)
    assert form.status_code == 200, form.text
    return await who.post(path, data={**held(form.text), **typed})


async def page_of(who: Any, item: Any) -> str:
    answer = await who.get(f"/{item['case']}")
    assert answer.status_code == 200, answer.text
    return str(answer.text)


async def test_of_much_work_the_page_says_first_how_much_each_department_has_and_how_far_it_is(
    desk: Any,
) -> None:
    item, api = await work(desk), desk.client()
    for department in (*[DELIVERY] * 9, "departments/billing"):
        await made(api, "/v1/workItems", case=item["case"], department=department, kind="deliver-order")
    await made(api, f"/v1/{item['name']}:start")
    alice = await desk.signed_in("agent:alice", AGENT, "delivery")
    page = await page_of(alice, item)
    groups = re.findall(r'<details id="([a-z-]+)"><summary class="small">(.*?)</summary>', page)
    labels = ["Delivery, nobody yet: 9", "Billing, nobody yet: 1", "Delivery, begun: 1"]
    keys = ["delivery-nobody", "billing-nobody", "delivery-begun"]
    assert groups == [
        *zip([f"holders-{each}" for each in keys], labels, strict=True),
        *zip([f"work-{each}" for each in keys], labels, strict=True),
    ]
    folded = page.partition('<details id="holders-delivery-nobody">')[2].partition("</details>")[0]
    assert folded.count("<li>Delivery, nobody yet: Deliver order") == 9


async def test_the_page_says_whose_it_is_how_pressing_and_who_has_it_now(desk: Any) -> None:
    item = await work(desk)
    page = await page_of(await desk.signed_in("agent:alice", AGENT, "delivery"), item)
    assert f'<a href="/{item["customer"]}">Erika Sommer</a>' in page
    assert "Priority P3" in page
    assert "Alice owns it." in page
    assert re.search(r"<li>Delivery, nobody yet: Deliver order, since .+</li>", page)
    assert "Nothing is promised." in page


async def test_a_case_that_costs_the_customer_money_is_more_pressing_and_its_page_says_so(desk: Any) -> None:
    item, alice = await work(desk), await desk.signed_in("agent:alice", AGENT, "delivery")
    form = await alice.get(f"/{item['customer']}/act/case")
    typed = held(form.text) | {"topic": "damaged"}
    assert (
        "must be one of"
        in (await alice.post(f"/{item['customer']}/act/case", data={**typed, "harm": "x"})).text
    )
    done = await alice.post(f"/{item['customer']}/act/case", data={**typed, "harm": "harm-loss"})
    assert "X-Done" in done.headers, done.text
    listed = (await desk.client().get("/v1/cases")).json()["cases"]
    (damaged,) = [each["name"] for each in listed if each["topic"] == "damaged"]
    page = (await alice.get(f"/{damaged}")).text
    assert "Priority P2" in page
    assert "it costs the customer money" in page


async def test_work_is_given_to_a_colleague_of_its_department_and_undo_takes_it_back(desk: Any) -> None:
    item, alice = await work(desk), await desk.signed_in("agent:alice", AGENT, "delivery")
    form = (await alice.get(f"/{item['customer']}/act/give?on={item['name']}")).text
    assert re.findall(r'<option value="(agents/\w+)"', form) == ["agents/alice", "agents/bob"]
    done = await act(alice, item, "give", assignee="agents/bob")
    assert "X-Done" in done.headers
    assert "Undo" in done.text
    assert re.search(r"<li>Delivery, Bob: Deliver order, since .+</li>", await page_of(alice, item))
    takeback = unescape(re.findall(r'action="([^"]+)"', done.text)[0])
    assert "X-Done" in (await alice.post(takeback, data=held(done.text))).headers
    assert "Delivery, nobody yet" in await page_of(alice, item)


async def test_work_that_cannot_go_on_says_what_it_waits_for_until_it_goes_on(desk: Any) -> None:
    item, alice = await work(desk), await desk.signed_in("agent:alice", AGENT, "delivery")
    assert "X-Done" in (await act(alice, item, "block", reason="customer-answer")).headers
    page = await page_of(alice, item)
    assert "It waits for the customer" in page
    assert "waits for: the customer&#39;s answer" in page
    assert "act/block" not in page
    assert "X-Done" in (await act(alice, item, "unblock")).headers
    page = await page_of(alice, item)
    assert ("act/block" in page, "act/unblock" in page) == (True, False)


async def test_a_hand_over_first_asks_for_what_the_other_department_has_to_know(desk: Any) -> None:
    needs = [{"field": "invoice", "displayName": "Which invoice", "format": "FORMAT_REFERENCE"}]
    told = {"displayName": "Billing", "workKinds": [{"kind": "deliver-order", "requiredFields": needs}]}
    described = await desk.client().patch("/v1/departments/billing?allowMissing=true", json=told)
    assert described.is_success, described.text
    item, alice = await work(desk), await desk.signed_in("agent:alice", AGENT, "delivery")
    to = {"department": BILLING, "reason": "not-ours", "asked_again": "yes"}
    asked = await act(alice, item, "handover", **to)
    assert "X-Form" in asked.headers
    assert "Which invoice" in asked.text
    path = f"/{item['customer']}/act/handover?on={item['name']}"
    missing = await alice.post(path, data={**held(asked.text), **to, "v-invoice": ""})
    assert "X-Form" in missing.headers
    assert "has to know" in missing.text
    done = await alice.post(path, data={**held(missing.text), **to, "v-invoice": "invoices/77"})
    assert "X-Done" in done.headers, done.text
    page = await page_of(alice, item)
    assert "Delivery → Billing" in page
    assert "it is not ours, the customer was asked again" in page
    assert "act/handover" not in page  # it is billing's now
    assert "act/handover" in await page_of(await desk.signed_in("agent:carol", AGENT, "billing"), item)


@pytest.mark.alone("what departments have to know is set")
async def test_a_department_that_has_to_know_nothing_gets_it_at_once(desk: Any) -> None:
    item, alice = await work(desk), await desk.signed_in("agent:alice", AGENT, "delivery")
    assert "X-Done" in (await act(alice, item, "handover", department=BILLING, reason="next-step")).headers


async def test_work_is_asked_of_a_team_and_handed_to_another_with_the_skills_it_needs(desk: Any) -> None:
    api = desk.client()
    for code, department in (("returns", DELIVERY), ("claims", BILLING)):
        await made(api, f"/v1/teams?teamId={code}", displayName=code.title(), department=department)
    item, alice = await work(desk), await desk.signed_in("agent:alice", AGENT, "delivery")
    path = f"/{item['customer']}/act/work?on={item['case']}"
    form = (await alice.get(path)).text
    assert '<option value="teams/claims">Billing: Claims</option>' in form
    typed = {"department": DELIVERY, "kind": "repair", "language_code": "fr", **held(form)}
    wrong = await alice.post(path, data=typed | {"team": "teams/claims"})
    assert "X-Form" in wrong.headers  # it is of another department
    bad = await alice.post(path, data=typed | {"team": "teams/returns", "required_skills": "fine, No!"})
    assert '<details class="field" open>' in bad.text
    assert "Skills that it needs" in re.sub(r"\s+", " ", bad.text)
    kept = await alice.post(path, data=typed | {"team": "teams/returns", "required_skills": "tools, glue"})
    assert "X-Done" in kept.headers, kept.text
    (asked,) = (await api.get("/v1/workItems", params={"filter": "kind = repair"})).json()["workItems"]
    assert (asked["team"], asked["requiredSkills"]) == ("teams/returns", ["glue", "tools"])
    assert asked["languageCode"] == "fr"
    item = {**item, "name": asked["name"]}
    routed = await act(alice, item, "route", team="", required_skills="glue", language_code="")
    assert "X-Done" in routed.headers, routed.text
    now = (await api.get(f"/v1/{item['name']}")).json()
    assert (now["team"], now["requiredSkills"], now["languageCode"]) == ("", ["glue"], "")
    form = (await alice.get(f"/{item['customer']}/act/handover?on={item['name']}")).text
    assert "teams/returns" not in form
    to = {"department": BILLING, "reason": "not-ours", "team": "teams/claims", "required_skills": "refunds"}
    assert "X-Done" in (await act(alice, item, "handover", **to)).headers
    now = (await api.get(f"/v1/{item['name']}")).json()
    assert (now["team"], now["requiredSkills"]) == ("teams/claims", ["refunds"])


@pytest.mark.alone("the clock is moved")
async def test_the_picture_has_what_waited_and_what_was_worked_on(desk: Any) -> None:
    item, clock, api = await work(desk), desk.running.app.clock, desk.client()
    clock.advance(timedelta(hours=3))
    assert (await api.post(f"/v1/{item['name']}:start", json={})).is_success
    clock.advance(timedelta(hours=1))
    page = await page_of(await desk.signed_in("agent:alice", AGENT, "delivery"), item)
    assert 'aria-label="Delivery: waited 3 hours, worked 60 minutes"' in page
    assert '<rect class="wait" x="0" y="1" width="750" height="12">' in page
    assert '<rect class="work" x="750" y="1" width="250" height="12">' in page


async def test_a_case_that_is_none_is_no_page(desk: Any) -> None:
    alice = await desk.signed_in("agent:alice", AGENT, "delivery")
    for name in (str(uuid4()), "x"):
        assert (await alice.get(f"/cases/{name}")).status_code == 404


async def test_a_clock_is_stopped_goes_on_and_says_until_when(desk: Any) -> None:
    policy = {
        "displayName": "A day",
        "department": DELIVERY,
        "subject": "SUBJECT_CASE",
        "condition": "true",
        "targets": [{"metric": "CLOCK_METRIC_RESOLUTION", "businessMinutes": 1440}],
    }
    made_policy = await desk.client().post("/v1/clockPolicies?clockPolicyId=a-day", json=policy)
    assert made_policy.is_success, made_policy.text
    item, alice = await work(desk), await desk.signed_in("agent:alice", AGENT, "delivery")
    page = await page_of(alice, item)
    assert re.search(r'Done by</a></b>: <span class="soft">until .+</span>', page)
    assert "of 1,440 minutes" in page
    (clock,) = (await desk.client().get("/v1/clocks")).json()["clocks"]
    about = {"customer": item["customer"], "name": clock["name"]}
    assert "X-Done" in (await act(alice, about, "pause", reason="customer-answer")).headers
    assert "stands still: the customer&#39;s answer" in await page_of(alice, item)
    assert "X-Done" in (await act(alice, about, "resume")).headers
    assert "stands still" not in await page_of(alice, item)


async def test_cases_that_are_one_concern_are_merged_and_taken_apart_each_names_the_other(desk: Any) -> None:
    item, api = await work(desk), desk.client()
    told = {"customer": item["customer"], "topic": "damaged", "owner": "agents/alice"}
    twin = (await made(api, "/v1/cases:open", case=told))["name"]
    alice, about = await desk.signed_in("agent:alice", AGENT, "delivery"), {**item, "name": twin}
    form = (await alice.get(f"/{item['customer']}/act/mergecase?on={twin}")).text
    assert re.findall(r'<option value="(cases/[^"]+)"', form) == [item["case"]]
    done = await act(alice, about, "mergecase", into=item["case"], reason="reported-twice")
    assert "X-Done" in done.headers, done.text
    assert f'is one with <a href="/{twin}">Damaged</a>' in await page_of(alice, item)
    merged = (await alice.get(f"/{twin}")).text
    assert f'is one with, and read there <a href="/{item["case"]}">Late delivery</a>' in merged
    assert "act/mergecase" not in merged
    assert re.search('<span class="age">(.+)</span>', merged)[1].startswith("since ")  # not over
    assert "X-Done" in (await act(alice, about, "unmergecase", reason="another-concern")).headers
    assert "is one with" not in await page_of(alice, item)


async def test_another_concern_is_opened_beside_the_case_in_which_it_was_found(desk: Any) -> None:
    item, alice = await work(desk), await desk.signed_in("agent:alice", AGENT, "delivery")
    about = {**item, "name": item["case"]}
    assert "X-Done" in (await act(alice, about, "split", concern="Invoice twice")).headers
    assert re.search(r'in it was found <a href="/cases/[^"]+">Invoice twice</a>', await page_of(alice, item))


async def described(desk: Any) -> None:
    """Carol is whom delivery asks for more authority."""
    told = {"displayName": "Delivery", "escalationPath": ["agents/carol"]}
    answer = await desk.client().patch("/v1/departments/delivery?allowMissing=true", json=told)
    assert answer.is_success, answer.text


async def test_somebody_with_more_authority_is_asked_and_finds_it_among_their_work_and_takes_it(
    desk: Any,
) -> None:
    await described(desk)
    item, alice = await work(desk), await desk.signed_in("agent:alice", AGENT, "delivery")
    about = {**item, "name": item["case"]}
    done = await act(alice, about, "escalate", reason="customer-asked")
    assert "X-Done" in done.headers, done.text
    assert "Carol is asked. Tell the customer: they hear by" in done.text
    page = await page_of(alice, item)
    assert re.search(r"<b>the customer asked for it</b>: <span class=\"stale\">Carol is asked, until", page)
    assert "The customer was promised to hear by" in page
    assert "act/escalate" not in page
    carol = await desk.signed_in("agent:carol", AGENT, "billing")
    mine = (await carol.get("/")).text
    assert "Asked of me" in mine
    assert "The customer asked for it" in mine
    (asked,) = (await desk.client().get("/v1/escalations")).json()["escalations"]
    assert f"act/take?on={asked['name'].replace('/', '%2F')}" in mine
    done = await act(carol, {**item, "name": asked["name"]}, "take")
    assert "X-Done" in done.headers, done.text
    assert "Carol sees to it" in await page_of(alice, item)
    assert "Nobody asks you to take anything." in (await carol.get("/")).text


async def test_what_somebody_may_do_alone_is_on_the_case_and_where_a_date_is_agreed(desk: Any) -> None:
    limit = {"days": 3, "rollingDayDays": 4}
    policy = {"department": DELIVERY, "act": "AUTHORITY_ACT_EXTENSION", "limits": [limit]}
    made_policy = await desk.client().post("/v1/authorityPolicies?authorityPolicyId=dates", json=policy)
    assert made_policy.is_success, made_policy.text
    item, alice = await work(desk), await desk.signed_in("agent:alice", AGENT, "delivery")
    due = (desk.running.app.clock.now() + timedelta(days=2)).isoformat()
    promise = {"customer": item["customer"], "department": DELIVERY, "kind": "delivery", "dueTime": due}
    promised = await made(desk.client(), "/v1/promises:make", promise={**promise, "case": item["case"]})
    page = await page_of(alice, item)
    assert "What you may do alone" in page
    assert re.search(r'<dt>Put a promise off .+</dt><dd class="whole">3 days</dd>', page)
    assert re.search(r'<dt>Goodwill .+</dt><dd class="whole">500 points</dd>', page)
    path = f"/{item['customer']}/act/agree?on={promised['name']}"
    form = (await alice.get(path)).text
    assert "You may put it off by 3 days alone." in form
    day = (desk.running.app.clock.now() + timedelta(days=9)).date().isoformat()
    typed = {**held(form), "day": day, "time": "09:00", "reason": "other"}
    refused = await alice.post(path, data=typed)
    assert "A promise may be put off by 3 days at once." in refused.text
    later = (desk.running.app.clock.now() + timedelta(days=4)).date().isoformat()
    done = await alice.post(path, data={**typed, "day": later, "request_id": str(uuid4())})
    assert "X-Done" in done.headers, done.text


async def test_a_resolved_case_about_which_the_customer_wrote_says_so_until_somebody_has_looked(
    desk: Any, clock: Any
) -> None:
    item, api = await work(desk), desk.client()
    alice = await desk.signed_in("agent:alice", AGENT, "delivery")
    await made(api, f"/v1/{item['name']}:finish")
    await made(api, f"/v1/{item['case']}:resolve", resolution="settled")
    assert "The customer said something" not in await page_of(alice, item)
    said = {"channel": "CHANNEL_EMAIL", "direction": "DIRECTION_INBOUND", "resource": item["case"]}
    clock.advance(timedelta(minutes=1))
    bob = desk.client(token=desk.token("agent:bob", ["*"], "delivery", 600).access)
    await made(bob, f"/v1/{item['customer']}/timelineEntries:recordInteraction", timelineEntry=said)
    assert await eventually(lambda: _says(alice, item, "The customer said something after this was resolved"))
    [reply] = (await api.get("/v1/workItems?filter=kind%3Dcustomer-reply")).json()["workItems"]
    page = await page_of(alice, item)
    assert "Look at what the customer said" in page
    assert re.search(f'act/finish[^"]*{quote(reply["name"], safe="")}', page)
    await act(alice, item | reply, "finish")
    assert "The customer said something" not in await page_of(alice, item)


async def _says(who: Any, item: Any, text: str) -> bool:
    return text in await page_of(who, item)
