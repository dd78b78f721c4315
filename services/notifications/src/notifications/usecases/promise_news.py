"""Reading news of a promise: from the events of its owner, or from the promise as its owner shows it."""

from typing import Any

from chassis.api import etags
from chassis.api.messages import date_of, enum_name, moment
from notifications.domain.news import News, recovery
from notifications.domain.notice import Concern
from rapport.cases.v1 import promise_pb2
from rapport.common.v1 import states_pb2

_STATE = states_pb2.PromiseState.DESCRIPTOR
_LIVE = ("OPEN", "AT_RISK")


def news_of(promise: str, version: int, concern: Concern, data: Any) -> News:
    """The news in an event, or a promise: messages with the same names of fields."""
    variables = {}
    due_time = expire_time = moment(data.due_time)
    if concern != Concern.NONE:
        variables = {
            "reason": data.reason_code if concern == Concern.AT_RISK else "",
            "old_date": _date(data, "due"),
            "reference": data.reference,
        }
    if concern == Concern.AT_RISK:
        # Of use until the new date: who could not be told before the old one is better told late than never.
        variables["new_date"] = _date(data, "forecast")
        expire_time = moment(data.forecast_time)
    elif concern == Concern.RECOVERED:
        variables = recovery(variables)
    return News(
        promise,
        version,
        data.customer,
        data.case,
        concern,
        variables,
        expire_time,
        due_time,
        data.time_zone,
        data.department,
    )


def news_in(promise: promise_pb2.Promise) -> News:
    """The news that a promise is, as its owner shows it now. ValueError when its etag is none.

    A broken one can have a new date, but not be in time again.
    """
    concern, state = Concern.NONE, enum_name(_STATE, promise.state)
    if promise.HasField("forecast_time") and not promise.successor and state in (*_LIVE, "BROKEN"):
        concern = Concern.AT_RISK
    elif state in _LIVE:
        concern = Concern.RECOVERED
    return news_of(promise.name, etags.version_of(promise.etag), concern, promise)


def _date(data: Any, name: str) -> str:
    """A day where a day was promised, else a moment; RFC 3339."""
    if data.HasField(f"{name}_date"):
        return date_of(getattr(data, f"{name}_date")).isoformat()
    return moment(getattr(data, f"{name}_time")).isoformat()
