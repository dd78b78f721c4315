"""Authority policies at the desk: looked at by example, tried before they are kept."""

import re
from html import unescape
from typing import Any
from uuid import uuid4

import pytest

from cases.service import service as cases_service
from customer.service import service as customer_service

pytestmark = pytest.mark.together

SERVICES = (customer_service, cases_service)
ROLE = "loyalty.programs.write"
READS = ("cases.authority_policies.read", "cases.agents.read")


async def made(desk: Any) -> Any:
    """Alice, Bob and one more at the front desk, Dora in delivery; signed in is who leads the front desk."""
    departments = {"alice": "front-desk", "bob": "front-desk", "dora": "delivery"}
    for name, department in departments.items():
        agent = {"displayName": name.title(), "phone": "+49 30 1", "department": f"departments/{department}"}
        answer = await desk.client().patch(f"/v1/agents/{name}?allowMissing=true", json=agent)
        assert answer.status_code == 200, answer.text
    return await desk.signed_in("agent:lead", [*READS, "cases.authority_policies.write"], "front-desk")


def form(page: str) -> dict[str, Any]:
    """What the form would send as it is: a list for each field of the limits."""
    (text,) = re.findall(r'<form method="post">(.*?)</form>', page.split("<main", 1)[1], re.DOTALL)
    found: dict[str, Any] = {"amount": [], "day": [], "permission": [], "band": [], "harm": []}
    for tag in re.findall(r"<input[^>]*>", text):
        said = {name: unescape(value) for name, value in re.findall(r'([a-z]+)="([^"]*)"', tag)}
        if said["name"] in found and isinstance(found[said["name"]], list):
            found[said["name"]].append(said["value"])
        elif said.get("type") != "checkbox" or " checked" in tag:
            found[said["name"]] = said.get("value", "on")
    for name, options in re.findall(r'<select name="(\w+)">(.*?)</select>', text, re.DOTALL):
        found[name].append((re.findall(r'value="([^"]*)" selected', options) or [""])[0])
    return found


def table(page: str, title: str) -> list[list[str]]:
    """The rows of a table of examples, as text: the first of each role begins with it."""
    (part,) = re.findall(rf'<section class="card" aria-label="{title}".*?</section>', page, re.DOTALL)
    rows = re.findall(r"<tr>(.*?)</tr>", part.partition("</thead>")[2], re.DOTALL)
    return [[re.sub("<[^>]+>", "", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in rows]


async def test_what_everybody_goes_by_is_shown_by_value_band_and_harm(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    lead = await made(desk)
    listed = (await lead.get("/authorityPolicies")).text
    assert '<a href="/authorityPolicies/goodwill">Goodwill</a>' in listed
    assert "2,000 points" in listed
    page = (await lead.get("/authorityPolicies/goodwill")).text
    assert "It is followed by 4 people of: delivery, front desk." in page
    rows = table(page, "What they may do by all policies together")
    assert rows[0] == ["everybody", "Standard", *["500 points"] * 4]
    assert rows[-1] == ["Platinum", *["2,000 points"] * 4]
    assert 'name="act"' not in page  # the platform's is not the front desk's to change


async def test_a_policy_of_a_department_is_tried_beside_what_held_before_and_then_kept(
    open_desk: Any,
) -> None:
    desk = await open_desk(*SERVICES)
    lead = await made(desk)
    sent = form((await lead.get("/authorityPolicies/new?policy_act=GOODWILL")).text)
    assert (sent["amount"], sent["etag"]) == ([""], "")
    sent |= {"code": "front-line", "display_name": "Front line"}
    sent |= {"amount": ["300", "900"], "day": ["", "3000"], "permission": ["", ROLE], "band": ["", "GOLD"]}
    sent |= {"harm": ["", "LOSS"]}
    tried = await lead.post("/authorityPolicies/new", data=sent | {"act": "look"})
    assert tried.status_code == 200
    assert "It is followed by 3 people of: front desk." in tried.text
    rows = table(tried.text, "What they may do then")
    assert rows[0] == ["everybody", "Standard", *["500 points 300 points"] * 4]
    assert rows[4][0] == ROLE
    assert rows[6] == [
        "Gold",
        *["1,500 points 300 points"] * 2,
        *["1,500 points 900 points, 3,000 in 24 hours"] * 2,
    ]
    again = form(tried.text)
    assert {**again, "csrf": ""} == {
        **sent,
        "csrf": "",
        "amount": ["300", "900", ""],
        "day": ["", "3000", ""],
        "permission": ["", ROLE, ""],
        "band": ["", "GOLD", ""],
        "harm": ["", "LOSS", ""],
    }
    kept = await lead.post("/authorityPolicies/new", data=again | {"act": "save"})
    assert (kept.status_code, kept.headers["location"]) == (303, "/authorityPolicies/front-line")
    page = (await lead.get("/authorityPolicies/goodwill")).text
    assert "It is followed by 1 person of: delivery." in page
    now = (await desk.client().get("/v1/authorityPolicies/front-line")).json()
    said = ("permission", "leastBand", "leastHarm", "points", "rollingDayPoints")
    assert [[each[field] for field in said] for each in now["limits"]] == [
        ["", "VALUE_BAND_UNSPECIFIED", "HARM_UNSPECIFIED", "300", "0"],
        [ROLE, "VALUE_BAND_GOLD", "HARM_LOSS", "900", "3000"],
    ]


async def test_a_change_is_a_version_that_can_be_looked_at_and_what_others_changed_is_not_overwritten(
    open_desk: Any,
) -> None:
    desk = await open_desk(*SERVICES)
    lead = await made(desk)
    policy = {"displayName": "Extensions", "department": "departments/front-desk", "limits": [{"days": 3}]}
    body = {**policy, "act": "AUTHORITY_ACT_EXTENSION"}
    headers = {"idempotency-key": str(uuid4())}
    made_of = "/v1/authorityPolicies?authorityPolicyId=put-off"
    assert (await desk.client().post(made_of, json=body, headers=headers)).status_code == 200
    sent = form((await lead.get("/authorityPolicies/put-off")).text)
    assert sent["amount"] == ["3", ""]
    kept = await lead.post("/authorityPolicies/put-off", data=sent | {"amount": ["5", ""], "act": "save"})
    assert kept.status_code == 303
    page = (await lead.get("/authorityPolicies/put-off")).text
    versions = re.findall(r'href="/(authorityPolicies/put-off/versions/\d)">version', page)
    assert versions == [f"authorityPolicies/put-off/versions/{n}" for n in (2, 1)]
    was = (await lead.get("/authorityPolicies/put-off/versions/1")).text
    assert table(was, "What it let people do")[0] == ["everybody", "Standard", *["3 days"] * 4]
    stale = sent | {"request_id": str(uuid4()), "amount": ["9", ""], "act": "save"}
    refused = await lead.post("/authorityPolicies/put-off", data=stale)
    assert (refused.status_code, form(refused.text)["amount"]) == (422, ["9", ""])
    off = form(page) | {"disabled": "on", "act": "look"}
    rows = table((await lead.post("/authorityPolicies/put-off", data=off)).text, "What they may do then")
    assert rows[0] == ["everybody", "Standard", *["5 days as much as they like"] * 4]


async def test_what_is_not_understood_is_said_in_the_form_and_another_limit_is_a_row(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    lead = await made(desk)
    path = "/authorityPolicies/new"
    sent = form((await lead.get(f"{path}?policy_act=EXTENSION")).text) | {"code": "put-off", "act": "save"}
    one = {"amount": ["2"], "day": [""], "permission": [""], "band": [""], "harm": [""]}
    wrong: list[dict[str, Any]] = [
        {"amount": ["two"]},
        {"amount": [""], "band": ["GOLD"]},
        {"day": ["1"]},
        {"permission": ["no.such.permission"]},
        {"band": ["DIAMOND"]},
        {"amount": ["2", "3"], "harm": ["", "", "LOSS"]},  # rows of different lengths, one without an amount
        {"code": "No!"},
    ]
    for each in wrong:
        refused = await lead.post(path, data=sent | one | each)
        assert refused.status_code == 422, each
        assert 'class="refused"' in refused.text
    more = await lead.post(path, data=sent | one | {"act": "more"})
    assert more.text.count('name="amount"') == 2
    assert "What they may do then" not in more.text


async def test_who_may_only_read_policies_changes_none(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    await made(desk)
    reader = await desk.signed_in("agent:rita", READS, "billing")
    assert "/authorityPolicies/new" not in (await reader.get("/authorityPolicies")).text
    assert (await reader.get("/authorityPolicies/new")).status_code == 403
    for path in ("No!", "none", "goodwill/versions/9"):
        assert (await reader.get(f"/authorityPolicies/{path}")).status_code == 404, path
    nobody = await desk.signed_in("agent:nobody", ["cases.cases.read"], "billing")
    assert (await nobody.get("/authorityPolicies")).status_code == 403


async def test_what_may_be_given_in_money_is_typed_and_shown_with_its_currency(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    lead = await made(desk)
    sent = form((await lead.get("/authorityPolicies/new?policy_act=REFUND")).text)
    sent |= {"code": "refunds", "display_name": "Refunds", "amount": ["25.5"], "day": ["100 eur"]}
    sent |= {"permission": [""], "band": [""], "harm": [""], "act": "save"}
    refused = await lead.post("/authorityPolicies/new", data=sent)
    assert (refused.status_code, "such as 25.50 EUR" in refused.text) == (422, True)
    kept = await lead.post("/authorityPolicies/new", data=sent | {"amount": ["25.5 EUR"]})
    page = (await lead.get(kept.headers["location"])).text
    assert form(page)["amount"] == ["25.50 EUR", ""]
    rows = table(page, "What they may do by all policies together")
    assert rows[0] == ["everybody", "Standard", *["€25.50, €100.00 in 24 hours"] * 4]
    assert "€25.50" in (await lead.get("/authorityPolicies")).text
