import pytest

from chassis.events.freshness import SourceState
from customer.usecases.freshness import ViewFreshness, source_freshness
from rapport.customer.v1.view_pb2 import CustomerView, SourceFreshness

State = SourceFreshness.State


@pytest.mark.parametrize(
    ("pending", "oldest_s", "silent_s", "state", "age_s"),
    [
        (0, 0.0, 1.0, State.STATE_FRESH, 0.0),
        (0, 0.0, 15.0, State.STATE_FRESH, 0.0),
        (3, 7.5, 1.0, State.STATE_BEHIND, 7.5),
        (0, 0.0, 15.1, State.STATE_SILENT, 15.1),
        (3, 7.5, 60.0, State.STATE_SILENT, 60.0),
    ],
)
def test_a_source_is_fresh_behind_or_silent(pending, oldest_s, silent_s, state, age_s):
    shown = source_freshness("cases", SourceState(pending, oldest_s, silent_s))
    assert (shown.service, shown.state, shown.age_seconds, shown.pending_events) == (
        "cases",
        state,
        age_s,
        pending,
    )


class Sources:
    def __init__(self):
        self.asked = 0

    def of(self, source):
        self.asked += 1
        return SourceState(0, 0.0, 0.0)


def test_freshness_is_appended_to_a_view_without_reading_it():
    freshness = ViewFreshness(Sources(), ["customer", "cases"])
    stored = CustomerView(name="customers/c/view").SerializeToString()
    view = CustomerView.FromString(stored + freshness.serialised())
    assert view.name == "customers/c/view"
    assert [source.service for source in view.freshness] == ["customer", "cases"]


def test_freshness_is_computed_once_for_many_answers():
    sources = Sources()
    freshness = ViewFreshness(sources, ["customer", "cases"])
    assert freshness.serialised() is freshness.serialised()
    assert sources.asked == 2
