"""What questions bring that ask a service more than once."""

from dataclasses import dataclass, field

from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.promise_pb2 import Promise
from rapport.cases.v1.work_item_pb2 import WorkItem


@dataclass(frozen=True)
class Cases:
    """Open cases, each with the departments' parts of it, and how many more there are."""

    cases: list[tuple[Case, list[WorkItem]]] = field(default_factory=list)
    more: bool = False


@dataclass(frozen=True)
class Promised:
    """Promises, and whether more are to be kept, or were broken, than are among these."""

    promises: list[Promise] = field(default_factory=list)
    more: bool = False
