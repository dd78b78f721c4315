"""Asking the owner of a promise, right before a message leaves, whether what it says is still true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc

from chassis.db.database import Database
from chassis.work import Later
from chassis.work.peers import not_answered
from notifications.domain.news import untrue
from notifications.domain.notice import PROMISE_ENDED, Concern, Notice
from notifications.usecases.hear_of_promise import learn
from notifications.usecases.promise_news import news_in
from notifications.usecases.record_outcome import Forbidden
from rapport.cases.v1 import promise_service_pb2

if TYPE_CHECKING:
    from rapport.cases.v1.promise_service_pb2_grpc import PromiseServiceAsyncStub

BEHIND = "promise-behind"


@dataclass(frozen=True, slots=True)
class Promises:
    """Asks the cases service. Events only woke us: they come late, twice and in any order.

    Attributes:
        db: the service's database.
        promises: the cases service's.
    """

    db: Database
    promises: PromiseServiceAsyncStub

    async def confirm(self, notice: Notice) -> None:
        """Return when what a policy's notice says of its promise may hold; a department's says what it says.

        When it does not, or another date does, what the owner says is done as if its event had come: the
        notice is withdrawn or revised, and cannot begin as it was. Forbidden when there is no such promise.
        Later when nobody can say, or the owner does not know yet what we heard of it. Ours when we may not
        ask.
        """
        if notice.concern == Concern.NONE:
            return
        try:
            promise = await self.promises.GetPromise(
                promise_service_pb2.GetPromiseRequest(name=notice.promise)
            )
        except grpc.aio.AioRpcError as error:
            if error.code() == grpc.StatusCode.NOT_FOUND:
                raise Forbidden(PROMISE_ENDED) from None
            raise not_answered("cases", error) from None
        news = news_in(promise)
        if news.version < notice.heard_version:
            raise Later(BEHIND)
        if untrue(notice.concern, news) or news.variables != notice.variables:
            async with self.db.transaction() as tx:
                await learn(tx, notice.id, news)
