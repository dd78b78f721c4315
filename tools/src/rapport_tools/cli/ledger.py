"""`rapport ledger verify|export|liability`: is it what it was, its journal in a file, what is owed."""

import csv
import json
from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from rapport_imports.wording import counted
from rapport_tools.cli.failures import Exit, Failure
from rapport_tools.cli.outbox import moment
from rapport_tools.cli.output import AsJson, listing, say, write_json
from rapport_tools.cli.session import Session

app = typer.Typer(
    name="ledger", help="The ledger of points: see that it is right, write it to a file, see what is owed."
)
COLUMNS = [
    "transfer",
    "leg",
    "account",
    "amount",
    "balance",
    "version",
    "post_time",
    "reason_code",
    "reverses",
]
_OWED = ["outstanding", "pending", "reserved", "expected_breakage", "posted_breakage", "unposted_breakage"]
_OWED_VALUES = ["owed_value", "expected_breakage_value"]
_MOVED = ["issued", "goodwill", "redeemed", "expired", "breakage"]
_MOVED_VALUES = ["issued_value", "redeemed_value"]
_TIMEOUT_S = 30
Who = Annotated[str, typer.Option("--as", metavar="ROLE:NAME", help="Who asks.")]


@app.command("verify")
def verify(who: Who = "agent:demo", as_json: bool = AsJson) -> None:
    """Follow every entry again, and compare it with the hash that it was sealed with.

    Names each entry that does not continue the one before it, or was changed since: exit code 1 when there
    is one. Entries are sealed some minutes after they were posted.
    """
    from rapport.loyalty.v1.ledger_service_pb2 import CheckLedgerRequest, CheckLedgerResponse
    from rapport.loyalty.v1.ledger_service_pb2_grpc import LedgerServiceStub

    ledger: Any = Session.open(who).stub(LedgerServiceStub, "loyalty")
    kinds = CheckLedgerResponse.Fault.Kind
    faults, entries, token = [], 0, ""
    while True:
        asked = CheckLedgerRequest(page_size=5000, page_token=token)
        page = ledger.CheckLedger(asked, timeout=_TIMEOUT_S)
        entries += page.entry_count
        faults += [
            {
                "entry": f"{each.account}/entries/{each.version}",
                "wrong": kinds.Name(each.kind).removeprefix("KIND_").lower(),
            }
            for each in page.faults
        ]
        token = page.next_page_token
        if not token:
            break
    if as_json:
        write_json({"entries": entries, "faults": faults})
    else:
        say(f"{entries:,} {'entry' if entries == 1 else 'entries'} followed.")
        listing(faults, ["entry", "wrong"], as_json=False, empty="Nothing is wrong.")
    if faults:
        raise typer.Exit(Exit.REFUSED)


@app.command("export")
def export(
    file: Annotated[
        Path, typer.Argument(help="What to write: FILE.csv, or FILE.jsonl with a line of JSON each.")
    ],
    begin: Annotated[
        str, typer.Option("--from", metavar="TIME", help="What was posted then or later: a day or a moment.")
    ] = "",
    end: Annotated[
        str, typer.Option("--to", metavar="TIME", help="What was posted before that day or moment.")
    ] = "",
    force: Annotated[bool, typer.Option("--force", help="Replace the file if there is one.")] = False,
    who: Who = "agent:demo",
) -> None:
    """Write the entries of a time to a file, or all, in the order of their transfers: the journal.

    A day begins at midnight UTC; for another zone say the moment, as 2026-11-01T00:00+01:00. What was posted
    in the last 30 seconds is left out. The amounts of each transfer add up to zero in each unit.
    """
    if file.suffix not in (".csv", ".jsonl"):
        raise Failure(f"{file.name} must end in .csv or .jsonl.", Exit.WRONG_USE)
    span = _span(begin, end)
    if file.exists() and not force:
        raise Failure(f"There is {file} already: name another, or replace it with --force.")
    rows = _journal(Session.open(who), span)
    part = file.with_name(f"{file.name}.part")
    count = 0
    with part.open("w", encoding="utf-8", newline="") as out:
        table = csv.DictWriter(out, COLUMNS) if file.suffix == ".csv" else None
        if table:
            table.writeheader()
        for row in rows:
            count += 1
            if table:
                table.writerow(row)
            else:
                out.write(json.dumps(row) + "\n")
    part.replace(file)
    say(f"{counted(count, 'line')} written to {file}.")


@app.command("liability")
def liability(
    unit: Annotated[str, typer.Argument(metavar="UNIT", help="Of which: programs/{id}/units/{id}.")] = (
        "programs/main/units/points"
    ),
    months: Annotated[int, typer.Option("--months", min=1, max=36, help="This month and those before.")] = 12,
    who: Who = "agent:demo",
    as_json: bool = AsJson,
) -> None:
    """Say what a program owes its members in a unit, and what was issued and went in each month.

    Months are those of the program's time zone. Amounts of money are there where the unit says what it is
    worth, and are by what it is worth now.
    """
    from rapport.loyalty.v1.ledger_service_pb2 import ReportLiabilityRequest
    from rapport.loyalty.v1.ledger_service_pb2_grpc import LedgerServiceStub

    ledger: Any = Session.open(who).stub(LedgerServiceStub, "loyalty")
    report = ledger.ReportLiability(ReportLiabilityRequest(name=unit, month_count=months), timeout=_TIMEOUT_S)
    owed = {name: getattr(report, name) for name in _OWED} | _values(report, _OWED_VALUES)
    of_months = [_month(each) for each in report.months]
    vouchers = [{"count": each.count} | _values(each, ["money"]) for each in report.vouchers]
    if as_json:
        write_json({"unit": unit, **owed, "months": of_months, "vouchers": vouchers})
        return
    listing(
        [{"owed": name.replace("_", " "), "now": told} for name, told in owed.items()],
        ["owed", "now"],
        as_json=False,
        empty="",
    )
    say("")
    listing(of_months, list(of_months[0]), as_json=False, empty="")
    for each in vouchers:
        say(f"{counted(each['count'], 'voucher')}: {each['money'] or 'of no amount'}")


def _month(month: Any) -> dict[str, Any]:
    """A row. A month begins within 14 hours of when it does in UTC: a day later it is the same there."""
    begins = month.start_time.ToDatetime(UTC) + timedelta(days=1)
    moved = {name: getattr(month, name) for name in _MOVED}
    return {"month": f"{begins:%Y-%m}"} | moved | _values(month, _MOVED_VALUES)


def _values(message: Any, names: list[str]) -> dict[str, str]:
    """Amounts of money; "" for one that is absent."""
    from chassis.api.messages import shown_amount

    return {name: shown_amount(getattr(message, name)) if message.HasField(name) else "" for name in names}


def _span(begin: str, end: str) -> dict[str, Any]:
    """The times of a journal that are said. Failure when none is between them."""
    said = {"start_time": ("--from", begin), "end_time": ("--to", end)}
    span = {field: moment(*told) for field, told in said.items() if told[1]}
    if len(span) == len(said) and span["start_time"] >= span["end_time"]:
        raise Failure("--to must be later than --from.", Exit.WRONG_USE)
    return span


def _journal(session: Session, span: dict[str, Any]) -> Iterator[dict[str, Any]]:
    from rapport.loyalty.v1.ledger_service_pb2 import ListJournalEntriesRequest
    from rapport.loyalty.v1.ledger_service_pb2_grpc import LedgerServiceStub

    ledger: Any = session.stub(LedgerServiceStub, "loyalty")
    token = ""
    while True:
        asked = ListJournalEntriesRequest(page_size=1000, page_token=token, **span)
        page = ledger.ListJournalEntries(asked, timeout=_TIMEOUT_S)
        for each in page.journal_entries:
            entry = each.entry
            yield {
                "transfer": entry.transfer,
                "leg": each.leg,
                "account": each.account,
                "amount": entry.amount,
                "balance": entry.balance,
                "version": entry.version,
                "post_time": entry.post_time.ToJsonString(),
                "reason_code": entry.reason_code,
                "reverses": entry.reverses,
            }
        token = page.next_page_token
        if not token:
            return
