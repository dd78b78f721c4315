"""Who waited for whom: the picture and the figures are of one report."""

import re
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import uuid4

from cases.service import service as cases_service
from customer.service import service as customer_service

SERVICES = (customer_service, cases_service)
DAY = timedelta(days=1)


async def asked(desk: Any, path: str, **told: Any) -> Any:
    answer = await desk.client().post(f"/v1/{path}", json=told, headers={"idempotency-key": str(uuid4())})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def waited(desk: Any, clock: Any) -> None:
    """Billing gets work of the front desk's, waits three days, works two, and gives it to delivery."""
    api = desk.client()
    alice = {"displayName": "Alice", "phone": "+49 30 901820", "department": "departments/front-desk"}
    assert (await api.patch("/v1/agents/alice?allowMissing=true", json=alice)).is_success
    await asked(desk, "topics?topicId=late-delivery", displayName="Late delivery")
    case = {"customer": f"customers/{uuid4()}", "topic": "late-delivery", "owner": "agents/alice"}
    opened = await asked(desk, "cases:open", case=case)
    work = {"case": opened["name"], "department": "departments/billing", "kind": "refund"}
    item = await asked(desk, "workItems", **work)
    clock.advance(3 * DAY)
    await asked(desk, f"{item['name']}:start")
    clock.advance(2 * DAY)
    over = {"department": "departments/delivery", "reasonCode": "not-ours", "askedCustomerAgain": True}
    await asked(desk, f"{item['name']}:handOver", **over)


def lines(page: str) -> dict[str, list[str]]:
    """The words of the cells of each pair."""
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', page, re.DOTALL)
    cells = {head: re.findall(r'<td class="num">(.*?)</td>', row) for head, row in rows}
    return {
        unescape(re.sub("<.*?>", "", head)): [" ".join(re.sub("<.*?>", " ", cell).split()) for cell in of]
        for head, of in cells.items()
    }


async def test_each_pair_says_how_often_how_long_and_what_of_it_was_work(open_desk: Any, clock: Any) -> None:
    desk = await open_desk(*SERVICES)
    await waited(desk, clock)
    alice = await desk.signed_in("agent:alice", ["*"], "front-desk")
    page = (await alice.get("/handoffs")).text
    found = lines(page)
    assert found["Front desk → Billing"] == [
        "1",
        "0",
        "0",
        "3 days open 72 hours",
        "2 days open 48 hours",
    ]
    assert found["Billing → Delivery"][:3] == ["1", "0", "1"]
    assert "1 case, 1 of them open." in page
    assert "40% of the time somebody worked" in page
    (picture,) = re.findall(r"together: waited 3 days.*?</svg>", page, re.DOTALL)
    parts = re.findall(r'class="(\w+)" x="(\d+)" y="1" width="(\d+)"', picture)
    assert parts == [("wait", "0", "600"), ("work", "600", "400")]


async def test_a_department_and_a_topic_are_chosen_and_kept_by_the_other_choices(
    open_desk: Any, clock: Any
) -> None:
    desk = await open_desk(*SERVICES)
    await waited(desk, clock)
    alice = await desk.signed_in("agent:alice", ["*"], "front-desk")
    page = (await alice.get("/handoffs?topic=late-delivery")).text
    (link,) = re.findall(r'<a href="([^"]+)">Delivery</a>', page)
    chosen = (await alice.get(unescape(link))).text
    assert list(lines(chosen)) == ["Billing → Delivery"]
    longer = unescape(
        dict(map(reversed, re.findall(r'class="chip" href="([^"]+)">([^<]+)<', chosen)))["26 weeks"]
    )
    assert "topic=late-delivery" in longer
    assert "department=delivery" in longer
    assert "No case was opened." in (await alice.get("/handoffs?topic=damaged")).text
    assert (await alice.get("/handoffs?topic=No!")).status_code == 400


async def test_the_page_says_that_cases_is_away(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    await desk.services["cases"].stop()
    alice = await desk.signed_in("agent:alice", ["*"], "front-desk")
    answer = await alice.get("/handoffs")
    assert answer.status_code == 200
    assert "Cases does not answer" in answer.text
