"""What is reported of a message comes to the same, in whichever order and however often it is told."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from notifications.domain.attempt import Attempt, Delivery, Receipt

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
REPORTS = st.lists(
    st.builds(
        Receipt,
        st.sampled_from([each for each in Delivery if each is not Delivery.UNSPECIFIED]),
        st.sampled_from(["", "5.1.1", "4.2.2"]),
        st.integers(0, 3).map(lambda hours: NOON + timedelta(hours=hours)),
        st.booleans(),
    ),
    min_size=1,
    max_size=5,
)


def after(receipts: list[Receipt]) -> Attempt:
    attempt = Attempt(UUID(int=1), 1, "providers/smtp", "<1@x>", NOON)
    for receipt in receipts:
        attempt.take(receipt)
    return attempt


@given(st.data(), REPORTS)
def test_no_order_and_no_repeat_makes_a_difference(data: st.DataObject, receipts: list[Receipt]) -> None:
    again = data.draw(st.permutations(receipts + receipts))
    assert after(again) == after(receipts)


@given(REPORTS)
def test_a_repeat_is_no_news(receipts: list[Receipt]) -> None:
    attempt = after(receipts)
    assert not any(attempt.take(each) for each in receipts)


@given(REPORTS)
def test_what_did_not_arrive_is_never_said_to_have(receipts: list[Receipt]) -> None:
    failed = any(receipt.delivery.failed for receipt in receipts)
    assert after(receipts).delivery.failed == failed
