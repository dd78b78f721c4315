"""Calendars, each change of which makes a version."""

from contextlib import suppress
from datetime import timedelta
from uuid import UUID
from weakref import WeakKeyDictionary

from cases.domain.calendar import (
    ALWAYS,
    Calendar,
    Holidays,
    Hours,
    SpecialDay,
    Window,
)
from cases.domain.facts import CalendarCreated
from cases.names import CALENDAR
from cases.store import calendars as store
from cases.store.tables import DEPARTMENT
from chassis import business_time
from chassis.api.entities import create_version, own_department, owned_version, save
from chassis.business_time import Weekday
from chassis.context import Call, acting, service_itself
from chassis.db.database import Database
from chassis.db.statement import Executor
from chassis.db.transaction import Transaction
from chassis.errors import ResourceExists
from chassis.facts import Changes, fact_of
from chassis.names import PLATFORM

COMPILED_MAX = 256
MEANWHILE = timedelta(minutes=5)  # that no transaction lasts
FOLLOW_TIMER = "clocks-follow"  # clocks go by the new version


class Calendars:
    """Compiled versions of calendars: those that this process asked for last. A version never changes."""

    def __init__(self) -> None:
        self._compiled: dict[tuple[str, int], business_time.Calendar] = {}

    async def of(self, on: Executor, calendar_id: str, version: int) -> business_time.Calendar:
        """A version that there is, for whoever pinned it. LookupError for one that there never was."""
        key = calendar_id, version
        compiled = self._compiled.pop(key, None)
        if compiled is None:
            stored = await store.CALENDAR_VERSION.one(on, id=calendar_id, version=version)
            compiled = business_time.Calendar(stored.schedule())
        self._compiled[key] = compiled  # the last asked for is last
        if len(self._compiled) > COMPILED_MAX:
            del self._compiled[next(iter(self._compiled))]
        return compiled


_CALENDARS: WeakKeyDictionary[Database, Calendars] = WeakKeyDictionary()  # a service's, as long as it is up


def calendars(db: Database) -> Calendars:
    """The calendars of a service, those compiled that it asked for last."""
    return _CALENDARS.setdefault(db, Calendars())


async def working_hours(on: Database | Transaction, department_id: str) -> business_time.Calendar:
    """When the people of a department work: at any hour, where it does not say so."""
    department = await DEPARTMENT.maybe(on, id=department_id)
    calendar = await store.CALENDAR.one(on, id=(department.calendar_id if department else None) or ALWAYS)
    return await calendars(on if isinstance(on, Database) else on.db).of(on, calendar.id, calendar.version)


async def create_calendar(
    tx: Transaction,
    *,
    calendar_id: str,
    display_name: str,
    time_zone: str,
    hours: list[Hours],
    holidays: list[Holidays],
    exceptions: list[SpecialDay],
    department_id: str | None,
) -> Calendar:
    """Keep the first version. ResourceExists; what `Calendar.new` refuses."""
    owner = own_department(tx, department_id, "calendar.department")
    said = {
        "display_name": display_name,
        "time_zone": time_zone,
        "hours": hours,
        "holidays": holidays,
        "exceptions": exceptions,
    }
    calendar = Calendar.new(calendar_id, owner, tx.now, said)
    tx.require_owner(calendar)
    await _create(tx, calendar)
    return calendar


async def update_calendar(
    tx: Transaction, *, calendar_id: str, changes: Changes[Calendar], etag: str
) -> Calendar:
    """Keep the next version; what is the same is none. What `owned` and `Calendar.update` refuse."""
    calendar = await owned_version(tx, CALENDAR, store.CALENDAR, calendar_id, etag=etag)
    if updated := calendar.update(changes, tx.now):
        await save(tx, store.INSERT_CALENDAR, calendar, updated)
        # And again for those that are being started meanwhile, by the version before this one.
        for again, at in enumerate((tx.now, tx.now + MEANWHILE)):
            await tx.schedule(FOLLOW_TIMER, f"{calendar_id}/{UUID(int=again)}", at)
    return calendar


async def seed_always(db: Database) -> None:
    """Make sure that there is a calendar that is open always. What people have made of it since stays."""
    said = {
        "display_name": "Around the clock",
        "time_zone": "UTC",
        "hours": [Hours([*Weekday], [Window("00:00", "24:00")])],
    }
    with acting(Call("seed", service_itself(db.service))), suppress(ResourceExists):
        async with db.transaction() as tx:
            await _create(tx, Calendar.new(ALWAYS, PLATFORM, tx.now, said))


async def _create(tx: Transaction, calendar: Calendar) -> None:
    created = fact_of(CalendarCreated, calendar)
    await create_version(tx, store.CALENDAR, store.INSERT_CALENDAR, calendar, created)
