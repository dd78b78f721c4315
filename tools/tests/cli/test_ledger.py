"""`rapport ledger` names what is wrong, and writes all there is."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rapport.loyalty.v1 import ledger_service_pb2 as pb
from rapport.loyalty.v1.entry_pb2 import Entry, JournalEntry
from rapport_tools.cli import session as sessions
from rapport_tools.cli.main import build, run

Rapport = Callable[..., tuple[int, str]]
FAULT = pb.CheckLedgerResponse.Fault(
    account="programs/main/accounts/a", version=3, kind=pb.CheckLedgerResponse.Fault.KIND_SEAL
)


class Ledger:
    """Two pages of each."""

    def __init__(self, faults: list[Any]) -> None:
        self.faults = faults

    def CheckLedger(self, request: Any, timeout: float) -> Any:
        if not request.page_token:
            return pb.CheckLedgerResponse(entry_count=5000, next_page_token="more")
        return pb.CheckLedgerResponse(entry_count=7, faults=self.faults)

    def ListJournalEntries(self, request: Any, timeout: float) -> Any:
        leg = 1 if request.page_token else 0
        entry = Entry(transfer="transfers/t", amount=-5 if leg else 5, reason_code="welcome")
        line = JournalEntry(account=f"programs/main/accounts/{leg}", entry=entry, leg=leg)
        return pb.ListJournalEntriesResponse(journal_entries=[line], next_page_token="" if leg else "more")


@pytest.fixture
def rapport(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Rapport:
    def command(*words: str, faults: list[Any] | None = None) -> tuple[int, str]:
        class Session:
            def stub(self, stub: Any, service: str) -> Ledger:
                return Ledger(faults or [])

        monkeypatch.setattr(sessions.Session, "open", lambda *who: Session())
        monkeypatch.setattr("sys.argv", ["rapport", "ledger", *words])
        code = run(build())
        written = capsys.readouterr()
        return code, written.out + written.err

    return command


def test_of_a_ledger_that_is_right_nothing_is_named(rapport: Rapport) -> None:
    code, told = rapport("verify")
    assert code == 0
    assert "5,007 entries followed" in told
    assert "Nothing is wrong" in told


def test_what_was_changed_is_named_and_the_exit_code_says_so(rapport: Rapport) -> None:
    code, told = rapport("verify", "--json", faults=[FAULT])
    assert code == 1
    assert json.loads(told) == {
        "entries": 5007,
        "faults": [{"entry": "programs/main/accounts/a/entries/3", "wrong": "seal"}],
    }
    assert "entries/3" in rapport("verify", faults=[FAULT])[1]


def test_the_journal_is_written_as_a_table_or_as_lines_of_json(rapport: Rapport, tmp_path: Path) -> None:
    table, lines = tmp_path / "journal.csv", tmp_path / "journal.jsonl"
    assert rapport("export", str(table))[0] == rapport("export", str(lines))[0] == 0
    rows = list(csv.DictReader(table.open()))
    assert [(row["account"][-1], row["amount"], row["leg"]) for row in rows] == [
        ("0", "5", "0"),
        ("1", "-5", "1"),
    ]
    assert [json.loads(line)["amount"] for line in lines.read_text().splitlines()] == [5, -5]
    code, told = rapport("export", str(tmp_path / "journal.txt"))
    assert code == 2
    assert "must end in .csv or .jsonl" in told
