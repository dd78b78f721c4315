"""An attempt to deliver a notice: what it is made of, how it begins, and what its end makes of the notice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.api.entities import write
from chassis.db.statement import Executor, values
from chassis.db.transaction import Transaction
from chassis.facts import Decision
from chassis.work import Deferred, NotDone, Refused, State, Verdict, Work
from chassis.work import Outcome as Ended
from chassis.work.item import LIVE
from notifications.domain import notice as rules
from notifications.domain.attempt import Attempt, Outcome
from notifications.domain.call_request import call_first, too_late
from notifications.domain.calling import wait_for_call
from notifications.domain.notice import Concern, Notice
from notifications.domain.reasons import Reason
from notifications.domain.receipt import accept_on, spend
from notifications.domain.route import why_failed
from notifications.domain.template import Template
from notifications.store import tables as store
from notifications.usecases.fallback import gone_on
from notifications.usecases.notice import save
from notifications.usecases.partials import Whole, as_it_was
from notifications.usecases.policy import read_template
from notifications.usecases.promise import count_told, follow_up, told_of_promise
from notifications.usecases.words import text_for


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one attempt delivers: the notice and the template as they were when it was prepared."""

    notice: Notice
    template: Template
    text: Whole
    channel: str
    category: str  # of the purpose
    identifier: str  # whose address it goes to; "" where nobody says it
    decisions: list[Decision]  # by which it is sent
    compose_time: datetime  # what the message bears as its date; a repeat that of what it repeats


async def prepare(
    on: Executor,
    time: datetime,
    work: Work,
    notice: Notice,
    channel: str,
    language_code: str,
    category: str,
    identifier: str,
    decisions: list[Decision],
) -> Delivery:
    """What to deliver to a customer who is reached by `channel` and reads that language, composed at `time`.

    A repeat renders the version of the text of what it repeats, and bears its time.
    """
    template, texts = await read_template(on, notice.template_id)
    text = text_for(texts, language_code, template.default_language_code) or texts[0]
    if notice.in_doubt:
        said = {"template_text_id": notice.language_code.lower(), "id": str(notice.text_version)}
        was = await store.GET_TEXT_VERSION.one(on, template_id=template.id, **said)
        text = await as_it_was(on, was, notice.text_partials)
    if work.unknown and work.fingerprint:
        time = (await store.GET_ATTEMPT.one(on, notice_id=notice.id, id=work.unknown[0])).start_time
    return Delivery(notice, template, text, channel, category, identifier, decisions, time)


async def start_attempt(tx: Transaction, notice: Notice, delivery: Delivery, attempt: Attempt) -> bool:
    """The message is about to leave. False when the notice says something else by now, or has ended."""
    if not notice.waits or notice.revision != delivery.notice.revision:
        return False
    notice.begin(attempt.number, delivery.channel, delivery.text, delivery.text.partials)
    notice.category = delivery.category
    notice.decide(delivery.decisions)
    tx.also(store.INSERT_ATTEMPT, store.INSERT_ATTEMPT.arguments(values(attempt)))
    await save(tx, notice)
    await count_told(tx, await told_of_promise(tx, notice))
    return True


_OUTCOMES = {
    Verdict.DONE: Outcome.ACCEPTED,
    Verdict.REFUSED: Outcome.PERMANENT_FAILURE,
    Verdict.LATER: Outcome.TEMPORARY_FAILURE,
    Verdict.OURS: Outcome.TEMPORARY_FAILURE,
    Verdict.AGAIN: Outcome.TEMPORARY_FAILURE,
    Verdict.UNKNOWN: Outcome.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Accepted:
    """A provider accepted the message."""

    content_hash: str  # SHA-256 of what it said, in hex
    provider_code: str
    time: datetime  # which may be long before it is recorded


class Forbidden(Refused):
    """It is not to be sent; the provider was not asked."""

    def __init__(self, why: Reason, decisions: Sequence[Decision] = ()) -> None:
        super().__init__(why)
        self.why, self.decisions = why, decisions


class Quiet(Deferred):
    """Not to be sent before the customer wants no more quiet, or `provider` takes it; that was not asked."""

    def __init__(
        self, why: Reason, until: datetime, decisions: Sequence[Decision], provider: str = ""
    ) -> None:
        super().__init__(why, until)
        self.why, self.decisions, self.provider = why, decisions, provider


class NextChannel(NotDone):
    """The provider refused this recipient for good, and there is another channel: prepared anew for that."""

    verdict = Verdict.AGAIN


async def record_outcome(tx: Transaction, notice: Notice, work: Work, attempt: Attempt, ended: Ended) -> None:
    """Keep the outcome and move the notice on. Told twice, the second time changes nothing.

    An acceptance counts whichever attempt brings it, and however late.
    """
    earlier, state = (notice.version, notice.in_doubt, notice.decisions), notice.state
    why, wanted = notice.reason_code, notice.variables
    of_promise = await told_of_promise(tx, notice)
    if isinstance(ended.result, Forbidden | Quiet):
        silent = notice.told and ended.code != Reason.ALREADY_TOLD  # it was looked for another channel
        before = [gone_on(notice.channel, Reason.NOT_DELIVERED, tx)] if silent else []
        notice.decide([*before, *ended.result.decisions])
    await keep_attempt(tx, notice, attempt, ended)
    notice.in_doubt = bool(work.unknown) and not notice.bounced and _is_open(notice)
    if isinstance(ended.result, Accepted):
        accepted = ended.result
        if not notice.told and not notice.bounced:
            notice.accept(accepted.time, accepted.content_hash)
            notice.in_doubt = False
        elif notice.state is rules.State.SENT and attempt.channel != notice.channel:
            accept_on(notice, attempt.channel, accepted.time, accepted.content_hash)
    elif work.state in (State.PENDING, State.CLAIMED):
        newer = any(each is not notice and not each.ended for each in of_promise)
        notice.postpone(replaced=notice.superseded or newer)
        if isinstance(ended.result, NextChannel) and notice.waits:
            notice.decide([gone_on(attempt.channel, _refusal(ended), tx)])
            notice.want_again(attempt.channel, _refusal(ended))
        if isinstance(ended.result, Quiet):
            notice.defer(ended.result.until, ended.result.why, ended.result.provider)
            if ended.result.why is Reason.CALL_FIRST and wait_for_call(notice, ended.result.until):
                tx.record(call_first(notice), version=notice.version, caused_by=notice.request_event)
        elif attempt.number == work.attempt and notice.waits:
            notice.wait_no_longer()
        if nobody_yet := too_late(notice, tx.now, work.due_at):
            tx.record(nobody_yet, version=notice.version, caused_by=notice.request_event)
    elif work.state in (State.REFUSED, State.UNKNOWN, State.EXPIRED):
        if notice.accepted_on and work.state is State.REFUSED and not isinstance(ended.result, Forbidden):
            spend(notice, attempt.channel, _refusal(ended))
        notice.give_up(*_why(notice, ended))
    if earlier == (notice.version, notice.in_doubt, notice.decisions):
        return
    if state != notice.state:
        await save(tx, notice, caused_by=notice.request_event, queued=work.state in LIVE)
    else:  # nothing new to tell
        await write(tx, store.UPDATE_NOTICE, notice)
    if notice.concern != Concern.NONE:
        why = "" if notice.waits else why or notice.reason_code
        await follow_up(tx, of_promise, notice, why, wanted)


def _is_open(notice: Notice) -> bool:
    """Whether it matters what became of an attempt that nobody knows the end of."""
    return not notice.told or notice.channel in notice.spent


async def keep_attempt(tx: Transaction, notice: Notice, attempt: Attempt, ended: Ended) -> None:
    """Keep the attempt's row. There is none of what the provider was never to see, or not yet."""
    if ended.verdict is Verdict.EXPIRED or isinstance(ended.result, Forbidden | Quiet):
        return
    refused = isinstance(ended.result, NextChannel)
    attempt.outcome = Outcome.PERMANENT_FAILURE if refused else _OUTCOMES[ended.verdict]
    attempt.provider_code = ended.result.provider_code if isinstance(ended.result, Accepted) else ended.code
    attempt.end_time = tx.now
    if ended.verdict is Verdict.AGAIN and not refused:
        await store.END_ATTEMPT.run(tx, **values(attempt))
    else:
        tx.also(*store.PUT_ATTEMPT.call([attempt]))
        notice.tried(attempt.number)


def _why(notice: Notice, ended: Ended) -> tuple[rules.State, Reason]:
    """How a notice ends that was not accepted, and the reason."""
    if isinstance(ended.result, Forbidden):
        why = ended.result.why
        failed = why_failed(notice, why)
        return (rules.State.FAILED, failed) if failed else (rules.State.SUPPRESSED, why)
    if ended.verdict is Verdict.EXPIRED:
        tried = notice.attempt_count > 0
        return (rules.State.FAILED, Reason.GAVE_UP) if tried else (rules.State.SUPPRESSED, Reason.EXPIRED)
    if ended.verdict is Verdict.UNKNOWN:
        return rules.State.UNKNOWN, Reason.OUTCOME_UNKNOWN
    return rules.State.FAILED, _refusal(ended)


def _refusal(ended: Ended) -> Reason:
    """Why it failed for good on a channel: what we found, or that the provider refused, by its own code."""
    return Reason.of(ended.code, Reason.REFUSED)
