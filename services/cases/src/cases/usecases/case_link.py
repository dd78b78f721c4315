"""What cases are to each other: linked, merged, and taken apart again."""

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from cases.domain.case import Case, CaseState
from cases.domain.case_link import (
    CaseLink,
    LinkKind,
    require_distinct,
    require_free,
    require_problem,
    require_room,
    require_same_customer,
    with_below,
)
from cases.names import CASE, CASE_LINK
from cases.store import case_links as store
from cases.store.tables import CASES_BY_ID, UPDATE_CASE
from cases.usecases.agent import look_at_what_is_theirs
from cases.usecases.clock import reopen_clocks_of_case
from cases.usecases.standing import weigh_again
from chassis import ids
from chassis.api import etags
from chassis.api.actors import actor_name
from chassis.api.entities import found, save
from chassis.db.aliases import groups_of, lock_people
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.errors import AlreadyExists, FailedPrecondition, NotFound

CUSTOMERS_UNMERGED = "customers-unmerged"


async def create_case_link(
    tx: Transaction, *, case_id: UUID, linked_case_id: UUID, kind: LinkKind, reason_code: str
) -> CaseLink:
    """Link two cases, for whoever answers for one of them.

    NotFound; AlreadyExists LINK_EXISTS; FailedPrecondition LINKED_TO_ITSELF, LINK_OF_AN_ACT, NOT_A_PROBLEM,
    CUSTOMER_MISMATCH.
    """
    require_distinct(case_id, [linked_case_id])
    require_free(kind, CASE.format(case_id))
    cases = await _locked(tx, [case_id, linked_case_id])
    case, other = cases[case_id], cases[linked_case_id]
    tx.require_owner(case, other)
    if kind is LinkKind.CAUSED_BY:
        require_problem(case, other)
    return await link(tx, case, other, kind, reason_code)


async def link(
    tx: Transaction, case: Case, other: Case, kind: LinkKind, reason_code: str, caused_by: UUID | None = None
) -> CaseLink:
    """Make a link. AlreadyExists LINK_EXISTS; FailedPrecondition CUSTOMER_MISMATCH for one that follows."""
    if kind is LinkKind.FOLLOWS:
        groups = await groups_of(tx, [case.customer_id, other.customer_id])
        require_same_customer(groups.survivors, case, other)
    author = actor_name(tx.call.principal.subject, tx.db.service)
    made = CaseLink(ids.uuid7(tx.now), case.id, other.id, kind, reason_code, author, tx.now)
    if await store.INSERT_CASE_LINK.maybe(tx, **values(made)) is None:
        told = f"{case.name} is linked to {other.name} so, or as {kind} to another: take that back first."
        raise AlreadyExists("LINK_EXISTS", told, {"resource": case.name})
    tx.record(made.created(case), version=1, caused_by=caused_by)
    return made


async def delete_case_link(tx: Transaction, *, case_link_id: UUID) -> None:
    """Take a link back. NotFound; FailedPrecondition LINK_OF_AN_ACT."""
    held = await found(tx, CASE_LINK, store.CASE_LINK, case_link_id)
    require_free(held.kind, held.name)
    cases = await _locked(tx, [held.case_id, held.linked_case_id])
    held = await found(tx, CASE_LINK, store.LOCK_CASE_LINK, case_link_id)
    tx.require_owner(cases[held.case_id], cases[held.linked_case_id])
    await _unlink(tx, held, cases[held.case_id])


async def merge_cases(
    tx: Transaction, *, case_id: UUID, merged_case_ids: list[UUID], reason_code: str, etag: str
) -> Case:
    """Make cases one, for whoever answers for all of them; what was merged into them comes with them.

    NotFound; FailedPrecondition LINKED_TO_ITSELF, CASE_MERGED, CASE_RESOLVED, CUSTOMER_MISMATCH,
    KIND_MISMATCH, TOO_MANY_MERGED.
    """
    merged_ids = sorted(set(merged_case_ids))
    require_distinct(case_id, merged_ids)
    asked = await CASES_BY_ID.all(tx, ids=[case_id, *merged_ids])
    groups = await lock_people(tx, {each.customer_id for each in asked})
    cases = await locked_groups(tx, [case_id, *merged_ids])
    survivor, merged = cases[case_id], [cases[each] for each in merged_ids]
    etags.match(etag, survivor.name, survivor.version)
    for each in (survivor, *merged):
        tx.require_owner(each)
    survivor.require_open()
    for each in merged:
        each.require_unmerged()
        require_same_customer(groups.survivors, survivor, each)
        _require_same_kind(survivor, each)
    require_room(survivor, len(cases))
    for each in merged:
        fact_id = await save(tx, UPDATE_CASE, each, each.merge_into(survivor, reason_code))
        await link(tx, each, survivor, LinkKind.MERGED_INTO, reason_code, caused_by=fact_id)
        below = merged_into(each, cases)
        await _follow(tx, below, survivor, reason_code, fact_id)
        await weigh_again(tx, survivor, merged_into(survivor, cases), fact_id)
    return survivor


async def unmerge_case(tx: Transaction, *, case_id: UUID, reason_code: str, etag: str) -> Case:
    """Let a merged case stand by itself, with what was merged into it before that.

    NotFound; FailedPrecondition CASE_NOT_MERGED.
    """
    cases = await locked_groups(tx, [case_id])
    case = cases[case_id]
    etags.match(etag, case.name, case.version)
    tx.require_owner(case)
    if case.survivor_id is None:
        told = f"{case.name} is not merged into another."
        raise FailedPrecondition("CASE_NOT_MERGED", told, {"resource": case.name})
    await _unmerge(tx, cases, case, reason_code)
    return case


async def unmerge_across(tx: Transaction, customer_ids: Iterable[UUID]) -> None:
    """Take apart cases that were merged while two customers were taken for one."""
    across = [row["id"] for row in await store.MERGED_ACROSS.all(tx, customer_ids=sorted(customer_ids))]
    cases = await locked_groups(tx, across) if across else {}
    for case in (cases[each] for each in across):
        if case.survivor_id is not None:
            await _unmerge(tx, cases, case, CUSTOMERS_UNMERGED)


async def _unmerge(tx: Transaction, cases: dict[UUID, Case], case: Case, reason_code: str) -> None:
    links = await store.MERGES_AMONG.all(tx, ids=list(cases))
    left = cases[case.survivor_id or case.id]
    fact_id = await save(tx, UPDATE_CASE, case, case.unmerge(reason_code))
    (merge,) = (each for each in links if each.case_id == case.id)
    await _unlink(tx, merge, case, caused_by=fact_id)
    below = [cases[each] for each in sorted(with_below(case.id, links) - {case.id})]
    await _follow(tx, below, case, reason_code, fact_id)
    for each in (left, case):
        if each.state is CaseState.OPEN:
            await weigh_again(tx, each, merged_into(each, cases), fact_id)
    if case.state is CaseState.OPEN:
        await reopen_clocks_of_case(tx, [case, *below], fact_id)
        await look_at_what_is_theirs(tx, case.owner_id)


def merged_into(case: Case, cases: Mapping[UUID, Case]) -> list[Case]:
    """Those of the cases that are read and settled with one."""
    return [each for each in cases.values() if each.survivor_id == case.id]


async def _follow(
    tx: Transaction, cases: Iterable[Case], survivor: Case, reason_code: str, caused_by: UUID
) -> None:
    """What was merged into a case goes where that goes."""
    for case in cases:
        await save(tx, UPDATE_CASE, case, case.merge_into(survivor, reason_code), caused_by=caused_by)


async def _unlink(tx: Transaction, held: CaseLink, case: Case, caused_by: UUID | None = None) -> None:
    await tx.defer(store.DELETE_CASE_LINK, id=held.id)
    tx.record(held.deleted(case), version=2, caused_by=caused_by)


def _require_same_kind(survivor: Case, case: Case) -> None:
    if survivor.kind is not case.kind:
        told = f"{survivor.name} is a {survivor.kind}, and {case.name} is a {case.kind}: link them instead."
        raise FailedPrecondition("KIND_MISMATCH", told, {"resource": case.name})


async def _locked(tx: Transaction, case_ids: Collection[UUID]) -> dict[UUID, Case]:
    """Cases, locked in the order of their ids. NotFound for the first that is not there."""
    cases = {case.id: case for case in await store.LOCK_CASES.all(tx, ids=sorted(case_ids))}
    for case_id in case_ids:
        if case_id not in cases:
            raise NotFound(CASE.format(case_id))
    return cases


async def locked_groups(tx: Transaction, case_ids: Collection[UUID]) -> dict[UUID, Case]:
    """Cases and all that are read and settled with them, locked; nobody is merged with them meanwhile."""
    cases: dict[UUID, Case] = {}
    members = set(case_ids)
    while not members <= cases.keys():
        cases = await _locked(tx, members | cases.keys())
        members = {row["id"] for row in await store.GROUPED_WITH.all(tx, ids=sorted(case_ids))}
    return cases
