from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from chassis.db.aliases import Groups
from chassis.inbox.freshness import SourceState, Standing
from customer.store.views import SetAside
from customer.usecases import freshness as module
from customer.usecases.freshness import ViewFreshness, source_freshness, unapplied_facts
from rapport.common.v1 import states_pb2
from rapport.customer.v1.view_pb2 import CustomerView, SourceFreshness

State = SourceFreshness.State
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
CONSUMERS = {"customer": "customer-view-customer", "cases": "customer-view-cases"}


@pytest.mark.parametrize(
    ("standing", "state"),
    [
        (Standing.FRESH, State.STATE_FRESH),
        (Standing.BEHIND, State.STATE_BEHIND),
        (Standing.SILENT, State.STATE_SILENT),
    ],
)
def test_a_source_is_fresh_behind_or_silent(standing, state):
    shown = source_freshness("cases", SourceState(standing, 7.5, 3))
    assert (shown.service, shown.state, shown.pending_event_count) == ("services/cases", state, 3)
    assert shown.age.ToTimedelta() == timedelta(seconds=7.5)


class Sources:
    def __init__(self):
        self.asked = 0

    def of(self, source):
        self.asked += 1
        return SourceState(Standing.FRESH, 0.5, 0)


class Rows:
    """Facts that are set aside, in place of the statement that reads them."""

    def __init__(self):
        self.rows = []

    async def all(self, on, **params):
        return self.rows[: params["most"]]


def each_alone(names):
    """Groups of customers who were never merged."""
    return Groups({"asked": name, "survivor": name, "members": [name]} for name in names)


@pytest.fixture
def rows(monkeypatch):
    async def groups_of(db, names):
        return each_alone(names)

    made = Rows()
    monkeypatch.setattr(module, "groups_of", groups_of)
    monkeypatch.setattr(module, "SET_ASIDE", made)
    return made


@pytest.fixture
def changed():
    return []


@pytest.fixture
def freshness(changed):
    return ViewFreshness(None, Sources(), CONSUMERS, changed.extend)


def aside(customer, resource="promises/1", state="PARKED", source="cases"):
    return SetAside(source, resource, "rapport.cases.v1.PromiseKept", customer, state, AT)


def test_freshness_is_appended_to_a_view_without_reading_it(freshness):
    stored = CustomerView(name="customers/c/view").SerializeToString()
    view = CustomerView.FromString(stored + freshness.serialised())
    assert view.name == "customers/c/view"
    assert [(source.service, source.state) for source in view.freshness] == [
        ("services/customer", State.STATE_FRESH),
        ("services/cases", State.STATE_FRESH),
    ]


def test_freshness_is_computed_once_for_many_answers(freshness):
    assert freshness.serialised() is freshness.serialised()
    assert freshness.freshness.asked == 2


async def test_a_fact_set_aside_marks_its_customer_and_nobody_else(freshness, rows, changed):
    anna, bob = uuid4(), uuid4()
    rows.rows = [aside(f"customers/{anna}")]
    await freshness.load()
    [fact] = CustomerView.FromString(freshness.unapplied(anna)).unapplied_facts
    assert (fact.service, fact.resource, fact.state) == (
        "services/cases",
        "promises/1",
        states_pb2.SET_ASIDE_STATE_PARKED,
    )
    assert fact.set_aside_time.ToDatetime(UTC) == AT
    assert freshness.unapplied(bob) == b""
    assert changed == [anna]
    assert State.STATE_BEHIND not in states(freshness)


async def test_whoever_watches_is_told_when_a_fact_is_set_aside_and_when_it_is_applied(
    freshness, rows, changed
):
    anna = uuid4()
    rows.rows = [aside(f"customers/{anna}")]
    await freshness.load()
    await freshness.load()
    rows.rows = []
    await freshness.load()
    assert changed == [anna, anna]
    assert freshness.unapplied(anna) == b""


def test_a_customer_is_told_of_the_latest_20():
    anna = uuid4()
    found = unapplied_facts(
        [aside(f"customers/{anna}", f"promises/{n}") for n in range(30)], each_alone([anna])
    )
    facts = CustomerView.FromString(found[anna]).unapplied_facts
    assert [fact.resource for fact in facts] == [f"promises/{n}" for n in range(20)]


@pytest.mark.parametrize("customer", ["", "not a customer"])
async def test_a_fact_set_aside_that_names_no_customer_may_be_missing_from_any_view(
    freshness, rows, customer
):
    rows.rows = [aside(customer)]
    await freshness.load()
    assert states(freshness) == [State.STATE_FRESH, State.STATE_BEHIND]
    freshness._until = 0.0
    rows.rows = []
    await freshness.load()
    assert states(freshness) == [State.STATE_FRESH, State.STATE_FRESH]


async def test_more_than_can_be_told_one_by_one_is_a_matter_of_the_source(freshness, rows, monkeypatch):
    monkeypatch.setattr(module, "TOLD_MAX", 3)
    rows.rows = [aside(f"customers/{uuid4()}") for _ in range(5)]
    await freshness.load()
    assert states(freshness) == [State.STATE_FRESH, State.STATE_BEHIND]


def test_while_it_is_not_known_what_is_set_aside_no_source_is_fresh(freshness):
    freshness._loaded -= timedelta(minutes=1).total_seconds()
    assert states(freshness) == [State.STATE_SILENT, State.STATE_SILENT]


def states(freshness):
    return [source.state for source in CustomerView.FromString(freshness.serialised()).freshness]
