"""By which channels a notice goes: one after the other, never two at once.

The first is where it is sent; the next is for when a provider refuses the recipient for good, reports that it
could not deliver, or reports nothing within `fallback_after`. What was told of a promise's date has changed
the promise: of that a person tells what a message did not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from notifications.domain.confirming import confirmed_by, consent_of
from notifications.domain.notice import Concern, Notice
from notifications.domain.reasons import Reason
from notifications.domain.strategy import INBOX, DeliveryStrategy

# Why a customer is not reached on what is left, once a channel has failed: then that counts.
_UNREACHABLE = (
    Reason.CONSENT_DENIED,
    Reason.SUPPRESSED,
    Reason.NO_ADDRESS,
    Reason.NOT_ALLOWED,
    Reason.CHANNEL_NOT_SERVED,
    Reason.QUIET_HOURS,
    Reason.PAUSED,
)


@dataclass(frozen=True, slots=True)
class Addressed:
    """The addresses of a channel."""

    type: str  # as identifiers have it, `EMAIL`
    bounced_by: str  # with complained_by: the source of a suppression, where a report says why, `dsn`
    complained_by: str


def left(notice: Notice, served: Sequence[str]) -> list[str]:
    """The channels on which it may still be tried, in the order of its strategy, else the best first.

    What an address confirms is asked by that one alone. The inbox is tried where a strategy names it, and is
    nobody's last resort there: where it is for who prefers it alone, it is not when nothing else is left.
    """
    confirms = confirmed_by(notice)
    wanted = [confirms] if confirms else _named(notice) or [each for each in served if each != INBOX]
    found = [each for each in wanted if each in served and each not in notice.spent]
    others = [each for each in found if each != INBOX]
    if consent_of(notice):  # the link in it is kept nowhere
        return others
    return found if _for_everybody(notice) or (others and not notice.spent) else others


def asked_in_turn(notice: Notice, channels: Sequence[str]) -> list[Sequence[str]]:
    """About which of these it is asked at once, one after the other until one is allowed.

    The inbox, where it is for who prefers it alone, behind another: alone it would be allowed to anybody.
    """
    if not _named(notice):
        return [channels]
    others = [each for each in channels if each != INBOX]
    if _for_everybody(notice) or not others:  # only a repeat goes there with no other
        return [[each] for each in channels]
    return [[others[max(i - 1, 0)], each] if each == INBOX else [each] for i, each in enumerate(channels)]


def asked_about(notice: Notice, served: Sequence[str]) -> list[str]:
    """About which the customer service is asked: the inbox also for who prefers it, as the last."""
    tried = left(notice, served)
    free = not (_named(notice) or notice.spent or consent_of(notice)) and INBOX in served
    return [*tried, INBOX] if free else tried


def offered(delivery: DeliveryStrategy | None, served: Sequence[str]) -> list[str]:
    """All about which it is asked until one allows it, at once."""
    wanted = delivery.channels if delivery else []
    found = [each for each in wanted or served if each in served]
    # What is not served does not make the inbox the first.
    return found[1:] if found[:1] == [INBOX] != wanted[:1] else found


def _for_everybody(notice: Notice) -> bool:
    """Whether the inbox is not for who prefers it alone: named first, and what is said moves no promise."""
    return _named(notice)[:1] == [INBOX] and notice.concern is Concern.NONE


def _named(notice: Notice) -> Sequence[str]:
    return notice.delivery.channels if notice.delivery else []


def goes_on(notice: Notice, served: Sequence[str]) -> bool:
    """Whether there is another channel when it comes to nothing on the one of now, after it was accepted."""
    others = [each for each in left(notice, served) if each != notice.channel]
    return notice.concern is Concern.NONE and not notice.in_doubt and bool(others)


def why_failed(notice: Notice, why: Reason) -> Reason | None:
    """Why it failed for good, when nothing is left to try; None when `why` it is not sent says it."""
    if not notice.spent or why not in _UNREACHABLE:
        return None
    codes = {code for code in notice.spent.values() if code != Reason.NOT_DELIVERED}
    if not codes:
        return None
    return Reason.BOUNCED if Reason.BOUNCED in codes else Reason.of(min(codes), Reason.REFUSED)
