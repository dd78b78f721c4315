"""By what members earn, at the desk: the rules, trying one on a purchase, and why these points."""

import re
from html import unescape
from typing import Any
from uuid import uuid4

from customer.service import service as customer_service
from loyalty.service import service as loyalty_service

SERVICES = (customer_service, loyalty_service)
BASE = {
    "displayName": "A point a dollar",
    "department": "departments/front-desk",
    "unit": "programs/main/units/points",
    "basis": "BASIS_LINE",
    "pointsPerCurrencyUnit": {"value": "1"},
    "currencyCode": "USD",
}


async def sent(desk: Any, path: str, body: Any) -> Any:
    answer = await desk.client().request("POST", path, json=body, headers={"idempotency-key": str(uuid4())})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def bought(desk: Any) -> str:
    """The id of a purchase of two lines, which earned 13 by the rule `base`."""
    await sent(desk, "/v1/earningRules?earningRuleId=base", BASE)
    await sent(desk, "/v1/earningRules/base:activate", {})
    lines = [
        {"product": product, "quantity": {"value": "1"}, "amount": {"currencyCode": "USD", "units": amount}}
        for product, amount in (("bread", "3"), ("dairy-1", "10"))
    ]
    purchase = {
        "customer": f"customers/{uuid4()}",
        "amount": {"currencyCode": "USD", "units": "13"},
        "purchaseTime": "2026-03-01T12:00:00Z",
        "lines": lines,
    }
    recorded = await sent(desk, "/v1/purchases:record", {"purchase": purchase})
    return str(recorded["name"].removeprefix("purchases/"))


def typed(page: str) -> dict[str, str]:
    """What the form holds."""
    form = page.partition('<form method="post" action="/earningRules/')[2].partition("</form>")[0]
    found = dict(re.findall(r'<input[^>]*name="(\w+)"[^>]*value="([^"]*)"', form))
    found["condition"] = (re.findall(r"<textarea[^>]*>\n?(.*?)</textarea>", form, re.DOTALL) or [""])[0]
    return {name: unescape(value) for name, value in found.items() if name != "csrf"}


async def test_why_these_points_is_said_rule_by_rule_and_line_by_line(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    purchase = await bought(desk)
    alice = await desk.signed_in("agent:alice", ["*"], "front-desk")
    page = (await alice.get(f"/earnings/{purchase}")).text
    rows = re.findall(r">base, version 2</a></th><td>(\d)</td><td>(\d+)</td>", page)
    assert rows == [("1", "3"), ("2", "10")]


async def test_a_change_is_tried_on_a_purchase_kept_as_a_draft_and_put_in_force(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    purchase = await bought(desk)
    alice = await desk.signed_in("agent:alice", ["*"], "front-desk")
    listed = (await alice.get("/earningRules")).text
    assert "1 points for each USD" in listed
    assert "version 2 is in force" in listed

    form = typed((await alice.get("/earningRules/base")).text)
    form["condition"] = "line.product.startsWith('dairy')"
    tried = await alice.post(
        "/earningRules/base", data=form | {"act": "try", "purchase": f"purchases/{purchase}"}
    )
    assert re.search(r"<td>1</td><td>0</td><td>0</td><td>its condition does not hold</td>", tried.text)
    assert "version 3" not in (await alice.get("/earningRules")).text

    kept = await alice.post("/earningRules/base", data=form | {"act": "save"})
    page = (await alice.get(kept.headers["location"])).text
    assert "draft; version 2 is in force" in page
    await alice.post("/earningRules/base", data=typed(page) | {"act": "activate"})
    assert "version 4 is in force" in (await alice.get("/earningRules")).text


async def test_a_rule_that_is_none_is_refused_with_what_was_typed(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    await bought(desk)
    alice = await desk.signed_in("agent:alice", ["*"], "front-desk")
    form = typed((await alice.get("/earningRules/base")).text)
    form["condition"] = "line.colour == 'red'"
    answer = await alice.post("/earningRules/base", data=form | {"act": "save"})
    assert answer.status_code == 422
    assert "line.colour" in answer.text
