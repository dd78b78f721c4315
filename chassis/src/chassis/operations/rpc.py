"""The gRPC service for people who run a service."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import nats.js.errors
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message

from chassis.api.entities import found
from chassis.api.messages import moment, to_message
from chassis.api.pages import Page
from chassis.api.wellknown import time_of
from chassis.db.database import Database
from chassis.db.statement import Executor, Statement
from chassis.db.transaction import Transaction
from chassis.errors import NotFound, Unavailable
from chassis.events.declarations import Consumption, stream_of
from chassis.events.nats import BROKER_ERRORS, Connection
from chassis.grpc.mutation import answered, mutation, once, request_of
from chassis.names import Pattern
from chassis.operations import store
from chassis.outbox.heartbeat import unpublished
from chassis.outbox.publisher import before, republish_some
from chassis.telemetry.exporting import version_of
from chassis.work.item import Work
from chassis.work.timers import Timer
from rapport.operations.v1 import operations_pb2 as pb
from rapport.operations.v1 import operations_service_pb2 as rpc
from rapport.operations.v1.operations_service_pb2_grpc import OperationsServiceServicer

T = TypeVar("T")
SERVICE = Pattern("services/{service:code}")
BACKLOG = Pattern("services/{service:code}/backlog")
CONSUMER = Pattern("services/{service:code}/consumers/{consumer:code}")
EVERY_CONSUMER = CONSUMER.any()
DEAD_LETTER = Pattern("services/{service:code}/consumers/{consumer:code}/deadLetters/{dead_letter}")
TIMER = Pattern("services/{service:code}/timers/{timer}")
WORK = Pattern("services/{service:code}/work/{work}")
BROKER_TIMEOUT_S = 2.0


class OperationsRpc(OperationsServiceServicer):
    """What waits in this service and what failed, and what to do about it; by the service's own rights."""

    def __init__(self, db: Database, connection: Connection, consumers: Sequence[Consumption]) -> None:
        self.db = db
        self._connection = connection
        self._consumers = {each.durable: each for each in consumers}

    def _ours(self, pattern: Pattern, name: str, field: str = "name") -> tuple[Any, ...]:
        """The ids in a name after the service. INVALID_NAME; NotFound when it is another service's."""
        service, *ids = pattern.parse(name, field)
        if service != self.db.service:
            raise NotFound(name, f"{name} is not of {self.db.service}, which was asked.")
        return tuple(ids)

    async def GetBacklog(self, request: rpc.GetBacklogRequest, context: Any) -> pb.Backlog:
        self._ours(BACKLOG, request.name)
        waiting, oldest = await unpublished(self.db)
        timers = await store.OVERDUE_TIMERS.one(self.db)
        return to_message(
            pb.Backlog,
            None,
            name=request.name,
            unpublished_fact_count=waiting,
            oldest_unpublished_time=oldest,
            set_aside=[
                to_message(pb.SetAside, row, consumer=CONSUMER.format(self.db.service, row.consumer))
                for row in await store.SET_ASIDE.all(self.db)
            ],
            work=await store.WORK_BY_KIND.all(self.db),
            overdue_timer_count=timers["overdue"],
            version=version_of(self.db.service),
        )

    async def GetConsumer(self, request: rpc.GetConsumerRequest, context: Any) -> pb.Consumer:
        (durable,) = self._ours(CONSUMER, request.name)
        if durable not in self._consumers:
            raise NotFound(request.name)
        [consumer] = await self._described([durable])
        return consumer

    async def ListConsumers(
        self, request: rpc.ListConsumersRequest, context: Any
    ) -> rpc.ListConsumersResponse:
        self._ours(SERVICE, request.parent, "parent")
        page = Page(request, str)
        rest = sorted(durable for durable in self._consumers if page.after is None or durable > page.after[0])
        shown = rest[: page.size]
        return rpc.ListConsumersResponse(
            consumers=await self._described(shown),
            next_page_token=page.next_token((shown[-1],)) if len(shown) < len(rest) else "",
        )

    async def _described(self, durables: Sequence[str]) -> list[pb.Consumer]:
        aside: Counter[tuple[str, str]] = Counter()
        for row in await store.SET_ASIDE.all(self.db):
            aside[row.consumer, row.state] += row.event_count
        consumers = []
        for durable in durables:
            each = self._consumers[durable]
            pending, in_hand, missing = await self._at_broker(each)
            consumers.append(
                pb.Consumer(
                    name=CONSUMER.format(self.db.service, durable),
                    service=SERVICE.format(each.source),
                    pending_count=pending,
                    in_hand_count=in_hand,
                    missing=missing,
                    parked_count=aside[durable, "PARKED"],
                    dead_letter_count=aside[durable, "DEAD"],
                )
            )
        return consumers

    async def _at_broker(self, each: Consumption) -> tuple[int, int, bool]:
        """Events that wait there, those in hand, and whether the consumer or its stream is missing."""
        try:
            async with asyncio.timeout(BROKER_TIMEOUT_S):
                info = await self._connection.js.consumer_info(stream_of(each.source), each.durable)
        except nats.js.errors.NotFoundError:
            return 0, 0, True
        except BROKER_ERRORS as error:
            raise Unavailable("BROKER_UNAVAILABLE", "The broker does not answer. Try again.") from error
        return info.num_pending or 0, info.num_ack_pending or 0, False

    async def ListDeadLetters(
        self, request: rpc.ListDeadLettersRequest, context: Any
    ) -> rpc.ListDeadLettersResponse:
        if EVERY_CONSUMER.match(request.parent):
            self._ours(EVERY_CONSUMER, request.parent, "parent")
            letters, token = await store.LIST_DEAD_LETTERS.page(self.db, request, self._dead_letter)
        else:
            (consumer,) = self._ours(CONSUMER, request.parent, "parent")
            if consumer not in self._consumers:
                raise NotFound(request.parent)
            of_one = store.LIST_DEAD_LETTERS_OF
            letters, token = await of_one.page(self.db, request, self._dead_letter, consumer=consumer)
        return rpc.ListDeadLettersResponse(dead_letters=letters, next_page_token=token)

    async def GetDeadLetter(self, request: rpc.GetDeadLetterRequest, context: Any) -> pb.DeadLetter:
        return self._dead_letter(await self._one(self.db, DEAD_LETTER, store.GET_DEAD_LETTER, request.name))

    @mutation
    async def ReplayDeadLetter(self, request: rpc.ReplayDeadLetterRequest, tx: Transaction) -> pb.DeadLetter:
        return self._dead_letter(await self._one(tx, DEAD_LETTER, store.REPLAY, request.name))

    @mutation
    async def DeleteDeadLetter(self, request: rpc.DeleteDeadLetterRequest, tx: Transaction) -> Empty:
        tx.because(request.reason_code)
        letter = await self._one(tx, DEAD_LETTER, store.DROP, request.name)
        for name in filter(None, (request.name, letter.customer)):
            tx.touch(name)
        return Empty()

    async def _one(self, on: Executor, pattern: Pattern, statement: Statement[T], name: str) -> T:
        return await found(on, pattern, statement, self.db.service, *self._ours(pattern, name))

    async def GetTimer(self, request: rpc.GetTimerRequest, context: Any) -> pb.Timer:
        return self._timer(await self._one(self.db, TIMER, store.GET_TIMER, request.name))

    async def ListTimers(self, request: rpc.ListTimersRequest, context: Any) -> rpc.ListTimersResponse:
        self._ours(SERVICE, request.parent, "parent")
        timers, token = await store.LIST_TIMERS.page(self.db, request, self._timer)
        return rpc.ListTimersResponse(timers=timers, next_page_token=token)

    async def GetWork(self, request: rpc.GetWorkRequest, context: Any) -> pb.Work:
        return self._work(await self._one(self.db, WORK, store.GET_WORK, request.name))

    async def ListWork(self, request: rpc.ListWorkRequest, context: Any) -> rpc.ListWorkResponse:
        self._ours(SERVICE, request.parent, "parent")
        work, token = await store.LIST_WORK.page(self.db, request, self._work)
        return rpc.ListWorkResponse(work=work, next_page_token=token)

    async def RepublishFacts(  # type: ignore[override]  # bytes, as mutations answer
        self, request: rpc.RepublishFactsRequest, context: Any
    ) -> bytes:
        """Publish again, and then record who did: no transaction waits for the broker."""
        self._ours(SERVICE, request.parent, "parent")
        page, asked = Page(request, datetime, UUID), request_of(request)
        until = time_of(request, "end_time") or self.db.clock.now()
        until, after = page.after or (until, before(moment(request.start_time)))
        again = await republish_some(self.db, self._connection, after, until, page.size)
        response = rpc.RepublishFactsResponse(
            fact_count=again.sent,
            refused_fact_count=again.refused,
            next_page_token=page.next_token((until, again.last)) if again.last else "",
        )

        async def recorded(_: Any, __: Any, ___: Any, tx: Transaction) -> list[Message]:
            tx.touch(request.parent)
            return [response]

        return answered(await once(self, recorded, asked), context)

    def _dead_letter(self, letter: store.DeadLetter) -> pb.DeadLetter:
        return to_message(
            pb.DeadLetter,
            letter,
            name=DEAD_LETTER.format(self.db.service, letter.consumer, letter.event_id),
            event_type=letter.type,
            attempt_count=letter.attempts,
            set_aside_time=letter.parked_at,
        )

    def _timer(self, timer: Timer) -> pb.Timer:
        return to_message(
            pb.Timer,
            timer,
            name=TIMER.format(self.db.service, timer.id),
            due_time=timer.due_at,
            attempt_count=timer.attempts,
        )

    def _work(self, work: Work) -> pb.Work:
        return to_message(
            pb.Work,
            work,
            name=WORK.format(self.db.service, work.id),
            attempt_count=work.attempt,
            due_time=work.due_at,
            expire_time=work.expire_at,
            end_time=work.ended_at,
        )
