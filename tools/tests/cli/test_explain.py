"""`rapport explain` takes every name that `rapport view` shows."""

from collections.abc import Callable
from typing import Any

import pytest

from rapport.cases.v1 import case_pb2
from rapport.common.v1 import explanation_pb2
from rapport.customer.v1 import timeline_pb2, timeline_service_pb2
from rapport.loyalty.v1 import goodwill_service_pb2
from rapport_tools.cli import explain as command
from rapport_tools.cli import session as sessions
from rapport_tools.cli.failures import Exit
from rapport_tools.cli.main import build, run

CUSTOMER = "customers/1"
Rapport = Callable[[str], tuple[int, str]]


def entry(number: int, resource: str) -> timeline_pb2.TimelineEntry:
    return timeline_pb2.TimelineEntry(name=f"{CUSTOMER}/timelineEntries/{number}", resource=resource)


PAGES = {
    "": timeline_service_pb2.ListTimelineEntriesResponse(
        timeline_entries=[entry(4, "promises/1"), entry(3, "cases/1/workItems/1")], next_page_token="2"
    ),
    "2": timeline_service_pb2.ListTimelineEntriesResponse(
        timeline_entries=[entry(2, "cases/1"), entry(1, "goodwill/1"), entry(0, "cases/1")]
    ),
}


class Channel:
    """Answers as the services would."""

    def unary_unary(self, path: str, *_: Any) -> Callable[[Any], Any]:
        answers: dict[str, Callable[[Any], Any]] = {
            "GetCase": lambda request: case_pb2.Case(name=request.name, customer=CUSTOMER),
            "GetGoodwill": lambda request: goodwill_service_pb2.Goodwill(customer=CUSTOMER),
            "ListTimelineEntries": lambda request: PAGES[request.page_token],
            "Explain": lambda request: explanation_pb2.Explanation(summary=f"Because of {request.name}."),
        }
        return answers[path.rpartition("/")[2]]


@pytest.fixture
def rapport(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Rapport:
    class Session:
        def channel(self, service: str) -> Channel:
            return Channel()

    monkeypatch.setattr(sessions.Session, "open", lambda *who: Session())

    def explain(name: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["rapport", "explain", name])
        code = run(build())
        written = capsys.readouterr()
        return code, written.out + written.err

    return explain


@pytest.mark.parametrize(
    ("name", "explained"),
    [
        ("promises/1", "promises/1"),
        ("notices/1", "notices/1"),
        ("customers/1/timelineEntries/9", "customers/1/timelineEntries/9"),
        ("cases/1", "customers/1/timelineEntries/2"),
        ("cases/1/workItems/1", "customers/1/timelineEntries/3"),
        ("goodwill/1", "customers/1/timelineEntries/1"),
    ],
)
def test_what_has_no_explanation_of_its_own_is_explained_by_its_newest_entry(
    rapport: Rapport, name: str, explained: str
) -> None:
    code, written = rapport(name)
    assert code == Exit.DONE
    assert written.startswith(f"Because of {explained}.")


def test_what_no_timeline_tells_of_is_said_to_be_so(rapport: Rapport) -> None:
    told = "rapport: The timeline of customers/1 does not tell of goodwill/2 yet.\n"
    assert rapport("goodwill/2") == (1, told)
    for name in ("purchases/1", "customers/1"):
        code, written = rapport(name)
        assert code == Exit.WRONG_USE
        assert all(f"{each}/..." in written for each in (*command.EXPLAINED_BY, *command.TOLD_ON_TIMELINE))
