"""What became of notices, by policy, template, channel or department."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from chassis.db.statement import Executor
from notifications.domain.notice import State
from notifications.names import POLICY, TEMPLATE
from notifications.store.figures import Reason, counted
from notifications.store.tables import NOTICES

PERIOD_MAX = timedelta(days=366)
ROWS_MAX, REASONS_MAX = 1000, 20


class GroupBy(StrEnum):
    """What notices are counted by: the field of a row that says which."""

    NOTICE_POLICY = "notice_policy"
    TEMPLATE = "template"
    CHANNEL = "channel"
    DEPARTMENT = "department"


_COLUMNS = {
    GroupBy.NOTICE_POLICY: counted(NOTICES.c.notice_policy_id),
    GroupBy.TEMPLATE: counted(NOTICES.c.template_id),
    GroupBy.CHANNEL: counted(NOTICES.c.channel),
    GroupBy.DEPARTMENT: counted(NOTICES.c.department),
}
_NAMES = {GroupBy.NOTICE_POLICY: POLICY, GroupBy.TEMPLATE: TEMPLATE}
# The counter of each state. What was sent is counted by when, for what came back was sent, too.
_COUNTERS = {
    State.REQUESTED: "waiting_count",
    State.SENDING: "waiting_count",
    State.DELIVERED: "delivered_count",
    State.SUPPRESSED: "suppressed_count",
    State.FAILED: "failed_count",
    State.UNKNOWN: "unknown_count",
}


@dataclass(slots=True)
class Row:
    """What became of notices."""

    notice_policy: str = ""
    template: str = ""
    channel: str = "UNSPECIFIED"
    department: str = ""
    notice_count: int = 0
    waiting_count: int = 0
    sent_count: int = 0
    delivered_count: int = 0
    suppressed_count: int = 0
    failed_count: int = 0
    unknown_count: int = 0
    repeat_count: int = 0
    inbound_count: int = 0
    subject_inbound_count: int = 0
    reasons: list[Reason] = field(default_factory=list)

    def add(self, found: Mapping[str, Any]) -> None:
        """Count notices of one state and reason."""
        for name in ("notice", "sent", "repeat", "inbound", "subject_inbound"):
            counter = f"{name}_count"
            setattr(self, counter, getattr(self, counter) + int(found[counter]))
        if counter := _COUNTERS.get(State(found["state"]), ""):
            setattr(self, counter, getattr(self, counter) + found["notice_count"])


async def report_notices(
    on: Executor, by: GroupBy, start_time: datetime, end_time: datetime, department: str
) -> tuple[Row, list[Row]]:
    """All together, and by what is asked for, the most notices first."""
    found = await _COLUMNS[by].all(on, start_time=start_time, end_time=end_time, department=department)
    groups = defaultdict[str, list[Any]](list)
    for each in found:
        groups[each["key"]].append(each)
    rows = [_row(of, {by: _named(by, key)}) for key, of in groups.items()]
    rows.sort(key=lambda row: (-row.notice_count, getattr(row, by)))
    return _row(found, {}), rows[:ROWS_MAX]


def _named(by: GroupBy, key: str) -> str:
    return _NAMES[by].format(key) if key and by in _NAMES else key


def _row(found: Iterable[Mapping[str, Any]], key: Mapping[GroupBy, str]) -> Row:
    row, reasons = Row(), defaultdict[tuple[State, str], int](int)
    for by, name in key.items():
        setattr(row, by.value, name)
    for each in found:
        row.add(each)
        if each["reason_code"]:
            reasons[State(each["state"]), each["reason_code"]] += each["notice_count"]
    most = sorted(reasons.items(), key=lambda each: (-each[1], each[0]))
    row.reasons = [Reason(*of, count) for of, count in most[:REASONS_MAX]]
    return row
