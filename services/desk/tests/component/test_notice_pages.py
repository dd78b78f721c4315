"""Messages at the desk: listed by what is chosen, told step by step, taken back, and counted."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from cases.service import service as cases_service
from customer.service import service as customer_service
from notifications.service import service as notifications_service
from services.desk.tests.component.conftest import erika
from services.desk.tests.component.test_messages import template

pytestmark = pytest.mark.together

SERVICES = (customer_service, cases_service, notifications_service)
READS = ("notifications.notices.read", "notifications.delivery_attempts.read", "customer.customers.read")
WRITE = "notifications.notices.write"


async def asked_for(desk: Any, kind: str = "greeting") -> tuple[str, str]:
    """A message that is to be sent tomorrow; its name, and its customer's."""
    if (await desk.client().get("/v1/templates/hello")).status_code == 404:
        await template(desk.client(), "hello", "Good day {{ customer_name }}.")
    customer, now = await erika(desk), desk.running.app.clock.now()
    notice = {"customer": customer, "kind": kind, "template": "templates/hello"}
    body = {"notice": notice | {"scheduleTime": (now + timedelta(days=1)).isoformat()}}
    answer = await desk.client().post("/v1/notices:send", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["name"], customer


async def test_messages_are_listed_by_where_they_are_and_whose_words_they_have(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    alice, (name, customer) = await desk.signed_in(), await asked_for(desk)
    of = f"customer={customer.removeprefix('customers/')}"
    for chosen, there in (
        ("", True),
        ("&state=waits&template=hello&department=front-desk", True),
        ("&state=sent", False),
        ("&channel=sms", False),
        ("&policy=promise-at-risk", False),
        ("&department=billing", False),
    ):
        page = (await alice.get(f"/notices?{of}{chosen}")).text
        assert (f'href="/{name}"' in page) == there, chosen
    assert "Erika Sommer" in (await alice.get(f"/notices?{of}")).text
    for wrong in ("state=lost", "policy=No!", "customer=7", "channel=pigeon"):
        assert (await alice.get(f"/notices?{wrong}")).status_code == 400, wrong


async def test_more_messages_than_a_page_holds_come_in_parts(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    alice = await desk.signed_in()
    for _ in range(51):
        await asked_for(desk)
    page = (await alice.get("/notices?template=hello")).text
    assert page.count("<li data-key=") == 50
    (more,) = re.findall(r'data-more="([^"]+)"', page)
    rest = await alice.get(more.replace("&amp;", "&"), headers={"x-requested-with": "fragment"})
    assert "<li data-key=" in rest.text
    assert "<html" not in rest.text


async def test_a_message_is_told_step_by_step_and_taken_back(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    alice, (name, customer) = await desk.signed_in(), await asked_for(desk)
    page = (await alice.get(f"/{name}")).text
    assert f'href="/{customer}"' in page
    assert "waits</b>, not before tomorrow" in page
    assert "It was handed to nobody yet." in page
    assert 'href="/templates/hello"' in page
    assert f'data-open="/{name}/message"' in page
    reader = await desk.signed_in("agent:rita", READS, "front-desk")
    assert "Take it back" not in (await reader.get(f"/{name}")).text
    other = await desk.signed_in("agent:bob", [*READS, WRITE], "billing")
    refused = await other.post(f"/{name}", data={"request_id": str(uuid4())})
    assert (refused.status_code, 'class="refused"' in refused.text) == (422, True)
    form = {"request_id": str(uuid4())}
    back = await alice.post(f"/{name}", data=form)
    assert (back.status_code, back.headers["location"]) == (303, f"/{name}")
    page = (await alice.get(f"/{name}")).text
    assert "was not sent</b>: taken back" in page
    assert "Take it back" not in page
    assert (await alice.post(f"/{name}", data={"request_id": str(uuid4())})).status_code == 422
    for gone in (f"notices/{uuid4()}", "notices/7"):
        assert (await alice.get(f"/{gone}")).status_code == 404


async def test_a_timeline_leads_to_all_messages_and_why_to_one(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    alice, (name, customer) = await desk.signed_in(), await asked_for(desk)
    timeline = (await alice.get(f"/{customer}/timeline")).text
    assert f'href="/notices?customer={customer.removeprefix("customers/")}"' in timeline
    why = (await alice.get(f"/why?of={name}", headers={"x-requested-with": "fragment"})).text
    assert f'href="/{name}"' in why


async def test_what_became_of_messages_is_counted_by_what_is_chosen(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    alice, (name, _) = await desk.signed_in(), await asked_for(desk)
    assert (await alice.post(f"/{name}", data={"request_id": str(uuid4())})).status_code == 303
    page = (await alice.get("/notices/report?by=template")).text
    (row,) = [each for each in page.split("<tr>") if "template=hello" in each]
    assert re.findall(r'<td class="num">([^<]+)</td>', row)[2:4] == ["0", "0"]
    assert re.search(r"<li>\d+ was not sent: taken back</li>", page)
    for by in ("policy", "channel", "department"):
        assert (await alice.get(f"/notices/report?by={by}&weeks=52")).status_code == 200, by
    assert "front-desk" in (await alice.get("/notices/report?by=department")).text
    of_billing = (await alice.get("/notices/report?by=template&department=billing")).text
    assert "No message was asked for." in of_billing
    for wrong in ("by=weather", "department=No!", "weeks=7"):
        assert (await alice.get(f"/notices/report?{wrong}")).status_code == 400, wrong


async def test_who_may_not_read_messages_sees_none(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    nobody = await desk.signed_in("agent:nobody", ["cases.cases.read"], "front-desk")
    for path in ("/notices", "/notices/report", f"/notices/{uuid4()}"):
        assert (await nobody.get(path)).status_code == 403, path
