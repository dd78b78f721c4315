"""What cases are about, at the desk: the tree, whose owner has left, and changing it."""

import re
from html import unescape
from typing import Any
from uuid import uuid4

from cases.service import service as cases_service
from customer.service import service as customer_service

SERVICES = (customer_service, cases_service)


async def declared(desk: Any) -> None:
    """Alice owns cases about deliveries; Bob, who has left, those about late ones."""
    api = desk.client()

    async def sent(verb: str, path: str, body: Any) -> None:
        answer = await api.request(verb, path, json=body, headers={"idempotency-key": str(uuid4())})
        assert answer.status_code == 200, answer.text

    for name in ("alice", "bob"):
        agent = {"displayName": name.title(), "phone": "+49 30 1", "department": "departments/front-desk"}
        await sent("PATCH", f"/v1/agents/{name}?allowMissing=true", agent)
    topic = {"displayName": "Delivery", "defaultOwner": "agents/alice", "defaultHarm": "HARM_LOSS"}
    await sent("POST", "/v1/topics?topicId=delivery", topic)
    below = {"displayName": "A late one", "parentTopic": "topics/delivery", "defaultOwner": "agents/bob"}
    await sent("POST", "/v1/topics?topicId=late-delivery", below)
    await sent("PATCH", "/v1/agents/bob?updateMask=inactive", {"inactive": True})
    fields = [{"field": "order", "displayName": "Order number"}]
    needed = {"displayName": "Billing", "workKinds": [{"kind": "refund", "requiredFields": fields}]}
    await sent("PATCH", "/v1/departments/billing?allowMissing=true", needed)


def typed(page: str) -> dict[str, str]:
    """What the form holds."""
    form = page.partition('<form method="post" action="/topics/')[2].partition("</form>")[0]
    found = dict(re.findall(r'<input[^>]*name="(\w+)"[^>]*value="([^"]*)"', form))
    chosen = re.findall(r'<select name="(\w+)".*?</select>', form, re.DOTALL)
    for name in chosen:
        select = form.partition(f'<select name="{name}"')[2].partition("</select>")[0]
        found[name] = (re.findall(r'<option value="([^"]*)" selected', select) or [""])[0]
    return {name: unescape(value) for name, value in found.items() if name != "csrf"}


async def test_topics_are_a_tree_and_whose_owner_has_left_comes_first(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    await declared(desk)
    alice = await desk.signed_in("agent:alice", ["*"], "front-desk")
    page = (await alice.get("/topics")).text
    left, _, tree = page.partition('aria-label="Topics"')
    assert re.search(
        r'<a href="/topics/late-delivery">A late one</a>, Front desk: <span class="no">Bob', left
    )
    rows = re.findall(r'<tr data-key="(topics/[\w-]+)"><th scope="row">(.*?)<a', tree, re.DOTALL)
    assert [(name, above.count("· ")) for name, above in rows] == [
        ("topics/delivery", 0),
        ("topics/late-delivery", 1),
    ]
    assert "it costs the customer money" in tree
    assert "<dt>Billing, Refund</dt><dd>Order number</dd>" in page


async def test_another_owner_is_named_and_a_topic_that_somebody_else_changed_is_not_overwritten(
    open_desk: Any,
) -> None:
    desk = await open_desk(*SERVICES)
    await declared(desk)
    alice = await desk.signed_in("agent:alice", ["*"], "front-desk")
    form = (await alice.get("/topics/late-delivery")).text
    assert "bob, who has left" in form
    sent = {**typed(form), "owner": "agents/alice", "skills": "refunds, parcels"}
    sent["reply_days"] = "14"
    assert (await alice.post("/topics/late-delivery", data=sent)).headers["location"] == "/topics"
    page = (await alice.get("/topics")).text
    assert "Whose owner has left" not in page
    assert "refunds, parcels" in page
    assert typed((await alice.get("/topics/late-delivery")).text)["reply_days"] == "14"
    again = await alice.post("/topics/late-delivery", data=sent | {"request_id": str(uuid4())})
    assert again.status_code == 422
    assert 'class="refused"' in again.text


async def test_a_topic_is_declared_below_another_and_refused_in_words(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    await declared(desk)
    alice = await desk.signed_in("agent:alice", ["*"], "front-desk")
    new = typed((await alice.get("/topics/new")).text)
    sent = {**new, "code": "lost", "display_name": "Lost parcel", "parent": "topics/delivery"}
    refused = await alice.post("/topics/new", data=sent | {"code": "No!"})
    assert refused.status_code == 422
    assert 'value="Lost parcel"' in refused.text
    assert (await alice.post("/topics/new", data=sent | {"reply_days": "soon"})).status_code == 422
    assert (await alice.post("/topics/new", data=sent)).status_code == 303
    assert "Lost parcel" in (await alice.get("/topics")).text


async def test_who_may_only_read_topics_changes_none(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    await declared(desk)
    reader = await desk.signed_in(
        "agent:rita", ["cases.topics.read", "cases.agents.read", "cases.departments.read"], "billing"
    )
    page = (await reader.get("/topics")).text
    assert "A late one" in page
    assert 'href="/topics/late-delivery"' not in page
    assert 'action="/topics/' not in (await reader.get("/topics/late-delivery")).text
    assert (await reader.get("/topics/new")).status_code == 403
    assert (await reader.get("/topics/none")).status_code == 404
