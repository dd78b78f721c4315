"""What an import did, in words."""

import shlex
from collections.abc import Sequence

from rapport_imports.result import Remark, Result
from rapport_imports.tabular import CONFIRMABLE
from rapport_imports.wording import counted, line
from rapport_tools.cli.output import say

GROUPS_SHOWN = CHANGES_SHOWN = 5
RANGES_SHOWN = 100


def tell(result: Result, name: str, *, dry_run: bool) -> None:
    """Say which columns were used, what became of the rows, and what is to be known of them."""
    rate = result.rows / result.seconds if result.seconds else 0
    say(f"{line(name)}: {counted(result.rows, 'row')} read in {result.seconds:.1f} s ({rate:,.0f} rows/s)")
    say(line(f"  ids of: {result.system}"))
    if result.department:
        say(line(f"  promised by: {result.department}"))
    say(line(f"  used: {' · '.join(f'{field} = {column}' for field, column in result.used.items())}"))
    say(line(f"  ignored: {' · '.join(result.ignored) or 'no column'}"))
    counts = {"further rows of orders": result.further, "skipped": result.skipped, "refused": result.refused}
    if result.asked:
        counts = {
            "new": result.created,
            "known already": result.known,
            "of these changed": result.changed,
            "corrected": result.corrected,
            "renamed": result.renamed,
        } | counts
    shown = [
        f"{what} {count:,}" for what, count in counts.items() if count or what in ("new", "known already")
    ]
    say(f"  {' · '.join(shown) if shown else 'no row is refused'}")
    _tell_changes(result)
    if dry_run:
        unasked = "" if result.asked else "; what only the services know is not checked"
        say(f"  checked only: nothing is imported{unasked}")
    else:
        say("  run it again, and nothing doubles")
        if result.job:
            say(line(f"  take it back: rapport revert-import {result.job}"))
    for note in result.notes:
        say(f"  {line(note)}", err=True)
    if result.told:
        say("  to be known, though no row is refused for it:", err=True)
        _tell_remarks(result.told)
    if result.refused:
        say(f"  refused {counted(result.refused, 'row')}:", err=True)
        _tell_remarks(result.refusals)
    if result.errors_file:
        say(f"  every refused row, with reasons: {line(result.errors_file)}", err=True)
        if not dry_run:
            again = f"rapport import {result.kind} {shlex.quote(result.errors_file)}"
            say(f"  mend them there, then: {line(again)}", err=True)
            if reasons := CONFIRMABLE & {remark.reason for remark in result.refusals}:
                told = f"those refused as {' or '.join(sorted(reasons))}, if they are right as they are"
                say(f"  {told}: leave only them there, and add --confirm", err=True)


def _tell_changes(result: Result) -> None:
    """By what customers are found, and what a dry run finds that would change."""
    for what, columns in (("known by", result.known_by), ("changes in", result.changed_columns)):
        if columns:
            say(line(f"  {what}: {' · '.join(f'{name} {count:,}' for name, count in columns.items())}"))
    for change in result.changes[:CHANGES_SHOWN]:
        before, after = (repr(text) if text else "nothing" for text in (change.before, change.after))
        say(line(f"    line {change.line}: {change.column} from {before} to {after}"))
    if len(result.changes) > CHANGES_SHOWN:
        say("    and more: --json has the first thousand")


def _tell_remarks(remarks: Sequence[Remark]) -> None:
    """What is said of most rows: of the first of them in words, of all where they are."""
    most = sorted(remarks, key=lambda remark: -remark.count)
    for remark in most[:GROUPS_SHOWN]:
        column = f" in {remark.column}" if remark.column else ""
        about = f"{remark.count:,} x {remark.reason}{column}, as in line {remark.lines[0]}"
        say(line(f"    {about}: {remark.description}"), err=True)
        if remark.count > 1:
            say(f"      lines {_ranges(remark.lines)}", err=True)
    if rest := most[GROUPS_SHOWN:]:
        rows = sum(remark.count for remark in rest)
        say(f"    {rows:,} x for {counted(len(rest), 'more reason')}: --json has them all", err=True)


def _ranges(lines: Sequence[int]) -> str:
    """`3, 7-9, 12`; of very many the first."""
    ranges: list[list[int]] = []
    for number in sorted(set(lines)):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    shown = ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in ranges[:RANGES_SHOWN])
    return f"{shown}, ... --json has them all" if len(ranges) > RANGES_SHOWN else shown
