"""What a provider's report makes of a notice, whichever of its messages that is about, and in any order."""

from collections.abc import Sequence
from datetime import datetime

from notifications.domain.attempt import Attempt, Delivery
from notifications.domain.notice import Notice, State
from notifications.domain.reasons import Reason


def told_by(attempts: Sequence[Attempt]) -> Attempt | None:
    """By which the customer was told: one that arrived, else the latest that was accepted and is not back.

    Repeats by one channel are one message: that it is back is reported of the latest, and holds for all.
    """
    accepted = [each for each in sorted(attempts, key=lambda each: each.number) if each.accept_time]
    arrived = [each for each in accepted if each.delivery is Delivery.DELIVERED]
    latest = {each.channel: each for each in accepted}.values()
    told = arrived or [each for each in latest if not each.delivery.failed]
    return max(told, key=lambda each: each.number, default=None)


def hear(notice: Notice, attempt: Attempt, attempts: Sequence[Attempt]) -> bool:
    """Have a notice count by what is known of its messages, once it is reported of `attempt`, one of them.

    Whether that one came back, and nothing else is known to have arrived: it is to go on to another channel,
    and where there is none, and nothing was accepted elsewhere, it has bounced.
    """
    channel = attempt.channel or notice.channel
    earlier = channel in notice.spent  # than what was tried on another channel
    told = told_by(attempts)
    arrived = told is not None and told.delivery is Delivery.DELIVERED
    came_back = attempt.delivery.failed and not arrived and not notice.bounced
    came_back = came_back and (not earlier or (told is None and notice.told))
    if not earlier:
        notice.in_doubt = False  # a report is as good as the answer
    if attempt.delivery.failed:
        spend(notice, channel, Reason.BOUNCED)
    counts = arrived or not earlier or notice.told
    if told is not None and counts and not (arrived and notice.state is State.DELIVERED):
        _count_on(notice, told)
    return came_back


def spend(notice: Notice, channel: str, why: Reason) -> None:
    """It came to nothing on a channel, and all is known of that."""
    if notice.spent.get(channel) != why:
        notice.spent = notice.spent | {channel: why}
        if notice.waits and not notice.accepted_on:
            notice.send_time = None
        notice.version += 1


def accept_on(notice: Notice, channel: str, at: datetime, content_hash: str) -> None:
    """It was accepted on another channel than it counts by: it is not sent there again."""
    notice.channel, notice.deliver_time = channel, None
    notice.accept(at, content_hash)


def _count_on(notice: Notice, told: Attempt) -> None:
    """It was sent by that message: of another nothing is known, or it came back."""
    channel, at = told.channel or notice.channel, told.accept_time
    assert at is not None, "it was accepted"
    if notice.state is not State.SENT or notice.channel != channel:
        accept_on(notice, channel, at, notice.content_hash)
