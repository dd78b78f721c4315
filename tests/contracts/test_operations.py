"""What people who run a service see of it and do about it, on a service that runs."""

from datetime import timedelta
from importlib.metadata import version
from typing import Any
from uuid import UUID, uuid4

import grpc
import pytest
import sqlalchemy as sa

from cases.domain.facts import CaseReopened
from cases.service import service as cases
from chassis.api.messages import timestamp
from chassis.app import App
from chassis.context import Call, Principal, current_call
from chassis.db.schema import AUDIT
from chassis.db.statement import Statement
from chassis.db.transaction import Transaction
from chassis.errors import FailedPrecondition
from chassis.events.declarations import Listening
from chassis.events.envelope import Event
from chassis.events.nats import connect
from chassis.grpc.status import reason
from chassis.service import Service
from chassis.settings import ServiceSettings
from rapport.cases.v1 import cases_events_pb2
from rapport.common.v1 import states_pb2
from rapport.notifications.v1.notifications_events_pb2 import NoticeFailed
from rapport.operations.v1 import operations_pb2
from rapport.operations.v1 import operations_service_pb2 as ops
from rapport.operations.v1.operations_service_pb2_grpc import OperationsServiceStub
from rapport_testing.clock import ManualClock
from rapport_testing.infrastructure import Infrastructure
from rapport_testing.running import Running
from rapport_testing.wait import eventually

SERVICE = "services/cases"
CONSUMER = f"{SERVICE}/consumers/cases-notices"
BACKLOG = f"{SERVICE}/backlog"
_DONE = Statement[Any](
    sa.select(AUDIT.c.what, AUDIT.c.resources, AUDIT.c.reason_code).where(AUDIT.c.actor == "agent:alice")
)


class Handler:
    """Refuses until it is mended."""

    def __init__(self) -> None:
        self.mended = False
        self.applied: list[UUID] = []

    async def failed(self, tx: Transaction, event: Event[NoticeFailed]) -> None:
        if not self.mended:
            raise FailedPrecondition("NOT_YET", "mend it first")
        self.applied.append(event.id)


@pytest.fixture
def handler() -> Handler:
    return Handler()


@pytest.fixture
async def running(start: Any, handler: Handler) -> Running:
    def compose(app: App[ServiceSettings]) -> None:
        app.subscribe("cases-notices", handler.failed)

    service = Service(
        "cases",
        port=7002,
        settings=ServiceSettings,
        events=cases_events_pb2,
        migrations=cases.migrations,
        compose=compose,
        listens=[Listening("cases-notices", "notifications", [NoticeFailed])],
    )
    found: Running = await start(service)
    return found


@pytest.fixture
async def operator(running: Running) -> Any:
    return running.stub(OperationsServiceStub, ["cases.operations.read", "cases.operations.write"])


@pytest.fixture
async def letter(running: Running, operator: Any) -> operations_pb2.DeadLetter:
    """An event that the consumer gave up on."""
    fact = NoticeFailed(notice=f"notices/{uuid4()}", customer=f"customers/{uuid4()}")
    await running.deliver(fact, resource=fact.notice, source="notifications")

    async def listed() -> Any:
        request = ops.ListDeadLettersRequest(parent=f"{SERVICE}/consumers/-")
        return (await operator.ListDeadLetters(request)).dead_letters

    [found] = await eventually(listed)
    return found


async def test_a_dead_letter_says_what_it_is_about_and_why(operator: Any, letter: Any) -> None:
    shown = await operator.GetDeadLetter(ops.GetDeadLetterRequest(name=letter.name))
    assert shown.name.startswith(f"{CONSUMER}/deadLetters/")
    assert (shown.event_type, shown.error, shown.reason, shown.attempt_count) == (
        "rapport.notifications.v1.NoticeFailed", "FailedPrecondition", "NOT_YET", 1,
    )  # fmt: skip
    assert NoticeFailed.FromString(shown.data).notice == shown.resource
    assert shown.headers["ce-type"] == shown.event_type
    assert (letter.data, dict(letter.headers)) == (b"", {}), "a list is short"


async def test_a_replayed_dead_letter_is_applied_once_and_who_did_it_is_audited(
    running: Running, operator: Any, handler: Handler, letter: Any
) -> None:
    handler.mended = True
    request = ops.ReplayDeadLetterRequest(name=letter.name, request_id=str(uuid4()))
    await operator.ReplayDeadLetter(request)
    await operator.ReplayDeadLetter(request)
    await eventually(lambda: handler.applied)

    async def gone() -> bool:
        return not (await operator.GetBacklog(ops.GetBacklogRequest(name=BACKLOG))).set_aside

    await eventually(gone)
    assert handler.applied == [UUID(letter.name.rpartition("/")[2])]
    done = {row["what"].rpartition("/")[2]: row["resources"] for row in await _DONE.all(running.db)}
    assert {letter.name, letter.customer} <= set(done["ReplayDeadLetter"].split())


async def test_a_dropped_dead_letter_is_missing_nowhere_and_the_audit_says_why(
    running: Running, operator: Any, letter: Any
) -> None:
    drop = ops.DeleteDeadLetterRequest(name=letter.name, reason_code="repaired-by-hand")
    await operator.DeleteDeadLetter(drop)
    why = {row["what"].rpartition("/")[2]: row["reason_code"] for row in await _DONE.all(running.db)}
    assert why["DeleteDeadLetter"] == "repaired-by-hand"
    for call, request in (
        (operator.GetDeadLetter, ops.GetDeadLetterRequest(name=letter.name)),
        (operator.ReplayDeadLetter, ops.ReplayDeadLetterRequest(name=letter.name)),
        (operator.DeleteDeadLetter, drop),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(request)
        assert reason(refused.value) == "RESOURCE_NOT_FOUND"
    assert not (await operator.GetBacklog(ops.GetBacklogRequest(name=BACKLOG))).set_aside


async def test_the_backlog_says_which_version_answers(running: Running, operator: Any) -> None:
    backlog = await operator.GetBacklog(ops.GetBacklogRequest(name=BACKLOG))
    assert backlog.version == version(f"rapport-{running.app.name}")


async def test_the_backlog_and_the_consumers_tell_what_was_given_up_on(operator: Any, letter: Any) -> None:
    [aside] = (await operator.GetBacklog(ops.GetBacklogRequest(name=BACKLOG))).set_aside
    assert (aside.consumer, aside.state, aside.error, aside.event_count) == (
        CONSUMER, states_pb2.SET_ASIDE_STATE_DEAD, "FailedPrecondition", 1,
    )  # fmt: skip
    [consumer] = (await operator.ListConsumers(ops.ListConsumersRequest(parent=SERVICE))).consumers
    assert (consumer.name, consumer.service, consumer.dead_letter_count) == (
        CONSUMER,
        "services/notifications",
        1,
    )
    assert (consumer.pending_count, consumer.parked_count) == (0, 0)
    assert await operator.GetConsumer(ops.GetConsumerRequest(name=CONSUMER)) == consumer


async def test_the_dead_letters_of_a_consumer_that_is_not_there_are_not_an_empty_list(operator: Any) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await operator.ListDeadLetters(ops.ListDeadLettersRequest(parent=f"{SERVICE}/consumers/cases-nobody"))
    assert reason(refused.value) == "RESOURCE_NOT_FOUND"


async def test_a_service_answers_for_itself_alone(operator: Any, letter: Any) -> None:
    other = "services/loyalty"
    theirs = letter.name.replace(SERVICE, other)
    for call, request in (
        (operator.GetBacklog, ops.GetBacklogRequest(name=f"{other}/backlog")),
        (operator.GetConsumer, ops.GetConsumerRequest(name=f"{other}/consumers/cases-notices")),
        (operator.ListConsumers, ops.ListConsumersRequest(parent=other)),
        (operator.ListDeadLetters, ops.ListDeadLettersRequest(parent=f"{other}/consumers/-")),
        (operator.DeleteDeadLetter, ops.DeleteDeadLetterRequest(name=theirs, reason_code="known")),
        (operator.ListTimers, ops.ListTimersRequest(parent=other)),
        (operator.GetWork, ops.GetWorkRequest(name=f"{other}/work/{uuid4()}")),
        (operator.RepublishFacts, ops.RepublishFactsRequest(parent=other, start_time={"seconds": 1})),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(request)
        assert reason(refused.value) == "RESOURCE_NOT_FOUND"
    assert (await operator.GetDeadLetter(ops.GetDeadLetterRequest(name=letter.name))).name == letter.name


async def test_facts_are_published_again_page_by_page(
    running: Running, operator: Any, clock: ManualClock, infrastructure: Infrastructure
) -> None:
    current_call.set(Call("Test/Record", Principal("agent:bob")))
    recorded = []
    async with running.db.transaction() as tx:
        for _ in range(5):
            case, customer = f"cases/{uuid4()}", f"customers/{uuid4()}"
            fact = CaseReopened(
                case=case,
                customer=customer,
                topic="late",
                owner="agents/bob",
                department="departments/billing",
                state="OPEN",
                open_time=clock.now(),
                reopen_count=1,
                reason_code="not-settled",
            )
            recorded.append(tx.record(fact, version=1))

    async def published() -> bool:
        backlog = await operator.GetBacklog(ops.GetBacklogRequest(name=BACKLOG))
        return backlog.unpublished_fact_count == 0

    await eventually(published)
    connection = await connect(infrastructure.nats_url, "test")
    await connection.js.purge_stream("CASES")
    heard = await connection.client.subscribe("events.cases.>")
    request = ops.RepublishFactsRequest(
        parent=SERVICE, start_time=timestamp(clock.now() - timedelta(hours=1)), page_size=2
    )
    # Ids only grow, also when another test of this process had a later clock.
    request.end_time.CopyFrom(timestamp(clock.now() + timedelta(days=3650)))
    counts = []
    while not counts or request.page_token:
        answer = await operator.RepublishFacts(request)
        counts.append(answer.fact_count)
        request.page_token = answer.next_page_token
        if request.page_token:
            request.start_time.seconds += 1
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await operator.RepublishFacts(request)
            assert reason(refused.value) == "INVALID_PAGE_TOKEN"
            request.start_time.seconds -= 1
    assert counts == [2, 2, 1]
    messages = [await heard.next_msg(timeout=5) for _ in recorded]
    assert [UUID((message.headers or {})["ce-id"]) for message in messages] == recorded
    await connection.close()
    done = [row["resources"] for row in await _DONE.all(running.db)]
    assert done.count(SERVICE) == 3, "who published again is in the audit"


async def test_a_consumer_that_the_broker_has_not_got_is_listed_as_missing(
    running: Running, operator: Any, infrastructure: Infrastructure
) -> None:
    connection = await connect(infrastructure.nats_url, "test")
    await connection.js.delete_consumer("NOTIFICATIONS", "cases-notices")
    await connection.close()
    [consumer] = (await operator.ListConsumers(ops.ListConsumersRequest(parent=SERVICE))).consumers
    assert (consumer.name, consumer.missing) == (CONSUMER, True)


async def test_timers_and_work_are_listed_with_what_they_are_about(running: Running, operator: Any) -> None:
    async with running.db.connection() as connection:
        await connection.execute(
            "INSERT INTO timers (id, kind, key, due_at, correlation_id, causation_id, traceparent)"
            " SELECT gen_random_uuid(), 'promise-due', 'promises/' || n, now() + n * interval '1 day', '',"
            " gen_random_uuid(), '' FROM generate_series(1, 3) n"
        )
        await connection.execute(
            "INSERT INTO work (id, kind, key, state, due_at, expire_at, repeats, correlation_id,"
            " causation_id, traceparent, alarm, code, ended_at)"
            " SELECT gen_random_uuid(), 'send', state, state, now(), now() + interval '1 day',"
            " 1, '', gen_random_uuid(), '', state = 'PENDING', '535',"
            " CASE WHEN state <> 'PENDING' THEN now() END"
            " FROM unnest(ARRAY['PENDING', 'DONE', 'UNKNOWN']) state"
        )
    timers = await operator.ListTimers(ops.ListTimersRequest(parent=SERVICE, page_size=2))
    assert [timer.key for timer in timers.timers] == ["promises/1", "promises/2"]
    first = timers.timers[0]
    assert await operator.GetTimer(ops.GetTimerRequest(name=first.name)) == first
    rest = ops.ListTimersRequest(parent=SERVICE, page_size=2, page_token=timers.next_page_token)
    assert [timer.key for timer in (await operator.ListTimers(rest)).timers] == ["promises/3"]
    waiting, unknown = sorted(
        (await operator.ListWork(ops.ListWorkRequest(parent=SERVICE))).work, key=lambda w: w.key
    )
    assert await operator.GetWork(ops.GetWorkRequest(name=waiting.name)) == waiting
    assert (unknown.key, unknown.HasField("end_time")) == ("UNKNOWN", True)
    assert (waiting.key, waiting.alarm, waiting.code, waiting.HasField("end_time")) == (
        "PENDING", True, "535", False,
    )  # fmt: skip
    [backlog] = (await operator.GetBacklog(ops.GetBacklogRequest(name=BACKLOG))).work
    assert (backlog.kind, backlog.alarm_count, backlog.alarm_code) == ("send", 1, "535")
    assert (backlog.unknown_count, backlog.overdue_count) == (1, 0)
    async with running.db.connection() as connection:
        for table in ("timers", "work"):
            await connection.execute(f"UPDATE {table} SET due_at = now() - interval '1 h'")
    late = await operator.GetBacklog(ops.GetBacklogRequest(name=BACKLOG))
    assert (late.work[0].overdue_count, late.overdue_timer_count) == (1, 3)


async def test_reading_is_not_the_right_to_replay(running: Running, letter: Any) -> None:
    reader = running.stub(OperationsServiceStub, ["cases.operations.read", "loyalty.operations.write"])
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await reader.ReplayDeadLetter(ops.ReplayDeadLetterRequest(name=letter.name))
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
