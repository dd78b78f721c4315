"""Names that others read: those of the contracts and of the README."""

from typing import Any

import pytest

from notifications.domain.attempt import Outcome
from notifications.domain.notice import Concern, State
from notifications.domain.policy import CONCERNS
from notifications.domain.template import Type
from rapport.cases.v1.cases_events_pb2 import PromiseAtRisk, PromiseRecovered
from rapport.common.v1.states_pb2 import NoticeState
from rapport.notifications.v1.delivery_attempt_pb2 import DeliveryAttempt
from rapport.notifications.v1.template_pb2 import Template


@pytest.mark.parametrize(
    ("names", "contract"),
    [(State, NoticeState), (Outcome, DeliveryAttempt.Outcome), (Type, Template.Type)],
    ids=["notice", "attempt", "template"],
)
def test_what_is_stored_is_named_as_in_the_contract(names: Any, contract: Any) -> None:
    prefix = contract.keys()[0].removesuffix("UNSPECIFIED")
    assert {f"{prefix}{name}" for name in (*names, "UNSPECIFIED")} == set(contract.keys())


def test_a_policy_listens_to_the_events_of_the_cases_contract() -> None:
    assert {
        Concern.AT_RISK: PromiseAtRisk.DESCRIPTOR.full_name,
        Concern.RECOVERED: PromiseRecovered.DESCRIPTOR.full_name,
    } == {concern: means.event_type for concern, means in CONCERNS.items()}


def test_concerns_are_named_as_the_database_keeps_them() -> None:
    assert [str(concern) for concern in Concern] == ["", "AT_RISK", "RECOVERED"]
