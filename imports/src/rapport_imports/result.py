"""What became of the rows of a file."""

from dataclasses import dataclass, field
from typing import Protocol

from rapport_imports.tabular import Problem, Row


class Progress(Protocol):
    """Is told how many rows are done, and of how many; `doing` says what, where more than one thing is."""

    def __call__(self, done: int, total: int, doing: str = "") -> object: ...


@dataclass(slots=True)
class Remark:
    """Rows of which the same is to be said: why, of which column, how many; the first says what exactly.

    `lines` are where they are in the file, as they were found.
    """

    reason: str
    column: str
    description: str
    count: int = 0
    lines: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Change:
    """What a row would change of a customer who is known: in which column it says so, from what to what.

    `customer` is empty for one whom another row of the file would make; `overwrites` says that something is
    not there any more afterwards.
    """

    line: int
    customer: str
    column: str
    before: str
    after: str
    overwrites: bool


@dataclass(slots=True)
class Result:
    """What became of the rows that were read.

    `created` are new, `known` were here, `corrected` were too and say otherwise now, `skipped` are none of
    the kind (a failed payment), `refused` are wrong, `further` are lines of an order that another row began.
    In a dry run they would be; whether they are new is known when the services were `asked`. `kind` is what
    they are, `system` whose ids they hold, `department` who promised orders, `used` the column of each field,
    `ignored` the columns that nobody takes, `decimal` what separates decimals and `first` what comes first in
    dates, the `day` or the `month`, where all of the file tells; `notes` what else is to be said. `refusals`
    are why rows were refused, each counted once, `told` what else is to be known of them and of others. Of
    `known` customers `changed` rows change something; a dry run says by which column they were found
    (`known_by`), of how many rows each column changes something, and what of the first thousand (`changes`).
    An import of customers is taken back by its `job`.
    """

    rows: int = 0
    created: int = 0
    known: int = 0
    corrected: int = 0
    skipped: int = 0
    further: int = 0
    refused: int = 0
    changed: int = 0
    renamed: int = 0
    seconds: float = 0
    asked: bool = True
    kind: str = ""
    system: str = ""
    department: str = ""
    errors_file: str = ""
    job: str = ""
    decimal: str = ""
    first: str = ""
    used: dict[str, str] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    refusals: list[Remark] = field(default_factory=list)
    told: list[Remark] = field(default_factory=list)
    known_by: dict[str, int] = field(default_factory=dict)
    changed_columns: dict[str, int] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)

    def judge(self, row: Row) -> None:
        """Note why a row is refused, and what else is to be known of it."""
        if row.problems:
            _add(self.refusals, row.line, row.problems[0])
        for problem in row.told:
            self.tell(row.line, problem)

    def tell(self, line: int, problem: Problem) -> None:
        """Note what is to be known of a row although it is not refused for it."""
        _add(self.told, line, problem)


def _add(remarks: list[Remark], line: int, problem: Problem) -> None:
    """Count a problem. What it says of the row itself, such as whose name it is, makes no other group."""
    about = (problem.reason, problem.column)
    same = next((remark for remark in remarks if (remark.reason, remark.column) == about), None)
    if same is None:
        same = Remark(*about, problem.description)
        remarks.append(same)
    same.count += 1
    same.lines.append(line)
