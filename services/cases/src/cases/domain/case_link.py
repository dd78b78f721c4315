"""What cases are to each other: one link, read from both of its ends."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from cases.domain.case import Case, CaseKind
from cases.domain.facts import CaseLinkCreated, CaseLinkDeleted
from cases.names import CASE, CASE_LINK
from chassis.errors import FailedPrecondition
from chassis.facts import fact_of

MEMBERS_MAX = 100  # cases that are read and settled as one


class LinkKind(StrEnum):
    """What a case is to the one that it is linked to."""

    RELATED = "RELATED"
    FOLLOWS = "FOLLOWS"
    CAUSED_BY = "CAUSED_BY"
    MERGED_INTO = "MERGED_INTO"
    SPLIT_FROM = "SPLIT_FROM"


_OF_ACTS = {LinkKind.MERGED_INTO: "MergeCases and UnmergeCase", LinkKind.SPLIT_FROM: "SplitCase"}


@dataclass(slots=True)
class CaseLink:
    """What a case is to another."""

    id: UUID
    case_id: UUID
    linked_case_id: UUID
    kind: LinkKind
    reason_code: str
    author: str
    create_time: datetime

    name = CASE_LINK.named("id")
    case = CASE.named("case_id")
    linked_case = CASE.named("linked_case_id")

    def created(self, case: Case) -> CaseLinkCreated:
        """The fact that they were linked."""
        return fact_of(CaseLinkCreated, self, customer=case.customer, department=case.department)

    def deleted(self, case: Case) -> CaseLinkDeleted:
        """The fact that the link was taken back."""
        return fact_of(CaseLinkDeleted, self, customer=case.customer, department=case.department)


def require_distinct(case_id: UUID, others: Iterable[UUID]) -> None:
    """Refuse to link or merge a case with itself (`LINKED_TO_ITSELF`)."""
    if case_id in others:
        name = CASE.format(case_id)
        told = f"{name} is named twice: name another case."
        raise FailedPrecondition("LINKED_TO_ITSELF", told, {"resource": name})


def require_free(kind: LinkKind, name: str) -> None:
    """Refuse what an act makes that does more than link (`LINK_OF_AN_ACT`)."""
    if acts := _OF_ACTS.get(kind):
        told = f"A link {kind} is the business of {acts}."
        raise FailedPrecondition("LINK_OF_AN_ACT", told, {"resource": name})


def require_problem(case: Case, problem: Case) -> None:
    """Refuse a cause that is none: a problem brings about concerns, no problems (`NOT_A_PROBLEM`)."""
    require_kind(problem, CaseKind.PROBLEM)
    require_kind(case, CaseKind.CONCERN)


def require_kind(case: Case, kind: CaseKind) -> None:
    """Refuse a case of the other kind than is asked for (`NOT_A_PROBLEM`)."""
    if case.kind is not kind:
        told = f"{case.name} is a {case.kind}: concerns are brought about by a case of kind PROBLEM."
        raise FailedPrecondition("NOT_A_PROBLEM", told, {"resource": case.name})


def require_same_customer(survivors: Mapping[UUID, UUID], case: Case, other: Case) -> None:
    """Refuse what only cases of one customer can be to each other (`CUSTOMER_MISMATCH`)."""
    if survivors[case.customer_id] != survivors[other.customer_id]:
        told = f"{case.name} and {other.name} are of two customers: merge these first, when they are one."
        raise FailedPrecondition(
            "CUSTOMER_MISMATCH", told, {"resource": other.name, "customer": other.customer}
        )


def require_room(survivor: Case, members: int) -> None:
    """Refuse more cases in one than are read together (`TOO_MANY_MERGED`)."""
    if members > MEMBERS_MAX:
        told = f"At most {MEMBERS_MAX} cases are one: link the others to a problem."
        raise FailedPrecondition("TOO_MANY_MERGED", told, {"resource": survivor.name, "most": MEMBERS_MAX})


def with_below(case_id: UUID, links: Iterable[CaseLink]) -> set[UUID]:
    """A case, and all that were merged into it, directly or not, by the links of merges."""
    found, links = {case_id}, list(links)
    while more := {link.case_id for link in links if link.linked_case_id in found} - found:
        found |= more
    return found
