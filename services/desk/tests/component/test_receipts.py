"""What providers report of our messages, from their webhook to the notice."""

import hashlib
import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import grpc
import jwt
import pytest

from customer.service import service as customer_service
from desk.store import received as store
from desk.store.received import State
from rapport.notifications.v1 import notice_pb2, receipt_service_pb2_grpc
from rapport.notifications.v1 import receipt_service_pb2 as pb
from rapport_testing.wait import eventually
from services.desk.tests.component.conftest import SECRET

KEY = "<0199b2a4-6f0e-7c2a-9d1e-5c8f3a7b2e60@acme.example>"
WHOSE = f"customers/{uuid4()}"
BY_GATEWAY = {"provider": "providers/gateway", "delivery": "DELIVERED"}
DSN = f"""\
From: MAILER-DAEMON@mx.example
Message-ID: <dsn-1@mx.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822;anna@example.com
Action: failed
Status: 5.1.1

--b
Content-Type: text/rfc822-headers

Message-ID: {KEY}

--b--
"""

AWAY = f"""\
From: anna@example.com
Message-ID: <away-1@example.com>
Subject: Automatic reply: News
Auto-Submitted: auto-replied
In-Reply-To: {KEY}
Content-Type: text/plain

I am away until Monday, and unsubscribe from nothing.
"""


class Receipts(receipt_service_pb2_grpc.ReceiptServiceServicer):
    """The notifications service: it knows one message."""

    def __init__(self) -> None:
        self.told: list[pb.RecordReceiptRequest] = []
        self.refusals: list[grpc.StatusCode] = []

    async def RecordReceipt(self, request: Any, context: Any) -> notice_pb2.Notice:
        self.told.append(request)
        if self.refusals:
            await context.abort(self.refusals.pop(0), "told to")
        if request.provider_key != KEY:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such message")
        return notice_pb2.Notice(name=f"notices/{uuid4()}", customer=WHOSE)


@pytest.fixture
def receipts() -> Receipts:
    return Receipts()


@pytest.fixture
async def desk(open_desk: Any, sources: Any, fake_peer: Any, receipts: Receipts) -> Any:
    address = await fake_peer(receipts)
    return await open_desk(customer_service, webhooks_dir=sources, peers={"notifications": address})


async def settled(desk: Any, id: str, state: State) -> Any:
    async def found() -> Any:
        received = await store.GET.one(desk.running.db, id=UUID(id))
        return received if received.state is state else None

    return await eventually(found)


async def test_mail_that_came_back_is_reported_once_and_is_nobodys_contact(
    desk: Any, sender: Any, receipts: Receipts
) -> None:
    kept = await sender("email").send(DSN.encode())
    received = await settled(desk, kept, State.RECORDED)
    assert (received.customer, received.entry) == (WHOSE, "")
    assert await sender("email").send(DSN.encode()) == kept
    [told] = receipts.told
    assert (told.provider_key, told.provider_code) == (KEY, "5.1.1")
    assert (told.delivery, told.provider) == (4, "providers/smtp")


async def test_an_answer_of_somebody_who_is_away_unsubscribes_nobody(
    desk: Any, sender: Any, receipts: Receipts
) -> None:
    """It is a mail like any other, and nothing is told of the message that it answers."""
    kept = await sender("email").send(AWAY.encode())
    assert (await settled(desk, kept, State.WAITING)).reason_code == "unknown-customer"
    assert receipts.told == []


async def test_a_signed_report_is_taken_and_a_forged_one_refused(
    desk: Any, sender: Any, receipts: Receipts
) -> None:
    body = BY_GATEWAY | {"message": KEY, "time": "2026-03-02T09:00:00Z", "code": "0"}
    kept = await sender("delivery-receipt").send(body)
    await settled(desk, kept, State.RECORDED)
    [told] = receipts.told
    assert (told.delivery, told.occur_time.seconds) == (1, 1772442000)
    assert told.provider == "providers/gateway"
    answer = await desk.client().post("/webhooks/delivery-receipt", json=body)
    assert (answer.status_code, answer.json()["reason"]) == (401, "SIGNATURE_INVALID")
    assert len(receipts.told) == 1


def by_vonage(clock: Any, body: bytes, **changed: Any) -> dict[str, str]:
    """The headers with which Vonage signs a body."""
    claims = {
        "iat": int(clock.now().timestamp()),
        "iss": "Vonage",
        "payload_hash": hashlib.sha256(body).hexdigest(),
    }
    token = jwt.encode(claims | changed, changed.pop("key", SECRET), "HS256")
    return {"authorization": f"Bearer {token}", "content-type": "application/json"}


def status(told: str, ref: str = KEY) -> bytes:
    said = {"message_uuid": "aaaa", "client_ref": ref, "to": "4930901820", "status": told}
    return json.dumps(said).encode()


async def test_receipts_of_vonage_come_again_and_in_any_order_and_each_is_told_once(
    desk: Any, receipts: Receipts, clock: Any
) -> None:
    client, kept = desk.client(), []
    for told in ("delivered", "submitted", "delivered"):
        body = status(told)
        answer = await client.post("/webhooks/vonage-status", content=body, headers=by_vonage(clock, body))
        assert answer.status_code == 202, answer.text
        kept.append(answer.json()["id"])
    assert kept[0] == kept[2] != kept[1]
    for each in kept:
        await settled(desk, each, State.RECORDED)
    assert sorted(each.delivery for each in receipts.told) == [1, 2]
    assert {each.provider_key for each in receipts.told} == {KEY}


@pytest.mark.parametrize(
    "changed",
    [{"key": "another-key-of-enough-bytes-1234"}, {"payload_hash": "00"}, {"iat": 1}, {"iat": "now"}],
)
async def test_what_vonage_did_not_sign_now_is_refused(
    desk: Any, receipts: Receipts, clock: Any, changed: dict[str, Any]
) -> None:
    body = status("delivered")
    headers = by_vonage(clock, body, **changed)
    answer = await desk.client().post("/webhooks/vonage-status", content=body, headers=headers)
    assert (answer.status_code, answer.json()["reason"]) == (401, "SIGNATURE_INVALID")
    plain = await desk.client().post("/webhooks/vonage-status", content=body)
    assert plain.status_code == 401
    assert receipts.told == []


@pytest.mark.parametrize("code", [grpc.StatusCode.ABORTED, grpc.StatusCode.UNAVAILABLE])
async def test_a_report_that_comes_too_early_is_told_again(
    desk: Any, sender: Any, receipts: Receipts, clock: Any, code: grpc.StatusCode
) -> None:
    receipts.refusals = [code]
    kept = await sender("delivery-receipt").send(BY_GATEWAY | {"message": KEY})

    async def waits() -> bool:
        return len(receipts.told) == 1

    await eventually(waits)

    async def told() -> bool:
        clock.advance(timedelta(minutes=1))
        return (await store.GET.one(desk.running.db, id=UUID(kept))).state is State.RECORDED

    await eventually(told)
    assert {each.request_id for each in receipts.told} == {receipts.told[0].request_id}


async def test_of_a_message_of_nobody_a_person_is_told(desk: Any, sender: Any, receipts: Receipts) -> None:
    kept = await sender("delivery-receipt").send(BY_GATEWAY | {"message": "<x@y>"})
    received = await settled(desk, kept, State.NOT_UNDERSTOOD)
    assert received.problems == ["message: must be the key of a message of ours"]
    other = await sender("email").send(DSN.replace(KEY, "<else@where.example>").encode())
    waiting = await settled(desk, other, State.WAITING)
    assert waiting.reason_code == "unknown-customer"
