"""Departments, and what they have to know of work."""

from collections.abc import Mapping
from datetime import date

from cases.domain.department import Department, Format
from cases.domain.facts import DepartmentCreated
from cases.names import AGENT, CALENDAR, DEPARTMENT
from cases.store import tables as store
from cases.store.calendars import CALENDAR as CALENDAR_BY_ID
from chassis.api import etags
from chassis.api.entities import found, owned, save
from chassis.api.formats import FORMATS, Judge, Wrong, text
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.errors import InvalidArgument, Violation, invalid
from chassis.facts import Changes, fact_of
from rapport.options.v1 import options_pb2


def _day(value: str) -> Wrong | None:
    try:
        return None if len(value) == 10 and date.fromisoformat(value) else NOT_A_DAY
    except ValueError:
        return NOT_A_DAY


FIELDS_MAX = 50  # of a work item
NOT_A_DAY: Wrong = ("INVALID_CODE", "must be a day like 2026-03-05")
JUDGES: Mapping[Format | None, Judge] = {
    None: text(500),
    Format.CODE: FORMATS[options_pb2.FORMAT_CODE],
    Format.REFERENCE: FORMATS[options_pb2.FORMAT_REFERENCE],
    Format.NUMBER: FORMATS[options_pb2.FORMAT_NUMBER],
    Format.DATE: _day,
    Format.EMAIL: FORMATS[options_pb2.FORMAT_EMAIL],
}


async def update_department(
    tx: Transaction,
    *,
    department_id: str,
    department: Changes[Department],
    changes: Changes[Department],
    allow_missing: bool,
    etag: str,
) -> Department:
    """Make `changes` to a department, or describe it for the first time, with no etag: nobody has read it."""
    if allow_missing and await store.DEPARTMENT.maybe(tx, id=department_id) is None:
        new = Department(department_id, tx.now, tx.now, **department)
        new.require_complete()
        tx.require_owner(new)
        etags.match(etag, new.name, 0)
        await _require_there(tx, new)
        if await store.INSERT_DEPARTMENT.maybe(tx, **values(new)) is not None:
            tx.record(fact_of(DepartmentCreated, new), version=new.version)
            return new  # unless somebody else was faster
    stored = await owned(tx, DEPARTMENT, store.LOCK_DEPARTMENT, department_id, etag=etag)
    if updated := stored.update(changes):
        stored.require_complete()
        await _require_there(tx, stored)
        await save(tx, store.UPDATE_DEPARTMENT, stored, updated)
    return stored


async def _require_there(tx: Transaction, department: Department) -> None:
    """See that whom and what a department names is there: NotFound, FailedPrecondition AGENT_INACTIVE."""
    for agent in department.escalation_path:
        (await found(tx, AGENT, store.AGENT, *AGENT.parse(agent))).require_active()
    if department.calendar_id:
        await found(tx, CALENDAR, CALENDAR_BY_ID, department.calendar_id)


async def require_fields(
    tx: Transaction, department_id: str, kind: str, fields: dict[str, str], path: str
) -> None:
    """A department is told of work what it asks for, as it asks for it: one that is not here, nothing.

    FailedPrecondition FIELDS_MISSING; InvalidArgument for what is not of its format or too much, at `path`.
    """
    if len(fields) > FIELDS_MAX:
        raise invalid(path, "TOO_LONG", f"must be at most {FIELDS_MAX} with those that the work item has")
    department = await store.DEPARTMENT.maybe(tx, id=department_id)
    if department is None:
        return
    department.require_fields(kind, fields)
    wrong = [
        Violation(f"{path}[{said.field}]", *found)
        for said in department.required_of(kind)
        if (found := JUDGES[said.format](fields[said.field]))
    ]
    if wrong:
        raise InvalidArgument(wrong)
