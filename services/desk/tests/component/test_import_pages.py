"""Importing a file at the desk: brought, understood, looked at, imported as whoever asked, mended."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from customer.service import service as customer_service
from desk.auth.lending import SignedOut
from desk.store import transfers as store
from loyalty.rpc.purchases import PurchaseRpc
from loyalty.service import service as loyalty_service
from rapport_testing.clock import ManualClock
from rapport_testing.engines.ports import free_port
from rapport_testing.wait import eventually

pytestmark = pytest.mark.together
Replica = Callable[[], Awaitable[asyncio.subprocess.Process]]
Moments = list[Callable[[], Awaitable[object]]]

PEOPLE = b"""Kundennummer;Vorname;Nachname;E-Mail;Notiz
1;Erika;Sommer;erika@example.org;gut
2;Max;Moritz;;
;Nie;Mand;;
"""
ROWS = 2500  # of which a request has a thousand
BOUGHT = "Order,Date,Email,Total\n" + "".join(
    f"{n},2026-01-05,erika@example.org,12.50\n" for n in range(1, ROWS + 1)
)
# As if the lease had run out: how long one is says the database's clock, and nobody waits for that here.
LET_GO = "UPDATE work SET lease_until = clock_timestamp() WHERE kind = 'transfer' AND state = 'CLAIMED'"


async def brought(browser: Any, content: bytes, kind: str = "customers", name: str = "kunden.csv") -> str:
    """The page of a file that somebody brings."""
    csrf = browser.headers["x-csrf"]
    answer = await browser.post(
        "/imports", data={"csrf": csrf, "kind": kind}, files={"file": (name, content)}
    )
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def told(browser: Any, page: str, *words: str) -> str:
    """The page, once it says all of that."""
    seen: dict[str, str] = {}

    async def says() -> bool:
        seen["page"] = (await browser.get(page)).text
        return all(each in seen["page"] for each in words)

    await eventually(says, 90)  # a replica may have to start first
    return seen["page"]


def sent(page: str, act: str) -> Mapping[str, str]:
    """What a form of the page sends."""
    form = page.partition(f'action="{act}"')[2].partition("</form>")[0]
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))


async def test_a_file_is_looked_at_and_imported_once_when_somebody_says_yes(open_desk: Any) -> None:
    desk = await open_desk(customer_service)
    alice = await desk.signed_in()
    page = await brought(alice, PEOPLE)
    seen = await told(alice, page, "waits for your yes")
    assert "cells separated by ;" in seen
    assert re.search(r"<li>2 new</li>.*<li>1 refused</li>.*line 4", seen, re.DOTALL)
    assert "selected>First name</option>" in seen
    assert "Erika · Max" in seen
    run = f"{page}/run"
    for _ in range(2):
        assert (await alice.post(run, data=sent(seen, run))).status_code == 303
    await told(alice, page, ">done</span>")
    (job,) = (await desk.client().get("/v1/importJobs?filter=state=DONE")).json()["importJobs"]
    assert job["createdCount"] == "2"
    assert (await alice.get(f"{page}/refused.csv")).text.count("REQUIRED") == 1
    again = await alice.post(f"{page}/check", data={"c0": "external_id", "c1": "", "c2": "display_name"})
    assert again.headers["location"] != page, "each import is taken back by itself"
    await told(alice, again.headers["location"], "waits for your yes")
    assert ">done</span>" in (await alice.get(page)).text


async def test_refused_rows_are_mended_on_their_page_and_imported_by_themselves(
    open_desk: Any,
) -> None:
    desk = await open_desk(customer_service)
    alice = await desk.signed_in()
    page = await brought(alice, PEOPLE.replace(b"Erika", b"Erna").replace(b"erika", b"erna"))
    seen = await told(alice, page, "Mend the refused rows here")
    assert 'name="confirm"' not in seen
    rows = (await alice.get(f"{page}/refused")).text
    assert re.search(r'name="r0c1" value="Nie"', rows)
    assert "Notiz" not in rows, "a column that nobody reads needs no mending"
    answer = await alice.post(f"{page}/mend", data={"r0c0": "4711", "r0c1": "=Nie", "r0c2": "Mand"})
    again = await told(alice, answer.headers["location"], "waits for your yes", "<li>1 new</li>")
    assert "a file of refused rows" in again
    assert "=Nie" in again


async def test_what_a_file_may_mean_is_asked_and_said_in_a_field_of_the_page(open_desk: Any) -> None:
    desk = await open_desk(customer_service)
    alice = await desk.signed_in()
    asks = await brought(alice, b"Order ID,Required Date,Email\n1,03/04/2026,a@example.org\n", "orders")
    seen = await told(alice, asks, ">stopped</span>")
    assert "“How dates are written”" in seen, seen[seen.index("<main") :][:1500]
    assert "--date-format" not in seen
    page = await brought(alice, b"Who,Mail\nA,a@example.org\nB,b@example.org\n")
    seen = await told(alice, page, "waits for your yes")
    assert '<option value="email" selected>' in seen
    for said in ({"c0": "external_id"}, {"country": "DE"}):
        await alice.post(f"{page}/check", data=said)
        seen = await told(alice, page, "waits for your yes")
        assert '<option value="external_id" selected>' in seen, "what was said before is still said"
    assert 'name="country" type="text" value="DE"' in seen


async def test_how_a_file_is_read_is_kept_and_the_next_one_read_so(open_desk: Any) -> None:
    desk = await open_desk(customer_service)
    alice = await desk.signed_in()
    first = b"Wer;Anmerkung\nA-1;Ada Lovelace\nA-2;Bo Ek\n"
    page = await brought(alice, first, name="oktober.csv")
    await told(alice, page, ">stopped</span>")
    await alice.post(f"{page}/check", data={"c0": "external_id", "c1": "display_name", "country": "SE"})
    seen = await told(alice, page, "waits for your yes")
    assert "Profiles that fit its columns" not in seen
    assert (await alice.post(f"{page}/profile/keep", data={"profile": "Not so"})).status_code == 400
    assert (await alice.post(f"{page}/profile/keep", data={"profile": "newcomers"})).status_code == 303
    assert "As the profile newcomers says" in await told(alice, page, "waits for your yes")
    for other in (b"Wer;Notiz\nA-3;Cy\n", first.replace(b"A-", b"B-")):
        page = await brought(alice, other, name="november.csv")
        seen = await told(alice, page, ">stopped</span>")
        assert ('<option value="newcomers">' in seen) is (b"Anmerkung" in other), "one that fits is offered"
    assert (await alice.post(f"{page}/profile", data={"profile": "newcomers"})).status_code == 303
    seen = await told(alice, page, "waits for your yes", "<li>2 new</li>")
    assert 'name="country" type="text" value="SE"' in seen
    assert (await alice.post(f"{page}/profile", data={"profile": "none"})).status_code == 400


async def test_what_is_stopped_goes_on_and_is_looked_at_first_unless_it_was(open_desk: Any) -> None:
    desk = await open_desk(customer_service)
    alice = await desk.signed_in()
    page = await brought(alice, PEOPLE.replace(b"gut", b"wieder gut"))
    await alice.post(f"{page}/stop")
    seen = await told(alice, page, ">stopped</span>", "Go on")
    await alice.post(f"{page}/run", data={"round": "1"})
    assert ">stopped</span>" in (await alice.get(page)).text, "another round is not what was shown"
    await alice.post(f"{page}/run", data=sent(seen, f"{page}/run"))
    assert "Import it" in await told(alice, page, "waits for your yes")


async def test_it_is_done_as_whoever_asked_and_not_once_they_are_signed_out(open_desk: Any) -> None:
    desk = await open_desk(customer_service)
    cookies = await desk.session(permissions=["customer.import_jobs.write", "customer.import_jobs.read"])
    alice = desk.browser(cookies)
    page = await brought(alice, PEOPLE.replace(b"gut", b"besser"))
    seen = await told(alice, page, "waits for your yes")
    assert "only those see who may read customers" in seen
    key = page.rpartition("/")[2]
    transfer = await store.GET.one(desk.running.app.db, id=UUID(key))
    assert transfer.lent == b"", "what was lent is let go of"
    lent = desk.gate.lending.lend(cookies, key)
    assert (await desk.gate.lending.viewer(lent, key)).principal.subject == "agent:alice"
    with pytest.raises(SignedOut):
        await desk.gate.lending.viewer(lent, "another")
    await desk.gate.sessions.end(cookies)
    with pytest.raises(SignedOut):
        await desk.gate.lending.viewer(lent, key)


async def test_others_see_nothing_of_it_and_too_large_a_file_is_refused_in_words(open_desk: Any) -> None:
    desk = await open_desk(customer_service)
    alice = await desk.signed_in()
    page = await brought(alice, PEOPLE)
    dora = await desk.signed_in("agent:dora", ["*"], "delivery")
    nora = await desk.signed_in("agent:nora", ["customer.customers.read"], "front-desk")
    for stranger in (dora, nora):
        for path in (page, f"{page}/cards", f"{page}/refused", f"{page}/refused.csv"):
            assert (await stranger.get(path)).status_code == 404
        assert (await stranger.post(f"{page}/run", data={"round": "2"})).status_code == 404
    assert (await nora.get("/imports")).status_code == 403
    paula = await desk.signed_in("agent:paula", ["loyalty.purchases.write", "customer.customers.resolve"])
    offered = {"nora": (await nora.get("/exports")).text, "paula": (await paula.get("/imports")).text}
    in_menu = {who: re.findall(r'<a href="(/imports|/exports)"', page) for who, page in offered.items()}
    assert in_menu == {"nora": ["/exports"], "paula": ["/imports"]}, "whoever may any of it"
    assert page not in (await dora.get("/imports")).text
    form = {"kind": "customers", "csrf": alice.headers["x-csrf"]}
    large = {"file": ("large.csv", b"x" * (20 * 2**20 + 1))}
    answer = await alice.post("/imports", data=form, files=large)
    assert (answer.status_code, "at most 20 MiB" in answer.text) == (413, True)
    unsigned = await alice.post("/imports", data={"kind": "customers"}, files={"file": ("a.csv", PEOPLE)})
    assert unsigned.status_code == 403
    empty = await alice.post("/imports", data=form, files={"file": ("a.csv", b"")})
    assert (empty.status_code, "has something in it" in empty.text) == (422, True)


async def test_what_somebody_may_read_is_exported_and_downloaded_by_them_alone(
    open_desk: Any,
) -> None:
    desk = await open_desk(customer_service)
    assert (await desk.client().post("/v1/customers", json={"displayName": "Erika Sommer"})).is_success
    alice, bob = await desk.signed_in(), await desk.signed_in("agent:bob")
    answer = await alice.post("/exports", data={"kind": "customers", "format": "csv"})
    page = answer.headers["location"]
    seen = await told(alice, page, "Download")
    assert ">done</span>" in seen
    written = await alice.get(f"{page}/file")
    assert "Erika Sommer" in written.text
    assert "attachment" in written.headers["content-disposition"]
    assert page in (await alice.get("/exports")).text
    assert (await bob.get(page)).status_code == 404
    assert page not in (await bob.get("/exports")).text
    for permissions, department, status in (([], "front-desk", 403), (["*"], "delivery", 404)):
        later = await desk.signed_in("agent:alice", permissions, department)
        assert (await later.get(f"{page}/file")).status_code == status, "what they may read no more"
    reader = await desk.signed_in("agent:rea", ["customer.customers.read"])
    assert 'value="purchases"' not in (await reader.get("/exports")).text
    assert (await reader.post("/exports", data={"kind": "cases", "format": "csv"})).status_code == 403


async def test_purchases_without_a_currency_ask_for_one(open_desk: Any) -> None:
    desk = await open_desk(customer_service)
    alice = await desk.signed_in()
    page = await brought(alice, b"Order,Date,Email,Total\n1,2026-03-04,a@example.org,12.50\n", "purchases")
    seen = await told(alice, page, ">stopped</span>")
    assert "“Currency”" in seen
    assert "RAPPORT_CURRENCY" not in seen


@pytest.fixture
def clock() -> ManualClock:
    """The present: the replicas are processes of their own, with the system's clock."""
    return ManualClock(datetime.now(UTC))


@pytest.fixture
def moments(monkeypatch: pytest.MonkeyPatch) -> Moments:
    """What happens each time that purchases were recorded, and before whoever sent them hears of it."""
    record, moments = PurchaseRpc.BatchRecordPurchases, Moments()

    async def recorded(self: Any, request: Any, context: Any) -> Any:
        answer = await record(self, request, context)
        if moments and not request.validate_only:
            await moments.pop(0)()
        return answer

    monkeypatch.setattr(PurchaseRpc, "BatchRecordPurchases", recorded)
    return moments


@pytest.fixture
async def idle(clock: ManualClock, moments: Moments, open_desk: Any) -> Any:
    """A desk that answers for pages, and leaves work to its replicas."""
    opened = await open_desk(customer_service, loyalty_service)
    await opened.running.lifecycle._work.stop(0)
    return opened


@pytest.fixture
async def replica(idle: Any) -> AsyncIterator[Replica]:
    """Starts another process of the desk."""
    own = idle.running.app.settings
    started: list[asyncio.subprocess.Process] = []

    async def start() -> asyncio.subprocess.Process:
        told = {
            "DATABASE_URL": own.database_url,
            "NATS_URL": own.nats_url,
            "JWKS_URL": own.jwks_url,
            "ISSUER": own.issuer,
            "PEERS": json.dumps(own.peers),
            "TOKEN_FILE": own.token_file,
            "HOST": "127.0.0.1",
            "GRPC_PORT": free_port(),
            "HTTP_PORT": free_port(),
            "WEB_PORT": free_port(),
            "LOG_LEVEL": "error",
        }
        environment = os.environ | {f"RAPPORT_{name}": str(value) for name, value in told.items()}
        started.append(await asyncio.create_subprocess_exec(sys.executable, "-m", "desk", env=environment))
        return started[-1]

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_replica_that_is_killed_in_the_middle_is_followed_and_no_row_is_lost_or_there_twice(
    idle: Any, replica: Replica, moments: Moments
) -> None:
    first, gone = await replica(), asyncio.Event()

    async def nothing() -> None:
        """Of the first thousand they hear."""

    async def kill() -> None:
        """They are recorded, and whoever sent them never hears of it."""
        first.kill()
        gone.set()

    moments += [nothing, kill]
    alice = await idle.signed_in()
    page = await brought(alice, BOUGHT.encode(), "purchases")
    await told(alice, page, ">stopped</span>")
    await alice.post(f"{page}/check", data={"currency": "EUR"})
    seen = await told(alice, page, "waits for your yes", "<li>2,500 new</li>")
    await alice.post(f"{page}/run", data=sent(seen, f"{page}/run"))
    await asyncio.wait_for(gone.wait(), 60)
    await first.wait()
    assert ">runs</span>" in (await alice.get(page)).text
    async with idle.running.db.connection() as connection:
        await connection.execute(LET_GO)
    await replica()
    seen = await told(alice, page, ">done</span>", "<li>0 refused</li>")
    api, token, references = idle.client(), "", []
    while token or not references:
        answer = (await api.get("/v1/purchases", params={"pageSize": 1000, "pageToken": token})).json()
        references += [int(each["reference"].rpartition("/")[2]) for each in answer["purchases"]]
        token = answer.get("nextPageToken", "")
    assert sorted(references) == [*range(1, ROWS + 1)]
    assert len((await api.get("/v1/customers")).json()["customers"]) == 1
