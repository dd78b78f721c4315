"""The rules of what is advised: pure functions of a view, of what lies beside it, and of what day it is.

Each finds things in what is known; none asks anybody. What a customer was told, and what was given, is read
from the notices, the goodwill and the latest timeline entries of their view. A rule that rests on what these
do not have says nothing where one is cut before the moment in question: `Seen.reaches`.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chassis.api.messages import enum_name, moment
from customer.domain.advice import AdviceRule
from customer.usecases.advice import promise_rules as of
from customer.usecases.advice.seen import DAY, Advice, Seen
from rapport.common.v1 import states_pb2, value_band_pb2
from rapport.customer.v1 import advice_pb2

BOUNCED, BOUNCED_WITHIN = "bounced", 30 * DAY  # a notice that came back
CONFIRMED_LATE = DAY
FELL_WITHIN = 30 * DAY
SILENT = 90 * DAY
_A_DAY = re.compile("-[0-9]{2}-[0-9]{2}$")


def _unreachable(seen: Seen) -> Iterator[Advice]:
    for identifier, since in seen.known.unreached:
        yield Advice(AdviceRule.UNREACHABLE, since, identifier, since.isoformat())
    latest: dict[int, Any] = {}
    for each in seen.view.notices:  # the latest change first
        latest.setdefault(each.channel, each)
    for each in latest.values():
        if each.state == states_pb2.NOTICE_STATE_FAILED and each.reason_code == BOUNCED:
            since = moment(each.source.occur_time)
            yield Advice(AdviceRule.UNREACHABLE, since, each.notice, "", since + BOUNCED_WITHIN)


def _consent_unconfirmed(seen: Seen) -> Iterator[Advice]:
    for consent, asked, until in seen.known.waiting:
        said = {"expire": until.isoformat()}
        since = asked + CONFIRMED_LATE
        yield Advice(AdviceRule.CONSENT_UNCONFIRMED, since, consent, asked.isoformat(), until, said)


def _value_fell(seen: Seen) -> Iterator[Advice]:
    value = seen.view.value
    if 0 < value.band < value.previous_band:
        since = moment(value.source.occur_time)
        said = {"band": _band(value.band), "before": _band(value.previous_band)}
        yield Advice(AdviceRule.VALUE_FELL, since, "", since.isoformat(), since + FELL_WITHIN, said)


def _valuable_silent(seen: Seen) -> Iterator[Advice]:
    view, value = seen.view, seen.view.value
    if value.band < value_band_pb2.VALUE_BAND_GOLD:
        return
    contacted = seen.contacted()
    heard = [contacted] if contacted else []
    if value.HasField("last_purchase_time"):
        heard.append(moment(value.last_purchase_time))
    if not contacted and "latest_timeline_entries" in view.excerpts:
        if not view.latest_timeline_entries:
            return
        heard.append(moment(view.latest_timeline_entries[-1].occur_time))  # which may follow a contact
    if heard:
        last = max(heard)
        said = {"band": _band(value.band), "last": last.astimezone(seen.zone).date().isoformat()}
        yield Advice(AdviceRule.VALUABLE_SILENT, last + SILENT, "", last.isoformat(), None, said)


def _band(band: Any) -> str:
    return enum_name(value_band_pb2.ValueBand.DESCRIPTOR, band).lower()


def _birthday(seen: Seen) -> Iterator[Advice]:
    if not _A_DAY.search(seen.known.birth_date):
        return
    day, since, until = seen.next_day(seen.known.birth_date[-5:])
    said = {"day": day.isoformat()}
    yield Advice(AdviceRule.BIRTHDAY, since, "", str(day.year), until, said)


def _anniversary(seen: Seen) -> Iterator[Advice]:
    value = seen.view.value
    if not value.HasField("first_purchase_time"):
        return
    first = moment(value.first_purchase_time).astimezone(seen.zone).date()
    day, since, until = seen.next_day(f"{first:%m-%d}")
    if day.year > first.year:
        said = {"day": day.isoformat(), "years": str(day.year - first.year)}
        yield Advice(AdviceRule.ANNIVERSARY, since, "", str(day.year), until, said)


def _zone_unknown(seen: Seen) -> Iterator[Advice]:
    view = seen.view  # as it is stored: the zone that somebody said, or that of their country
    if not view.time_zone and view.open_promise_count and view.HasField("profile_source"):
        yield Advice(AdviceRule.ZONE_UNKNOWN, moment(view.profile_source.occur_time))


@dataclass(frozen=True, slots=True)
class Advised:
    """How soon something is to be done by a rule, and how that finds it."""

    priority: Any
    found: Callable[[Seen], Iterator[Advice]]


_NOW = advice_pb2.ADVICE_PRIORITY_NOW
_SOON = advice_pb2.ADVICE_PRIORITY_SOON
_WHEN_CONVENIENT = advice_pb2.ADVICE_PRIORITY_WHEN_CONVENIENT
# In the order of the rules, which is that of what is advised as soon.
ADVISED: Mapping[AdviceRule, Advised] = {
    AdviceRule.BROKEN_UNTOLD: Advised(_NOW, of.broken_untold),
    AdviceRule.AT_RISK_UNTOLD: Advised(_NOW, of.at_risk_untold),
    AdviceRule.SLIPPED_WITHOUT_GOODWILL: Advised(_SOON, of.slipped_without_goodwill),
    AdviceRule.CASE_OPEN_LONG: Advised(_SOON, of.case_open_long),
    AdviceRule.HANDED_OVER_OFTEN: Advised(_SOON, of.handed_over_often),
    AdviceRule.NOT_FOLLOWED_UP: Advised(_SOON, of.not_followed_up),
    AdviceRule.DUE_UNCONFIRMED: Advised(_SOON, of.due_unconfirmed),
    AdviceRule.UNREACHABLE: Advised(_SOON, _unreachable),
    AdviceRule.CONSENT_UNCONFIRMED: Advised(_WHEN_CONVENIENT, _consent_unconfirmed),
    AdviceRule.VALUE_FELL: Advised(_WHEN_CONVENIENT, _value_fell),
    AdviceRule.VALUABLE_SILENT: Advised(_WHEN_CONVENIENT, _valuable_silent),
    AdviceRule.BIRTHDAY: Advised(_WHEN_CONVENIENT, _birthday),
    AdviceRule.ANNIVERSARY: Advised(_WHEN_CONVENIENT, _anniversary),
    AdviceRule.ZONE_UNKNOWN: Advised(_WHEN_CONVENIENT, _zone_unknown),
}
