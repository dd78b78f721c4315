"""Webhooks, from a sender to the timeline of the right customer."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from unittest.mock import Mock
from uuid import UUID

import grpc
import httpx
import pytest
import structlog

from chassis.context import Call, Principal, acting, service_itself
from chassis.db.statement import Statement
from chassis.errors import Unavailable
from chassis.lifecycle import Lifecycle
from chassis.work import Later
from customer.service import service as customer_service
from desk.edge.webhooks.kinds.mail import BODY_MAX_BYTES
from desk.edge.webhooks.receiving import Keeping
from desk.edge.webhooks.recording import Recorded, Recording
from desk.edge.webhooks.resolving import Customers
from desk.edge.webhooks.sources import Sources
from desk.service import service as desk_service
from desk.store import received as store
from desk.store.cleaning import CHUNK
from desk.store.received import Delivery, Received, State
from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceStub
from rapport.customer.v1.timeline_service_pb2_grpc import TimelineServiceStub
from rapport_testing.engines.ports import free_port
from rapport_testing.wait import eventually

NUMBER = "+4930901820"
CANARY = "canary@example.com"
NOBODY = "customers/0199b2a4-6f0e-7c2a-9d1e-5c8f3a7b2e60"
AWAY = f"From: {CANARY}\r\nAuto-Submitted: auto-replied\r\n\r\nI am away.".encode()
SMS = {"from": NUMBER, "text": "Where is it?"}


def problem(answer: httpx.Response, status: int, reason: str) -> dict[str, Any]:
    told = answer.json()
    assert (answer.status_code, told.get("reason")) == (status, reason), told
    assert answer.headers["content-type"] == "application/problem+json"
    return told


async def settled(db: Any, id: str, state: State = State.RECORDED) -> Received:
    async def found() -> Received | None:
        received = await store.GET.one(db, id=UUID(id))
        assert received.state is state, (received.state, received.reason_code, received.problems)
        return received

    return await eventually(found)


@contextlib.asynccontextmanager
async def decided_by(subject: str) -> AsyncIterator[None]:
    with acting(Call("pages/received", Principal(subject))):
        yield


async def count(db: Any, table: str) -> int:
    async with db.connection() as on:
        return await on.fetchval(f"SELECT count(*) FROM {table}")


async def the_only(db: Any) -> str:
    async with db.connection() as on:
        return str(await on.fetchval("SELECT id FROM received"))


@pytest.fixture
def db(desk):
    return desk.running.db


@pytest.fixture
def entries(alice):
    """Gives the timeline of a customer."""

    async def of(customer: str) -> list[dict[str, Any]]:
        answer = await alice.get(f"/v1/{customer}/timelineEntries")
        return [
            each
            for each in answer.json()["timelineEntries"]
            if each["eventType"].endswith("InteractionRecorded")
        ]

    return of


PAYLOADS: dict[str, tuple[Any, str]] = {
    "event": ({"channel": "APP", "identifiers": [{"type": "EMAIL", "value": CANARY}]}, "CHANNEL_APP"),
    "telephony": ({"call": "c-1", "event": "ended", "from": NUMBER}, "CHANNEL_VOICE"),
    "web-form": ({"email": CANARY, "message": "Hello"}, "CHANNEL_WEB"),
    "chat": ({"email": CANARY, "messages": [{"from": "customer", "text": "Hello"}]}, "CHANNEL_CHAT"),
    "sms": (SMS, "CHANNEL_SMS"),
    "social": ({"network": "mastodon", "handle": "@canary", "text": "!"}, "CHANNEL_SOCIAL"),
    "fax": ({"from": NUMBER, "document": "faxes/1"}, "CHANNEL_FAX"),
    "letter": (
        {"document": "l/1", "identifiers": [{"type": "ACCOUNT_NUMBER", "value": "7"}]},
        "CHANNEL_LETTER",
    ),
    "email": (f"From: Canary <{CANARY}>\r\nSubject: Hello\r\n\r\nHello".encode(), "CHANNEL_EMAIL"),
}


async def test_a_webhook_of_somebody_unknown_makes_a_customer_and_one_entry(
    sender, db, entries, clock
) -> None:
    kept = {kind: await sender(kind).send(body, kind) for kind, (body, _) in PAYLOADS.items()}
    clock.advance(timedelta(seconds=6))  # of the call, what comes late is waited for
    async with db.connection() as on:
        of_call = "SELECT received FROM deliveries WHERE id = $1"
        kept["telephony"] = str(await on.fetchval(of_call, UUID(kept["telephony"])))
    told = {}
    for kind, each in kept.items():
        received = await settled(db, each)
        (told[kind],) = [e for e in await entries(received.customer) if e["name"] == received.entry]
    assert {kind: each["channel"] for kind, each in told.items()} == {
        kind: channel for kind, (_, channel) in PAYLOADS.items()
    }
    assert {(each["actor"], each["department"]) for each in told.values()} == {
        ("services/desk", "departments/desk")
    }
    assert await count(db, "received") == len(PAYLOADS)


async def test_it_is_recorded_of_the_customer_who_has_the_handle(sender, db, entries, known) -> None:
    erika = await known("Erika Sommer", email=CANARY, phone=NUMBER)
    await settled(
        db, await sender("web-form").send({"email": CANARY.upper(), "message": "a" * 5000, "topic": "Late!"})
    )
    await settled(
        db, await sender("sms").send({"from": "030 901820", "text": "Late?", "time": "2026-03-01T08:00:00Z"})
    )
    form, sms = await entries(erika)
    assert form["topic"] == "late"
    assert form["summary"].endswith("[The first part of 5,000 characters.]")
    assert (sms["occurTime"], sms["summary"]) == ("2026-03-01T08:00:00Z", "Late?")


async def test_a_number_of_several_waits_for_a_person_who_chooses(sender, db, entries, known) -> None:
    erika, karl = await known("Erika", phone=NUMBER), await known("Karl", phone=NUMBER)
    received = await settled(db, await sender("sms").send(SMS), State.WAITING)
    assert received.reason_code == "identifier-shared"
    assert set(received.candidates) == {erika, karl}
    assert received.words == f"From {NUMBER}\n\nWhere is it?"
    async with decided_by("agent:alice"), db.transaction() as tx:
        locked = await store.LOCK.one(tx, id=received.id)
        assert await store.again(tx, locked, "agent:alice", karl)
        assert not await store.again(tx, locked, "agent:bob", erika)
    decided = await settled(db, str(received.id))
    assert (decided.customer, decided.decided_by) == (karl, "agent:alice")
    assert (len(await entries(karl)), await entries(erika)) == (1, [])


@pytest.mark.parametrize(("kind", "kept_as"), [("fax", "phone"), ("sms", "fax")])
async def test_a_number_is_whose_it_is_whether_it_was_kept_as_a_telephones_or_a_faxs(
    sender, db, known, kind: str, kept_as: str
) -> None:
    erika = await known("Erika Sommer", **{kept_as: NUMBER})
    recorded = await settled(db, await sender(kind).send(PAYLOADS[kind][0]))
    assert recorded.customer == erika
    await known("Karl Sommer", **{kept_as: NUMBER})
    received = await settled(db, await sender(kind).send(PAYLOADS[kind][0], "2"), State.WAITING)
    assert received.reason_code == "identifier-shared"


async def test_handles_of_two_customers_wait_for_a_person(sender, db, known) -> None:
    both = {await known("Erika", email=CANARY), await known("Karl", account_number="7")}
    told = [{"type": "EMAIL", "value": CANARY}, {"type": "ACCOUNT_NUMBER", "value": "7"}]
    received = await settled(
        db, await sender("event").send({"channel": "APP", "identifiers": told}), State.WAITING
    )
    assert (received.reason_code, set(received.candidates)) == ("identifiers-differ", both)


@pytest.mark.parametrize(
    ("kind", "body", "reason"),
    [
        ("telephony", {"event": "ended", "call": "c"}, "no-identifier"),
        ("sms", {"from": "12", "text": "?"}, "identifier-unusable"),
        ("email", AWAY, "unknown-customer"),
        ("event", {"channel": "APP", "customer": NOBODY}, "customer-not-found"),
    ],
)  # fmt: skip
async def test_what_is_nobodys_waits_for_a_person(sender, db, clock, kind, body, reason) -> None:
    await sender(kind).send(body)
    clock.advance(timedelta(seconds=6))
    assert (await settled(db, await the_only(db), State.WAITING)).reason_code == reason


@pytest.mark.parametrize(
    ("body", "problem"),
    [(b"canary", "body: must be JSON in UTF-8"), ({"from": NUMBER}, "text: is missing")],
)
async def test_what_cannot_be_understood_is_kept_with_its_reason_and_dropped_by_a_person(
    sender, db, body, problem
) -> None:
    received = await settled(db, await sender("sms").send(body), State.NOT_UNDERSTOOD)
    assert (received.reason_code, received.problems) == ("not-understood", [problem])
    async with decided_by("agent:alice"), db.transaction() as tx:
        locked = await store.LOCK.one(tx, id=received.id)
        assert await store.drop(tx, locked, "agent:alice", "a test of theirs")
    assert (await settled(db, str(received.id), State.DROPPED)).note == "a test of theirs"


async def test_a_repeat_is_answered_as_the_first_and_makes_nothing(sender, db, entries) -> None:
    first = await sender("sms").send(SMS)
    received = await settled(db, first)
    assert await sender("sms").send(SMS) == first
    assert (await count(db, "deliveries"), await count(db, "work")) == (1, 1)
    second = await sender("sms").send(SMS, "2")
    assert second != first
    assert (await settled(db, second)).customer == received.customer
    assert len(await entries(received.customer)) == 2


async def test_five_at_once_with_the_same_id_make_one_entry(sender, db, entries) -> None:
    (kept,) = set(await asyncio.gather(*(sender("sms").send(SMS) for _ in range(5))))
    received = await settled(db, kept)
    assert (await count(db, "received"), await count(db, "deliveries"), await count(db, "work")) == (1, 1, 1)
    assert len(await entries(received.customer)) == 1


async def test_five_strangers_at_once_with_one_number_are_one_customer(sender, db) -> None:
    kept = await asyncio.gather(*(sender("sms").send(SMS, str(n)) for n in range(5)))
    assert len({(await settled(db, each)).customer for each in kept}) == 1


async def test_whoever_is_not_known_is_refused_and_nothing_is_kept(sender, db, clock) -> None:
    sms = sender("sms")
    problem(await sender("nobody").post(SMS), 404, "SOURCE_NOT_FOUND")
    problem(await sms.post(SMS, webhook_signature="v1,AAAA"), 401, "SIGNATURE_INVALID")
    problem(await sms.post(SMS, webhook_signature=""), 401, "SIGNATURE_INVALID")
    problem(await sms.post(SMS, stamp="soon"), 401, "TIMESTAMP_INVALID")
    late = str(int(clock.now().timestamp()) - 301)
    problem(await sms.post(SMS, stamp=late), 401, "TIMESTAMP_INVALID")
    fresh = {"webhook_timestamp": str(int(clock.now().timestamp()))}
    problem(await sms.post(SMS, stamp=late, **fresh), 401, "SIGNATURE_INVALID")
    problem(await sender("shop").post({"channel": "APP"}, authorization="Bearer wrong"), 401, "TOKEN_INVALID")
    problem(await sender("shop").post({"channel": "APP"}), 401, "TOKEN_INVALID")
    assert await count(db, "received") == 0
    assert await count(db, "deliveries") == 0


async def test_another_key_signs_while_one_follows_another_and_a_file_is_read_again(
    sender, db, sources
) -> None:
    new = {
        "kind": "sms",
        "secrets": [
            "another secret of some length",
            json.loads((sources / "sms.json").read_text())["secrets"][0],
        ],
    }
    (sources / "next.json").write_text(json.dumps(new))
    await sender("next").send(SMS)
    (sources / "broken.json").write_text("{")
    await sender("next").send(SMS)


async def test_a_token_will_do_and_the_id_in_the_body(sender, db) -> None:
    shop = sender("shop")
    told = {"channel": "APP", "id": "7", "identifiers": [{"type": "EMAIL", "value": CANARY}]}
    sent = {"authorization": "Bearer a-token-of-some-length-or-other"}
    first = await shop.send(told, "", **sent)
    assert await shop.send(told, "", **sent) == first
    assert await shop.send(told | {"id": "8"}, "", **sent) != first
    assert (await settled(db, first, State.WAITING)).reason_code == "unknown-customer"


async def test_what_is_too_large_or_of_another_type_is_refused_before_it_is_read(sender, db) -> None:
    problem(await sender("sms").post(b"{}" + b" " * 1024 * 1024), 413, "BODY_TOO_LARGE")
    problem(await sender("sms").post(SMS, content_type="text/xml"), 415, "UNSUPPORTED_MEDIA_TYPE")
    async with httpx.AsyncClient(base_url=sender("sms").desk.url, trust_env=False, verify=False) as client:
        problem(await client.get("/webhooks/sms"), 405, "METHOD_NOT_ALLOWED")
    assert await count(db, "deliveries") == 0


async def test_mail_as_large_as_is_said_is_taken_by_http(sender) -> None:
    line = b"a" * 76 + b"\r\n"
    head = f"From: {CANARY}\r\n\r\n".encode()
    await sender("email").send(head + line * ((BODY_MAX_BYTES - len(head)) // len(line)))


async def test_one_source_that_sends_too_much_holds_up_no_other(sender, sources) -> None:
    slow = json.loads((sources / "sms.json").read_text()) | {"per_second": 0.2}
    (sources / "slow.json").write_text(json.dumps(slow))
    answers = [await sender("slow").post(SMS, str(n)) for n in range(3)]
    assert problem(answers[-1], 429, "OVERLOADED")["metadata"] == {"most": "0.2"}
    assert answers[-1].headers["retry-after"] == "1"
    await sender("sms").send(SMS)


CALL = [
    {"event": "menu", "menu": ["Billing"], "time": "2026-03-02T08:59:00Z"},
    {"event": "ringing", "agent": "alice", "time": "2026-03-02T08:59:10Z"},
    {"event": "answered", "agent": "alice", "time": "2026-03-02T08:59:20Z"},
    {"event": "ended", "time": "2026-03-02T09:00:00Z"},
]


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 3, 0, 1)])
async def test_a_call_makes_one_entry_when_it_is_over_in_whatever_order_it_is_told(
    sender, db, entries, clock, order
) -> None:
    for n in order:
        await sender("telephony").send({"call": "c-1", "from": NUMBER} | CALL[n], str(n))
    async with db.connection() as on:
        (row,) = await on.fetch("SELECT id, state, ringing FROM received")
    assert (row["state"], row["ringing"]) == ("RECEIVED", [])
    clock.advance(timedelta(seconds=6))
    received = await settled(db, str(row["id"]))
    (entry,) = await entries(received.customer)
    assert entry["summary"] == (
        "The customer called. In the menu: Billing. Answered by alice after 10 s. It lasted 40 s."
    )
    await sender("telephony").send({"call": "c-1", "event": "ended"}, "late")
    async with db.connection() as on:
        assert await on.fetchval("SELECT count(*) FROM work WHERE ended_at IS NULL") == 0
    assert len(await entries(received.customer)) == 1


async def test_a_call_whose_end_is_not_told_is_recorded_after_a_time(sender, db, entries, clock) -> None:
    await sender("telephony").send({"call": "c-1", "from": NUMBER} | CALL[2])
    clock.advance(timedelta(hours=2, seconds=1))
    received = await settled(db, await the_only(db))
    assert "Its end was not told." in (await entries(received.customer))[0]["summary"]


async def test_of_a_call_of_which_too_much_is_told_the_first_is_read_and_it_is_one_entry(
    sender, db, entries, clock, monkeypatch
) -> None:
    monkeypatch.setattr(store, "DELIVERIES_OF", Statement(store._DELIVERIES_OF.limit(3), row=Delivery))
    told = [CALL[0], CALL[1], CALL[2], *[CALL[1] | {"agent": "bob"}] * 3, CALL[3]]
    for n, event in enumerate(told):
        clock.advance(timedelta(seconds=1))
        await sender("telephony").send({"call": "c-1", "from": NUMBER} | event, str(n))
    async with db.connection() as on:
        assert await on.fetchval("SELECT ringing FROM received") == ["alice"]  # to whom they talk
    assert await count(db, "deliveries") == len(told)
    clock.advance(timedelta(hours=2, seconds=1))
    received = await settled(db, await the_only(db))
    (entry,) = await entries(received.customer)
    assert ("answered by alice" in entry["summary"].lower(), "bob" in entry["summary"]) == (True, False)
    assert "Its end was not told." in entry["summary"]


async def test_it_is_recorded_when_the_customer_service_is_back(open_desk, sources, start, clock) -> None:
    from services.desk.tests.component.conftest import Sender

    port = free_port()
    desk = await open_desk(webhooks_dir=sources, peers={"customer": f"127.0.0.1:{port}"})
    kept = await Sender(desk, clock, "sms").send(SMS)
    async with desk.running.db.connection() as on:
        assert await eventually(lambda: on.fetchval("SELECT failures FROM work WHERE code <> ''"))
    await start(customer_service, grpc_port=port)

    async def recorded() -> bool:
        clock.advance(timedelta(minutes=5))  # the longest pause between attempts
        return (await store.GET.one(desk.running.db, id=UUID(kept))).state is State.RECORDED

    assert await eventually(recorded, 30)


async def test_what_was_answered_outlives_the_process(desk, sender, sources, clock) -> None:
    settings = desk.running.app.settings
    await desk.running.lifecycle._work.stop(1)  # nothing is recorded by this one any more
    kept = await sender("sms").send(SMS)
    ports = {"grpc_port": free_port(), "http_port": free_port(), "web_port": free_port()}
    other = desk_service.app(settings.model_copy(update=ports), clock)
    lifecycle = Lifecycle(other)
    await lifecycle.start()
    try:
        await settled(other.db, kept)
    finally:
        await lifecycle.stop()


@contextlib.asynccontextmanager
async def unanswered(db: Any, received: Received) -> AsyncIterator[None]:
    """What was recorded is taken for what was not, as after a lost answer; then it is tried again."""
    async with decided_by("service:desk"):
        async with db.transaction() as tx:
            locked = await store.LOCK.one(tx, id=received.id)
            locked.state, locked.entry, locked.round = State.RECEIVED, "", locked.round + 1
            await store.save(tx, locked)
        yield
        async with db.transaction() as tx:
            await store.queue(tx, locked)


async def test_what_an_attempt_recorded_whose_answer_was_lost_is_recorded_whatever_was_told_since(
    sender, db, entries, clock
) -> None:
    ended = {"call": "c-1", "from": NUMBER, "event": "ended"}
    await sender("telephony").send(ended)
    clock.advance(timedelta(seconds=6))
    received = await settled(db, await the_only(db))
    async with unanswered(db, received):
        await sender("telephony").send(ended | {"note": "Wants a copy."}, "2")
    clock.advance(timedelta(seconds=6))
    again = await settled(db, str(received.id))
    assert (again.customer, again.entry) == (received.customer, "")
    assert len(await entries(received.customer)) == 1


class Losing:
    """A timeline whose answers are lost."""

    def __init__(self, timeline: Any) -> None:
        self._timeline = timeline

    async def RecordInteraction(self, request: Any) -> None:
        await self._timeline.RecordInteraction(request)
        raise grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata())


async def test_another_attempt_goes_on_with_the_customer_of_the_first(
    desk, sender, db, sources, entries, known
) -> None:
    erika = await known("Erika", phone=NUMBER)
    await desk.running.lifecycle._work.stop(1)  # the attempts are ours
    kept = await store.GET.one(db, id=UUID(await sender("sms").send(SMS)))
    app = desk.running.app
    timeline = app.client(TimelineServiceStub, "customer")
    customers = Customers(app.client(CustomerServiceStub, "customer"))

    async def attempt(timeline: Any) -> Recorded:
        recording = Recording(db, Sources(sources), customers, timeline, Mock())
        with acting(Call("webhooks/sms", service_itself("desk"))):
            return await recording.act(Mock(spec_set=["key"], key=kept.key), Mock())

    with pytest.raises(Later):
        await attempt(Losing(timeline))
    karl = await known("Karl", phone=NUMBER)  # now the number is of two
    assert (await attempt(timeline)).customer == erika
    assert (len(await entries(erika)), await entries(karl)) == (1, [])


def keeping(db: Any) -> Keeping:
    return Keeping(db, 30, 90)


async def test_what_was_said_is_let_go_of_after_some_days_and_a_repeat_is_still_known(
    sender, db, clock
) -> None:
    kept = await sender("sms").send(SMS)
    await settled(db, kept)
    clock.advance(timedelta(days=29))
    await keeping(db).forget()
    assert (await store.DELIVERIES_OF.one(db, received=UUID(kept))).payload
    clock.advance(timedelta(days=2))
    await keeping(db).forget()
    assert (await store.DELIVERIES_OF.one(db, received=UUID(kept))).payload == b""
    assert (await store.GET.one(db, id=UUID(kept))).forgotten
    assert await sender("sms").send(SMS) == kept
    clock.advance(timedelta(days=400))
    await keeping(db).delete()
    assert (await count(db, "received"), await count(db, "deliveries")) == (0, 0)


async def test_what_is_told_of_a_call_that_is_forgotten_is_forgotten(sender, db, clock) -> None:
    told = {"call": "c-1", "from": NUMBER, "event": "ended"}
    await sender("telephony").send(told)
    clock.advance(timedelta(seconds=6))
    received = await settled(db, await the_only(db))
    clock.advance(timedelta(days=31))
    await keeping(db).forget()
    await sender("telephony").send(told, "late")
    kept = await store.DELIVERIES_OF.all(db, received=received.id)
    assert [each.payload for each in kept] == [b"", b""]


async def test_what_is_forgotten_is_not_looked_at_again(db, clock) -> None:
    before = clock.now() - timedelta(days=30)
    async with db.connection() as on:
        await on.execute(
            "INSERT INTO received SELECT gen_random_uuid(), 'sms', 'sms', $1, $1, 'RECORDED', '', '{}', '{}',"
            " '', '', '', '', '{}', NULL, '{}', true, 1, '', '' FROM generate_series(1, 20000)",
            before - timedelta(days=1),
        )
        await on.execute(
            "INSERT INTO deliveries SELECT gen_random_uuid(), id, receive_time, '' FROM received"
        )
        await on.execute("ANALYZE received")
        await on.execute("ANALYZE deliveries")
        asked = store.FORGET.arguments({"before": before, "most": CHUNK})
        told = await on.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {store.FORGET.sql}", *asked)
        plan = json.loads(told)[0]["Plan"]
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 50


async def test_what_nobody_decides_is_dropped_after_some_days(sender, db, clock) -> None:
    old = await settled(db, await sender("sms").send({"from": NUMBER}), State.NOT_UNDERSTOOD)
    clock.advance(timedelta(days=89))
    new = await settled(db, await sender("sms").send({"from": NUMBER}, "2"), State.NOT_UNDERSTOOD)
    await keeping(db).drop()
    assert (await store.GET.one(db, id=old.id)).state is State.NOT_UNDERSTOOD
    clock.advance(timedelta(days=2))
    await keeping(db).drop()
    dropped = await store.GET.one(db, id=old.id)
    assert (dropped.state, dropped.decided_by, dropped.note) == (
        State.DROPPED,
        "service:desk",
        "nobody decided",
    )
    assert (await store.GET.one(db, id=new.id)).state is State.NOT_UNDERSTOOD


class Unforgetting(Keeping):
    async def forget(self) -> None:
        raise Unavailable("DATABASE_UNAVAILABLE", "It is away.")


async def test_one_thing_that_fails_costs_what_else_is_looked_after_nothing(sender, db, clock) -> None:
    await settled(db, await sender("sms").send(SMS))
    clock.advance(timedelta(days=500))
    looking = asyncio.create_task(Unforgetting(db, 30, 90).run())
    assert await eventually(lambda: _is_empty(db))
    looking.cancel()


async def _is_empty(db: Any) -> bool:
    return await count(db, "received") == 0


async def test_nothing_personal_is_in_logs_spans_or_metrics(sender, db, spans) -> None:
    with structlog.testing.capture_logs() as logs:
        for kind, (body, _) in PAYLOADS.items():
            await sender(kind).send(body)
        await sender("sms").send(b"canary")
        await eventually(lambda: _has_no_work(db))
    told = str([logs, [(each.name, dict(each.attributes or {})) for each in spans]])
    assert "canary" not in told.lower()
    assert NUMBER not in told


async def _has_no_work(db: Any) -> bool:
    async with db.connection() as on:
        return await on.fetchval("SELECT count(*) = 1 FROM work WHERE ended_at IS NULL")  # the call
