"""Opening, describing, owning and settling cases."""

from uuid import UUID

from cases.domain.agent import Agent
from cases.domain.case import Case, CaseKind, Note, Visibility
from cases.domain.case_link import LinkKind
from cases.domain.contact import Contact
from cases.domain.facts import CaseOpened
from cases.domain.priority import Harm
from cases.domain.promise_clock import PromiseClock
from cases.names import AGENT, CASE
from cases.store import tables as store
from cases.store.managers import MANAGER
from cases.usecases.agent import FRONT_DESK, look_at_what_is_theirs, owner_to_be
from cases.usecases.case_link import link, locked_groups, merged_into
from cases.usecases.clock import (
    fulfill_clocks_of_case,
    hand_clocks_over,
    reopen_clocks_of_case,
    start_clocks_of_case,
)
from cases.usecases.contact import case_contacted, case_reopened
from cases.usecases.escalation import escalation_moved, escalation_settled
from cases.usecases.reply import reply_was_seen
from cases.usecases.standing import standing_of, weigh_again
from cases.usecases.topic import defaults_of
from chassis import ids
from chassis.api import etags
from chassis.api.actors import actor_name
from chassis.api.entities import found, owned, save
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.errors import invalid
from chassis.facts import Changes, fact_of


async def open_case(
    tx: Transaction,
    *,
    customer_id: UUID,
    topic: str,
    display_name: str,
    owner_id: str | None,
    department_id: str | None,
    harm: Harm | None,
    kind: CaseKind | None,
    follows_id: UUID | None,
) -> Case:
    """Open a case, in its owner's department. What it leaves out its topic says. What `owner_to_be` finds.

    InvalidArgument REQUIRED when nobody says who owns it, INVALID_NAME when `department_id` is given and is
    another than the owner's; NotFound, FailedPrecondition CUSTOMER_MISMATCH for what it follows.
    """
    defaults = await defaults_of(tx, topic)
    owner_id = owner_id or defaults.owner_id
    if owner_id is None:
        raise invalid("case.owner", "REQUIRED", "must be given, as no department says who owns such a case")
    owner = await owner_to_be(tx, owner_id, hold=False)
    if department_id and department_id != owner.department_id:
        raise invalid("case.department", "INVALID_NAME", f"must be {owner.department}, its owner's, or empty")
    case = _new(tx, customer_id, topic, display_name, owner, harm or defaults.harm)
    case.kind = kind or CaseKind.CONCERN
    tx.require_owner(case)
    opened_id = await _open(tx, case)
    if follows_id:
        before = await found(tx, CASE, store.CASE, follows_id)
        await link(tx, case, before, LinkKind.FOLLOWS, "", caused_by=opened_id)
    return case


async def split_case(
    tx: Transaction,
    *,
    case_id: UUID,
    topic: str,
    display_name: str,
    owner_id: str | None,
    harm: Harm | None,
    reason_code: str,
) -> Case:
    """Open a case for another concern that was found in one, for whoever answers for that; both are linked.

    What `owner_to_be` finds.
    """
    whole = await owned(tx, CASE, store.CASE, case_id)
    owner = await owner_to_be(tx, owner_id or whole.owner_id, hold=False)
    case = _new(tx, whole.customer_id, topic or whole.topic, display_name, owner, harm or whole.harm)
    opened_id = await _open(tx, case)
    await link(tx, case, whole, LinkKind.SPLIT_FROM, reason_code, caused_by=opened_id)
    return case


async def open_for_manager(
    tx: Transaction, customer_id: UUID, topic: str, before: Case | None = None
) -> Case:
    """Open a case for who answers for a customer; it follows the one `before`, and is about what that is."""
    manager = await MANAGER.maybe(tx, customer_id=customer_id, front_desk=FRONT_DESK)
    owner = await store.AGENT.one(tx, id=manager["agent_id"] if manager else FRONT_DESK)
    topic = before.topic if before else topic
    harm = before.harm if before else (await defaults_of(tx, topic)).harm
    case = _new(tx, customer_id, topic, "", owner, harm)
    opened_id = await _open(tx, case)
    if before:
        await link(tx, case, before, LinkKind.FOLLOWS, "", caused_by=opened_id)
    return case


def _new(tx: Transaction, customer_id: UUID, topic: str, display_name: str, owner: Agent, harm: Harm) -> Case:
    now, of = tx.now, owner.department_id
    return Case(ids.uuid7(now), customer_id, topic, display_name, owner.id, of, now, now, harm=harm)


async def _open(tx: Transaction, case: Case) -> UUID:
    """Keep a new case, weighed, and tell of it. Returns the event's id."""
    case.weigh(await standing_of(tx, case.customer_id, tx.now))
    await tx.defer(store.INSERT_CASE, **values(case))
    opened_id = tx.record(fact_of(CaseOpened, case), version=case.version)
    await start_clocks_of_case(tx, case, opened_id)
    return opened_id


async def update_case(tx: Transaction, *, case_id: UUID, changes: Changes[Case], etag: str) -> Case:
    """Describe a case otherwise. What it does to the customer, when it is not said, its topic says."""
    cases = await locked_groups(tx, [case_id])
    case = cases[case_id]
    tx.require_owner(case)
    etags.match(etag, case.name, case.version)
    if "harm" in changes:
        topic = changes.get("topic", case.topic)
        changes["harm"] = changes["harm"] or (await defaults_of(tx, topic)).harm
    if updated := case.update(changes):
        updated_id = await save(tx, store.UPDATE_CASE, case, updated)
        seen_to = cases[case.survivor_id or case.id]
        await weigh_again(tx, seen_to, merged_into(seen_to, cases), updated_id)
    return case


async def assign_case(tx: Transaction, *, case_id: UUID, owner_id: str, etag: str) -> Case:
    """Give a case to an owner, and so to their department; nothing changes when it is theirs and of that.

    What `owner_to_be` finds.
    """
    case = await owned(tx, CASE, store.LOCK_CASE, case_id, etag=etag)
    await give(tx, case, await owner_to_be(tx, owner_id))
    return case


async def give(tx: Transaction, case: Case, owner: Agent) -> None:
    """Make an agent accountable for a case, unless they are."""
    if (owner.id, owner.department_id) != (case.owner_id, case.department_id):
        assigned_id = await save(tx, store.UPDATE_CASE, case, case.assign(owner.id, owner.department_id))
        await hand_clocks_over(tx, case, assigned_id)
        await escalation_moved(tx, case, assigned_id)


async def resolve_case(tx: Transaction, *, case_id: UUID, resolution: str, etag: str) -> Case:
    """Settle a case. Adding a work item locks the case too: none appears between the count and the commit."""
    case = await owned(tx, CASE, store.LOCK_CASE, case_id, etag=etag)
    (unfinished,) = await store.COUNT_UNFINISHED.one(tx, id=case_id)
    await settle(tx, case, resolution, unfinished)
    return case


async def settle(tx: Transaction, case: Case, resolution: str, unfinished: int) -> None:
    """Resolve a case, and with it what was merged into it: whoever waited for that waited for this."""
    resolved_id = await save(tx, store.UPDATE_CASE, case, case.resolve(resolution, tx.now, unfinished))
    members = (case, *await store.MERGED_INTO.all(tx, id=case.id))
    await fulfill_clocks_of_case(tx, members, resolved_id)
    await escalation_settled(tx, case, resolved_id)


async def reopen_case(
    tx: Transaction, clock: PromiseClock, *, case_id: UUID, reason_code: str, etag: str
) -> Case:
    """Open a resolved case again. FailedPrecondition AGENT_INACTIVE when its owner is: assign it first."""
    case = await owned(tx, CASE, store.LOCK_CASE, case_id, etag=etag)
    resolve_time = case.resolve_time
    reopened = case.reopen(reason_code)
    owner = await owner_to_be(tx, case.owner_id)
    if owner.department_id != case.department_id:
        await look_at_what_is_theirs(tx, owner.id)
    reopened_id = await save(tx, store.UPDATE_CASE, case, reopened)
    await reply_was_seen(tx, clock, case, reopened_id)
    merged = await store.MERGED_INTO.all(tx, id=case.id)
    await weigh_again(tx, case, merged, reopened_id)
    await reopen_clocks_of_case(tx, [case, *merged], reopened_id)
    await case_reopened(tx, case, resolve_time or tx.now, reopened_id)
    return case


async def create_note(tx: Transaction, *, case_id: UUID, text: str, visibility: Visibility | None) -> Note:
    """Note something on a case, open or resolved, for colleagues unless told. The caller is the author."""
    case = await found(tx, CASE, store.CASE, case_id)
    author = actor_name(tx.call.principal.subject, tx.db.service)
    department_id = tx.call.principal.department
    return await write_note(tx, case, text, author, visibility or Visibility.INTERNAL, department_id)


async def write_note(
    tx: Transaction, case: Case, text: str, author: str, visibility: Visibility, department_id: str
) -> Note:
    """Keep a note in the name of a department, and tell that there is one."""
    note = Note(ids.uuid7(tx.now), case.id, text, author, tx.now, visibility)
    await tx.defer(store.INSERT_NOTE, **values(note))
    tx.record(note.created(case), version=1)
    if note.visibility is Visibility.CUSTOMER:
        agent = author if AGENT.match(author) else ""  # also of what a job says for them
        await case_contacted(tx, case.id, Contact(tx.now, False, agent, department_id))
    return note
