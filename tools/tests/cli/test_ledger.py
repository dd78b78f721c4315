"""`rapport ledger` names what is wrong, writes all there is or a time of it, and says what is owed."""

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.money_pb2 import Money

from chassis.api.messages import moment
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
        self.asked: list[Any] = []

    def CheckLedger(self, request: Any, timeout: float) -> Any:
        if not request.page_token:
            return pb.CheckLedgerResponse(entry_count=5000, next_page_token="more")
        return pb.CheckLedgerResponse(entry_count=7, faults=self.faults)

    def ReportLiability(self, request: Any, timeout: float) -> Any:
        self.asked.append(request)
        begins = Timestamp(seconds=int(datetime(2026, 10, 31, 23, tzinfo=UTC).timestamp()))  # in Berlin
        month = pb.LiabilityReport.Month(
            start_time=begins,
            issued=70,
            goodwill=20,
            issued_value=Money(currency_code="EUR", nanos=700_000_000),
        )
        voucher = pb.LiabilityReport.Vouchers(count=2, money=Money(currency_code="JPY", units=500))
        worth = Money(currency_code="EUR", units=1)
        return pb.LiabilityReport(outstanding=100, owed_value=worth, months=[month], vouchers=[voucher])

    def ListJournalEntries(self, request: Any, timeout: float) -> Any:
        self.asked.append(request)
        leg = 1 if request.page_token else 0
        entry = Entry(transfer="transfers/t", amount=-5 if leg else 5, reason_code="welcome")
        line = JournalEntry(account=f"programs/main/accounts/{leg}", entry=entry, leg=leg)
        return pb.ListJournalEntriesResponse(journal_entries=[line], next_page_token="" if leg else "more")


@pytest.fixture
def rapport(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Rapport:
    def command(
        *words: str, faults: list[Any] | None = None, asked: list[Any] | None = None
    ) -> tuple[int, str]:
        ledger = Ledger(faults or [])
        ledger.asked = [] if asked is None else asked

        class Session:
            def stub(self, stub: Any, service: str) -> Ledger:
                return ledger

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


def test_of_the_journal_a_time_is_written_and_no_file_is_replaced_unasked(
    rapport: Rapport, tmp_path: Path
) -> None:
    asked: list[Any] = []
    file = tmp_path / "november.csv"
    span = "--from", "2026-11-01", "--to", "2026-12-01T00:00+01:00"
    assert rapport("export", str(file), *span, asked=asked)[0] == 0
    times = {(moment(each.start_time), moment(each.end_time)) for each in asked}
    assert times == {(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 30, 23, tzinfo=UTC))}
    file.write_text("the close of November")
    code, told = rapport("export", str(file))
    assert (code, file.read_text()) == (1, "the close of November")
    assert "--force" in told
    assert rapport("export", str(file), "--force", asked=asked)[0] == 0
    assert file.read_text().startswith("transfer,")
    assert not asked[-1].HasField("start_time")
    other = str(tmp_path / "other.csv")
    for wrong in (("--from", "yesterday"), ("--from", "2026-12-01", "--to", "2026-12-01")):
        assert rapport("export", other, *wrong)[0] == 2
    assert not Path(other).exists()


def test_what_is_owed_is_told_with_what_it_is_worth_and_by_month(rapport: Rapport) -> None:
    asked: list[Any] = []
    code, told = rapport("liability", "programs/bakery/units/crumbs", "--months", "1", "--json", asked=asked)
    assert (code, asked[0].name, asked[0].month_count) == (0, "programs/bakery/units/crumbs", 1)
    report = json.loads(told)
    assert (report["outstanding"], report["owed_value"]) == (100, "1.00 EUR")
    (month,) = report["months"]
    assert (month["month"], month["issued"], month["goodwill"]) == ("2026-11", 70, 20)
    assert (month["issued_value"], month["redeemed_value"]) == ("0.70 EUR", "")
    assert report["vouchers"] == [{"count": 2, "money": "500 JPY"}]
    table = rapport("liability")[1]
    assert "2026-11" in table
    assert "1.00 EUR" in table
    assert "2 vouchers: 500 JPY" in table
