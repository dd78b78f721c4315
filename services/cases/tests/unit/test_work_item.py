from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from cases.domain.work_item import WorkItem, WorkItemState
from chassis.errors import FailedPrecondition, InvalidArgument

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
A_DAY = timedelta(days=1)


def work_item(state=WorkItemState.PENDING):
    return WorkItem(UUID(int=1), UUID(int=2), UUID(int=3), "delivery", "deliver-order", "", NOW, NOW, state)


def test_a_forecast_tells_what_was_expected_before():
    added = work_item()
    first = added.forecast(NOW + A_DAY, "weather")
    second = added.forecast(NOW + 2 * A_DAY, "carrier-delay")
    assert (first.previous_forecast_finish_time, second.previous_forecast_finish_time) == (None, NOW + A_DAY)
    assert (added.forecast_finish_time, added.forecast_reason_code) == (NOW + 2 * A_DAY, "carrier-delay")


@pytest.mark.parametrize("state", [WorkItemState.PENDING, WorkItemState.STARTED])
def test_work_can_be_finished_whether_it_was_started_or_not(state):
    added = work_item(state)
    assert added.finish(NOW).finish_time == NOW
    assert (added.state, added.finish_time) == (WorkItemState.FINISHED, NOW)


@pytest.mark.parametrize(
    "verb",
    [lambda done: done.forecast(NOW, "other"), lambda done: done.finish(NOW)],
    ids=["forecast", "finish"],
)
def test_finished_work_is_neither_forecast_nor_finished_again(verb):
    done = work_item(WorkItemState.FINISHED)
    with pytest.raises(FailedPrecondition) as caught:
        verb(done)
    assert (caught.value.reason, caught.value.metadata) == ("WORK_ITEM_FINISHED", {"resource": done.name})


def test_work_is_not_finished_before_it_was_added():
    added = work_item()
    with pytest.raises(InvalidArgument) as caught:
        added.finish(NOW - timedelta(microseconds=1))
    assert [(found.field, found.reason) for found in caught.value.violations] == [
        ("finish_time", "INVALID_TIME")
    ]
    assert added == work_item()


@pytest.mark.parametrize("state", [WorkItemState.STARTED, WorkItemState.FINISHED])
def test_only_pending_work_can_be_started(state):
    begun = work_item(state)
    with pytest.raises(FailedPrecondition) as caught:
        begun.start(NOW)
    assert caught.value.reason == "WORK_ITEM_STARTED"
    assert caught.value.metadata == {"resource": begun.name, "state": state}


def test_every_change_is_a_new_version():
    added = work_item()
    versions = [added.version]
    for change in (lambda: added.start(NOW), lambda: added.forecast(NOW, "other"), lambda: added.finish(NOW)):
        change()
        versions.append(added.version)
    assert versions == [1, 2, 3, 4]
