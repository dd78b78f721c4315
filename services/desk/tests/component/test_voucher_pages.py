"""The till at the desk: rewards redeemed and handed over, a code said once, and used."""

import re
from html import unescape
from typing import Any
from uuid import uuid4

from cases.service import service as cases_service
from customer.service import service as customer_service
from loyalty.service import service as loyalty_service
from services.desk.tests.component.conftest import erika

SERVICES = (customer_service, cases_service, loyalty_service)
UNIT = "programs/main/units/points"
AGENT = [
    *("loyalty.goodwill.read", "loyalty.redemptions.read", "loyalty.redemptions.write"),
    *("loyalty.rewards.read", "loyalty.vouchers.issue", "loyalty.vouchers.read", "loyalty.vouchers.use"),
    *("loyalty.cards.read", "loyalty.programs.read", "customer.customers.read"),
]


async def sent(desk: Any, path: str, body: Any) -> Any:
    answer = await desk.client().request("POST", path, json=body, headers={"idempotency-key": str(uuid4())})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def offered(desk: Any, customer: str) -> str:
    """A member with 500 points, by the number of their card; rewards that they can have, and cannot."""
    goodwill = {"customer": customer, "points": {"amount": "500"}, "reasonCode": "sorry"}
    granted = (await sent(desk, "/v1/goodwill:grant", {"goodwill": goodwill}))["membership"]
    ten = {"money": {"currencyCode": "USD", "units": "10"}, "validDays": 30}
    for code, fields in {
        "ten-off": {"displayName": "Ten off", "points": "300", "voucher": ten},
        "cup": {"displayName": "Cup", "points": "501"},
        "pen": {"displayName": "Pen", "points": "1", "stocked": True},
    }.items():
        await sent(desk, f"/v1/rewards?rewardId={code}", {"unit": UNIT, **fields})
    await sent(desk, f"/v1/{granted}/cards", {"number": "47110815"})
    return "47110815"


def form(page: str, act: str, what: str) -> dict[str, str]:
    """What the form of a button holds."""
    found = next(each for each in page.split("<form ") if f'value="{act}"' in each and f': {what}"' in each)
    inputs = dict(re.findall(r'<input[^>]*name="(\w+)"[^>]*value="([^"]*)"', found.partition("</form>")[0]))
    return {name: unescape(inputs[name]) for name in ("request_id", "name")} | {"act": act}


async def test_a_voucher_is_redeemed_handed_over_said_once_and_used(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    name = await erika(desk)
    card = await offered(desk, name)
    alice = await desk.signed_in("agent:alice", AGENT, "front-desk")
    assert (await alice.get("/redeem")).status_code == 200
    at = await alice.post("/redeem", data={"act": "find", "card": card})
    assert (at.status_code, at.headers["location"]) == (303, f"/{name}/redeem")
    page = (await alice.get(f"/{name}/redeem")).text
    assert re.findall(r'class="soft">(too few points|none is left)<', page) == [
        "too few points",
        "none is left",
    ]
    assert "500 points" in page
    await alice.post(f"/{name}/redeem", data=form(page, "redeem", "Ten off"))
    page = (await alice.get(f"/{name}/redeem")).text
    hand_over = form(page, "hand-over", "Ten off")
    told = await alice.post(f"/{name}/redeem", data=hand_over)
    [code] = re.findall(r'<p class="big"><code>([^<]+)</code>', told.text)
    assert (len(code), told.headers["cache-control"]) == (21, "no-store")
    again = (await alice.post(f"/{name}/redeem", data=hand_over)).text
    assert (code in again, "It was said before" in again) == (False, True)
    typed = {"code": code, "reference": "receipt-7", "request_id": str(uuid4())}
    assert "It is for somebody else" in (await alice.post("/redeem", data={**typed, "act": "check"})).text
    typed |= {"card": card, "request_id": str(uuid4())}
    used = (await alice.post("/redeem", data={**typed, "act": "use"})).text
    assert ("It is used." in used, code in used) == (True, False)
    late = await alice.post("/redeem", data={**typed, "act": "use", "request_id": str(uuid4())})
    assert "It was used." in late.text
    assert "<td>used</td>" in (await alice.get(f"/{name}/redeem")).text


async def test_what_is_refused_is_said_and_who_may_only_look_has_no_buttons(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    name = await erika(desk)
    await offered(desk, name)
    alice = await desk.signed_in("agent:alice", AGENT, "front-desk")
    page = (await alice.get(f"/{name}/redeem")).text
    request = form(page, "redeem", "Ten off") | {"name": "rewards/pen"}
    refused = await alice.post(f"/{name}/redeem", data=request)
    assert (refused.status_code, 'role="alert"' in refused.text) == (422, True)
    looks = await desk.signed_in(
        "agent:bob", [each for each in AGENT if each.endswith(".read")], "front-desk"
    )
    page = (await looks.get(f"/{name}/redeem")).text
    assert ("Ten off" in page, 'name="act"' in page) == (True, False)
    assert (await alice.get("/customers/nobody/redeem")).status_code == 404
