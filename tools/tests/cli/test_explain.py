"""`rapport explain` takes every name that `rapport view` shows."""

from collections.abc import Callable
from typing import Any

import pytest

from chassis.explain.explainer import explanations
from rapport.common.v1.explanation_pb2 import Explanation
from rapport_tools.cli import session as sessions
from rapport_tools.cli.failures import Exit
from rapport_tools.cli.main import build, run

Rapport = Callable[[str], tuple[int, str]]
ID = "0198c2d0-0000-7000-8000-000000000001"


class Channel:
    """Answers as the services would."""

    def unary_unary(self, path: str, *_: Any) -> Callable[[Any], Any]:
        method = path.rpartition("/")[2]
        return lambda request: Explanation(summary=f"{method} of {request.name}.")


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
    ("name", "method"),
    [
        (f"promises/{ID}", "ExplainPromise"),
        (f"notices/{ID}", "ExplainNotice"),
        (f"customers/{ID}", "ExplainCustomer"),
        (f"customers/{ID}/timelineEntries/{ID}", "ExplainTimelineEntry"),
        (f"customers/{ID}/consents/marketing.email", "ExplainConsent"),
        (f"goodwill/{ID}", "ExplainGoodwill"),
        (f"transfers/{ID}", "ExplainTransfer"),
        (f"programs/main/accounts/{ID}", "ExplainAccount"),
        (f"purchases/{ID}", "ExplainPurchase"),
        (f"customerValues/{ID}", "ExplainCustomerValue"),
        (f"cases/{ID}", "ExplainCase"),
        (f"workItems/{ID}", "ExplainWorkItem"),
        (f"cases/{ID}/notes/{ID}", "ExplainNote"),
        ("agents/alice", "ExplainAgent"),
        (f"customers/{ID}/preferences", "ExplainPreferences"),
        (f"customers/{ID}/identifiers/{ID}", "ExplainIdentifier"),
        ("purposes/marketing", "ExplainPurpose"),
        (f"programs/main/memberships/{ID}", "ExplainMembership"),
    ],
)
def test_what_has_a_name_is_explained_by_the_method_of_its_kind(
    rapport: Rapport, name: str, method: str
) -> None:
    code, written = rapport(name)
    assert code == Exit.DONE
    assert written.startswith(f"{method} of {name}.")


def test_what_cannot_be_explained_is_told_with_all_that_can(rapport: Rapport) -> None:
    code, written = rapport("importJobs/1")
    assert code == Exit.WRONG_USE
    assert all(pattern.pattern in written.replace("\n", " ") for pattern, _ in explanations())
