"""Asking others, right before a message leaves: whom it reaches and where, and whether it is still true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING

import grpc

from chassis.api.messages import enum_name, moment, value_name
from chassis.db.database import Database
from chassis.facts import Decision, Outcome
from chassis.grpc.status import refusal
from chassis.work import Later, Ours
from chassis.work.item import not_answered
from chassis.zones import time_zone
from notifications.domain.news import untrue
from notifications.domain.notice import Concern, Notice
from notifications.domain.reasons import Reason
from notifications.domain.route import asked_about, for_everybody, named
from notifications.peers.asking import check_of
from notifications.peers.signers import Signers
from notifications.usecases.attempt import Forbidden, Quiet
from notifications.usecases.promise import learn, news_in
from notifications.usecases.words import reach_of
from rapport.cases.v1 import agent_pb2, call_service_pb2, promise_service_pb2
from rapport.common.v1 import channel_pb2
from rapport.customer.v1 import consent_service_pb2

if TYPE_CHECKING:
    from rapport.cases.v1.call_service_pb2_grpc import CallServiceAsyncStub
    from rapport.cases.v1.promise_service_pb2_grpc import PromiseServiceAsyncStub
    from rapport.customer.v1.consent_service_pb2_grpc import ConsentServiceAsyncStub


_OF_A_CHANNEL = (Reason.CONSENT_DENIED, Reason.SUPPRESSED, Reason.NO_ADDRESS)  # another may be open


@dataclass(frozen=True, repr=False, slots=True)
class Contact:
    """Who is told, and by whom. Personal: used once, never kept, never shown."""

    channel: str
    address: str
    identifier: str  # whose address it is, `customers/{uuid}/identifiers/{uuid}`; "" where nobody says it
    customer_name: str
    category: str  # of the purpose; may be empty
    essential: bool  # whether that is of what they have of us
    language_code: str  # BCP 47
    zone: tzinfo
    agent_name: str
    reach: str  # how to reach the agent, in words
    reply_to: str  # the agent's e-mail address; may be empty
    decisions: list[Decision]  # by which it was found that they may be told
    pages_url: str = ""  # of their own pages; empty where they have none, or the text does not name it
    unsubscribe_url: str = ""  # which takes a POST by which they leave (RFC 8058); empty where nobody leaves


@dataclass(frozen=True, slots=True)
class Contacts:
    """Asks the customer service, and who signs."""

    consents: ConsentServiceAsyncStub
    signers: Signers
    channels: Sequence[str]  # on which somebody takes our messages, best first

    async def of(self, notice: Notice) -> Contact:
        """The contact for a notice now. Forbidden when there must be none, Later when nobody can say.

        Deferred while the customer wants quiet. Ours when we may not ask, or there is nobody to name.
        """
        passed_over: list[Decision] = []
        allowed = await self._allowed(notice, passed_over)
        agent = await self._signer(notice, allowed.relationship_manager)
        return Contact(
            channel=enum_name(channel_pb2.Channel.DESCRIPTOR, allowed.channel),
            address=allowed.address,
            identifier=allowed.identifier,
            customer_name=allowed.display_name,
            category=allowed.category,
            essential=allowed.essential,
            language_code=allowed.language_code,
            zone=time_zone(allowed.time_zone) or UTC,
            agent_name=agent.display_name,
            reach=reach_of(agent.phone, agent.email),
            reply_to=agent.email,
            decisions=[*passed_over, *_decisions(allowed)],
        )

    async def _allowed(
        self, notice: Notice, passed_over: list[Decision]
    ) -> consent_service_pb2.CheckContactResponse:
        """What is allowed on the first channel of its strategy on which anything is, and by which not."""
        channels = self._asked_by(notice)
        *before, last = [[each] for each in channels] if named(notice.delivery) else [channels]
        for one in before:
            try:
                return await self._check(notice, one, passed_over)
            except Forbidden as refusal:
                if refusal.why not in _OF_A_CHANNEL:
                    raise
                passed_over[:] = refusal.decisions
        return await self._check(notice, last, passed_over)

    async def _check(
        self, notice: Notice, channels: Sequence[str], before: Sequence[Decision]
    ) -> consent_service_pb2.CheckContactResponse:
        request = check_of(
            notice.customer,
            notice.purpose,
            channels,
            urgent=notice.urgent,
            app_for_everybody=for_everybody(notice),
        )
        try:
            answer = await self.consents.CheckContact(request)
        except grpc.aio.AioRpcError as error:
            absent = refusal(error).metadata.get("resource")
            if absent == notice.customer:
                raise Forbidden(Reason.CUSTOMER_NOT_FOUND) from None
            if absent == notice.purpose:  # which a template names and nobody has created
                raise Ours(Reason.PURPOSE_NOT_FOUND) from None
            raise not_answered("customer", error) from None
        if answer.allowed:
            return answer
        why, decisions = Reason.of(answer.reason_code, Reason.NOT_ALLOWED), [*before, *_decisions(answer)]
        until = moment(answer.open_time) if answer.HasField("open_time") else None
        if until and until < notice.expire_time:
            raise Quiet(why, until, decisions)
        if until:  # of no more use once there is no more quiet
            inputs = {"expire_time": notice.expire_time.isoformat(), "open_time": until.isoformat()}
            time = decisions[-1].decide_time if decisions else None
            decisions.append(Decision("expiry", Outcome.STOPPED, answer.reason_code, inputs, time))
        raise Forbidden(why, decisions)

    def _asked_by(self, notice: Notice) -> Sequence[str]:
        """The channels for it: what is left, and a repeat goes as before.

        Forbidden for none.
        """
        asked = asked_about(notice, self.channels)
        if notice.in_doubt and notice.channel in self.channels:
            asked = [notice.channel]
        if not asked:
            raise Forbidden(Reason.CHANNEL_NOT_SERVED)
        return asked

    async def _signer(self, notice: Notice, manager: str) -> agent_pb2.Agent:
        """Ours when there is nobody."""
        try:
            signer = await self.signers.of(manager, notice.case)
        except grpc.aio.AioRpcError as error:
            raise not_answered("cases", error) from None
        if signer is None:
            raise Ours(Reason.NO_CONTACT_PERSON)
        return signer


def _decisions(answer: consent_service_pb2.CheckContactResponse) -> list[Decision]:
    """The steps of an answer; none of a release of the customer service that does not tell them."""
    return [
        Decision(
            each.step,
            Outcome(value_name(each, "outcome") or Outcome.STOPPED),
            each.reason_code,
            dict(each.inputs),
            moment(each.decide_time),
        )
        for each in answer.decisions
    ]


@dataclass(frozen=True, slots=True)
class Calls:
    """Asks the cases service whom a person tells bad news before a message does."""

    calls: CallServiceAsyncStub

    async def first(self, promise: str) -> Sequence[str]:
        """Why the customer of a promise is to be called first; nothing when they are not.

        Later when nobody can say; Ours when we may not ask. A release that does not know of it calls nobody.
        """
        try:
            answer = await self.calls.CheckCallFirst(call_service_pb2.CheckCallFirstRequest(name=promise))
        except grpc.aio.AioRpcError as error:
            if error.code() in (grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.NOT_FOUND):
                return ()
            raise not_answered("cases", error) from None
        return answer.reason_codes


@dataclass(frozen=True, slots=True)
class Promises:
    """Asks the cases service. Events only woke us: they come late, twice and in any order."""

    db: Database
    promises: PromiseServiceAsyncStub

    async def confirm(self, notice: Notice) -> list[Decision]:
        """How it was decided that a policy's notice says what holds; a department's says what it says.

        When it does not, or another date does, what the owner says is done as if its event had come: the
        notice is withdrawn or revised, and cannot begin as it was. Forbidden when there is no such promise.
        Later when nobody can say, or the owner does not know yet what we heard of it. Ours when we may not
        ask.
        """
        if notice.concern == Concern.NONE:
            return []
        try:
            promise = await self.promises.GetPromise(
                promise_service_pb2.GetPromiseRequest(name=notice.promise)
            )
        except grpc.aio.AioRpcError as error:
            if error.code() == grpc.StatusCode.NOT_FOUND:
                raise Forbidden(Reason.PROMISE_ENDED) from None
            raise not_answered("cases", error) from None
        news = news_in(promise)
        if news.version < notice.heard_version:
            raise Later(Reason.PROMISE_BEHIND)
        if untrue(notice.concern, news) or news.variables != notice.variables:
            async with self.db.transaction() as tx:
                await learn(tx, notice.id, news)
        inputs = {"promise": notice.promise, "promise_version": str(news.version)}
        return [Decision("promise", Outcome.PASSED, inputs=inputs, decide_time=self.db.clock.now())]
