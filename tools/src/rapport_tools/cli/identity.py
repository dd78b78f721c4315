"""`rapport identity evaluate FILE [FILE2]`: how well the matcher finds who is one, where a file knows."""

from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rapport_imports.wording import counted
from rapport_tools.cli.failures import Exit, Failure
from rapport_tools.cli.output import AsJson, listing, say, write_json

if TYPE_CHECKING:
    from rapport_identity.evaluating import Evaluation, Quality
    from rapport_tools.cli.identity_lists import Lists

app = typer.Typer(name="identity", help="Find out which records are one person.", no_args_is_help=True)
_HELP = """Find the records that are one person, and compare with a column that says who is who.

The matcher never sees that column: it learns from all the others, without anybody's help. No stack needs to
run, and nothing is kept. Columns are found by their usual names, as by `rapport import`; --map FIELD=COLUMN
names others; the fields are external_id, display_name, given_name, family_name, additional_name,
organization_name, birth_date, street, street_2, house_number, postal_code, city, state, country, email,
phone, fax and account_number. Further columns are used as what they hold.

With --json: `records`; `pairs`, how many pairs of records are of one person in truth; `automatic`, how good
the links are that need nobody; `pairwise`, how good all pairs are that are certain, those included;
`clustered`, how good all pairs within clusters are; `seconds`, reading included.
"""


@app.callback()
def _group() -> None:
    """Find out which records are one person."""


@app.command("evaluate", help=_HELP)
def evaluate(
    file: Annotated[Path, typer.Argument(help="CSV, packed with gzip or not, or XLSX.")],
    file_2: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE2]", help="A second list, whose people may be in the first."),
    ] = None,
    truth: Annotated[str, typer.Option(help="The column that says who is who.")] = "",
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", help="FIELD=COLUMN, where the name of a column does not tell. Repeat."),
    ] = None,
    leave_out: Annotated[
        list[str] | None, typer.Option("--ignore", metavar="COLUMN", help="A column not to look at. Repeat.")
    ] = None,
    as_json: bool = AsJson,
) -> None:
    """Evaluate the matcher: see `_HELP`."""
    from rapport_identity import evaluating, matching
    from rapport_imports.decoding import UnreadableFile
    from rapport_tools.cli import identity_lists

    began = perf_counter()
    try:
        paths = [file, *([file_2] if file_2 else [])]
        lists = identity_lists.read(paths, truth, mapping or [], leave_out or [])
    except UnreadableFile as error:
        raise Failure(str(error), Exit.WRONG_USE) from error
    try:
        found = matching.resolve(lists.records, lists.kinds)
    except ValueError as error:
        raise Failure(f"{file.name}: {error}", Exit.WRONG_USE) from error
    told = evaluating.evaluate(found, lists.truth)
    seconds = perf_counter() - began
    if as_json:
        write_json(_document(told, len(lists.records), seconds))
    else:
        _tell(told, lists, seconds)


def _document(told: "Evaluation", records: int, seconds: float) -> dict[str, Any]:
    return {
        "records": records,
        "pairs": told.pairs,
        "automatic": _ratios(told.automatic),
        "pairwise": _ratios(told.pairwise),
        "clustered": _ratios(told.clustered),
        "seconds": round(seconds, 2),
    }


def _ratios(quality: "Quality") -> dict[str, float]:
    return {
        "precision": round(quality.precision, 6),
        "recall": round(quality.recall, 6),
        "f1": round(quality.f1, 6),
    }


def _tell(told: "Evaluation", lists: "Lists", seconds: float) -> None:
    from rapport_tools.cli.identity_lists import used

    columns = used(lists.files)
    say(f"{counted(len(lists.records), 'record')}, {counted(told.pairs, 'true pair')}, {seconds:.1f} s")
    say("  used: " + " · ".join(f"{name} = {', '.join(each)}" for name, each in columns.items()))
    ignored = dict.fromkeys(column for file in lists.files for column in file.ignored)
    say(f"  ignored: {', '.join(ignored) or 'none'}")
    rows = [
        {"what": what, "found": each.found, "wrong": each.found - each.right}
        | {name: f"{ratio:.4f}" for name, ratio in _ratios(each).items()}
        for what, each in (
            ("by themselves", told.automatic),
            ("certain", told.pairwise),
            ("clusters", told.clustered),
        )
    ]
    listing(rows, ["what", "found", "wrong", "precision", "recall", "f1"], as_json=False, empty="")
    asked = counted(told.asked.found, "pair")
    say(f"  a person would be asked about {asked}: {told.asked.right} are one person")
