"""What a benchmark found, and the table of it."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

OF_ECHO = "of ECHO"
OF_LOOP = "of the loop"
FASTER = "x"  # times as fast as the baseline
TIMES = "x the time"
CPU = "x the CPU"
ECHOES = "ECHOs"  # as much processor time as so many
MS = "ms"
KB = "KB"
SECONDS = "s"
PERCENT = "%"
_LESS_IS_BETTER = {TIMES, CPU, ECHOES, MS, KB, SECONDS}


@dataclass(frozen=True)
class Result:
    """One row of the table.

    Attributes:
        path: what was measured.
        measured: the median; None when it could not run, and `note` says why.
        unit: OF_ECHO, OF_LOOP, FASTER, TIMES, CPU, ECHOES, MS, KB, SECONDS or PERCENT.
        floor: what it must not fall short of; None for a row that only informs.
        aim: what it should reach.
        note: what the number leaves open.
        busy: whether the machine was too busy for the number to count.
    """

    path: str
    measured: float | None
    unit: str
    floor: float | None = None
    aim: float | None = None
    note: str = ""
    busy: bool = False

    @property
    def reached(self) -> str:
        """Whether the floor, or even the aim, is reached; what the machine was too busy for is not."""
        if self.busy:
            return "busy"
        if self.measured is None or (self.floor is None and self.aim is None):
            return "-" if self.measured is not None else "no"
        if self._meets(self.aim):
            return "yes, and the aim" if self.floor is not None else "yes"
        return "yes" if self._meets(self.floor) else "no"

    def _meets(self, bound: float | None) -> bool:
        if bound is None or self.measured is None:
            return False
        shown = round(self.measured, 2)
        return shown <= bound if self.unit in _LESS_IS_BETTER else shown >= bound

    def as_json(self) -> dict[str, Any]:
        """For other programs."""
        return asdict(self) | {"reached": self.reached}


def percentile(values: Sequence[float], percent: int) -> float:
    """What so many of a hundred values do not exceed."""
    return statistics.quantiles(values, n=100)[percent - 1]


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """What a quarter, half and three quarters of the values do not exceed."""
    if len(values) < 2:
        return (values[0],) * 3
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def median_and_spread(values: Sequence[float]) -> tuple[float, str]:
    """The median, and from where to where the values go, in words."""
    return statistics.median(values), f"{min(values):.2f} to {max(values):.2f}"


def table(results: Sequence[Result]) -> str:
    """The results as a Markdown table."""
    rows: list[tuple[str, ...]] = [("path", "measured", "floor", "aim", "reached", "note")]
    for result in results:
        unit = result.unit if result.unit in (FASTER, TIMES, CPU) else f" {result.unit}"
        measured = "could not run" if result.measured is None else f"{result.measured:.2f}{unit}"
        floor, aim = ("-" if bound is None else f"{bound:g}" for bound in (result.floor, result.aim))
        rows.append((result.path, measured, floor, aim, result.reached, result.note))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
