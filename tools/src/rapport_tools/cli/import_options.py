"""The options of `rapport import`, beside what they are about."""

from pathlib import Path
from typing import Annotated

import typer

SourceFile = Annotated[Path, typer.Argument(help="CSV, packed with gzip or not, or XLSX.")]
Mapping = Annotated[
    list[str] | None,
    typer.Option("--map", help="FIELD=COLUMN, where the name of a column does not tell. Repeat."),
]
System = Annotated[
    str,
    typer.Option(
        help="The system whose ids the file holds, the same for files that share customers; default the "
        "tool that exported it (shopify, stripe, paypal, square, hubspot, salesforce, woocommerce), else "
        "import."
    ),
]
Currency = Annotated[str, typer.Option(help="Currency of amounts without one; default the installation's.")]
Decimal = Annotated[
    str, typer.Option(help="What separates decimals, '.' or ',', where the file does not tell.")
]
Department = Annotated[str, typer.Option(help="The department that promised the orders; default delivery.")]
DateFormat = Annotated[
    str, typer.Option(help="How dates are written when not as 2026-03-02: '%m/%d/%Y %H:%M', DD.MM.YYYY.")
]
TimeZone = Annotated[
    str,
    typer.Option(help="Where times without a zone are meant and days are days: Europe/Berlin; default UTC."),
]
Country = Annotated[
    str, typer.Option(help="Country of rows that do not say, to read local phone numbers: DE or Germany.")
]
Encoding = Annotated[str, typer.Option(help="Encoding of text, where it cannot be told: cp1252.")]
HeaderRow = Annotated[int, typer.Option(min=1, help="The line that names the columns.")]
Sheet = Annotated[str, typer.Option(help="The sheet of a workbook; default the first.")]
ErrorsFile = Annotated[
    Path | None,
    typer.Option(
        help="Where refused rows go; default FILE.errors.csv, of a dry run FILE.dry-run.csv, numbered if "
        "there is another."
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Check every row, say what an import would do, and import none.")
]
Confirm = Annotated[
    bool,
    typer.Option(
        "--confirm",
        help="Of a file of refused rows: those refused as ALREADY_IMPORTED or NAME_DIFFERS are right.",
    ),
]
Importer = Annotated[
    str, typer.Option("--as", metavar="ROLE:NAME", help="Who imports: whom the history names.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Write the result as JSON.")]
