"""The diagram of a promise's states in the README shows what its verbs do, no more and no less."""

import re
from contextlib import suppress
from copy import copy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from cases.domain.delay_notification import DelayNotification, notified
from cases.domain.due import Due
from cases.domain.promise import Promise
from chassis.errors import FailedPrecondition

README = Path(__file__).parents[2] / "README.md"
DAY = timedelta(days=1)
MADE = datetime(2026, 3, 2, 9, tzinfo=UTC)
DUE = MADE + 3 * DAY
NOW = DUE + 9 * DAY
SUCCESSOR, NOTICE, CUSTOMER = UUID(int=2), UUID(int=3), UUID(int=4)


def told(promise, at):
    notification = DelayNotification(f"customers/{CUSTOMER}", 1, NOW, None, at, "weather", NOTICE)
    notified(promise, notification, SUCCESSOR, DUE, NOW)


VERBS = [
    lambda promise: promise.expect(DUE + DAY, "weather"),
    lambda promise: promise.expect(DUE + 2 * DAY, "weather"),
    lambda promise: promise.expect(DUE - DAY, "weather"),
    lambda promise: promise.due_soon(),
    lambda promise: promise.block(),
    lambda promise: promise.unblock(),
    lambda promise: promise.keep(DUE - DAY, NOW),
    lambda promise: promise.keep(DUE + DAY, NOW),
    lambda promise: promise.break_(),
    lambda promise: promise.renegotiate(SUCCESSOR, Due(NOW + DAY), NOW, "away", customer_requested=True),
    lambda promise: promise.withdraw("CANCELLED", NOW),
    lambda promise: told(promise, DUE - DAY),
    lambda promise: told(promise, DUE + DAY),
]


def changes():
    """From which state to which a promise can come, by every verb from whatever it can become."""
    made = Promise(
        UUID(int=1), CUSTOMER, "delivery", "delivery", DUE, MADE, create_time=MADE, update_time=MADE
    )
    found, seen, waiting = set(), set(), [made]
    while waiting:
        before = waiting.pop()
        for verb in VERBS:
            after = copy(before)
            with suppress(FailedPrecondition):
                verb(after)
            if after.version == before.version:
                continue
            found.add((str(before.state), str(after.state)))
            why = after.forecast_time, after.reason_code
            kind = (after.state, why, after.successor_id, after.withdraw_time)
            if kind not in seen:
                seen.add(kind)
                waiting.append(after)
    return found


def test_the_diagram_has_an_arrow_for_each_change_that_there_is():
    drawn = re.findall(r"^    (\w+) --> (\w+):", README.read_text(), re.MULTILINE)
    assert len(drawn) == len(set(drawn))
    assert set(drawn) == changes()
