"""The rules of what is advised of promises and cases. See `customer.usecases.advice.rules`."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from chassis.api.messages import moment
from customer.domain.advice import AdviceRule
from customer.usecases.advice.seen import DAY, RECOVERED, Advice, Seen
from rapport.common.v1 import states_pb2

BEING_TOLD = timedelta(minutes=5)  # in which a message may be on its way that nobody has to write
TOLD_WITHIN = 30 * DAY  # bad news older than that is no news
GIVEN_WITHIN = 14 * DAY
OPEN_LONG = 7 * DAY
HANDED_OVER = 2  # times
HANDED_OVER_WITHIN = 14 * DAY
FOLLOWED_UP = 2 * DAY, 14 * DAY  # after it was settled: from when on, and until when
DUE_SOON = DAY
_SLIPPED = states_pb2.PROMISE_STATE_BROKEN, states_pb2.PROMISE_STATE_KEPT_LATE
_GIVEN = states_pb2.GOODWILL_STATE_GRANTED, states_pb2.GOODWILL_STATE_REQUESTED
_FINISHED = "rapport.cases.v1.WorkItemFinished"
_HANDED_OVER = "rapport.cases.v1.WorkItemHandedOver"


def broken_untold(seen: Seen) -> Iterator[Advice]:
    """Promises that were broken, and nobody said so."""
    for each in seen.view.promises:
        if _is_broken(each) and seen.is_untold(each):
            due = moment(each.due_time)
            since, until = max(due, moment(each.source.occur_time)) + BEING_TOLD, due + TOLD_WITHIN
            yield Advice(AdviceRule.BROKEN_UNTOLD, since, each.promise, "", until, _promised(each))


def _is_broken(promise: Any) -> bool:
    return promise.state == states_pb2.PROMISE_STATE_BROKEN and not promise.successor


def at_risk_untold(seen: Seen) -> Iterator[Advice]:
    """Promises that may be broken, and nobody said so."""
    for each in seen.view.promises:
        if each.state == states_pb2.PROMISE_STATE_AT_RISK and seen.is_untold(each):
            said = _promised(each)
            since, until = moment(each.source.occur_time) + BEING_TOLD, moment(each.due_time)
            occasion = said.get("forecast", "")  # another forecast is other news
            yield Advice(AdviceRule.AT_RISK_UNTOLD, since, each.promise, occasion, until, said)


def slipped_without_goodwill(seen: Seen) -> Iterator[Advice]:
    """Promises that slipped, and nothing made up for it."""
    given = {each.promise for each in seen.view.loyalty.goodwill if each.state in _GIVEN}
    for each in seen.view.promises:
        since = moment(each.due_time)
        if each.state not in _SLIPPED or each.promise in given or not seen.reaches("loyalty.goodwill", since):
            continue
        if not (_is_broken(each) and seen.is_untold(each)):
            until = since + GIVEN_WITHIN
            yield Advice(AdviceRule.SLIPPED_WITHOUT_GOODWILL, since, each.promise, "", until, _promised(each))


def due_unconfirmed(seen: Seen) -> Iterator[Advice]:
    """Promises that are due soon, and nobody said that they will be kept."""
    entries = seen.view.latest_timeline_entries
    confirmed = {each.resource for each in entries if each.event_type == RECOVERED}
    for each in seen.view.promises:
        if each.state == states_pb2.PROMISE_STATE_OPEN and each.promise not in confirmed:
            due, said = moment(each.due_time), moment(each.source.occur_time)
            is_old = due - said >= 2 * DUE_SOON  # what was said a moment ago needs nobody to say it again
            if is_old and seen.reaches("latest_timeline_entries", said):
                yield Advice(
                    AdviceRule.DUE_UNCONFIRMED, due - DUE_SOON, each.promise, "", due, _promised(each)
                )


def _promised(promise: Any) -> dict[str, str]:
    said = {"kind": promise.kind, "reference": promise.reference, "due": promise.due_time.ToJsonString()}
    if promise.HasField("forecast_time"):
        said["forecast"] = promise.forecast_time.ToJsonString()
    return {name: value for name, value in said.items() if value}


def case_open_long(seen: Seen) -> Iterator[Advice]:
    """Cases that are open for long, anew each week."""
    for each in seen.view.cases:
        if each.state != states_pb2.CASE_STATE_OPEN or not each.HasField("open_time"):
            continue
        opened = moment(each.open_time)
        weeks = max(1, (seen.now - opened) // OPEN_LONG)
        since, said = opened + weeks * OPEN_LONG, {"topic": each.topic, "days": str(weeks * OPEN_LONG.days)}
        yield Advice(AdviceRule.CASE_OPEN_LONG, since, each.case, str(weeks), since + OPEN_LONG, said)


def handed_over_often(seen: Seen) -> Iterator[Advice]:
    """Work that goes from department to department."""
    entries = seen.view.latest_timeline_entries
    handed = [each for each in entries if each.event_type == _HANDED_OVER]
    finished = {each.resource for each in entries if each.event_type == _FINISHED}
    for work_item, times in Counter(each.resource for each in handed).items():
        if times >= HANDED_OVER and work_item not in finished:
            last = next(each for each in handed if each.resource == work_item)
            since, said = moment(last.occur_time), {"kind": last.topic, "times": str(times)}
            until = since + HANDED_OVER_WITHIN
            yield Advice(AdviceRule.HANDED_OVER_OFTEN, since, work_item, last.name, until, said)


def not_followed_up(seen: Seen) -> Iterator[Advice]:
    """Harm that was settled, and nobody has spoken with them since."""
    last = seen.contacted()
    for each in seen.view.cases:
        is_settled = each.state == states_pb2.CASE_STATE_RESOLVED and each.HasField("resolve_time")
        if is_settled and each.harm >= states_pb2.HARM_LOSS:
            settled = moment(each.resolve_time)
            if seen.reaches("latest_timeline_entries", settled) and (last is None or last <= settled):
                since, until = (settled + after for after in FOLLOWED_UP)
                occasion, said = settled.isoformat(), {"topic": each.topic}
                yield Advice(AdviceRule.NOT_FOLLOWED_UP, since, each.case, occasion, until, said)
