"""Names that others read: those of the contract."""

import pytest

from cases.domain.case import CaseState
from cases.domain.promise import PromiseState
from cases.domain.work_item import ReasonCode, WorkItemState
from rapport.cases.v1.case_pb2 import WorkItem
from rapport.common.v1 import states_pb2


@pytest.mark.parametrize(
    ("states", "contract"),
    [
        (CaseState, states_pb2.CaseState),
        (WorkItemState, WorkItem.State),
        (PromiseState, states_pb2.PromiseState),
    ],
    ids=["case", "work item", "promise"],
)
def test_states_are_named_as_in_the_contract(states, contract):
    prefix = contract.keys()[0].removesuffix("UNSPECIFIED")
    assert [f"{prefix}{state}" for state in ("UNSPECIFIED", *states)] == contract.keys()


def test_a_department_gives_one_of_five_reasons():
    assert {str(code) for code in ReasonCode} == {
        "CARRIER_DELAY",
        "OUT_OF_STOCK",
        "WEATHER",
        "STAFF_SHORTAGE",
        "OTHER",
    }
