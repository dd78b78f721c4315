"""How long work waited, was worked on and could not go on, as parts of a line over the time of its case."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chassis.api.messages import moment
from rapport.cases.v1.handoff_pb2 import Handoff

WIDTH = 1000


@dataclass(frozen=True)
class Part:
    """A part of a line, in thousandths of its length."""

    kind: str  # `wait`, `work` or `blocked`
    start: int
    width: int


@dataclass(frozen=True)
class Lane:
    """The line of a hand-off."""

    parts: Sequence[Part]
    waited: timedelta
    worked: timedelta  # without what it was blocked
    blocked: timedelta  # after it was begun


def lane(each: Handoff, start: datetime, end: datetime) -> Lane:
    """The line of a hand-off in a picture from `start` to `end`; what has not ended lasts until then."""
    came = moment(each.hand_over_time)
    ended = max(came, moment(each.end_time) if each.HasField("end_time") else end)
    begun = min(ended, moment(each.start_time)) if each.HasField("start_time") else ended
    stops = [
        (
            max(begun, moment(block.start_time)),
            min(ended, moment(block.end_time) if block.HasField("end_time") else ended),
        )
        for block in each.blocks
    ]
    stops = [(since, until) for since, until in stops if until > since]
    blocked = sum((until - since for since, until in stops), timedelta())
    spans = [
        ("wait", came, begun),
        ("work", begun, ended),
        *(("blocked", since, until) for since, until in stops),
    ]
    whole = max(end - start, timedelta(seconds=1))

    def part(kind: str, since: datetime, until: datetime) -> Part:
        at = round(WIDTH * ((since - start) / whole))
        return Part(kind, at, max(2, round(WIDTH * ((until - start) / whole)) - at))

    return Lane(
        [part(*span) for span in spans if span[2] > span[1]], begun - came, ended - begun - blocked, blocked
    )
