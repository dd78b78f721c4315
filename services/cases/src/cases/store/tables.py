"""The service's tables, of the entities that they hold, and the statements on them."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from cases import names
from cases.domain.agent import Agent
from cases.domain.case import Case, CaseState, Note
from cases.domain.department import Department
from cases.domain.promise import Promise
from cases.domain.promise_state import LIVE, PromiseState
from cases.domain.work_item import CUSTOMER_ANSWER, WorkItem, WorkItemState
from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.statement import Bulk, Statement, locking, of_entity
from chassis.db.tables import among, table
from chassis.overlap import RECORDED_MAX
from rapport.cases.v1 import case_pb2, note_pb2, work_item_pb2
from rapport.common.v1 import states_pb2

METADATA = sa.MetaData()


def members_of(case_id: Any) -> Any:
    """SQL: an array of a case and all that were merged into it."""
    return sa.func.members_of_case(case_id, type_=sa.ARRAY(sa.Uuid))


def members(case_id: Any) -> Any:
    """The same as rows, to list by."""
    each = sa.func.unnest(members_of(case_id))
    return each.table_valued(sa.column("case_id", sa.Uuid), name="members").render_derived()


AGENTS = table(METADATA, "agents", Agent)
DEPARTMENTS = table(METADATA, "departments", Department)
CASES = table(METADATA, "cases", Case)
NOTES = table(METADATA, "notes", Note)
WORK_ITEMS = table(METADATA, "work_items", WorkItem)
PROMISES = table(METADATA, "promises", Promise)

AGENT, LOCK_AGENT, UPDATE_AGENT = of_entity(AGENTS, Agent)
# Somebody who stays as they are until what is given to them is theirs: many may give to one at once.
HOLD_AGENT = Statement(
    sa.select(AGENTS).where(AGENTS.c.id == sa.bindparam("id")).with_for_update(read=True), row=Agent
)
LIST_AGENTS = Listing(sa.select(AGENTS), AGENTS.c.id, row=Agent)
# Nothing comes back when there is one already, whoever has made it.
INSERT_AGENT = Statement[Any](insert(AGENTS).on_conflict_do_nothing().returning(AGENTS.c.id))

DEPARTMENT, LOCK_DEPARTMENT, UPDATE_DEPARTMENT = of_entity(DEPARTMENTS, Department)
LIST_DEPARTMENTS = Listing(sa.select(DEPARTMENTS), DEPARTMENTS.c.id, row=Department)
INSERT_DEPARTMENT = Statement[Any](insert(DEPARTMENTS).on_conflict_do_nothing().returning(DEPARTMENTS.c.id))

CASE, LOCK_CASE, UPDATE_CASE = of_entity(CASES, Case)
CASES_BY_ID = Statement(sa.select(CASES).where(among(CASES.c.id, "ids")), row=Case)
OPEN_CASE_ABOUT = Statement(  # the oldest that goes on by itself
    sa.select(CASES)
    .where(
        CASES.c.customer_id == sa.bindparam("customer_id", type_=sa.Uuid),
        CASES.c.topic == sa.bindparam("topic", type_=sa.Text),
        CASES.c.state == CaseState.OPEN.value,
    )
    .order_by(CASES.c.id)
    .limit(sa.literal_column("1")),
    row=Case,
)
MERGED_INTO = Statement(sa.select(CASES).where(CASES.c.survivor_id == sa.bindparam("id")), row=Case)
COUNT_UNFINISHED = Statement[Any](
    sa.select(sa.func.count()).where(
        WORK_ITEMS.c.case_id == sa.func.any(members_of(sa.bindparam("id", type_=sa.Uuid))),
        WORK_ITEMS.c.state != WorkItemState.FINISHED.value,
    )
)
_survivor = CASES.alias("survivor")
_work = (
    sa.select(
        sa.func.coalesce(sa.func.bool_or(WORK_ITEMS.c.state != WorkItemState.PENDING.value), False).label(
            "begun"
        ),
        sa.func.coalesce(sa.func.bool_or(WORK_ITEMS.c.block_reason_code == CUSTOMER_ANSWER), False).label(
            "waits_for_customer"
        ),
    )
    .where(WORK_ITEMS.c.case_id == sa.func.any(members_of(_survivor.c.id)))
    .lateral("work")
)
# Of cases with all that are settled with them: whether that is done, and whether work was begun, or waits.
WORK_ON_CASES = Statement[Any](
    sa.select(
        CASES.c.id,
        (_survivor.c.state == CaseState.RESOLVED.value).label("resolved"),
        _work.c.begun,
        _work.c.waits_for_customer,
    )
    .select_from(
        CASES.join(_survivor, _survivor.c.id == sa.func.coalesce(CASES.c.survivor_id, CASES.c.id)).join(
            _work, sa.true()
        )
    )
    .where(among(CASES.c.id, "ids"))
)
LIST_CASES = Listing(
    sa.select(CASES),
    CASES.c.id,  # UUIDv7: in the order of opening
    descending=True,
    order_by="open_time",
    row=Case,
    filters={
        "customer": filters.customer(CASES.c.customer_id, names.CUSTOMER),
        "owner": filters.name(CASES.c.owner_id, names.AGENT),
        "department": filters.name(CASES.c.department_id, names.DEPARTMENT),
        "topic": filters.text(CASES.c.topic),
        "state": filters.enum(CASES.c.state, states_pb2.CaseState.DESCRIPTOR),
        "kind": filters.enum(CASES.c.kind, case_pb2.Case.Kind.DESCRIPTOR),
        "merged_into": filters.name(CASES.c.survivor_id, names.CASE),
        "priority": filters.enum(CASES.c.priority, states_pb2.CasePriority.DESCRIPTOR),
        "open_time": filters.moment(CASES.c.open_time),
        "resolve_time": filters.moment(CASES.c.resolve_time),
    },
)
# Whoever changes what of a case waits for what, or when it is expected, locks the case, then its work in the
# order of ids: nothing that would have to move with it comes in between.
LOCK_CASE_OF_WORK_ITEM = Statement[Any](
    sa.select(CASES.c.id)
    .where(
        CASES.c.id
        == sa.select(WORK_ITEMS.c.case_id).where(WORK_ITEMS.c.id == sa.bindparam("id")).scalar_subquery()
    )
    .with_for_update(key_share=True, of=CASES)
)
LOCK_WORK_ITEMS_OF_CASE = locking(WORK_ITEMS, WorkItem, WORK_ITEMS.c.case_id == sa.bindparam("case_id"))
INSERT_CASE = Statement[Any](sa.insert(CASES))
_OF_CASE = sa.select(NOTES).where(NOTES.c.case_id == sa.bindparam("case_id"))
NOTE = Statement(_OF_CASE.where(NOTES.c.id == sa.bindparam("id")), row=Note)
LIST_NOTES = Listing(
    sa.select(NOTES),
    NOTES.c.id,  # UUIDv7: in the order of writing
    row=Note,
    of_one=(NOTES.c.case_id, members(sa.bindparam("case_id", type_=sa.Uuid))),
    filters={"visibility": filters.enum(NOTES.c.visibility, note_pb2.Note.Visibility.DESCRIPTOR)},
)
INSERT_NOTE = Statement[Any](sa.insert(NOTES))

_OF_PROMISE = sa.select(PROMISES.c.work_item_id).where(PROMISES.c.id == sa.bindparam("promise_id"))

WORK_ITEM, LOCK_WORK_ITEM, UPDATE_WORK_ITEM = of_entity(WORK_ITEMS, WorkItem)
# A work item is locked before the promises that rest on it, always: so forecasts, renegotiations and new
# promises follow one after another and none can deadlock another.
LOCK_WORK_ITEMS = locking(WORK_ITEMS, WorkItem, among(WORK_ITEMS.c.id, "ids"))
LOCK_WORK_ITEM_OF_PROMISE = Statement(
    sa.select(WORK_ITEMS)
    .where(WORK_ITEMS.c.id == _OF_PROMISE.scalar_subquery())
    .with_for_update(key_share=True, of=WORK_ITEMS),
    row=WorkItem,
)
LIST_WORK_ITEMS = Listing(
    sa.select(WORK_ITEMS),
    WORK_ITEMS.c.id,  # UUIDv7: in the order of creation
    row=WorkItem,
    filters={
        "case": filters.one_of(WORK_ITEMS.c.case_id, names.CASE, members),
        "customer": filters.customer(WORK_ITEMS.c.customer_id, names.CUSTOMER),
        "department": filters.name(WORK_ITEMS.c.department_id, names.DEPARTMENT),
        "kind": filters.text(WORK_ITEMS.c.kind),
        "assignee": filters.name(WORK_ITEMS.c.assignee_id, names.AGENT),
        "state": filters.enum(WORK_ITEMS.c.state, work_item_pb2.WorkItem.State.DESCRIPTOR),
    },
)
INSERT_WORK_ITEM = Statement[Any](sa.insert(WORK_ITEMS))


def _in(states: Iterable[PromiseState]) -> sa.ColumnElement[bool]:
    known: sa.ColumnElement[bool] = PROMISES.c.state == sa.any_(sa.literal(sorted(states), sa.ARRAY(sa.Text)))
    return known


PROMISE, LOCK_PROMISE, UPDATE_PROMISE = of_entity(PROMISES, Promise)
# Those that the customer still waits for: live, or broken, and neither replaced nor taken back.
_ON_WORK_ITEMS = among(PROMISES.c.work_item_id, "work_item_ids")
LOCK_PROMISES_AWAITED = locking(
    PROMISES,
    Promise,
    _ON_WORK_ITEMS,
    _in(LIVE | {PromiseState.BROKEN}),
    PROMISES.c.successor_id.is_(None),
    PROMISES.c.withdraw_time.is_(None),
)
_IMPORTED = among(PROMISES.c.import_key, "import_keys")
PROMISES_BY_IMPORT_KEY = Statement(sa.select(PROMISES).where(_IMPORTED), row=Promise)
# What was promised on work items or came with import keys, the oldest first.
PROMISED_BEFORE = Statement(
    sa.select(PROMISES).where(sa.or_(_ON_WORK_ITEMS, _IMPORTED)).order_by(PROMISES.c.id), row=Promise
)
# What imports of a department brought about certain things and nobody took back, the oldest first.
IMPORTED_ABOUT = Statement(
    sa.select(PROMISES)
    .where(
        among(PROMISES.c.reference, "references"),
        among(PROMISES.c.customer_id, "customer_ids"),
        sa.func.starts_with(PROMISES.c.import_key, sa.bindparam("department", type_=sa.Text)),
        PROMISES.c.withdraw_time.is_(None),
    )
    .order_by(PROMISES.c.id)
    .limit(sa.literal_column(str(RECORDED_MAX + 1))),
    row=Promise,
)
LIST_PROMISES = Listing(
    sa.select(PROMISES),
    PROMISES.c.due_time,
    PROMISES.c.id,
    descending=True,
    order_by="due_time",
    row=Promise,
    filters={
        "customer": filters.customer(PROMISES.c.customer_id, names.CUSTOMER),
        "case": filters.one_of(PROMISES.c.case_id, names.CASE, members),
        "department": filters.name(PROMISES.c.department_id, names.DEPARTMENT),
        "team": filters.name(PROMISES.c.team_id, names.TEAM),
        "state": filters.enum(PROMISES.c.state, states_pb2.PromiseState.DESCRIPTOR),
        "reference": filters.text(PROMISES.c.reference),
        "due_time": filters.moment(PROMISES.c.due_time),
        "due_date": filters.day(PROMISES.c.due_date),
    },
)
# What its department promised on work is of the team that has that, until it is over.
SET_TEAM = Statement[Any](
    sa.update(PROMISES)
    .where(
        PROMISES.c.work_item_id == sa.bindparam("work_item_id"),
        PROMISES.c.department_id == sa.bindparam("department_id"),
        _in(LIVE),
    )
    .values(team_id=sa.bindparam("team_id", type_=sa.Text))
)
COUNT_LIVE = Statement[Any](
    sa.select(PROMISES.c.state, sa.func.count().label("promises")).where(_in(LIVE)).group_by(PROMISES.c.state)
)
INSERT_PROMISE = Statement[Any](sa.insert(PROMISES))
INSERT_NEW_PROMISES = Bulk[Any](
    PROMISES,
    lambda insert: insert.on_conflict_do_nothing(index_elements=["import_key"]).returning(PROMISES.c.id),
)
