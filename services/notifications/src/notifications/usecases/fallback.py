"""Going on to another channel, after a provider had accepted a notice."""

from collections.abc import Sequence
from dataclasses import replace

from chassis import work
from chassis.api.entities import write
from chassis.db.transaction import Transaction
from chassis.facts import Decision, Outcome, fact_of
from notifications.domain.facts import NoticeRequested
from notifications.domain.notice import Notice, State
from notifications.domain.reasons import Reason
from notifications.domain.route import goes_on
from notifications.store.tables import UPDATE_NOTICE
from notifications.usecases.marks import why_old
from notifications.usecases.notice import SEND


async def fall_back(tx: Transaction, notice: Notice, channel: str, served: Sequence[str]) -> bool:
    """Have what came back on a channel sent by the next. False when there is none, or it is told no more."""
    if not goes_on(notice, served) or notice.expire_time <= tx.now or await why_old(tx, notice):
        return False
    if not await work.reopen(tx, SEND, str(notice.id), due_at=tx.now, expire_at=notice.expire_time):
        return False  # it is so long ago that nobody knows its work any more
    _go_on(tx, notice, channel, Reason.BOUNCED)
    await write(tx, UPDATE_NOTICE, notice)
    return True


async def fall_back_when_silent(tx: Transaction, notice: Notice, served: Sequence[str]) -> None:
    """Of one that was just accepted: have it looked at when its provider ought to have reported."""
    silence = notice.delivery.fallback_after if notice.delivery else None
    if silence is None or notice.state is not State.SENT or not goes_on(notice, served):
        return
    due = tx.now + silence
    if due < notice.expire_time:
        await work.reopen(tx, SEND, str(notice.id), due_at=due, expire_at=notice.expire_time)


def elsewhere(notice: Notice, served: Sequence[str]) -> Notice | None:
    """As it is asked about another channel, while nobody reports that it arrived on this one. None: not."""
    if notice.state is not State.SENT or not goes_on(notice, served):
        return None
    wanted = replace(notice)
    wanted.want_again(notice.channel, Reason.NOT_DELIVERED)
    return wanted


async def go_on_in_silence(tx: Transaction, notice: Notice, served: Sequence[str]) -> bool:
    """Its provider has reported nothing: it is wanted again. False when it arrived, or is told no more."""
    if notice.state is not State.SENT or not goes_on(notice, served) or await why_old(tx, notice):
        return False
    _go_on(tx, notice, notice.channel, Reason.NOT_DELIVERED)
    await write(tx, UPDATE_NOTICE, notice)
    return True


def _go_on(tx: Transaction, notice: Notice, channel: str, why: Reason) -> None:
    notice.decide([gone_on(channel, why, tx)])
    notice.want_again(channel, why)
    notice.request_event = tx.record(fact_of(NoticeRequested, notice), version=notice.version)


def gone_on(channel: str, why: Reason, tx: Transaction) -> Decision:
    """The step by which another channel is asked about."""
    return Decision("fallback", Outcome.PASSED, why, {"channel": channel.lower()}, tx.now)
