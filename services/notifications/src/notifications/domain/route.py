"""By which channels a notice goes: one after the other, never two at once.

The first is where it is sent; the next is for when a provider refuses the recipient for good, reports that it
could not deliver, or reports nothing within `fallback_after`. What was told of a promise's date has changed
the promise: of that a person tells what a message did not.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from notifications.domain.confirming import confirmed_by, consent_of
from notifications.domain.notice import Concern, Notice
from notifications.domain.reasons import Reason
from notifications.domain.strategy import Channel, DeliveryStrategy

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

    What an address confirms is asked by that one alone, and not put where the link in it would be kept. The
    inbox is nobody's last resort: where it is for who prefers it alone, it is not once nothing else is left.
    """
    confirms = confirmed_by(notice)
    wanted = (
        [confirms] if confirms else named(notice.delivery) or [each for each in served if each != Channel.APP]
    )
    found = [each for each in wanted if each in served and each not in notice.spent]
    others = [each for each in found if each != Channel.APP]
    if consent_of(notice):
        return others
    return found if for_everybody(notice) or (others and not notice.spent) else others


def asked_about(notice: Notice, served: Sequence[str]) -> list[str]:
    """About which the customer service is asked: the inbox also for who prefers it, as the last."""
    tried = left(notice, served)
    free = not (named(notice.delivery) or notice.spent or consent_of(notice)) and Channel.APP in served
    return [*tried, Channel.APP] if free else tried


def for_everybody(notice: Notice) -> bool:
    """Whether the inbox is not for who prefers it alone: named first, and what is said moves no promise.

    What may have been put there before is repeated there.
    """
    if notice.in_doubt and notice.channel == Channel.APP:
        return True
    return names_app_first(notice.delivery) and notice.concern is Concern.NONE


def names_app_first(delivery: DeliveryStrategy | None) -> bool:
    """Whether a strategy says of everybody that they look there."""
    return named(delivery)[:1] == [Channel.APP]


def named(delivery: DeliveryStrategy | None) -> Sequence[str]:
    """The channels of a strategy, in whose order it is tried; nothing where the customer's counts."""
    return delivery.channels if delivery else []


def goes_on(notice: Notice, served: Sequence[str]) -> bool:
    """Whether there is another channel when it comes to nothing on the one of now, after it was accepted."""
    then = replace(notice, spent={**notice.spent, notice.channel: Reason.NOT_DELIVERED})
    return notice.concern is Concern.NONE and not notice.in_doubt and bool(left(then, served))


def why_failed(notice: Notice, why: Reason) -> Reason | None:
    """Why it failed for good, when nothing is left to try; None when `why` it is not sent says it."""
    if not notice.spent or why not in _UNREACHABLE:
        return None
    codes = {code for code in notice.spent.values() if code != Reason.NOT_DELIVERED}
    if not codes:
        return None
    return Reason.BOUNCED if Reason.BOUNCED in codes else Reason.of(min(codes), Reason.REFUSED)
