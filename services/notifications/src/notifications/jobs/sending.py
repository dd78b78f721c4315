"""Sending: what the chassis' queue does with a notice."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from chassis.backoff import Backoff
from chassis.db.aliases import lock_person
from chassis.db.database import Database
from chassis.db.statement import LOCK_NAME
from chassis.db.transaction import Transaction
from chassis.errors import InvalidArgument
from chassis.work import NotDone, Ours, Outcome, Refused, Turn, Verdict, Work, code_of
from notifications.channels.channel import CONVERSED, Channel
from notifications.domain.attempt import Attempt
from notifications.domain.notice import Notice, State
from notifications.domain.policy import CONCERNS, CallFirst
from notifications.domain.pressure import Budget
from notifications.domain.reasons import Reason
from notifications.domain.route import asked_about, left
from notifications.domain.template import COMPANY_NAME, PAGES_LINK, REPEATS, UNSUBSCRIBE_LINK
from notifications.jobs.gate import Gate
from notifications.names import CUSTOMER
from notifications.peers.contacts import Calls, Contact, Contacts, Promises
from notifications.peers.dates import Dates
from notifications.peers.links import Links
from notifications.store.tables import GET_ATTEMPT, GET_NOTICE, LOCK_NOTICE, WHOSE
from notifications.usecases.attempt import (
    Accepted,
    Delivery,
    Forbidden,
    NextChannel,
    keep_attempt,
    prepare,
    record_outcome,
    start_attempt,
)
from notifications.usecases.call import BY_POLICY, require_call, wanted_by_policy
from notifications.usecases.fallback import elsewhere, fall_back_when_silent, go_on_in_silence
from notifications.usecases.hour import require_hour
from notifications.usecases.notice import SEND
from notifications.usecases.pressure import has_room, require_room
from notifications.usecases.trigger import is_on, require_on
from notifications.usecases.words import Words, render, used_in

_CHANNEL = "channel"
REPEATS_TO_NOBODY = 10  # of what its provider sends once: what may have been lost is handed over again
_log = structlog.get_logger()


@dataclass(eq=False)
class Sending:
    """The worker that hands notices to the provider: see `chassis.work.Worker`."""

    db: Database
    contacts: Contacts
    promises: Promises
    dates: Dates
    links: Links
    calls: Calls
    channels: Sequence[Channel]  # the first where a customer has no other wish
    gate: Gate
    budget: Budget  # of messages that can wait
    company: str  # who we are to customers
    call_within: timedelta  # in which somebody is called first, of those who are
    at_once: int
    prepare_time: timedelta
    answer_time: timedelta
    retries: Backoff
    kind: str = SEND

    async def act(self, work: Work, turn: Turn) -> Accepted:
        """Ask, write, hand over."""
        now = self.db.clock.now()
        async with self.db.reading() as on:
            notice = await GET_NOTICE.one(on, id=UUID(work.key))
            silent = notice.told
            if silent and (wanted_again := elsewhere(notice, self._codes)) is not None:
                notice = wanted_again
            elif silent:
                raise Forbidden(Reason.ALREADY_TOLD)
            await self.gate.require(on, notice, self._open_to(notice))
            wanted = await require_on(on, notice, now)
        contact = await self.contacts.of(notice)
        reasons = await self._reasons_to_call(notice)
        decisions = [*wanted, *contact.decisions]
        decisions = require_call(notice, reasons, self.call_within, now, decisions)
        decisions = require_hour(notice, contact.zone, now, decisions)
        exempt = notice.urgent or contact.essential
        async with self.db.reading() as on:
            decisions = await require_room(
                on, notice, contact.category, self.budget, now, decisions, exempt=exempt
            )
        if silent:
            notice = await self._in_silence(notice.id)
        to = (contact.channel, contact.language_code, contact.category, contact.identifier)
        async with self.db.reading() as on:
            delivery = await prepare(on, self.db.clock.now(), work, notice, *to, decisions)
        asked = await self.links.confirming(notice, contact)
        contact = await self.links.on(notice, contact, used_in(delivery.text))
        words = _words(delivery, contact, {COMPANY_NAME: self.company}, asked)
        channel = self._by(contact.channel)
        conversing = False

        async def ready(fingerprint: str) -> None:
            nonlocal conversing
            conversing = False
            delivery.decisions.extend(await self.promises.confirm(notice))
            delivery.decisions.extend(await self.dates.confirm(notice))
            # What asks to confirm has another link each time: it would be no repeat.
            harmless = channel.idempotent and not asked
            repeats = REPEATS_TO_NOBODY if harmless else REPEATS[delivery.template.type]
            await turn.hand_over(fingerprint, delivery, repeats=repeats)
            conversing = True

        try:
            message = await channel.prepare(delivery, contact, words)
            async with self.gate.through(channel, notice, decisions):
                conversing = True
                code = await channel.send(message, ready, turn.commit_to_it)
        except NotDone as error:
            # For the attempt's row, which may not have begun, and for what is known of its provider.
            met = {_CHANNEL: channel.code, CONVERSED: conversing}
            if self._has_another(notice, work, channel.code, error):
                error = NextChannel(error.code)
            vars(error).update(met)
            raise error from None
        return Accepted(_hash(words), code, self.db.clock.now())

    async def _reasons_to_call(self, notice: Notice) -> Sequence[str]:
        """Why a person is to tell the customer first; nothing when nobody is."""
        match await wanted_by_policy(self.db, notice):
            case CallFirst.ALWAYS:
                return (BY_POLICY,)
            case CallFirst.NEVER:
                return ()
        return await self.calls.first(notice.promise)

    def _has_another(self, notice: Notice, work: Work, code: str, error: NotDone) -> bool:
        """Whether a channel is left after one refused the recipient; nothing else left meanwhile."""
        refused = isinstance(error, Refused) and not isinstance(error, Forbidden)
        others = [each for each in left(notice, self._codes) if each != code]
        return refused and not work.unknown and bool(others)

    async def _in_silence(self, notice_id: UUID) -> Notice:
        """The notice, which is wanted again for nobody reports that it arrived. Forbidden when it is not."""
        async with self.db.transaction() as tx:
            notice = await self.lock(tx, str(notice_id))
            # It may have come back since it was looked at: then it is wanted again already.
            if not notice.waits and not await go_on_in_silence(tx, notice, self._codes):
                raise Forbidden(Reason.ALREADY_TOLD)
        return notice

    def _open_to(self, notice: Notice) -> list[Channel]:
        """The channels by which it may go, the inbox of who prefers it too; a repeat goes as before."""
        codes = [notice.channel] if notice.in_doubt else asked_about(notice, self._codes)
        return [each for each in self.channels if each.code in codes]

    @property
    def _codes(self) -> list[str]:
        return [each.code for each in self.channels]

    async def lock(self, tx: Transaction, key: str) -> Notice:
        """Lock the notice, and before it whom it is for, where what they are sent is looked at.

        Between them the promise that a policy tells of, in the order of `hear`.
        """
        whose = await WHOSE.one(tx, id=UUID(key))
        if whose["tells_date"] or not whose["exempt"]:
            await lock_person(tx, *CUSTOMER.ids(whose["customer"]))
        if whose["promise"]:
            await LOCK_NAME.run(tx, name=whose["promise"])
        return await LOCK_NOTICE.one(tx, id=UUID(key))

    async def handing_over(self, tx: Transaction, subject: Notice, work: Work, about: Any) -> bool:
        """Begin an attempt, when there is room for it still, and who asked for it still wants it."""
        if not await is_on(tx, subject):
            return False
        exempt = subject.urgent or about.template.essential
        if not exempt and not await has_room(tx, subject, about.category, self.budget):
            return False
        attempt = self._attempt(subject, work.attempt, about.compose_time, about.channel)
        attempt.identifier = about.identifier
        return await start_attempt(tx, subject, about, attempt)

    async def record(
        self, tx: Transaction, subject: Notice, work: Work, attempt: int, outcome: Outcome
    ) -> None:
        """Keep how an attempt ended."""
        if outcome.verdict in (Verdict.LATER, Verdict.OURS, Verdict.UNKNOWN):
            said = "a notice could not be handed over and is tried again later"
            unknown = "whether the provider accepted a notice is not known"
            event = unknown if outcome.verdict is Verdict.UNKNOWN else said
            _log.warning(event, notice=subject.name, attempt=attempt, code=outcome.code)
        known = await self._channel_of(tx, subject, attempt, outcome)
        channel = known or subject.channel
        if attempt:
            await self.gate.note(tx, self._by(channel), outcome, subject.template_id)
        kept = self._attempt(subject, attempt, tx.now, channel)
        if known in subject.spent:  # all is known of it, and another channel has it now
            await keep_attempt(tx, subject, kept, outcome)
            return
        await record_outcome(tx, subject, work, kept, outcome)
        if outcome.verdict is Verdict.DONE:
            await fall_back_when_silent(tx, subject, self._codes)

    async def _channel_of(self, tx: Transaction, notice: Notice, attempt: int, outcome: Outcome) -> str:
        """That of an attempt, which may be another than the notice's by now; "" before it has one."""
        if code := getattr(outcome.result, _CHANNEL, ""):
            return str(code)
        if notice.state is State.SENDING and attempt == notice.latest_attempt:
            return notice.channel
        row = await GET_ATTEMPT.maybe(tx, notice_id=notice.id, id=attempt)
        return row.channel if row is not None else ""

    def _attempt(self, notice: Notice, number: int, time: datetime, code: str) -> Attempt:
        channel = self._by(code)
        return Attempt(notice.id, number, channel.provider, channel.key(notice), time, channel=channel.code)

    def _by(self, code: str) -> Channel:
        """The channel of that code; the first for one that is not served here, or not known yet."""
        return next((each for each in self.channels if each.code == code), self.channels[0])


def _hash(words: Words) -> str:
    parts = filter(None, (words.subject, words.body, words.html))
    return hashlib.sha256("\n\n".join(parts).encode()).hexdigest()


def _words(delivery: Delivery, contact: Contact, ours: Mapping[str, str], asked: Mapping[str, str]) -> Words:
    """What it says to this customer. Ours whatever stands in the way: a new version of the template helps.

    `ours` is what holds for every message, unless its template has a variable that is called so; `asked`
    what stands for the variables by which they are asked to confirm something.
    """
    notice, means = delivery.notice, CONCERNS.get(delivery.notice.concern)
    given = {
        **ours,
        **notice.variables,
        **asked,
        "customer_name": contact.customer_name,
        "contact_name": contact.agent_name,
        "contact_reach": contact.reach,
        PAGES_LINK: contact.pages_url,
        UNSUBSCRIBE_LINK: contact.unsubscribe_url,
    }
    must_say = means.must_say if means else ()
    try:
        return render(delivery.template, delivery.text, given, contact.zone, must_say)
    except InvalidArgument as refusal:
        raise Ours(code_of(refusal.reason)) from None
    except Exception as error:
        _log.error("a notice cannot be rendered", notice=notice.name, error=type(error).__name__)
        raise Ours(code_of(type(error).__name__)) from None
