"""`rapport ledger verify|export`: whether the ledger of points is what it was, and all of it in a file."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from rapport_imports.wording import counted
from rapport_tools.cli.failures import Exit, Failure
from rapport_tools.cli.output import AsJson, listing, say, write_json
from rapport_tools.cli.session import Session

app = typer.Typer(name="ledger", help="The ledger of points: see that it is right, write it to a file.")
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
    who: Who = "agent:demo",
) -> None:
    """Write all entries to a file, in the order of their transfers: the journal.

    What was posted in the last 30 seconds is left out. The amounts of each transfer add up to zero in each
    unit.
    """
    if file.suffix not in (".csv", ".jsonl"):
        raise Failure(f"{file.name} must end in .csv or .jsonl.", Exit.WRONG_USE)
    rows = _journal(Session.open(who))
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


def _journal(session: Session) -> Iterator[dict[str, Any]]:
    from rapport.loyalty.v1.ledger_service_pb2 import ListJournalEntriesRequest
    from rapport.loyalty.v1.ledger_service_pb2_grpc import LedgerServiceStub

    ledger: Any = session.stub(LedgerServiceStub, "loyalty")
    token = ""
    while True:
        asked = ListJournalEntriesRequest(page_size=1000, page_token=token)
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
