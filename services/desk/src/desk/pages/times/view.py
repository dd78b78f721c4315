"""What the pages say of calendars, policies and clocks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import business_time
from chassis.api.messages import date_of, moment, value_name
from chassis.errors import Refusal
from desk.language.catalogues import N_
from desk.pages.customer.things import metric_of
from desk.pages.times.forms import METRICS, WEEKDAYS, by_weekday, written
from desk.ui.speech import Speech
from rapport.cases.v1.calendar_pb2 import Calendar
from rapport.cases.v1.clock_pb2 import Clock, ClockMove
from rapport.cases.v1.clock_policy_pb2 import ClockMetric, ClockPolicy
from rapport.common.v1.explanation_pb2 import Explanation

_DAYS = {
    "MONDAY": N_("Monday"),
    "TUESDAY": N_("Tuesday"),
    "WEDNESDAY": N_("Wednesday"),
    "THURSDAY": N_("Thursday"),
    "FRIDAY": N_("Friday"),
    "SATURDAY": N_("Saturday"),
    "SUNDAY": N_("Sunday"),
}
SUBJECTS = {"CASE": N_("Cases"), "WORK_ITEM": N_("Work"), "PROMISE": N_("Promises")}
PAUSES = {
    "WORK_BLOCKED": N_("while the work cannot go on"),
    "CUSTOMER_ANSWER": N_("while it waits for the customer"),
}


@dataclass(frozen=True)
class Exceptional:
    """A date that is not as its weekday."""

    key: str
    day: str
    windows: str
    called: str


@dataclass(frozen=True)
class Moved:
    """A clock that would be up at another moment."""

    href: str
    what: str
    before: str
    after: str


def week(calendar: Calendar, say: Speech) -> list[tuple[str, str, str]]:
    """Each weekday: its field, what it is called, its windows."""
    windows = by_weekday(calendar)
    return [(day.lower(), say(_DAYS[day]), windows[day]) for day in WEEKDAYS]


def exceptions(calendar: Calendar, say: Speech) -> list[Exceptional]:
    """Its exceptions, the first first."""
    days = sorted(calendar.exceptions, key=lambda each: date_of(each.date))
    return [
        Exceptional(
            date_of(each.date).isoformat(), say.partly(each.date), written(each.windows), each.display_name
        )
        for each in days
    ]


def holidays(calendar: Calendar, year: int, say: Speech) -> list[tuple[str, str]]:
    """The holidays of a year, as they are known today; none of a country that nobody knows any more."""
    try:
        schedule = business_time.read(MessageToDict(calendar, preserving_proto_field_name=True))
        days: Mapping[date, str] = schedule.settle([year]).get(year, {})
    except Refusal:
        return []
    return [(say.day(day), name) for day, name in sorted(days.items())]


def targets(policy: ClockPolicy, say: Speech) -> list[tuple[str, str, Any]]:
    """Each thing that it may give time for: its field, what it is called, and how long, if it does."""
    given = {value_name(each, "metric"): each for each in policy.targets}
    return [
        (metric.lower(), _measured(metric, say), given.get(metric))
        for metric in METRICS[value_name(policy, "subject")]
    ]


def _measured(metric: str, say: Speech) -> str:
    return metric_of(Clock(metric=ClockMetric.Value(f"CLOCK_METRIC_{metric}")), say)


def pauses(policy: ClockPolicy, say: Speech) -> list[tuple[str, str]]:
    """When it may say that time does not count; never of what is owed for promises."""
    is_of_promises = value_name(policy, "subject") == "PROMISE"
    return [] if is_of_promises else [(key, say(text)) for key, text in PAUSES.items()]


def moves(found: Sequence[ClockMove], say: Speech) -> list[Moved]:
    """Clocks that would be up at another moment."""
    return [
        Moved(
            f"/{each.clock}",
            metric_of(Clock(metric=each.metric), say),
            _when(each.due_time if each.HasField("due_time") else None, say),
            _when(each.new_due_time if each.HasField("new_due_time") else None, say),
        )
        for each in found
    ]


def _when(at: Timestamp | None, say: Speech) -> str:
    return say.exactly(moment(at)) if at else say("never")


def parts(explained: Explanation) -> list[tuple[int, str]]:
    """The parts of the condition by which it was started: how deep each is, and what is said of it."""
    found = [
        ([int(number) for number in key.split(".")[1:]], said)
        for key, said in explained.inputs.items()
        if key.startswith("condition.")
    ]
    return [(len(place) - 1, said) for place, said in sorted(found)]


def steps(explained: Explanation) -> list[str]:
    """What counted and what did not, in the order of time."""
    found = {int(key[5:]): said for key, said in explained.inputs.items() if key.startswith("step.")}
    return [found[number] for number in sorted(found)]


def previewed(preview: Any, say: Speech) -> Mapping[str, Any]:
    """What a page says of a change that is tried."""
    return {"preview": preview, "moves": moves(preview.moves, say) if preview else []}
