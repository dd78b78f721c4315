"""My work: what I and my department have to do."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from cases.service import service as cases_service
from customer.service import service as customer_service

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


async def test_the_page_stands_while_cases_is_away(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    await desk.services["cases"].stop()
    alice = await desk.signed_in("agent:alice", ["*"], "front-desk")
    answer = await alice.get("/")
    assert answer.status_code == 200
    assert answer.text.count("Cases does not answer") == 3
