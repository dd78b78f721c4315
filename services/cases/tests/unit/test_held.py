"""What a customer is shown of a case."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from cases.domain.case import Case
from cases.domain.held import CustomerState, Held
from rapport.common.v1 import states_pb2

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("work", "state"),
    [
        ({}, CustomerState.RECEIVED),
        ({"begun": True}, CustomerState.IN_PROGRESS),
        ({"waits_for_customer": True}, CustomerState.WAITING_FOR_YOU),
        ({"begun": True, "waits_for_customer": True}, CustomerState.WAITING_FOR_YOU),
    ],
)
def test_the_customer_is_shown_what_concerns_them_most(work, state):
    case = Case(UUID(int=1), UUID(int=2), "late-delivery", "", "alice", "front-desk", NOW, NOW)
    assert Held(case, **work).customer_state is state
    assert Held(case, resolved=True, **work).customer_state is CustomerState.RESOLVED


def test_the_states_are_named_as_in_the_contract():
    names = [f"CUSTOMER_STATE_{state}" for state in ("UNSPECIFIED", *CustomerState)]
    assert names == states_pb2.CustomerState.keys()
