"""What a customer is shown of a case."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from cases.domain.case import Case
from cases.domain.case_progress import CaseProgress, CaseWithWork
from rapport.common.v1 import states_pb2

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("work", "state"),
    [
        ({}, CaseProgress.RECEIVED),
        ({"begun": True}, CaseProgress.IN_PROGRESS),
        ({"waits_for_customer": True}, CaseProgress.WAITING_FOR_CUSTOMER),
        ({"begun": True, "waits_for_customer": True}, CaseProgress.WAITING_FOR_CUSTOMER),
    ],
)
def test_the_customer_is_shown_what_concerns_them_most(work, state):
    case = Case(UUID(int=1), UUID(int=2), "late-delivery", "", "alice", "front-desk", NOW, NOW)
    assert CaseWithWork(case, **work).progress is state
    assert CaseWithWork(case, resolved=True, **work).progress is CaseProgress.RESOLVED


def test_the_states_are_named_as_in_the_contract():
    names = [f"CASE_PROGRESS_{state}" for state in ("UNSPECIFIED", *CaseProgress)]
    assert names == states_pb2.CaseProgress.keys()
