"""What a notice told a customer, and what it does to the promise that it told of.

The customer counts on what we said from the moment we said it. So a notification is judged by when the
customer was told, not by when the word of it reached us: whatever the promise went through since then happens
to its successor instead, and the end is the same as if the word had come at once.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from cases.domain.due import Due
from cases.domain.promise import Promise
from cases.domain.promise_state import KEPT, PromiseState

NOTIFIER = "services/notifications"
BOUNCED = "bounced"  # why a notice that was accepted reaches nobody after all


class Channel(StrEnum):
    """How a customer is told: a touch point."""

    UNSPECIFIED = "UNSPECIFIED"
    VOICE = "VOICE"
    IVR = "IVR"
    EMAIL = "EMAIL"
    CHAT = "CHAT"
    SMS = "SMS"
    WEB = "WEB"
    APP = "APP"
    SOCIAL = "SOCIAL"
    FAX = "FAX"
    LETTER = "LETTER"
    FIELD_VISIT = "FIELD_VISIT"
    IN_PERSON = "IN_PERSON"


@dataclass(frozen=True, slots=True)
class DelayNotification:
    """That a policy's notice told a customer a new date."""

    customer: str  # who was told, `customers/{uuid}`
    version: int  # the version of the promise that was told of
    # With due_date: what was told; the day is in the promise's own time zone. One of both.
    due_time: datetime | None
    due_date: date | None
    notify_time: datetime  # when a provider accepted the message
    reason_code: str
    notice_id: UUID
    channel: str = ""  # how they were told, a touch point

    def new_due(self, promise: Promise) -> Due | None:
        """By when, as told. None when it is not the kind of date that was promised."""
        if self.due_date and promise.due_date:
            return Due.of_day(self.due_date, promise.time_zone)
        if self.due_time and not promise.due_date:
            return Due(self.due_time)
        return None


def notified(
    promise: Promise, notification: DelayNotification, successor_id: UUID, broken_at: datetime, now: datetime
) -> list[tuple[Promise, int, Any]]:
    """Move the promise to the date that its customer was told. No facts when the notification does not count.

    Returns the facts in order, each with the promise that it is about, at last the successor.

    Told by `broken_at`, the promise is RENEGOTIATED. Told later it is BROKEN and stays so, but its successor
    is what the customer counts on now. A promise that was kept after that was kept as the successor.
    It does not count when it is about another customer or a version that never was, when a person took the
    promise back or agreed on a date, when the promise had been kept before the customer was told, or when it
    came back by now.
    """
    due = notification.new_due(promise)
    if due is None or notification.customer != promise.customer or notification.version > promise.version:
        return []
    kept = promise.keep_time if promise.state in KEPT else None
    kept_before = kept and promise.record_time and promise.record_time <= notification.notify_time
    came_back = notification.notice_id == promise.bounced_notice_id
    if promise.successor_id or promise.withdraw_time or kept_before or came_back:
        return []
    facts: list[tuple[Promise, int, Any]] = []
    late = notification.notify_time > broken_at
    if late and (broken := promise.break_()):
        facts.append((promise, promise.version, broken))
    promise.state = PromiseState.BROKEN if late else PromiseState.RENEGOTIATED
    recorded, keeper = promise.record_time, promise.keeper
    promise.keep_time, promise.record_time, promise.keeper = None, None, ""
    promise.know(notification.notify_time, NOTIFIER, notification.channel)
    promise.notice_id = notification.notice_id
    successor, renegotiated = promise.succeed(
        successor_id, due, notification.notify_time, now, notification.reason_code
    )
    facts += [(promise, promise.version, renegotiated), (successor, successor.version, successor.made())]
    if kept:
        keeping = successor.keep(kept, recorded or now, keeper)
        facts.append((successor, successor.version, keeping))
    return facts


def came_back(promise: Promise, notice_id: UUID) -> bool:
    """A notice about the promise was not delivered after all, and what it told does not count. True when new.

    A promise that it moved stays moved, for its successor may have moved on; that its customer was told of it
    is taken back.
    """
    if promise.bounced_notice_id == notice_id:
        return False
    promise.bounced_notice_id = notice_id
    if promise.notice_id == notice_id and promise.notifier == NOTIFIER:
        promise.delay_notify_time, promise.notifier, promise.notify_channel = None, "", ""
    promise.version += 1
    return True
