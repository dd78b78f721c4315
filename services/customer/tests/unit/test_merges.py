from datetime import UTC, datetime
from uuid import UUID

import pytest

from chassis.errors import FailedPrecondition
from customer.domain.customers import new_customer
from customer.domain.merges import NAMES_MAX, CustomerMerge, MergeState, check_mergeable, survivors

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
A, B, C, D = (UUID(int=n) for n in range(1, 5))


def merge(survivor, merged, sequence):
    return CustomerMerge(
        UUID(int=100 + sequence), survivor, merged, "same-person", "", MergeState.MERGED, "agent:alice", NOW,
        undo_actor="", undo_reason_code="", undo_time=None, sequence=sequence, known_by=sequence, version=1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("merges", "whose"),
    [
        ([], {A: A, B: B, C: C, D: D}),
        ([(A, B)], {A: A, B: A, C: C, D: D}),
        ([(A, B), (C, B)], {A: C, B: C, C: C, D: D}),  # who B is by then, with all of A
        ([(A, B), (C, D), (B, D)], {A: A, B: A, C: A, D: A}),
        ([(B, A), (C, D), (D, A)], {A: C, B: C, C: C, D: C}),
    ],
)
def test_which_names_survive_follows_from_playing_the_merges_in_their_order(merges, whose):
    made = [merge(*pair, n) for n, pair in enumerate(merges)]
    assert survivors([A, B, C, D], reversed(made)) == whose


def test_a_merge_is_taken_out_of_the_middle():
    first, second, third = merge(A, B, 1), merge(C, B, 2), merge(D, C, 3)
    assert survivors([A, B, C, D], [first, second, third]) == dict.fromkeys([A, B, C, D], D)
    assert survivors([A, B, C, D], [first, third]) == {A: A, B: A, C: D, D: D}


def test_a_customer_has_at_most_500_names():
    one, other = (new_customer(each, {}, "agents/front-desk", NOW) for each in (A, B))
    check_mergeable(one, other, NAMES_MAX)
    with pytest.raises(FailedPrecondition) as refused:
        check_mergeable(one, other, NAMES_MAX + 1)
    assert (refused.value.reason, refused.value.metadata) == ("TOO_MANY_NAMES", {"most": "500"})
