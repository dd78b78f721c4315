"""Feeding rows to a service in batches, and telling what became of each."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import grpc

from chassis.backoff import Backoff
from rapport_imports.amounts import Separator, currency_of, named_in
from rapport_imports.batches import batched, row_of, share_problems, violations
from rapport_imports.choosing import Said, choose
from rapport_imports.deciding import DayNumbers, DayOrder
from rapport_imports.decoding import UnreadableFile
from rapport_imports.fields import Cells
from rapport_imports.notation import Notation
from rapport_imports.reading import Reading
from rapport_imports.refused import ErrorFile
from rapport_imports.result import Result
from rapport_imports.tabular import Problem, Row, Table
from rapport_imports.together import Together
from rapport_imports.tools import first_of
from rapport_imports.totals import is_none, marked

T = TypeVar("T")
OrderOf = Callable[[Row], str]
IN_FLIGHT = 2
ABORTED_MAX = 20
_ABORTED = Backoff(0.2, 5.0)


class RowsRefused(Exception):
    """An importer finds rows wrong, by their index in what it was to send."""

    def __init__(self, problems: Mapping[int, Sequence[Problem]]) -> None:
        super().__init__()
        self.problems = problems


class Importer(Protocol[T]):
    """One kind of import."""

    fields: tuple[str, ...]
    required: tuple[str, ...]
    sources: Mapping[str, str]  # which field one of the service's is read from, where it is called otherwise

    def order_of(self, used: Mapping[str, str], spares: Mapping[str, list[str]]) -> OrderOf | None:
        """What tells to which order a row belongs, from the columns that are used; None where each is alone.

        It says "" of a row that is alone. Where there is such, `parse` is given the first row of each order,
        which has the further ones.
        """
        ...

    def begin(self, reading: Reading) -> None:
        """Learn how the file is read, before the first row: which columns are used, and what they mean."""
        ...

    def parse(self, cells: Cells) -> T | None:
        """The row as what the service takes; None to skip it. Problems go to its rows."""
        ...

    async def send(self, items: list[tuple[Row, T]]) -> int:
        """Hand rows to the service, and return how many of them are new. RowsRefused.

        A row that is found wrong only afterwards gets a problem.
        """
        ...

    async def finish(self, result: Result) -> Mapping[int, Sequence[Problem]]:
        """After the last batch: complete the counts, and return what the service refused later, by line.

        Where nothing was sent, as in a dry run without services, none is asked.
        """
        ...


@dataclass
class Run(Generic[T]):
    """One file going through one importer."""

    table: Table
    importer: Importer[T]
    mapping: Mapping[str, str]  # fields to columns, where names do not tell
    notation: Notation  # with reading: how the file writes things and is read, as far as the user says
    offline: bool  # whether services are not asked, so that rows are only read
    progress: Callable[
        [int, int], object
    ]  # called with the number of rows done and of all, for a progress bar
    result: Result  # what became of the rows, also of those before a failure
    reading: Reading
    ignore: Sequence[str] = ()  # columns that are not read
    spares: dict[str, list[str]] = field(default_factory=dict, init=False)
    _together: Together | None = field(default=None, init=False)

    async def run(self, errors_path: Path) -> None:
        """Import every row. Refused rows go to `errors_path`, which can be mended and imported itself.

        UnreadableFile, before anything is sent, when the file is broken anywhere or may be read in two ways.
        """
        used = self._columns()
        if order_of := self.importer.order_of(used, self.spares):
            self._together = Together(order_of)
        total, width = self._survey(used)
        reading = replace(
            self.reading,
            decimal=self.notation.decimal,
            first=self.notation.first,
            columns=used,
            spares=self.spares,
        )
        self.importer.begin(reading)
        errors = ErrorFile(errors_path, self.table, width, reading)
        try:
            await self._feed(used, errors, total)
            late = await self.importer.finish(self.result)
            if late:
                for row in self.table.rows():
                    if row.line in late:
                        row.problems = list(late[row.line])
                        errors.keep(row)
                        self.result.judge(row)
        finally:
            errors.close()
            self.result.refused = errors.count
            self.result.errors_file = str(errors.path) if errors.count and not errors.failure else ""
            self._tell_failure(errors)

    def _columns(self) -> dict[str, str]:
        """Which column holds each field, and which says it where that one has nothing."""
        notation, currency = self.notation, self.reading.currency
        said = Said(self.mapping, self.ignore, notation.country, currency, notation.constants)
        importer = self.importer
        used, self.spares = choose(self.table, importer.fields, importer.required, said, self.result)
        if not currency and "currency" not in used and (name := named_in(used.get("amount", ""))):
            found = currency_of(name, notation.currency)
            if found is None:
                raise UnreadableFile(f"{used['amount']} may be in several currencies: say --currency")
            self.notation = replace(notation, currency=found)
            self.result.notes.append(f"amounts are in {found.code}, as {used['amount']} says")
        return used

    def _rows(self) -> Iterator[Row]:
        """The rows of the file, of which some may be none of its table."""
        return self.table.rows() if self.table.own else marked(self.table.rows())

    def _survey(self, used: Mapping[str, str]) -> tuple[int, int]:
        """Read the whole file once, to know what its separators and dates mean. The rows and widest row."""
        separator = Separator(self.table.delimiter, self.notation.currency)
        order = DayOrder()
        dates = [used[name] for name in used if name == "date" or name.endswith("_date")]
        numbers = DayNumbers()
        total, width = 0, len(self.table.header)
        for row in self._rows():
            total, width = total + 1, max(width, len(self.table.header) + len(row.extra))
            if row.aside:
                continue
            if self._together:
                self._together.survey(row)
            if "amount" in used and not self.notation.decimal:
                currency = row.cells.get(used.get("currency", ""), "")
                separator.add(row.line, row.cells.get(used["amount"], ""), currency)
                if "product" in used and "quantity" in used:  # it may be a weight
                    separator.add(row.line, row.cells.get(used["quantity"], ""), currency)
            for column in dates if not (self.notation.date_format or self.notation.first) else ():
                order.add(row.line, row.cells.get(column, ""))
                if column != used.get("birth_date"):  # which may be a year
                    numbers.add(row.line, row.cells.get(column, ""))
        if not total:
            raise UnreadableFile(f"{self.table.path.name} has no rows under its header: nothing is imported")
        if not self.notation.day_one:
            numbers.decided()
        decimal = self.notation.decimal or separator.decided()
        first = self.notation.first or (first_of(self.table.header) if order.is_unclear else "")
        first = first or order.decided(asks="birth_date" not in used)
        self.notation = replace(self.notation, decimal=decimal, first=first)
        self.result.decimal, self.result.first = decimal, first
        self.result.notes += self._readings()
        return total, width

    def _readings(self) -> list[str]:
        """How the file was read, where it might have been otherwise."""
        notes = [note for note in (self.table.encoding.note, *self.table.notes) if note]
        if self.table.others:
            others = ", ".join(self.table.others)
            notes.append(f"sheet {self.table.sheet} is read; --sheet names another: {others}")
        if self.notation.decimal == ",":
            notes.append("amounts are read with a decimal comma")
        if self.notation.first:
            notes.append(f"dates are read with the {self.notation.first} first")
        return notes

    async def _feed(self, used: Mapping[str, str], errors: ErrorFile, total: int) -> None:
        slots = asyncio.Semaphore(IN_FLIGHT)
        try:
            async with asyncio.TaskGroup() as tasks:
                rows = self._rows()
                for batch in batched(self._together.rows(rows) if self._together else rows):
                    await slots.acquire()
                    work = tasks.create_task(self._batch(batch, used, errors, total))
                    work.add_done_callback(lambda _: slots.release())
        except BaseExceptionGroup as group:  # the first failure says what is wrong; the others follow from it
            raise group.exceptions[0] from None

    async def _batch(self, batch: list[Row], used: Mapping[str, str], errors: ErrorFile, total: int) -> None:
        for row in batch:
            share_problems(row)
        right = [row for row in batch if not row.problems]
        readable = [row for row in right if not is_none(row, used, self.importer.required)]
        self.result.skipped += len(right) - len(readable)
        parsed = [
            (row, self.importer.parse(Cells(row, used, self.notation, self.spares))) for row in readable
        ]
        for row in readable:
            share_problems(row)
        good = [(row, item) for row, item in parsed if not row.problems and item is not None]
        self.result.skipped += sum(
            1 + len(row.further) for row, item in parsed if not row.problems and item is None
        )
        if good and not self.offline:
            await self._send(good)
        self.result.further += sum(len(row.further) for row, _ in good if not row.problems)
        for row in batch:
            share_problems(row)
            for each in (row, *row.further):
                errors.keep(each)
                self.result.judge(each)
            self.result.rows += 1 + len(row.further)
        self.progress(self.result.rows, total)

    async def _send(self, items: list[tuple[Row, T]]) -> None:
        """Send, leaving out the rows that the service names as wrong, until the rest is accepted.

        Whoever is in another's way, as another import may be, tries again: nothing was done.
        """
        failures = 0
        while items:
            try:
                created = await self.importer.send(items)
            except (grpc.aio.AioRpcError, RowsRefused) as error:
                if _is_aborted(error) and failures < ABORTED_MAX:
                    failures += 1
                    await asyncio.sleep(_ABORTED.wait(failures))
                    continue
                wrong = error.problems if isinstance(error, RowsRefused) else violations(error)
                if not wrong or max(wrong) >= len(items):
                    raise
                for index, problems in wrong.items():
                    for problem in problems:
                        row = row_of(items[index][0], problem)
                        row.problems.append(self._in_words_of_the_file(problem))
                items = [item for index, item in enumerate(items) if index not in wrong]
            else:
                self.result.created += created
                self.result.known += sum(not row.problems for row, _ in items) - created
                return

    def _in_words_of_the_file(self, problem: Problem) -> Problem:
        """What a service says of one of its fields, of the column that it was read from."""
        fields = [self.importer.sources.get(part, part) for part in problem.column.split(".")]
        used = self.result.used
        column = next((used[field] for field in reversed(fields) if field in used), problem.column)
        return Problem(column, problem.reason, problem.description)

    def _tell_failure(self, errors: ErrorFile) -> None:
        """Say here what no file could take."""
        if not errors.failure:
            return
        self.result.notes.append(f"the refused rows could not be written: {errors.failure}")
        for row in errors.first:
            why = row.problems[0]
            column = f"{why.column}: " if why.column else ""
            self.result.notes.append(f"line {row.line}: {why.reason}, {column}{why.description}")


def _is_aborted(error: Exception) -> bool:
    return isinstance(error, grpc.aio.AioRpcError) and error.code() is grpc.StatusCode.ABORTED
