from datetime import UTC, datetime

import pytest

from cases.domain.agent import Agent
from chassis.errors import InvalidArgument

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def agent(display_name="Alice", phone="+49 30 1234", email="alice@example.com", department_id="front-desk"):
    return Agent("alice", NOW, NOW, display_name, phone, email, department_id)


@pytest.mark.parametrize("reached_by", [{"phone": " "}, {"email": " "}, {}])
def test_an_agent_is_reached_by_phone_or_by_email(reached_by):
    agent(**reached_by).require_complete()


def test_all_that_an_agent_lacks_is_named_at_once():
    with pytest.raises(InvalidArgument) as caught:
        agent(display_name=" ", phone=" ", email=" ", department_id="").require_complete()
    assert [(found.field, found.reason) for found in caught.value.violations] == [
        ("agent.display_name", "REQUIRED"),
        ("agent.department", "REQUIRED"),
        ("agent.phone", "REQUIRED"),
    ]


def test_what_an_agent_has_is_not_named():
    with pytest.raises(InvalidArgument) as caught:
        agent(display_name="").require_complete()
    assert [found.field for found in caught.value.violations] == ["agent.display_name"]
