"""Names that others read: those of the contract."""

import pytest

from cases.domain.case import CaseKind, CaseState, Visibility
from cases.domain.case_link import LinkKind
from cases.domain.promise_state import PromiseState
from cases.domain.work_item import WorkItemState
from rapport.cases.v1.case_link_pb2 import CaseLink
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.note_pb2 import Note
from rapport.cases.v1.work_item_pb2 import WorkItem
from rapport.common.v1 import states_pb2


@pytest.mark.parametrize(
    ("states", "contract"),
    [
        (CaseState, states_pb2.CaseState),
        (CaseKind, Case.Kind),
        (LinkKind, CaseLink.Kind),
        (Visibility, Note.Visibility),
        (WorkItemState, WorkItem.State),
        (PromiseState, states_pb2.PromiseState),
    ],
    ids=["case", "kind", "link", "visibility", "work item", "promise"],
)
def test_states_are_named_as_in_the_contract(states, contract):
    prefix = contract.keys()[0].removesuffix("UNSPECIFIED")
    assert [f"{prefix}{state}" for state in ("UNSPECIFIED", *states)] == contract.keys()
