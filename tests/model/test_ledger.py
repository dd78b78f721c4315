"""Points: however they are earned, spent, set aside, undone and ended, the ledger is as the model says.

Drawn are histories of three members: lots of every kind, reservations, reversals, gifts, memberships
merged and unmerged, closed and opened again, the clock, and processes that die before they commit. The model
is dictionaries.
`RAPPORT_MODEL_EXAMPLES` sets how many histories are tried; `make model-ledger` tries a million steps.
"""

import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chassis.db.database import Database
from chassis.events.facts import FactCodec
from loyalty.service import service as loyalty
from rapport_testing.clock import ManualClock
from rapport_testing.infrastructure import Infrastructure
from tests.model.points import START, play
from tests.model.points_reference import MEMBERS, POLICIES

member, which = st.integers(0, MEMBERS - 1), st.integers(0, 20)
amount, policy = st.sampled_from([1, 2, 5, 10, 25]), st.integers(0, len(POLICIES) - 1)
ACTS = st.one_of(
    st.tuples(st.just("earn"), member, amount, policy),
    st.tuples(st.sampled_from(["spend", "reserve"]), member, amount),
    st.tuples(st.sampled_from(["commit", "release", "undo"]), which),
    st.tuples(st.just("activate"), member, which),
    st.tuples(st.just("merge"), member, member),
    st.tuples(st.just("give"), member, member, amount),
    st.tuples(st.just("close"), member, member),
    st.tuples(st.sampled_from(["reopen", "part"]), member),
    st.tuples(st.just("join"), member, member),
)
STEPS = st.one_of(
    ACTS,
    ACTS.map(lambda step: ("crash", *step)),
    st.tuples(st.just("wait"), st.sampled_from([1, 5, 12, 24, 30])),
    st.tuples(st.just("tick")),
)


@pytest.fixture(scope="module")
async def ledger(infrastructure: Infrastructure) -> AsyncIterator[tuple[Database, ManualClock]]:
    """The service's database, and a clock."""
    url = await infrastructure.fresh_database("loyalty", loyalty.migrations)
    clock = ManualClock(START)
    db = Database(url, "loyalty", FactCodec(loyalty.events), clock, pool_size=2)
    await db.open()
    yield db, clock
    await db.close()
    await infrastructure.drop_database(url)


@given(history=st.lists(STEPS, max_size=25))
@example([("earn", 0, 10, 1), ("spend", 0, 5), ("wait", 72), ("tick",), ("undo", 1)])
@example([("earn", 0, 10, 2), ("wait", 30), ("undo", 0), ("tick",)])
@example([("earn", 0, 1, 4), ("wait", 30), ("reserve", 0, 1), ("wait", 30), ("tick",)])
@example([("earn", 0, 10, 4), ("wait", 30), ("reserve", 0, 5), ("wait", 30), ("tick",)])
@example([("earn", 0, 10, 3), ("close", 0, 0), ("reopen", 0), ("earn", 0, 10, 3), ("undo", 0)])
@example([("earn", 0, 10, 4), ("earn", 0, 5, 0), ("give", 0, 1, 12), ("wait", 30), ("give", 1, 0, 12)])
@example([("earn", 0, 10, 1), *[("reserve", 0, 5), ("wait", 30), ("wait", 30), ("wait", 30), ("tick",)] * 3])
@example([("earn", 0, 10, 1), ("spend", 0, 5), ("wait", 72), ("tick",), ("join", 0, 1), ("undo", 1)])
@example(
    [
        ("earn", 0, 10, 4),
        ("spend", 0, 5),
        ("join", 0, 1),
        ("join", 1, 2),
        ("undo", 1),
        ("part", 1),
        ("part", 0),
    ]
)
@example([("earn", 0, 5, 6), ("join", 0, 1), ("part", 0), ("earn", 0, 10, 6), ("join", 0, 1), ("undo", 0)])
@settings(
    max_examples=int(os.environ.get("RAPPORT_MODEL_EXAMPLES", "25")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
async def test_points_are_as_the_model_says(
    ledger: tuple[Database, ManualClock], history: list[tuple[Any, ...]]
) -> None:
    await play(*ledger, history)
