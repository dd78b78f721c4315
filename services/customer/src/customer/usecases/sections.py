"""Departments write their sections of customer views, and say what they hold."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from chassis.api import etags
from chassis.api.messages import to_message
from chassis.db.aliases import groups_of
from chassis.db.statement import LOCK_NAME
from chassis.db.transaction import Transaction
from chassis.errors import Aborted, FailedPrecondition, InvalidArgument, NotFound, Violation, invalid
from customer.domain.sections import PutResult, SectionSchema, ViewSection
from customer.names import CUSTOMER, SECTION, SECTION_SCHEMA
from customer.store import views as store
from customer.store.tables import KNOWN_CUSTOMERS
from customer.usecases.hot_views import HotViews
from customer.usecases.section_cells import cells, check_content
from customer.usecases.section_layout import SectionLayout, section_layout
from rapport.customer.v1 import section_pb2, view_pb2

Key = tuple[UUID, str]
SCHEMAS_MAX = 32
DEPARTMENT_SCHEMAS_MAX = 8
REDRAW_TIMER = "redraw-sections"
CHUNK = 500
LOOK_AGAIN = timedelta(minutes=1)
IN_FLIGHT = timedelta(minutes=5)  # longer than a put takes that began with the schema of before
_SCHEMAS = "sectionSchemas"  # one is changed at a time, so that they can be counted


@dataclass(frozen=True, slots=True)
class PutSection:
    """What a department writes: the content of its section, and of when it is true."""

    customer_id: UUID
    view_section_id: str
    content: bytes
    as_of_time: datetime
    stale_time: datetime | None
    etag: str

    @property
    def key(self) -> Key:
        """Whose section it is, and which."""
        return self.customer_id, self.view_section_id


async def put_section_schema(
    tx: Transaction,
    *,
    section_schema_id: str,
    department_id: str | None,
    display_name: str,
    message_type: str,
    descriptors: bytes,
    etag: str,
    validate_only: bool,
) -> SectionSchema:
    """Keep what a department's sections hold, and draw anew those that are there, unless nothing is new.

    InvalidArgument REQUIRED, TOO_LONG, INVALID_NAME, INVALID_SCHEMA, SENSITIVE_IN_SECTION; FailedPrecondition
    SCHEMA_INCOMPATIBLE, TOO_MANY_SCHEMAS; Aborted ETAG_MISMATCH.
    """
    owner_id = department_id or tx.call.principal.department
    if not owner_id:
        raise invalid("department", "REQUIRED", "must be given by a caller who works for no department")
    schema = SectionSchema(
        section_schema_id, owner_id, display_name, message_type, descriptors, tx.now, tx.now
    )
    await LOCK_NAME.run(tx, name=_SCHEMAS)
    held = await store.SCHEMAS_BY_ID.maybe(tx, ids=[schema.id])
    if held is not None:
        schema.follow(held)
    tx.require_owner(schema)
    if department_id not in (None, schema.department_id):
        raise invalid("department", "INVALID_NAME", f"must be {schema.department}, as it was put, or absent")
    etags.match(etag, schema.name, held.version if held else 0)
    layout = _layout(schema)
    if held is not None and (numbers := layout.misread(_layout(held))):
        schema.refuse_to_misread(numbers)
    if held is not None and schema.says_the_same_as(held):
        return held
    if held is None or held.is_deleted:
        await _require_room(tx, schema.department_id)
    if not validate_only:
        await _save(tx, schema)
    return schema


async def delete_section_schema(tx: Transaction, *, section_schema_id: str, etag: str) -> None:
    """Withdraw a schema and, by and by, its sections. NotFound; Aborted ETAG_MISMATCH."""
    await LOCK_NAME.run(tx, name=_SCHEMAS)
    schema = (await _own(tx, [section_schema_id]))[section_schema_id]
    etags.match(etag, schema.name, schema.version)
    schema.delete(tx.now)
    tx.touch(schema.name)
    await _save(tx, schema)


async def put_view_section(
    tx: Transaction,
    hot: HotViews,
    *,
    customer_id: UUID,
    view_section_id: str,
    content: bytes,
    as_of_time: datetime,
    stale_time: datetime | None,
    etag: str,
) -> ViewSection:
    """Write a section: as `batch_put_view_sections`. FailedPrecondition STALE_SECTION."""
    asked = PutSection(customer_id, view_section_id, content, as_of_time, stale_time, etag)
    (result,) = await _put(tx, hot, [asked], ["content"])
    if result.is_stale:
        result.section.refuse_earlier()
    return result.section


async def batch_put_view_sections(
    tx: Transaction, hot: HotViews, *, requests: list[PutSection]
) -> list[PutResult]:
    """Write sections of different names, but not over what is true of a later time. All or none is refused.

    NotFound without the schema or the customer; InvalidArgument for what content may not hold;
    Aborted ETAG_MISMATCH, REQUEST_IN_FLIGHT.
    """
    return await _put(tx, hot, requests, [f"requests[{i}].content" for i in range(len(requests))])


async def delete_view_section(
    tx: Transaction,
    hot: HotViews,
    *,
    customer_id: UUID,
    view_section_id: str,
    as_of_time: datetime | None,
    etag: str,
) -> None:
    """Withdraw a section; as of a time also one that is not there, which may still be on its way.

    NotFound; FailedPrecondition STALE_SECTION; Aborted ETAG_MISMATCH, REQUEST_IN_FLIGHT.
    """
    key = customer_id, view_section_id
    schema = (await _own(tx, [view_section_id]))[view_section_id]
    held = (await _locked(tx, [key])).get(key)
    if as_of_time is None and (held is None or held.content is None):
        raise NotFound(SECTION.format(*key))
    etags.match(etag, SECTION.format(*key), held.version if held else 0)
    if held is None:
        await _require_customers(tx, [customer_id])
        held = ViewSection.none_yet(*key, tx.now, tx.id)
    elif as_of_time is not None and not etag and held.outdates(as_of_time):
        if held.content is None:
            return
        held.refuse_earlier()
    gone_at = as_of_time or max(tx.now, held.as_of_time)  # the department's clock may be ahead
    held.delete(schema, gone_at, tx.now)
    tx.touch(held.name)
    await _write(tx, hot, [held])


async def redraw(tx: Transaction, schema_id: str, hot: HotViews) -> None:
    """Draw some of the sections that are behind their schema, or withdraw those from before it was deleted.

    Then come back, for a while also for what is put by a call that began with the schema of before.
    """
    schema = await store.SCHEMAS_BY_ID.one(tx, ids=[schema_id])
    tx.touch(schema.name)
    found = await store.BEHIND.all(tx, section=schema_id, version=schema.version, limit=CHUNK)
    behind = await _locked(tx, [(row["customer_id"], schema_id) for row in found])
    still = [
        each for each in behind.values() if each.content is not None and each.schema_version < schema.version
    ]
    for section in still:
        if section.schema_version < schema.deleted_version:
            section.delete_with_schema(tx.now)
            tx.touch(section.name)
        else:
            section.version, section.schema_version = section.version + 1, schema.version
            section.update_time = tx.now
            section.drawn = _drawn(section, schema)
    await _write(tx, hot, still)
    if found or tx.now < schema.update_time + IN_FLIGHT:
        await tx.schedule(REDRAW_TIMER, schema_id, tx.now + (timedelta() if found else LOOK_AGAIN))


async def _put(
    tx: Transaction, hot: HotViews, asked: Sequence[PutSection], paths: Sequence[str]
) -> list[PutResult]:
    """As asked, each with the path of its content in the request."""
    schemas = await _own(tx, {each.view_section_id for each in asked})
    wrong: list[Violation] = []
    contents = [
        check_content(_layout(schemas[each.view_section_id]), each.content, path, tx.now, wrong)
        for path, each in zip(paths, asked, strict=True)
    ]
    if wrong:
        raise InvalidArgument(wrong)
    await _require_customers(tx, [each.customer_id for each in asked])
    held = await _locked(tx, [each.key for each in asked])
    results = []
    for each, content in zip(asked, contents, strict=True):
        schema, before = schemas[each.view_section_id], held.get(each.key)
        etags.match(each.etag, SECTION.format(*each.key), before.version if before else 0)
        if before is not None and not each.etag and before.outdates(each.as_of_time):
            results.append(PutResult(before, is_stale=True))
            continue
        section = ViewSection(
            *each.key,
            content,
            drawn=b"",
            as_of_time=each.as_of_time,
            stale_time=each.stale_time,
            update_time=tx.now,
            version=before.version + 1 if before else 1,
            schema_version=schema.version,
            put_id=tx.id,
        )
        section.drawn = _drawn(section, schema)
        tx.touch(section.name)
        results.append(PutResult(section))
    await _write(tx, hot, [each.section for each in results if not each.is_stale])
    return results


async def _own(tx: Transaction, ids: Iterable[str]) -> dict[str, SectionSchema]:
    """The schemas, each of the caller's department. NotFound."""
    schemas = {
        each.id: each for each in await store.SCHEMAS_BY_ID.all(tx, ids=sorted(ids)) if not each.is_deleted
    }
    for schema_id in ids:
        if schema_id not in schemas:
            raise NotFound(SECTION_SCHEMA.format(schema_id))
        tx.require_owner(schemas[schema_id])
    return schemas


async def _require_room(tx: Transaction, department_id: str) -> None:
    held = await store.COUNT_SCHEMAS.one(tx, department_id=department_id)
    limits = ("A department", held["own"], DEPARTMENT_SCHEMAS_MAX), ("A view", held["all"], SCHEMAS_MAX)
    for whose, count, most in limits:
        if count >= most:
            message = f"{whose} has at most {most} sections: delete a schema."
            raise FailedPrecondition("TOO_MANY_SCHEMAS", message, {"most": most})


async def _require_customers(tx: Transaction, ids: Sequence[UUID]) -> None:
    known = {row["id"] for row in await KNOWN_CUSTOMERS.all(tx, ids=ids)}
    for customer_id in ids:
        if customer_id not in known:
            raise NotFound(CUSTOMER.format(customer_id))


async def _locked(tx: Transaction, keys: Sequence[Key]) -> dict[Key, ViewSection]:
    ids, sections = [key[0] for key in keys], [key[1] for key in keys]
    held = await store.LOCKED_SECTIONS.all(tx, customer_ids=ids, sections=sections)
    return {(each.customer_id, each.section): each for each in held}


async def _save(tx: Transaction, schema: SectionSchema) -> None:
    await store.SAVE_SCHEMA.rows(tx, [schema])
    await tx.schedule(REDRAW_TIMER, schema.id, tx.now)


async def _write(tx: Transaction, hot: HotViews, sections: Sequence[ViewSection]) -> None:
    """Write sections that are locked, or were not there. Aborted when somebody else wrote one first.

    Views are read with them: nobody is told, and no view is written, for a million of them in a night.
    """
    ordered = sorted(sections, key=lambda each: (each.customer_id, each.section))
    if len(await store.SAVE_SECTIONS.rows(tx, ordered)) < len(ordered):
        told = "Another change of the same section won. Try again."
        raise Aborted("REQUEST_IN_FLIGHT", told, retry_after_s=1)
    changed = (await groups_of(tx, {each.customer_id for each in ordered})).everybody
    tx.after_commit(lambda: hot.committed(changed))


def _drawn(section: ViewSection, schema: SectionSchema) -> bytes:
    """A view with the section alone."""
    drawn = cells(_layout(schema), section.content or b"")
    shown = {"department": schema.department, "display_name": schema.display_name, "cells": drawn}
    message = to_message(section_pb2.ViewSection, section, **shown, content=None)
    return view_pb2.CustomerView(sections=[message]).SerializeToString(deterministic=True)


def _layout(schema: SectionSchema) -> SectionLayout:
    return section_layout(schema.descriptors, schema.message_type)
