"""By when work is to be done."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cases.domain.priority import Band

AGE = timedelta(days=3)  # after which work is due of which nothing says by when
_VALUE = {Band.SILVER: timedelta(hours=1), Band.GOLD: timedelta(hours=2), Band.PLATINUM: timedelta(hours=3)}
VALUE_MAX = max(_VALUE.values())


class DeadlineBasis(StrEnum):
    """What says by when work is to be done."""

    PROMISE = "PROMISE"
    CLOCK = "CLOCK"
    AGE = "AGE"


@dataclass(frozen=True, slots=True)
class Deadline:
    """By when work is to be done, what says so, and its place among what is not due soon."""

    deadline_time: datetime
    deadline_basis: DeadlineBasis
    rank_time: datetime


def deadline_of(
    create_time: datetime, band: Band, promised: datetime | None = None, clocked: datetime | None = None
) -> Deadline:
    """The earliest of what was promised, what its clocks say, and its age where neither says anything."""
    said = [
        (at, basis)
        for at, basis in ((promised, DeadlineBasis.PROMISE), (clocked, DeadlineBasis.CLOCK))
        if at is not None
    ]
    at, basis = min(said, default=(create_time + AGE, DeadlineBasis.AGE), key=lambda each: each[0])
    return Deadline(at, basis, at - _VALUE.get(band, timedelta()))
