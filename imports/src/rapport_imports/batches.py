"""What goes to a service together, and whose row it is that the service finds wrong."""

import re
from collections.abc import Iterator

import grpc

from chassis.errors import InvalidArgument
from chassis.grpc.status import refusal
from rapport_imports.tabular import Problem, Row

BATCH_ROWS = 1000
BATCH_CHARACTERS = 500_000
_LINE = re.compile(r"\blines\[(\d+)\]")


def share_problems(first: Row) -> None:
    """Refuse every row of an order of which one is wrong, for it is one thing or none."""
    rows = (first, *first.further)
    wrong = [row.line for row in rows if row.problems]
    for row in rows if wrong else ():
        if not row.problems:
            allowed = f"is of the same order as line {wrong[0]}, which is refused"
            row.problems.append(Problem("", "OTHER_ROW", allowed))


def row_of(first: Row, problem: Problem) -> Row:
    """The row of an order that a problem is about: what is line 3 to a service is its fourth row."""
    match = _LINE.search(problem.column)
    return [first, *first.further][int(match[1])] if match else first


def batched(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """Rows by the thousand, or fewer where they are long: no batch is more than a service takes.

    An order is in one batch, with all its rows.
    """
    batch: list[Row] = []
    count = size = 0
    for row in rows:
        batch.append(row)
        for each in (row, *row.further):
            count, size = count + 1, size + sum(map(len, each.cells.values()))
        if count >= BATCH_ROWS or size > BATCH_CHARACTERS:
            yield batch
            batch, count, size = [], 0, 0
    if batch:
        yield batch


def violations(error: grpc.aio.AioRpcError) -> dict[int, list[Problem]]:
    """The violations of a refused batch, by the index in `requests[...]` or `rows[...]`."""
    refused = refusal(error)
    found: dict[int, list[Problem]] = {}
    for violation in refused.violations if isinstance(refused, InvalidArgument) else ():
        if match := re.match(r"\w+\[(\d+)\]\.?(.*)", violation.field):
            problem = Problem(match[2], violation.reason, violation.description)
            found.setdefault(int(match[1]), []).append(problem)
    return found
