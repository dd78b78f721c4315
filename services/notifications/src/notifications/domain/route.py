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

    What an address confirms is asked by that one alone. The inbox is tried where a strategy names it.
    """
    confirms = confirmed_by(notice)
    wanted = [confirms] if confirms else _named(notice) or [each for each in served if each != INBOX]
    if consent_of(notice):  # the link in it is kept nowhere
        wanted = [each for each in wanted if each != INBOX]
    return [each for each in wanted if each in served and each not in notice.spent]


def asked_about(notice: Notice, served: Sequence[str]) -> list[str]:
    """About which the customer service is asked: the inbox also for who prefers it, as the last."""
    tried = left(notice, served)
    free = not (_named(notice) or notice.spent or consent_of(notice)) and INBOX in served
    return [*tried, INBOX] if free else tried


def offered(delivery: DeliveryStrategy | None, served: Sequence[str]) -> list[str]:
    """All about which it is asked until one allows it, at once: an inbox that is named as the first."""
    wanted = delivery.channels if delivery else []
    found = [each for each in wanted or served if each in served]
    return sorted(found, key=lambda each: each != INBOX) if wanted else found


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
