"""By which channels a notice goes: one after the other, never two at once.

The first is where it is sent; the next is for when a provider refuses the recipient for good, reports that it
could not deliver, or reports nothing within `fallback_after`. What was told of a promise's date has changed
the promise: of that a person tells what a message did not.
"""

from collections.abc import Sequence

from notifications.domain.confirming import confirmed_by
from notifications.domain.notice import Concern, Notice
from notifications.domain.reasons import BOUNCED, CHANNEL_NOT_SERVED, NOT_DELIVERED
from notifications.domain.strategy import DeliveryStrategy

# Why a customer is not reached on what is left, once a channel has failed: then that counts.
_UNREACHABLE = ("consent-denied", "suppressed", "no-address", CHANNEL_NOT_SERVED, "quiet-hours", "paused")


def left(notice: Notice, served: Sequence[str]) -> list[str]:
    """The channels on which it may still be tried, in the order of its strategy, else the best first.

    What an address confirms is asked by that one alone.
    """
    confirms = confirmed_by(notice)
    wanted = [confirms] if confirms else offered(notice.delivery, served)
    return [each for each in wanted if each in served and each not in notice.spent]


def offered(delivery: DeliveryStrategy | None, served: Sequence[str]) -> list[str]:
    """The channels of a strategy on which somebody takes messages, in its order, else the best first."""
    wanted = delivery.channels if delivery else []
    return [each for each in wanted or served if each in served]


def goes_on(notice: Notice, served: Sequence[str]) -> bool:
    """Whether there is another channel when it comes to nothing on the one of now, after it was accepted."""
    others = [each for each in left(notice, served) if each != notice.channel]
    return notice.concern is Concern.NONE and not notice.in_doubt and bool(others)


def why_failed(notice: Notice, code: str) -> str:
    """Why it failed for good, when nothing is left to try; "" when `code`, why it is not sent, says it."""
    if not notice.spent or code not in _UNREACHABLE:
        return ""
    codes = {code for code in notice.spent.values() if code != NOT_DELIVERED}
    return BOUNCED if BOUNCED in codes else min(codes, default="")
