"""`rapport clocks reconcile`, of a service that answers page by page."""

import json
from typing import Any

import pytest

from rapport.cases.v1 import clock_service_pb2 as pb
from rapport_tools.cli import clocks
from rapport_tools.cli.main import run

LOST = pb.ReconcileClocksResponse.Finding(clock="clocks/1", case="cases/1", flaw="FLAW_TIMER")
MISSED = pb.ReconcileClocksResponse.Finding(case="cases/2", work_item="workItems/2", flaw="FLAW_DUE_TIME")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the service was asked."""
    requests: list[Any] = []
    pages = {"": ([LOST], "clocks/1"), "clocks/1": ([], "cases/0"), "cases/0": ([MISSED], "")}

    class Service:
        def ReconcileClocks(self, request: Any) -> Any:
            requests.append(request)
            findings, token = pages[request.page_token]
            return pb.ReconcileClocksResponse(checked_count=700, findings=findings, next_page_token=token)

    class Opened:
        def stub(self, *_: Any) -> Service:
            return Service()

    monkeypatch.setattr(clocks.Session, "open", Opened)
    return requests


def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    monkeypatch.setattr("sys.argv", ["clocks", "reconcile", *words])
    assert run(clocks.app) == 0
    return capsys.readouterr().out


def test_every_page_is_asked_for_and_what_was_mended_is_told(
    asked: list[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(monkeypatch, capsys).splitlines() == [
        "timer  clocks/1  of cases/1",
        "due-time  a clock  of workItems/2",
        "2,100 looked at, 2 wrong, and mended.",
    ]
    assert [each.page_token for each in asked] == ["", "clocks/1", "cases/0"]
    assert len({each.request_id for each in asked}) == 3


def test_a_dry_run_mends_nothing_and_may_be_read_by_programs(
    asked: list[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = json.loads(told(monkeypatch, capsys, "--dry-run", "--json"))
    assert (said["checked"], [each["flaw"] for each in said["findings"]]) == (2100, ["timer", "due-time"])
    assert all(each.validate_only for each in asked)
