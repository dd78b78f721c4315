"""How long work waited, was worked on and could not go on, as parts of a line over the time of its case."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chassis.api.messages import moment
from desk.ui.picture import Part, part
from rapport.cases.v1.handoff_pb2 import Handoff


@dataclass(frozen=True)
class Lane:
    """The line of a hand-off."""

    parts: Sequence[Part]  # `wait`, `work` and `blocked`
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
    parts = [
        part(kind, (since - start) / whole, (until - start) / whole)
        for kind, since, until in spans
        if until > since
    ]
    return Lane(parts, begun - came, ended - begun - blocked, blocked)
