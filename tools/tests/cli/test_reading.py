import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from nats.aio.msg import Msg

from chassis.events.envelope import headers
from chassis.events.registry import events
from rapport.cases.v1 import cases_events_pb2
from rapport_tools.cli.failures import Failure
from rapport_tools.cli.outbox import moment
from rapport_tools.cli.output import age
from rapport_tools.cli.tailing import line
from rapport_tools.local import logs

EVENT = {
    "id": UUID("0198c0de-0000-7000-8000-000000000009"),
    "type": "rapport.cases.v1.CaseOpened",
    "resource": "cases/0198c0de-0000-7000-8000-000000000001",
    "resource_version": 1,
    "time": datetime(2026, 3, 2, 9, tzinfo=UTC),
    "actor": "agent:alice",
    "correlation_id": "flow",
    "causation_id": UUID("0198c0de-0000-7000-8000-000000000008"),
    "traceparent": "",
}


def message(data: bytes) -> Msg:
    return Msg(None, "events.cases.case.opened.v1", "", data, headers(EVENT | {"data": data}, "cases"))  # type: ignore[arg-type]


def test_an_event_is_shown_decoded() -> None:
    opened = cases_events_pb2.CaseOpened(case=str(EVENT["resource"]))
    shown = line(message(opened.SerializeToString()), events(), as_json=False)
    assert shown.startswith(
        "09:00:00 cases.case.opened.v1  cases/0198c0de-0000-7000-8000-000000000001  by agent:alice"
    )
    as_json = json.loads(line(message(opened.SerializeToString()), events(), as_json=True))
    assert (as_json["id"], as_json["data"]["case"]) == (str(EVENT["id"]), EVENT["resource"])


def test_an_event_that_cannot_be_decoded_does_not_end_the_tail() -> None:
    assert "not decoded, 3 bytes" in line(message(b"\xff\xff\xff"), events(), as_json=False)


def test_a_log_line_is_readable_and_keeps_its_details() -> None:
    entry = {
        "timestamp": "2026-03-02T09:00:00.5Z",
        "level": "warning",
        "event": "waiting",
        "problem": "no database",
    }
    assert (
        logs.readable("cases", json.dumps(entry))
        == "09:00:00 cases          WARNING waiting problem=no database"
    )
    assert logs.readable("nats", "[INF] Server is ready") == "nats           [INF] Server is ready"


def test_a_followed_log_is_cut_when_it_grows_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "MAX_BYTES", 10)
    path = tmp_path / "cases.log"
    follower = logs.Follower(path)
    with path.open("a") as writer:
        for number in range(3):
            writer.write(f"a line, number {number}\n")
            writer.flush()
            assert follower.read() == [f"a line, number {number}"]
            follower.bound()
    assert path.stat().st_size == 0


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0 s"), (59, "59 s"), (600, "10 min"), (7200, "2 h"), (172800, "2 d")]
)
def test_ages_are_shown_in_one_unit(seconds: float, shown: str) -> None:
    assert age(seconds) == shown


def test_times_without_a_zone_are_utc_and_nonsense_is_refused() -> None:
    assert moment("--since", "2026-03-02T09:00") == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert moment("--since", "2026-03-02T10:00+01:00") == datetime(2026, 3, 2, 9, tzinfo=UTC)
    with pytest.raises(Failure, match="--since 'yesterday' is not a time"):
        moment("--since", "yesterday")
