"""When a customer wants quiet: hours of the week, and pauses of whole days where they are."""

import asyncio
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import count, takewhile
from zoneinfo import ZoneInfo

from google.protobuf.field_mask_pb2 import FieldMask
from google.type.dayofweek_pb2 import DayOfWeek

from chassis.api.messages import moment, timestamp
from chassis.errors import invalid
from desk.language.catalogues import N_
from desk.pages.actions.action import Action, Doing, Done, Values
from desk.pages.customer.things import thing_of
from desk.ui.speech import Speech
from rapport.customer.v1.consent_service_pb2 import GetPreferencesRequest, UpdatePreferencesRequest
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.customer_service_pb2 import GetCustomerRequest
from rapport.customer.v1.preferences_pb2 import Preferences

EVERY_DAY = "EVERY_DAY"
_DAYS = {
    "MONDAY": N_("Mondays"),
    "TUESDAY": N_("Tuesdays"),
    "WEDNESDAY": N_("Wednesdays"),
    "THURSDAY": N_("Thursdays"),
    "FRIDAY": N_("Fridays"),
    "SATURDAY": N_("Saturdays"),
    "SUNDAY": N_("Sundays"),
}
_DAY = timedelta(days=1)
_WIDTH = len("07:00")  # which a field for times of day needs, and the contract does not
_MIDNIGHT = "00:00"  # of a field for times of day, which has no 24:00


async def _known(doing: Doing) -> tuple[Preferences, Customer, ZoneInfo]:
    services = doing.look.services
    preferences, customer = await asyncio.gather(
        services.consents.GetPreferences(GetPreferencesRequest(name=f"{doing.customer}/preferences")),
        services.customers.GetCustomer(GetCustomerRequest(name=doing.customer)),
    )
    return preferences, customer, doing.look.say.zone_of(customer.time_zone)


async def _open(doing: Doing) -> Values:
    preferences, customer, zone = await _known(doing)
    say = doing.look.say
    hours = [*map(_line, preferences.quiet_hours), (EVERY_DAY, "", "")]  # one more, to be filled in
    pauses = [*(_days_of(each, zone) for each in preferences.pauses), ("", "")]
    days = dict.fromkeys((EVERY_DAY, *_DAYS, *(day for day, _, _ in hours)))
    values: Values = {
        "etag": preferences.etag,
        "days": [(each, _called(each, say)) for each in days],
        "hours": len(hours),
        "pauses": len(pauses),
        "zone": customer.time_zone,
    }
    for i, (day, starts, ends) in enumerate(hours):
        values |= {f"day_{i}": day, f"starts_{i}": starts, f"ends_{i}": ends}
    for i, (first, last) in enumerate(pauses):
        values |= {f"first_{i}": first, f"last_{i}": last}
    return values


async def _do(doing: Doing) -> Done:
    before, customer, zone = await _known(doing)
    preferences = Preferences(
        name=f"{doing.customer}/preferences",
        etag=doing.text("etag"),
        quiet_hours=_typed_hours(doing),
        pauses=_typed_pauses(doing, before, zone),
    )
    mask = FieldMask(paths=["quiet_hours", "pauses"])
    request = doing.request(UpdatePreferencesRequest, preferences=preferences, update_mask=mask)
    await doing.look.services.consents.UpdatePreferences(request)
    who = thing_of(customer, doing.look.say)
    return Done(doing.look.say("Noted when {who} wants quiet.", who=who))


def _line(hours: Preferences.QuietHours) -> tuple[str, str, str]:
    """The days in one word, `MONDAY SUNDAY`, when it starts and when it ends."""
    days = " ".join(map(DayOfWeek.Name, hours.days)) or EVERY_DAY
    ends = _MIDNIGHT if hours.ends == "24:00" else hours.ends
    return days, hours.starts.zfill(_WIDTH), ends.zfill(_WIDTH)


def _called(days: str, say: Speech) -> str:
    return say("every day") if days == EVERY_DAY else ", ".join(say(_DAYS[day]) for day in days.split())


def _typed_hours(doing: Doing) -> Iterator[Preferences.QuietHours]:
    """The lines that are filled in. REQUIRED for half a line, INVALID_CODE for no day."""
    for i in _lines(doing, "starts"):
        day, starts, ends = (doing.text(f"{name}_{i}") for name in ("day", "starts", "ends"))
        if not starts and not ends:
            continue
        if not (starts and ends):
            raise invalid(f"{'ends' if starts else 'starts'}_{i}", "REQUIRED", N_("must be given"))
        days = [] if day == EVERY_DAY else day.split()
        if not day or not {*days} <= {*_DAYS}:
            raise invalid(f"day_{i}", "INVALID_CODE", N_("must be one of those that are offered"))
        yield Preferences.QuietHours(
            days=map(DayOfWeek.Value, days), starts=starts, ends="24:00" if ends == _MIDNIGHT else ends
        )


def _lines(doing: Doing, name: str) -> Iterator[int]:
    """The numbers of the lines that the form has."""
    return takewhile(lambda i: f"{name}_{i}" in doing.fields, count())


def _days_of(pause: Preferences.Pause, zone: ZoneInfo) -> tuple[str, str]:
    """The first and the last day of a pause where the customer is; without a first when it has begun."""
    first = (
        moment(pause.start_time).astimezone(zone).date().isoformat() if pause.HasField("start_time") else ""
    )
    last = (moment(pause.end_time).astimezone(zone) - timedelta(microseconds=1)).date()
    return first, last.isoformat()


def _typed_pauses(doing: Doing, before: Preferences, zone: ZoneInfo) -> Iterator[Preferences.Pause]:
    """The pauses that are filled in; one whose days nobody changed stays to the moment what it was."""
    kept = {_days_of(each, zone): each for each in before.pauses}
    for i in _lines(doing, "last"):
        days = doing.text(f"first_{i}"), doing.text(f"last_{i}")
        if days in kept:
            yield kept[days]
        elif any(days):
            last = _midnight(days[1], f"last_{i}", zone, after=_DAY)
            pause = Preferences.Pause(end_time=timestamp(last))
            if days[0]:
                pause.start_time.CopyFrom(timestamp(_midnight(days[0], f"first_{i}", zone)))
            yield pause


def _midnight(typed: str, name: str, zone: ZoneInfo, after: timedelta = timedelta()) -> datetime:
    """When a day begins somewhere, or the day after it. INVALID_TIME."""
    try:
        return datetime.combine(date.fromisoformat(typed) + after, time(), zone)
    except (ValueError, OverflowError):
        raise invalid(name, "INVALID_TIME", N_("must be a day")) from None


QUIET = Action(
    id="quiet",
    label=N_("Quiet hours"),
    permission="customer.preferences.write",
    consequence=N_("Messages wait until then. What cannot wait, a colleague tells them."),
    open=_open,
    do=_do,
    template="pages/actions/kinds/quiet.html",
)
