"""Sending: claim in one transaction, deliver outside of any, record in another.

Whatever dies in between, the notice is claimed again after the send timeout, and every attempt carries the
same Message-ID: at least once to the provider, once to the customer.
"""

import asyncio
import dataclasses
import hashlib
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from chassis.context import Call, current_call, service_itself
from chassis.db.database import Database
from chassis.db.timers import Timer
from chassis.db.transaction import Transaction
from chassis.errors import InvalidArgument, Refusal
from chassis.events.failure import Verdict, judge
from chassis.telemetry import tracing
from notifications.domain.attempt import Accepted, Later, Refused, Unsent
from notifications.domain.notice import NOT_RENDERABLE
from notifications.jobs import smtp
from notifications.jobs.contacts import Contacts
from notifications.jobs.smtp import Mail, SmtpProvider
from notifications.usecases.record_outcome import Retries, record_outcome
from notifications.usecases.start_attempt import Delivery, Provider, start_attempt
from notifications.usecases.words import Words, render

_log = structlog.get_logger()
PAUSE_S = 0.5  # between tries to record an outcome


class Sending:
    """The sender.

    Args:
        db: the service's database.
        spawn: starts work that goes on after the transaction; `App.spawn`.
        contacts: whom to reach, and where.
        provider: takes the messages.
        send_timeout: after which an attempt without a known outcome is made again. Delivering and recording
            get a third of it each, so that two attempts never overlap.
        retries: when to try again after a temporary failure.

    """

    def __init__(
        self,
        db: Database,
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        contacts: Contacts,
        provider: SmtpProvider,
        send_timeout: timedelta,
        retries: Retries,
    ) -> None:
        self._db = db
        self._spawn = spawn
        self._contacts = contacts
        self._provider = provider
        self._send_timeout = send_timeout
        self._step_s = send_timeout.total_seconds() / 3
        self._retries = retries

    async def notice_send(self, tx: Transaction, timer: Timer) -> None:
        """Timer: it is time to send a notice, or to send it again."""
        provider = Provider(smtp.NAME, self._provider.domain)
        delivery = await start_attempt(tx, UUID(timer.key), provider, self._send_timeout)
        if delivery is not None:
            found, call = delivery, tx.call
            tx.after_commit(lambda: self._spawn(self._deliver(found, call)))

    async def _deliver(self, delivery: Delivery, call: Call) -> None:
        with tracing.work_span("deliver notice", call.traceparent):
            sender = service_itself(self._db.service)  # the timer only said when
            trace = tracing.traceparent() or call.traceparent
            current_call.set(dataclasses.replace(call, principal=sender, traceparent=trace))
            result = await self._result(delivery)
            if isinstance(result, Later):
                _log.warning(
                    "a notice could not be handed over and is tried again later",
                    notice=delivery.notice.name,
                    attempt=delivery.attempt.number,
                    code=result.provider_code,
                )
            await self._record(delivery, result)

    async def _record(self, delivery: Delivery, result: Accepted | Unsent) -> None:
        """Keep the outcome. A database that is away or busy is waited for: or the mail would go out again."""
        until = asyncio.get_running_loop().time() + self._step_s
        while True:
            try:
                async with self._db.transaction() as tx:
                    await record_outcome(tx, delivery, result, self._retries)
                return
            except Refusal as failure:
                passing = judge(failure) in (Verdict.RETRY, Verdict.DOWN)
                if not passing or asyncio.get_running_loop().time() > until:
                    raise
            await asyncio.sleep(PAUSE_S)

    async def _result(self, delivery: Delivery) -> Accepted | Unsent:
        try:
            async with asyncio.timeout(self._step_s):
                return await self._hand_over(delivery)
        except Unsent as result:
            return result
        except TimeoutError:
            return Later("TIMEOUT")

    async def _hand_over(self, delivery: Delivery) -> Accepted:
        notice, template = delivery.notice, delivery.template
        contact = await self._contacts.of(notice.customer)
        platform = {
            "customer_name": contact.customer_name,
            "contact_name": contact.agent_name,
            "contact_reach": contact.reach,
        }
        try:
            words = render(template, notice.variables | platform, contact.zone)
        except InvalidArgument as refusal:
            raise Refused(refusal.reason, NOT_RENDERABLE) from None
        mail = Mail(
            message_id=delivery.attempt.provider_key,
            address=contact.address,
            name=contact.customer_name,
            reply_to=contact.reply_to,
            words=words,
            language_code=template.language_code,
            time=self._db.clock.now(),
        )
        code = await self._provider.send(mail)
        return Accepted(contact.channel, _hash(words), code)


def _hash(words: Words) -> str:
    return hashlib.sha256(f"{words.subject}\n\n{words.body}".encode()).hexdigest()
