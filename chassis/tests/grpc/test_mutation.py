"""Mutations on real PostgreSQL: answered once for each request id, whatever happens around them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import grpc
import pytest
import sqlalchemy as sa

from chassis.auth.tokens import Verifier
from chassis.context import Call
from chassis.db.database import Database
from chassis.db.failures import outcome_unknown
from chassis.db.schema import AUDIT, IDEMPOTENCY, OUTBOX
from chassis.db.statement import Statement
from chassis.db.transaction import Transaction
from chassis.errors import FailedPrecondition, NotFound, Refusal, invalid
from chassis.grpc import ingest
from chassis.grpc.bounds import MESSAGE_MAX_BYTES
from chassis.grpc.mutation import mutation
from chassis.grpc.server import Server
from chassis.grpc.status import reason, refusal
from rapport.loyalty.v1 import ledger_service_pb2, ledger_service_pb2_grpc, transfer_pb2
from rapport_testing.engines.ports import free_port
from rapport_testing.sql import Sql
from rapport_testing.tokens import ISSUER, TestIssuer, nobody_asks
from rapport_testing.wait import eventually

AUDITED = Statement[Any](sa.select(AUDIT).order_by(AUDIT.c.id))
RECORDED = Statement[Any](sa.select(OUTBOX).order_by(OUTBOX.c.id))
STORED = Statement[Any](sa.select(IDEMPOTENCY))
CLAIM = "INSERT INTO idempotency VALUES ($1, 'm', ''::bytea, ''::bytea, '', now())"


HOT = 7
Behaviour = Callable[[Any, Transaction], Awaitable[None]]


class Ledger(ledger_service_pb2_grpc.LedgerServiceServicer):
    """`PostTransfer` posts alone, `ReverseTransfer` in groups; both do first what the test says."""

    def __init__(self, db: Database, fact: Callable[[str], Any]) -> None:
        self.db = db
        self.fact = fact
        self.groups: list[list[str]] = []
        self.unknown: set[str] = set()
        self.before: Behaviour = self.nothing

    async def nothing(self, request: Any, tx: Transaction) -> None:
        pass

    @mutation
    async def PostTransfer(self, request: Any, tx: Transaction) -> transfer_pb2.Transfer:
        await self.before(request, tx)
        name = f"transfers/{uuid4()}"
        tx.record(self.fact(name), version=1)
        transfer = request.transfer
        return transfer_pb2.Transfer(name=name, legs=transfer.legs, reason_code=transfer.reason_code)

    @ingest.ingest(lambda self, request, now: self.read(request))
    async def ReverseTransfer(
        self, requests: Sequence[Any], calls: Sequence[Call], tx: Transaction
    ) -> list[transfer_pb2.Transfer | Refusal]:
        self.groups.append([request.name for request in requests])
        answers: list[transfer_pb2.Transfer | Refusal] = []
        for request, call in zip(requests, calls, strict=True):
            if request.name in self.unknown:
                answers.append(NotFound(request.name))
                continue
            tx.act(call)
            await self.before(request, tx)
            tx.record(self.fact(request.name), version=1)
            answers.append(transfer_pb2.Transfer(name=request.name))
        return answers

    def read(self, request: Any) -> Any:
        if request.name == "malformed":
            raise invalid("name", "INVALID_NAME", "must be a name")
        return request


class Loyalty:
    """A running server on a fresh database."""

    def __init__(self, db: Database, ledger: Ledger, address: str, token: str) -> None:
        self.db = db
        self.ledger = ledger
        self.channel = grpc.aio.insecure_channel(address)
        self.stub = ledger_service_pb2_grpc.LedgerServiceStub(self.channel)
        self.metadata = (("authorization", f"Bearer {token}"),)

    def post(self, request_id: str, points: int = 1, timeout: float = 10) -> Any:
        request = ledger_service_pb2.PostTransferRequest(
            transfer=transfer_pb2.Transfer(legs=[transfer_pb2.Leg(amount=points)]), request_id=request_id
        )
        return self.stub.PostTransfer(request, timeout=timeout, metadata=self.metadata)

    def reverse(self, name: str, request_id: str) -> Any:
        request = ledger_service_pb2.ReverseTransferRequest(name=name, request_id=request_id)
        return self.stub.ReverseTransfer(request, timeout=10, metadata=self.metadata)


@pytest.fixture
async def loyalty(
    database: Callable[..., Awaitable[Database]],
    issuer: TestIssuer,
    opened: Callable[[str], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Loyalty]:
    db = await database("loyalty")
    ledger = Ledger(db, opened)  # type: ignore[abstract]  # what is missing answers UNIMPLEMENTED
    server = Server("loyalty", [ledger], Verifier(issuer.jwks_url, ISSUER), nobody_asks)
    port = await server.start("127.0.0.1", free_port())
    running = Loyalty(db, ledger, f"127.0.0.1:{port}", issuer.token())
    yield running
    await running.channel.close(None)
    monkeypatch.setattr("chassis.grpc.server.QUIET_S", 0.001)  # nobody calls any more
    await server.stop(0)


async def token(call: Any) -> str:
    """The consistency token that came with an answer."""
    found: str = dict(await call.trailing_metadata())["consistency-token"]
    return found


async def refused(call: Any) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


async def test_effect_audit_and_answer_commit_together(loyalty: Loyalty) -> None:
    request_id = str(uuid4())
    call = loyalty.post(request_id)
    transfer = await call
    (audit,) = await AUDITED.all(loyalty.db)
    (fact,) = await RECORDED.all(loyalty.db)
    assert (audit["actor"], audit["request_id"]) == ("agent:alice", request_id)
    assert audit["what"] == "rapport.loyalty.v1.LedgerService/PostTransfer"
    assert audit["resources"] == fact["resource"] == transfer.name
    assert fact["causation_id"] == audit["id"]
    assert await token(call) == f"loyalty:.{fact['type']}={fact['id']}"


async def test_a_repeat_gets_the_stored_answer_and_token(loyalty: Loyalty) -> None:
    request_id = str(uuid4())
    first, second = loyalty.post(request_id), loyalty.post(request_id)
    assert await first == await second
    third = loyalty.post(request_id)
    assert await third == await first
    assert await token(third) == await token(first)
    assert len(await RECORDED.all(loyalty.db)) == 1


async def test_what_cannot_be_answered_does_not_happen(loyalty: Loyalty) -> None:
    """The largest request that is received has an answer, with a name in it, that would not be."""

    def request(length: int) -> Any:
        return ledger_service_pb2.PostTransferRequest(
            transfer=transfer_pb2.Transfer(reason_code="x" * length), request_id=str(uuid4())
        )

    most = MESSAGE_MAX_BYTES - (request(4_000_000).ByteSize() - 4_000_000)
    error = await refused(loyalty.stub.PostTransfer(request(most), timeout=10, metadata=loyalty.metadata))
    assert (error.code(), reason(error)) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "RESPONSE_TOO_LARGE")
    assert await AUDITED.all(loyalty.db) == []
    assert await RECORDED.all(loyalty.db) == []
    assert await STORED.all(loyalty.db) == []


async def test_a_request_id_for_another_request_is_refused(loyalty: Loyalty) -> None:
    request_id = str(uuid4())
    await loyalty.post(request_id, points=1)
    error = await refused(loyalty.post(request_id, points=2))
    assert (error.code(), reason(error)) == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_ID_REUSED")
    error = await refused(loyalty.reverse("transfers/1", request_id))
    assert reason(error) == "REQUEST_ID_REUSED"


@pytest.mark.parametrize(("subject", "department"), [("agent:bob", "front-desk"), ("agent:alice", "billing")])
async def test_an_answer_is_for_who_asked_and_nobody_else(
    loyalty: Loyalty, issuer: TestIssuer, subject: str, department: str
) -> None:
    request_id = str(uuid4())
    await loyalty.post(request_id)
    other = issuer.token(subject, department=department)
    loyalty.metadata = (("authorization", f"Bearer {other}"),)
    assert reason(await refused(loyalty.post(request_id))) == "REQUEST_ID_REUSED"


async def test_twins_that_race_do_the_work_once(loyalty: Loyalty) -> None:
    request_id = str(uuid4())
    answers = await asyncio.gather(*(loyalty.post(request_id) for _ in range(20)))
    assert len({answer.name for answer in answers}) == 1
    assert len(await RECORDED.all(loyalty.db)) == 1
    assert len(await AUDITED.all(loyalty.db)) == 1


async def test_a_repeat_that_a_rule_refuses_gets_the_stored_answer(loyalty: Loyalty) -> None:
    request_id = str(uuid4())
    first = await loyalty.post(request_id)

    async def refuse(_: Any, __: Transaction) -> None:
        raise FailedPrecondition("ALREADY_DONE", "It is done already.")

    loyalty.ledger.before = refuse
    assert await loyalty.post(request_id) == first
    assert reason(await refused(loyalty.post(str(uuid4())))) == "ALREADY_DONE"


async def test_a_twin_that_waits_too_long_is_told_to_come_back(loyalty: Loyalty) -> None:
    request_id = str(uuid4())
    async with loyalty.db.connection() as other:
        await other.execute("BEGIN")
        await other.execute(CLAIM, request_id)
        error = await refused(loyalty.post(request_id))
        await other.execute("ROLLBACK")
    assert (error.code(), reason(error)) == (grpc.StatusCode.ABORTED, "REQUEST_IN_FLIGHT")
    assert (await loyalty.post(request_id)).legs[0].amount == 1


async def test_who_waits_too_long_for_another_change_is_told_that_and_when_to_try_again(
    loyalty: Loyalty,
) -> None:
    """Nobody looks for a request of their own that they have sent once."""

    async def lock_row(_: Any, tx: Transaction) -> None:
        await tx.fetch(Sql("SELECT pg_advisory_xact_lock(7)"), [])

    loyalty.ledger.before = lock_row
    async with loyalty.db.connection() as holder:
        await holder.execute("SELECT pg_advisory_lock(7)")
        error = await refused(loyalty.post(str(uuid4())))
        await holder.execute("SELECT pg_advisory_unlock(7)")
    told = refusal(error)
    assert (told.code, told.reason) == ("ABORTED", "LOCK_TIMEOUT")
    assert told.retry_after_s


async def test_who_wants_to_write_one_row_keeps_nobody_from_another(loyalty: Loyalty) -> None:
    """Forty would sit on nine connections for a second each, and a neighbour find none in two."""

    async def lock_row(request: Any, tx: Transaction) -> None:
        if request.transfer.legs[0].amount == HOT:
            await tx.fetch(Sql("SELECT pg_advisory_xact_lock(7)"), [])

    loyalty.ledger.before = lock_row
    async with loyalty.db.connection() as holder:
        await holder.execute("SELECT pg_advisory_lock(7)")
        hot = [asyncio.ensure_future(loyalty.post(str(uuid4()), HOT)) for _ in range(40)]
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = $1"
        )

        async def some_wait() -> bool:
            return bool(await holder.fetchval(waiting, "advisory"))

        await eventually(some_wait)
        for _ in range(20):
            assert (await loyalty.post(str(uuid4()))).legs[0].amount == 1
        await holder.execute("SELECT pg_advisory_unlock(7)")
    reasons = Counter(
        reason(answer) if isinstance(answer, grpc.aio.AioRpcError) else "OK"
        for answer in await asyncio.gather(*hot, return_exceptions=True)
    )
    assert set(reasons) <= {"OK", "LOCK_TIMEOUT"}
    assert reasons["OK"]


async def test_a_refused_change_leaves_nothing_behind(loyalty: Loyalty) -> None:
    async def refuse(_: Any, tx: Transaction) -> None:
        await STORED.all(tx)
        raise FailedPrecondition("NO", "No.")

    loyalty.ledger.before = refuse
    await refused(loyalty.post(str(uuid4())))
    assert await AUDITED.all(loyalty.db) == await STORED.all(loyalty.db) == []
    loyalty.ledger.before = loyalty.ledger.nothing
    await loyalty.post(str(uuid4()))


async def test_a_failed_commit_leaves_the_connection_usable(loyalty: Loyalty) -> None:
    async def begin(_: Any, tx: Transaction) -> None:
        await STORED.all(tx)

    loyalty.ledger.before = begin
    request_id = str(uuid4())
    for _ in range(10):  # more than there are connections
        await loyalty.post(request_id)
    async with loyalty.db.connection() as connection:
        assert not connection.is_in_transaction()
    assert len(await RECORDED.all(loyalty.db)) == 1


async def test_a_caller_that_leaves_during_the_commit_finds_it_done(loyalty: Loyalty) -> None:
    announced: list[str] = []

    async def remember(_: Any, tx: Transaction) -> None:
        tx.after_commit(lambda: announced.append("yes"))

    loyalty.ledger.before = remember
    request_id = str(uuid4())
    async with loyalty.db.connection() as other:
        await other.execute("BEGIN")
        await other.execute(CLAIM, request_id)
        call = loyalty.post(request_id)
        await eventually(lambda: _somebody_waits(loyalty.db))
        call.cancel()
        with suppress(asyncio.CancelledError):
            await call
        await other.execute("ROLLBACK")
    await eventually(lambda: announced)
    (stored,) = await STORED.all(loyalty.db)
    assert (await loyalty.post(request_id)).SerializeToString() == stored["response"]
    assert len(await RECORDED.all(loyalty.db)) == 1


async def _somebody_waits(db: Database) -> bool:
    async with db.connection() as connection:
        sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        return bool(await connection.fetchval(sql))


async def test_concurrent_calls_share_a_commit(loyalty: Loyalty) -> None:
    names = [f"transfers/{i}" for i in range(40)]
    calls = [loyalty.reverse(name, str(uuid4())) for name in names]
    assert [answer.name for answer in await asyncio.gather(*calls)] == names
    assert sum(map(len, loyalty.ledger.groups)) == 40
    assert len(loyalty.ledger.groups) < 20
    audits = {audit["resources"]: audit["id"] for audit in await AUDITED.all(loyalty.db)}
    facts = {fact["resource"]: fact for fact in await RECORDED.all(loyalty.db)}
    assert set(audits) == set(facts) == set(names)
    for name, call in zip(names, calls, strict=True):
        assert facts[name]["causation_id"] == audits[name]
        assert (await token(call)).endswith(f"={facts[name]['id']}")


async def test_a_member_that_fails_hurts_nobody_else(loyalty: Loyalty) -> None:
    async def refuse_seven(request: Any, tx: Transaction) -> None:
        if request.name == "transfers/7":
            raise FailedPrecondition("SEVEN", "Not seven.")

    loyalty.ledger.before = refuse_seven
    calls = [loyalty.reverse(f"transfers/{i}", str(uuid4())) for i in range(20)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    errors = [answer for answer in answers if isinstance(answer, grpc.aio.AioRpcError)]
    assert [reason(error) for error in errors] == ["SEVEN"]
    assert len(await RECORDED.all(loyalty.db)) == 19
    assert len(await AUDITED.all(loyalty.db)) == 19


async def test_who_waits_behind_a_whole_group_of_callers_that_left_is_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go_on, began = asyncio.Event(), asyncio.Event()

    async def commit(_: Any, __: Any, requests: Sequence[Any], ___: int) -> list[str]:
        began.set()
        await go_on.wait()
        return [request.command for request in requests]

    monkeypatch.setattr(ingest, "transact", commit)
    group = ingest._Group(None, None)  # type: ignore[arg-type]

    def join(command: str) -> asyncio.Task[Any]:
        return asyncio.create_task(group.join(SimpleNamespace(command=command, call=None)))  # type: ignore[arg-type]

    slow = join("slow")
    await began.wait()
    gone = [join("gone") for _ in range(ingest.GROUP_MAX)]
    last = join("last")
    await eventually(lambda: len(group._waiting) == len(gone) + 1)
    for each in gone:
        each.cancel()
    await asyncio.wait(gone)
    go_on.set()
    assert [await slow, await last] == ["slow", "last"]


async def test_refused_members_cost_the_others_no_repetition(loyalty: Loyalty) -> None:
    loyalty.ledger.unknown = {"transfers/0", "transfers/7", "transfers/13"}
    names = [f"transfers/{i}" for i in range(20)] + ["malformed"]
    calls = [loyalty.reverse(name, str(uuid4())) for name in names]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    reasons = {n: reason(a) for n, a in zip(names, answers, strict=True) if isinstance(a, Exception)}  # type: ignore[arg-type]
    unknown = dict.fromkeys(loyalty.ledger.unknown, "RESOURCE_NOT_FOUND")
    assert reasons == unknown | {"malformed": "INVALID_NAME"}
    tries = Counter(name for group in loyalty.ledger.groups for name in group)
    assert "malformed" not in tries
    assert {name for name, count in tries.items() if count > 1} <= loyalty.ledger.unknown
    assert len(await AUDITED.all(loyalty.db)) == len(await RECORDED.all(loyalty.db)) == 17


async def test_one_bad_member_is_found_by_halving(loyalty: Loyalty) -> None:
    async def fail_for_seven(request: Any, tx: Transaction) -> None:
        if request.name == "transfers/7":
            await tx.fetch(Sql("SELECT 1 / 0"), [])

    loyalty.ledger.before = fail_for_seven
    calls = [loyalty.reverse(f"transfers/{i}", str(uuid4())) for i in range(64)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(answer, Exception) for answer in answers) == 1
    assert len(loyalty.ledger.groups) < 32
    assert len(await RECORDED.all(loyalty.db)) == 63


async def test_a_member_that_waits_for_a_lock_lets_the_others_go_ahead(loyalty: Loyalty) -> None:
    async def lock_seven(request: Any, tx: Transaction) -> None:
        if request.name == "transfers/7":
            await tx.fetch(Sql("SELECT pg_advisory_xact_lock(7)"), [])

    loyalty.ledger.before = lock_seven
    async with loyalty.db.connection() as holder:
        await holder.execute("SELECT pg_advisory_lock(7)")
        calls = [loyalty.reverse(f"transfers/{i}", str(uuid4())) for i in range(20)]
        await asyncio.gather(*(call for i, call in enumerate(calls) if i != 7))
        assert not calls[7].done()  # while it waits, up to a second
        await loyalty.reverse("transfers/later", str(uuid4()))
        await holder.execute("SELECT pg_advisory_unlock(7)")
    assert (await calls[7]).name == "transfers/7"


async def test_a_group_whose_outcome_is_unknown_is_not_tried_again(
    loyalty: Loyalty, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(_: Transaction) -> None:
        raise outcome_unknown()

    monkeypatch.setattr(Transaction, "_write", lost)
    names = [f"transfers/{i}" for i in range(10)]
    errors = await asyncio.gather(*(refused(loyalty.reverse(name, str(uuid4()))) for name in names))
    assert {(error.code(), reason(error)) for error in errors} == {
        (grpc.StatusCode.UNKNOWN, "COMMIT_UNKNOWN")
    }
    assert sorted(name for group in loyalty.ledger.groups for name in group) == names


async def test_twins_in_one_group_do_the_work_once(loyalty: Loyalty) -> None:
    request_id = str(uuid4())
    calls = [loyalty.reverse("transfers/1", request_id) for _ in range(10)]
    calls += [loyalty.reverse(f"transfers/{i}", str(uuid4())) for i in range(2, 12)]
    await asyncio.gather(*calls)
    assert len(await RECORDED.all(loyalty.db)) == 11
    assert len({await token(call) for call in calls[:10]}) == 1
