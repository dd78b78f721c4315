"""The pages for operators, of a desk before real services with real dead letters."""

import re
from datetime import timedelta
from importlib.metadata import version
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from chassis.db.statement import values
from customer.service import service as customer_service
from loyalty.service import service as loyalty_service
from notifications.service import service as notifications_service
from notifications.store.providers import GET_PROVIDER, UPDATE_PROVIDER
from rapport.cases.v1.cases_events_pb2 import PromiseAtRisk
from rapport_testing.wait import eventually

pytestmark = pytest.mark.together

CUSTOMER = "customers/0198c0de-0000-7000-8000-000000000001"
READ, WRITE = "loyalty.operations.read", "loyalty.operations.write"
LETTERS, PROVIDERS = "/operations/dead-letters", "/operations/providers"


@pytest.fixture
async def desk(open_desk: Any) -> Any:
    """A desk before loyalty; the other services are away."""
    return await open_desk(loyalty_service)


@pytest.fixture
async def sre(desk: Any) -> httpx.AsyncClient:
    """Somebody who runs loyalty."""
    return await desk.signed_in("agent:nils", [READ, WRITE], "platform")


async def give_up(desk: Any, count: int = 1) -> list[str]:
    """Have loyalty give up on events: of a promise whose name is none."""
    about = "promises/nonsense"
    ids: list[UUID] = [
        await desk.services["loyalty"].deliver(
            PromiseAtRisk(promise=about, customer=CUSTOMER), resource=about, source="cases"
        )
        for _ in range(count)
    ]
    names = [f"services/loyalty/consumers/loyalty-promises/deadLetters/{each}" for each in ids]
    asker = desk.client(READ)

    async def are_dead() -> bool:
        answers = [await asker.get(f"/v1/{name}") for name in names]
        return all(answer.status_code == 200 for answer in answers)

    await eventually(are_dead)
    return names


async def told(desk: Any, name: str) -> int:
    """The status of a dead letter by REST: 200 while it is one."""
    return int((await desk.client(READ).get(f"/v1/{name}")).status_code)


def text(answer: httpx.Response, status: int = 200) -> str:
    """What a page says, without its markup."""
    assert answer.status_code == status, answer.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.text))


def form(act: str, *names: str, **more: str) -> dict[str, Any]:
    return {"act": act, "name": list(names), "request_id": str(uuid4()), **more}


async def test_a_service_that_does_not_answer_costs_its_row_and_the_others_say_how_they_are(
    desk: Any,
) -> None:
    ada = await desk.signed_in("agent:ada", ["*"], "platform")
    await give_up(desk)

    async def of_loyalty() -> str:  # its clock may just have told something
        page = text(await ada.get("/operations"))
        serves = f"loyalty Serves {version('rapport-loyalty')} empty up to date 0 1 "
        return page if serves in page else ""

    page = await eventually(of_loyalty)
    assert "4 services do not answer: their state is unknown." not in page  # the desk itself answers
    assert "3 services do not answer: their state is unknown." in page
    assert re.search(r"cases No answer silent since .*?, when this desk first asked( unknown){6}", page)
    assert "loyalty-promises gave up on 1 event (InvalidArgument)." in page


@pytest.mark.alone("a service is stopped")
async def test_a_service_that_stops_is_said_to_have_answered_last(open_desk: Any) -> None:
    desk = await open_desk(customer_service, loyalty_service)
    sre = await desk.signed_in("agent:nils", ["customer.operations.read", READ])
    assert "customer Serves" in text(await sre.get("/operations"))
    await desk.services["customer"].stop()
    page = text(await sre.get("/operations"))
    assert re.search(r"customer No answer last answered today [\d:]+, now", page)
    assert "loyalty Serves" in page


async def test_only_those_who_may_know_are_shown_the_pages(desk: Any) -> None:
    alice = await desk.signed_in("agent:alice", ["cases.cases.read", "loyalty.*"])
    nils = await desk.signed_in("agent:nils", [READ])
    for path in ("/operations", "/operations/services/loyalty", LETTERS, "/operations/traces"):
        refused = await alice.get(path)
        assert refused.status_code == 403
        assert 'href="/operations"' not in refused.text
        assert 'href="/operations"' in (await nils.get(path)).text
    assert (await nils.get("/operations/services/cases")).status_code == 403
    assert (await nils.get("/operations/services/nobody")).status_code == 404
    assert "cases" not in text(await nils.get("/operations"))


@pytest.mark.alone("dead letters are counted")
async def test_a_service_shows_what_it_listens_to_and_has_still_to_do(sre: httpx.AsyncClient) -> None:
    page = text(await sre.get("/operations/services/loyalty"))
    assert "loyalty-promises cases 0 0 0 0" in page
    assert "check ledger" in page


async def test_a_dead_letter_is_listed_and_shown_with_its_event_and_its_customer(
    desk: Any, sre: httpx.AsyncClient
) -> None:
    [name] = await give_up(desk)
    listed = await sre.get(LETTERS)
    assert "Promise at risk loyalty-promises invalid name" in text(listed)
    for link in (f'href="/operations/{name}"', f'href="/{CUSTOMER}"'):
        assert link in listed.text
    shown = text(await sre.get(f"/operations/{name}"))
    assert "loyalty-promises gave up on it" in shown
    assert "&#34;promise&#34;: &#34;promises/nonsense&#34;" in shown


async def test_one_is_replayed_at_once_and_given_up_again_when_nothing_was_mended(
    desk: Any, sre: httpx.AsyncClient
) -> None:
    [name] = await give_up(desk)
    assert "1 of 1 dead letter replayed" in text(await sre.post(LETTERS, data=form("replay", name)))

    async def is_dead_again() -> bool:
        return await told(desk, name) == 200

    await eventually(is_dead_again)


async def test_one_is_dropped_with_a_reason_once_that_was_confirmed(
    desk: Any, sre: httpx.AsyncClient
) -> None:
    [name] = await give_up(desk)
    asked = form("drop", name)
    assert "Drop 1 dead letter for good?" in text(await sre.post(LETTERS, data=asked))
    assert "A code of small letters" in text(await sre.post(LETTERS, data={**asked, "sure": "1"}), 422)
    assert await told(desk, name) == 200
    sure = {**asked, "sure": "1", "reason": "no-longer-needed"}
    for _ in range(2):  # a repeat of the click does it once, and says the same
        assert "1 of 1 dead letter dropped" in text(await sre.post(LETTERS, data=sure))
    assert await told(desk, name) == 404


@pytest.mark.alone("dead letters are counted")
async def test_of_many_the_count_is_said_before_and_each_that_is_refused_is_named_after(
    desk: Any, sre: httpx.AsyncClient
) -> None:
    names = await give_up(desk, 3)
    counted = await sre.post(LETTERS, data={"act": "drop", "all": "1", "of": ""})
    assert "Drop 3 dead letters for good?" in text(counted)
    assert all(f'name="name" value="{name}"' in counted.text for name in names)
    await sre.post(LETTERS, data=form("drop", names[1], sure="1", reason="malformed"))
    done = await sre.post(LETTERS, data=form("drop", *names, sure="1", reason="malformed"))
    assert "2 of 3 dead letters dropped 1 was refused: it is named below" in text(done)
    assert f"{names[1][-6:]} is no dead letter any more" in text(done)
    assert "There are none." in text(await sre.get(LETTERS + "?service=loyalty"))


@pytest.mark.alone("dead letters are counted")
async def test_a_service_that_is_away_is_not_counted_and_that_is_said(desk: Any) -> None:
    await give_up(desk)
    ada = await desk.signed_in("agent:ada", ["*"])
    page = text(await ada.post(LETTERS, data={"act": "replay", "all": "1", "of": ""}))
    assert "Replay 1 dead letter?" in page
    assert re.search(r"cases is silent since .*? What it has is not among these.", page)


async def test_who_may_only_look_has_no_buttons_and_is_refused_by_the_service(desk: Any) -> None:
    [name] = await give_up(desk)
    looker = await desk.signed_in("agent:otto", [READ])
    for path in (LETTERS, f"/operations/{name}"):
        assert 'name="act"' not in (await looker.get(path)).text
    done = text(await looker.post(LETTERS, data=form("drop", name, sure="1", reason="malformed")))
    assert "0 of 1 dead letter dropped" in done
    assert "is not yours to change" in done
    assert await told(desk, name) == 200


@pytest.mark.alone("a provider is unavailable")
async def test_a_provider_that_takes_nothing_needs_somebody_who_may_have_it_tried(open_desk: Any) -> None:
    desk = await open_desk(notifications_service)
    rights = ["notifications.operations.read", "notifications.providers.read"]
    looker = await desk.signed_in("agent:otto", rights)
    nils = await desk.signed_in("agent:nils", [*rights, "notifications.providers.write"])
    assert "Try now" not in (await nils.get(PROVIDERS)).text
    db = desk.services["notifications"].db
    provider = await GET_PROVIDER.one(db, id="smtp")
    provider.fail("no-connection", db.clock.now(), leave_alone=timedelta(minutes=10))
    await UPDATE_PROVIDER.run(db, **values(provider))
    assert "smtp has taken no messages since" in text(await nils.get("/operations"))
    assert "Try now" not in (await looker.get(PROVIDERS)).text
    assert "Try now" in (await nils.get(PROVIDERS)).text
    sent = {"provider": "smtp", "request_id": str(uuid4())}
    assert (await looker.post(PROVIDERS, data=sent)).status_code == 403
    assert (await nils.post(PROVIDERS, data=sent)).status_code == 303
    tried = await GET_PROVIDER.one(db, id="smtp")
    assert tried.retry_time < provider.retry_time


@pytest.mark.parametrize(
    "wrong",
    [
        {"act": "burn"},
        {"act": "replay", "name": "customers/1"},
        {"act": "replay", "name": ["services/loyalty/consumers/a/deadLetters/" + str(UUID(int=1))] * 101},
        {"act": "drop", "request_id": "1"},
        {},
    ],
    ids=["act", "name", "too many", "request id", "nothing"],
)
async def test_a_form_that_is_not_of_a_page_is_refused(sre: httpx.AsyncClient, wrong: dict[str, Any]) -> None:
    assert (await sre.post(LETTERS, data=wrong)).status_code == 400


async def test_what_is_no_dead_letter_is_not_found(sre: httpx.AsyncClient) -> None:
    for which in (str(uuid4()), "nonsense"):
        answer = await sre.get(f"/operations/services/loyalty/consumers/loyalty-promises/deadLetters/{which}")
        assert answer.status_code in (400, 404)
    assert "None was chosen" in text(await sre.post(LETTERS, data=form("drop")))
