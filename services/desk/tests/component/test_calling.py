"""The page of a call: what to say, how they are reached, and what became of it by one button."""

import re
from html import unescape
from typing import Any
from uuid import uuid4

import grpc
import pytest

from cases.service import service as cases_service
from customer.service import service as customer_service
from desk.pages.services import Services
from rapport_testing.wait import eventually
from rapport_tools.local.roles import ROLES

pytestmark = pytest.mark.together

AGENT = sorted(ROLES["agent"])


async def made(client: Any, path: str, **told: Any) -> Any:
    answer = await client.post(path, json=told, headers={"idempotency-key": str(uuid4())})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
async def desk(open_desk: Any) -> Any:
    """The desk with customers and cases; Alice works for the front desk."""
    opened = await open_desk(customer_service, cases_service)
    api = opened.client()
    told = {"displayName": "Alice", "phone": "+49 30 901820", "department": "departments/front-desk"}
    assert (await api.patch("/v1/agents/alice?allowMissing=true", json=told)).is_success
    return opened


@pytest.fixture
async def alice(desk: Any) -> Any:
    return await desk.signed_in("agent:alice", AGENT, "front-desk")


async def call_of(desk: Any, *numbers: str, **told: Any) -> Any:
    """A call to Erika, on a case that Alice owns."""
    api = desk.client()
    handles = [{"type": "TYPE_PHONE", "value": number} for number in numbers]
    erika = await made(
        api, "/v1/customers", displayName="Erika Sommer", timeZone="Europe/Berlin", identifiers=handles
    )
    case = {"customer": erika["name"], "topic": "late-delivery", "owner": "agents/alice"}
    opened = await made(api, "/v1/cases:open", case=case)
    asked = {"reasonCode": "bad-news"} | told
    item = await made(api, "/v1/workItems:requestCall", case=opened["name"], **asked)
    return {"customer": erika["name"], "path": f"/calls/{item['name'].removeprefix('workItems/')}", **item}


def held(html: str) -> dict[str, str]:
    """The hidden fields of the form."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', html)
    return {name: unescape(value) for name, value in found}


async def page_of(who: Any, call: Any) -> str:
    answer = await who.get(call["path"])
    assert answer.status_code == 200, answer.text
    return str(answer.text)


async def record(who: Any, call: Any, outcome: str, **typed: str) -> Any:
    form = held(await page_of(who, call))
    return await who.post(call["path"], data={**form, "outcome": outcome, **typed})


async def test_it_says_what_to_say_shows_no_number_and_is_over_once_they_were_reached(
    desk: Any, alice: Any
) -> None:
    call = await call_of(desk, "+49 30 901821")
    page = await page_of(alice, call)
    assert "Call: news that hurts" in page
    assert "I want you to hear it from a person" in unescape(page)
    assert re.search(r"It is .+ where they are", page)
    assert "901821" not in page
    assert "Nobody has called yet." in page
    done = await record(alice, call, "REACHED")
    assert done.headers["location"].endswith("?recorded=REACHED")
    page = str((await alice.get(done.headers["location"])).text)
    assert "Recorded: reached." in page
    assert re.search(r"Alice: reached", page)
    assert 'name="outcome"' not in page


async def test_what_is_waited_for_is_said_and_a_time_that_they_want_is_kept(desk: Any, alice: Any) -> None:
    call = await call_of(desk, "+49 30 901821")
    done = await record(alice, call, "CALL_BACK", day="2099-01-01", time="10:00")
    assert done.status_code == 200
    assert "90 days" in str(done.text) or "must be" in str(done.text)
    await record(alice, call, "NO_ANSWER")
    page = await page_of(alice, call)
    assert "Not before " in page
    assert "nobody answered" in page


async def test_a_wrong_number_is_no_choice_any_more_and_without_any_who_owns_the_case_has_it(
    desk: Any, alice: Any
) -> None:
    call = await call_of(desk, "+49 30 901821")
    number = re.search(r'<option value="([^"]+identifiers[^"]+)"', await page_of(alice, call))
    assert number
    await record(alice, call, "WRONG_NUMBER", number=number[1])

    async def known() -> str:
        page = await page_of(alice, call)
        return page if "not theirs, as somebody who called found" in page else ""

    page = await eventually(known)
    assert "No number of theirs works" in page
    assert "<option" not in page
    await record(alice, call, "WRONG_NUMBER")
    assert "Who owns the case decides how they hear of it." in await page_of(alice, call)


async def test_the_departments_own_words_are_said_and_what_somebody_else_recorded_is_not_recorded_over(
    desk: Any, alice: Any
) -> None:
    told = {"displayName": "Front desk", "callScripts": {"feedback": "Hello.\nThank you."}}
    api = desk.client()
    assert (await api.patch("/v1/departments/front-desk?allowMissing=true", json=told)).is_success
    call = await call_of(desk, "+49 30 901821", reasonCode="feedback")
    before = await page_of(alice, call)
    assert '<p class="as-written" lang="">Thank you.</p>' in before
    await record(alice, call, "NO_ANSWER")
    late = await alice.post(call["path"], data={**held(before), "outcome": "REACHED"})
    assert "Somebody changed this meanwhile." in str(late.text)


async def test_what_may_have_been_recorded_is_recorded_once_when_it_is_said_again(
    desk: Any, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = await call_of(desk, "+49 30 901821")
    lost = grpc.aio.AioRpcError(grpc.StatusCode.DEADLINE_EXCEEDED, grpc.aio.Metadata(), grpc.aio.Metadata())
    calls: Any = Services.calls
    with monkeypatch.context() as patch:

        class Lost:
            """Calls whose answers are lost."""

            def __init__(self, services: Services) -> None:
                self._calls = calls.__get__(services)

            async def RecordCallOutcome(self, request: Any) -> Any:
                await self._calls.RecordCallOutcome(request)
                raise lost

        patch.setattr(Services, "calls", property(Lost))
        again = await record(alice, call, "NO_ANSWER")
    assert again.status_code == 200
    await alice.post(call["path"], data={**held(str(again.text)), "outcome": "NO_ANSWER"})
    item = (await desk.client().get(f"/v1/{call['name']}")).json()
    assert len(item["call"]["attempts"]) == 1


async def test_it_is_in_my_work_and_on_the_case_and_other_work_has_no_such_page(
    desk: Any, alice: Any
) -> None:
    call = await call_of(desk)
    assert f'<a href="{call["path"]}">' in str((await alice.get("/")).text)
    assert f'<a href="{call["path"]}">' in str((await alice.get(f"/{call['case']}")).text)
    assert f'<a href="{call["path"]}">' in str((await alice.get(f"/{call['customer']}")).text)
    told = {"case": call["case"], "department": "departments/front-desk", "kind": "repair"}
    item = await made(desk.client(), "/v1/workItems", **told)
    other = f"/calls/{item['name'].removeprefix('workItems/')}"
    assert (await alice.get(other)).status_code == 404


async def test_somebody_asks_on_the_page_of_the_case_that_they_are_called(desk: Any, alice: Any) -> None:
    call = await call_of(desk)
    path = f"/{call['customer']}/act/have-called?on={call['case']}"
    form = await alice.get(path)
    assert form.status_code == 200, form.text
    done = await alice.post(path, data={**held(str(form.text)), "reason": "feedback"})
    assert "Somebody is asked to call: feedback." in str(done.text)
