"""Notices that are sent at an hour where the customer lives."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from notifications.domain.days import span
from notifications.domain.notice import Notice
from notifications.usecases.attempt import Forbidden, Quiet
from notifications.usecases.hour import require_hour

DAY, HOUR = "2026-03-02", 9
NINE = datetime(2026, 3, 2, tzinfo=UTC)  # in Tokyo
TOKYO = ZoneInfo("Asia/Tokyo")


def notice(lasts: timedelta) -> Notice:
    return Notice(
        id=UUID(int=1),
        customer="customers/1",
        kind="today",
        purpose="purposes/service",
        template_id="today",
        variables={},
        promise="",
        case="",
        expire_time=span(DAY, 0, HOUR)[1] + lasts,
        create_time=NINE,
        update_time=NINE,
        request_event=UUID(int=2),
        send_on=DAY,
        send_hour=HOUR,
    )


@pytest.mark.parametrize("lasts", [timedelta(hours=1), timedelta(days=1)])
def test_it_is_of_use_from_its_hour_on_where_the_customer_lives_for_as_long_as_its_policy_says(
    lasts: timedelta,
) -> None:
    tick = timedelta(microseconds=1)
    with pytest.raises(Quiet):
        require_hour(notice(lasts), TOKYO, NINE - tick, [])
    for now in (NINE, NINE + lasts - tick):
        [step] = require_hour(notice(lasts), TOKYO, now, [])
        assert step.reason_code == ""
    with pytest.raises(Forbidden, match="expired") as refusal:
        require_hour(notice(lasts), TOKYO, NINE + lasts, [])
    assert [step.reason_code for step in refusal.value.decisions] == ["expired"]
