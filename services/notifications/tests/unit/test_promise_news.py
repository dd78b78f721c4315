"""What a promise is news of, as its owner shows it."""

from datetime import UTC, datetime

import pytest

from chassis.api.messages import timestamp
from notifications.domain.notice import Concern
from notifications.usecases.promise import news_in
from rapport.cases.v1 import promise_pb2
from rapport.common.v1 import states_pb2

DUE = datetime(2026, 3, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("state", "forecast", "concern"),
    [
        ("OPEN", False, Concern.RECOVERED),
        ("AT_RISK", False, Concern.RECOVERED),
        ("AT_RISK", True, Concern.AT_RISK),
        ("BROKEN", True, Concern.AT_RISK),
        ("BROKEN", False, Concern.NONE),
        ("KEPT", True, Concern.NONE),
        ("WITHDRAWN", True, Concern.NONE),
    ],
)
def test_only_what_can_still_be_in_time_is_so_again(state: str, forecast: bool, concern: Concern) -> None:
    promise = promise_pb2.Promise(
        name="promises/1",
        etag='"7"',
        state=states_pb2.PromiseState.Value(f"PROMISE_STATE_{state}"),
        due_time=timestamp(DUE),
        forecast_time=timestamp(DUE.replace(day=9)) if forecast else None,
        department="departments/delivery",
    )
    news = news_in(promise)
    assert (news.version, news.concern) == (7, concern)
    assert (news.due_time, news.department) == (DUE, "departments/delivery")
    promise.successor = "promises/2"
    promise.state = states_pb2.PROMISE_STATE_BROKEN
    assert news_in(promise).concern == Concern.NONE
