"""What this service tells.

Generated from rapport/notifications/v1/notifications_events.proto: not to be edited.
"""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Notice:
    """What every event about the notice tells."""

    notice: str
    customer: str
    kind: str
    purpose: str
    template: str
    promise: str
    case: str
    department: str
    notice_policy: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRequested(_Notice):
    """A notice is wanted, or says something newer before it was sent.

    It is told again for each revision: count by `notice`, not by event.
    """

    expire_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeSuppressed(_Notice):
    """A notice is not sent, for a reason."""

    channel: str
    language_code: str
    text_version: int
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldPromise:
    """What a policy's notice told a customer about a promise.

    Nobody but a policy can make one.
    """

    promise: str
    customer: str
    promise_version: int
    new_due_time: datetime
    new_due_date: date | None
    time_zone: str
    tell_time: datetime
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeSent(_Notice):
    """A provider accepted a notice."""

    channel: str
    language_code: str
    text_version: int
    send_time: datetime
    told_promise: ToldPromise | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeDelivered(_Notice):
    """A provider reports that a notice reached the customer's mailbox or telephone.

    It is on no timeline, for that it was sent is.
    """

    channel: str
    language_code: str
    text_version: int
    deliver_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeUnknown(_Notice):
    """A notice was handed to a provider whose answer was lost: the customer may have been told or not.

    A late answer is told by NoticeSent or NoticeFailed.
    """

    channel: str
    language_code: str
    text_version: int
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeFailed(_Notice):
    """A notice was refused for good, given up, or accepted by a provider that could not deliver it.

    Of the last NoticeSent was told before, unless the provider's answer was lost.
    """

    channel: str
    language_code: str
    text_version: int
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeCallRequested(_Notice):
    """A person is to tell the customer what a notice does not, or not in time, or not before they did.

    Of one notice it may be told more than once: count by `notice`. It is on no timeline, for what became of
    the notice is.
    """

    reason_code: str
    call_by_time: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeJobCreated:
    """A message to many customers was begun.

    It is about no customer.
    """

    notice_job: str
    department: str
    template: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeJobEnded:
    """A message to many customers was requested for all of them, or given up.

    It is about no customer.
    """

    notice_job: str
    department: str
    template: str
    state: str
    requested_count: int
    refused_count: int
