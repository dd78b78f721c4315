"""Kill -9 of any service at any moment of the story: the same end, and one e-mail."""

import os

import pytest

from deploy.services import TELLING as SERVICES
from tests.e2e.outcome import assert_told_once, run_story
from tests.e2e.stack import Stack

EVERYWHERE = [
    "before_commit",
    "after_commit",
    "relay.before_publish",
    "relay.after_publish",
    "consumer.after_inbox",
    "consumer.before_ack",
]
ACCEPTED = pytest.param(
    "notifications", "provider.after_accept", marks=pytest.mark.slow
)  # until it is given up
SENDING = [("notifications", "provider.before_send"), ACCEPTED]
EVERY_MOMENT = [(service, point) for service in SERVICES for point in EVERYWHERE] + SENDING
# One of each for the suite; `make chaos` goes through all of them.
SOME_MOMENTS = [
    ("cases", "before_commit"),
    ("cases", "after_commit"),
    ("cases", "relay.before_publish"),
    ("loyalty", "relay.after_publish"),
    ("notifications", "consumer.after_inbox"),
    ("customer", "consumer.before_ack"),
    *SENDING,
]
MOMENTS = EVERY_MOMENT if os.environ.get("RAPPORT_EVERY_MOMENT") else SOME_MOMENTS


@pytest.mark.parametrize(("service", "point"), MOMENTS)
def test_a_service_killed_at_any_moment_changes_nothing(stack: Stack, service: str, point: str) -> None:
    armed = stack.arm(service, point)
    outcome = run_story()
    assert not armed.exists(), f"the story never came by {point} in {service}"
    # It died with the answer in hand, so nobody knew: the one case in which a mail is handed in again.
    assert_told_once(outcome, repeats=point == "provider.after_accept")
