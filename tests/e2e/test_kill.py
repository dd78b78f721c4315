"""Kill -9 of any service at any moment of the story: the same end, and one e-mail."""

import pytest

from tests.e2e.outcome import assert_told_once, run_story
from tests.e2e.stack import Stack

pytestmark = pytest.mark.xdist_group("stack")

EVERYWHERE = [
    "before_commit",
    "after_commit",
    "relay.before_publish",
    "relay.after_publish",
    "consumer.after_inbox",
    "consumer.before_ack",
]
MOMENTS = [
    (service, point) for service in ("customer", "cases", "loyalty", "notifications") for point in EVERYWHERE
]
MOMENTS += [("notifications", "provider.before_send"), ("notifications", "provider.after_accept")]


@pytest.fixture(scope="module", autouse=True)
def the_customer_is_known(stack: Stack) -> None:
    """The story needs the demo's customer."""
    stack.json("demo")


@pytest.mark.parametrize(("service", "point"), MOMENTS)
def test_a_service_killed_at_any_moment_changes_nothing(stack: Stack, service: str, point: str) -> None:
    armed = stack.arm(service, point)
    outcome = run_story()
    assert not armed.exists(), f"the story never came by {point} in {service}"
    assert_told_once(outcome)
