"""Names that others read: those of the contract."""

import pytest

from cases.domain.case import CaseState
from cases.domain.promise import PromiseState
from cases.domain.work_item import ReasonCode, WorkItemState
from rapport.cases.v1.case_pb2 import Case, WorkItem
from rapport.cases.v1.promise_pb2 import Promise


@pytest.mark.parametrize(
    ("states", "contract"),
    [(CaseState, Case.State), (WorkItemState, WorkItem.State), (PromiseState, Promise.State)],
    ids=["case", "work item", "promise"],
)
def test_states_are_named_as_in_the_contract(states, contract):
    assert ["STATE_UNSPECIFIED", *(f"STATE_{state}" for state in states)] == contract.keys()


def test_a_department_gives_one_of_five_reasons():
    assert {str(code) for code in ReasonCode} == {
        "CARRIER_DELAY",
        "OUT_OF_STOCK",
        "WEATHER",
        "STAFF_SHORTAGE",
        "OTHER",
    }
