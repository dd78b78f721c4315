import pytest

from chassis.api.actors import actor_name


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        ("agent:alice", "agents/alice"),
        ("service:billing", "services/billing"),
        ("clock", "services/cases"),
    ],
)
def test_who_acted_is_an_agent_or_a_service_and_the_clock_is_its_services(subject: str, name: str) -> None:
    assert actor_name(subject, "cases") == name
