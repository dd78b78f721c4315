"""What a notice told its customer of a promise."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from notifications.domain.days import due
from notifications.domain.facts import ToldPromise

if TYPE_CHECKING:
    from notifications.domain.notice import Notice


def told_promise(notice: Notice, at: datetime) -> ToldPromise | None:
    """The new date that the customer counts on now. Only a policy's notice of a risk can tell one."""
    if notice.concern != "AT_RISK" or notice.superseded:
        return None
    new_due_time, new_due_date = due(notice.variables["new_date"], notice.time_zone)
    return ToldPromise(
        promise=notice.promise,
        customer=notice.customer,
        promise_version=notice.promise_version,
        new_due_time=new_due_time,
        new_due_date=new_due_date,
        time_zone=notice.time_zone,
        tell_time=at,
        reason_code=notice.variables["reason"],
    )
