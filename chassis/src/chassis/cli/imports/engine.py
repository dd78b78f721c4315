"""Feeding rows to a service in batches, and telling what became of each."""

import asyncio
import csv
import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import grpc

from chassis.cli.imports.fields import Cells, columns_for
from chassis.cli.imports.tabular import Problem, Row, Source, columns, rows
from chassis.errors import InvalidArgument
from chassis.grpc.status import refusal

T = TypeVar("T")
BATCH_ROWS = 1000
IN_FLIGHT = 2


@dataclass(slots=True)
class Result:
    """What became of the rows that were read: `created` are new, `known` were here, `refused` are wrong."""

    rows: int = 0
    created: int = 0
    known: int = 0
    refused: int = 0
    seconds: float = 0
    errors_file: str = ""


class Importer(Protocol[T]):
    """One kind of import."""

    fields: tuple[str, ...]
    required: tuple[str, ...]

    def parse(self, cells: Cells, row: Row) -> T:
        """The row as what the service takes. Problems go to the row."""
        ...

    async def send(self, items: list[tuple[Row, T]]) -> int:
        """Hand rows to the service, and return how many of them were new."""
        ...

    async def finish(self, result: Result) -> Mapping[int, Problem]:
        """After the last batch: complete the counts, and return what the service refused later, by line."""
        ...


@dataclass
class Run(Generic[T]):
    """One file going through one importer.

    Args:
        source: the file.
        importer: takes its rows.
        mapping: fields to columns, where names do not tell.
        date_format: how dates are written, as `strptime` takes it; empty means ISO 8601.
        dry_run: check every row and send none.
        advance: called with the number of rows done, for a progress bar.

    """

    source: Source
    importer: Importer[T]
    mapping: Mapping[str, str]
    date_format: str = ""
    dry_run: bool = False
    advance: Callable[[int], None] = lambda rows: None
    result: Result = field(default_factory=Result)

    async def run(self, errors_path: Path) -> Result:
        """Import every row. Refused rows go to `errors_path`, which can be mended and imported itself."""
        header = columns(self.source)
        chosen = columns_for(self.importer.fields, self.importer.required, header, self.mapping)
        slots = asyncio.Semaphore(IN_FLIGHT)
        with _ErrorFile(errors_path, header) as errors:
            try:
                async with asyncio.TaskGroup() as tasks:
                    for batch in _batched(rows(self.source)):
                        await slots.acquire()
                        work = tasks.create_task(self._batch(batch, chosen, errors))
                        work.add_done_callback(lambda _: slots.release())
            except (
                BaseExceptionGroup
            ) as group:  # the first failure says what is wrong; the others follow from it
                raise group.exceptions[0] from None
            late = {} if self.dry_run else await self.importer.finish(self.result)
            if late:
                for row in rows(self.source):
                    if row.line in late:
                        errors.keep(Row(row.line, row.cells, [late[row.line]]))
        self.result.refused = errors.count
        self.result.errors_file = str(errors_path) if errors.count else ""
        return self.result

    async def _batch(self, batch: list[Row], chosen: Mapping[str, str], errors: "_ErrorFile") -> None:
        readable = [row for row in batch if not row.problems]
        parsed = [(row, self.importer.parse(Cells(row, chosen, self.date_format), row)) for row in readable]
        good = [(row, item) for row, item in parsed if not row.problems]
        if good and not self.dry_run:
            await self._send(good)
        for row in batch:
            errors.keep(row)
        self.result.rows += len(batch)
        self.advance(len(batch))

    async def _send(self, items: list[tuple[Row, T]]) -> None:
        """Send, leaving out the rows that the service names as wrong, until the rest is accepted."""
        while items:
            try:
                created = await self.importer.send(items)
            except grpc.aio.AioRpcError as error:
                wrong = _violations(error)
                if not wrong or max(wrong) >= len(items):
                    raise
                for index, problem in wrong.items():
                    items[index][0].problems.append(problem)
                items = [item for index, item in enumerate(items) if index not in wrong]
            else:
                self.result.created += created
                self.result.known += len(items) - created
                return


class _ErrorFile:
    """The refused rows, as they were, with why: made when the first one comes."""

    def __init__(self, path: Path, header: list[str]) -> None:
        self.count = 0
        self._path = path
        self._header = header
        self._file: Any = None

    def __enter__(self) -> "_ErrorFile":
        self._path.unlink(missing_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()

    def keep(self, row: Row) -> None:
        """Write the row when it has problems."""
        if not row.problems:
            return
        if self._file is None:
            self._file = self._path.open("w", newline="", encoding="utf-8", errors="backslashreplace")
            self._writer = csv.writer(self._file)
            self._writer.writerow([*self._header, "error_line", "error_column", "error_reason", "error"])
        cells = [row.cells.get(name, "") for name in self._header]
        first = row.problems[0]
        why = dict.fromkeys(
            f"{p.column}: {p.description}" if p.column else p.description for p in row.problems
        )
        self._writer.writerow([*cells, row.line, first.column, first.reason, "; ".join(why)])
        self.count += 1


def _batched(source: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(itertools.islice(source, BATCH_ROWS)):
        yield batch


def _violations(error: grpc.aio.AioRpcError) -> dict[int, Problem]:
    """The violations of a refused batch, by the index in `requests[...]` or `rows[...]`."""
    refused = refusal(error)
    found: dict[int, Problem] = {}
    for violation in refused.violations if isinstance(refused, InvalidArgument) else ():
        if match := re.match(r"\w+\[(\d+)\]\.?(.*)", violation.field):
            problem = Problem(match[2], violation.reason, violation.description)
            found.setdefault(int(match[1]), problem)
    return found
