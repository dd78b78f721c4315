"""By when something was promised the customer's pages say as messages do, and the desk with its hour."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from babel import Locale

from chassis.api.messages import timestamp
from desk.pages.customer.promises import dates_of
from desk.pages.selfservice.loading import Found
from desk.pages.selfservice.view import Line, shown
from desk.ui.speech import Speech
from rapport.cases.v1.promise_pb2 import Promise
from rapport.common.v1 import states_pb2

SAY = Speech(Locale("en", "GB"), ZoneInfo("Europe/Vienna"), datetime(2026, 11, 30, 9, tzinfo=UTC))
OPEN, RENEGOTIATED = states_pb2.PROMISE_STATE_OPEN, states_pb2.PROMISE_STATE_RENEGOTIATED
ENDS_5_DECEMBER = datetime(2026, 12, 5, 23, tzinfo=UTC)  # the midnight there
ENDS_8_DECEMBER = datetime(2026, 12, 8, 23, tzinfo=UTC)
AT_14_16 = datetime(2026, 12, 5, 13, 16, tzinfo=UTC)
AT_17_00 = datetime(2026, 12, 5, 16, tzinfo=UTC)


def promised(at: datetime, name: str = "promises/1", state: Any = OPEN, **more: Any) -> Promise:
    return Promise(name=name, kind="delivery", due_time=timestamp(at), state=state, **more)


def feared(at: datetime, expected: datetime) -> Promise:
    """The customer was told that it will be later."""
    told = timestamp(SAY.now)
    return promised(at, forecast_time=timestamp(expected), delay_notify_time=told)


def line(*promises: Promise) -> Line:
    """What its customer reads."""
    [of_none] = shown(Found(promises), SAY).promises
    return of_none


@pytest.mark.parametrize("at", [ENDS_5_DECEMBER, AT_14_16])
def test_the_customer_reads_the_day_that_messages_tell(at: datetime) -> None:
    assert line(promised(at)).when == "Promised for Sat 5 Dec."
    assert line(feared(at, ENDS_8_DECEMBER)).when == "Promised for Sat 5 Dec, expected Tue 8 Dec."


def test_days_that_read_alike_are_told_with_their_hour() -> None:
    assert line(feared(AT_14_16, AT_17_00)).when == "Promised for Sat 5 Dec 14:16, expected Sat 5 Dec 17:00."
    first = promised(AT_14_16, state=RENEGOTIATED, successor="promises/2")
    both = line(first, promised(AT_17_00, "promises/2", predecessor="promises/1"))
    assert (both.moved, both.when) == (["First Sat 5 Dec 14:16."], "Promised for Sat 5 Dec 17:00.")


def test_the_desk_says_the_same_day_and_an_hour_where_there_is_one() -> None:
    assert SAY.due(promised(ENDS_5_DECEMBER)) == "Sat 5 Dec"
    assert SAY.due(promised(AT_14_16)) == "Sat 5 Dec 14:16"
    slips = feared(ENDS_5_DECEMBER, ENDS_8_DECEMBER)
    assert dates_of(slips, None, True, SAY) == ("Sat 5 Dec", "probably Tue 8 Dec")
