"""What `rapport doctor` says about the backlog of one service."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rapport_imports.wording import counted
from rapport_tools.cli.outbox import waiting_s
from rapport_tools.cli.output import age

if TYPE_CHECKING:
    from rapport.operations.v1.operations_pb2 import Backlog

OUTBOX_OLD_S = 30.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong and what to do."""

    what: str
    do: str


def troubles(service: str, backlog: "Backlog") -> Iterator[Finding]:
    """What is wrong with what waits."""
    if (oldest_s := waiting_s(backlog)) > OUTBOX_OLD_S:
        facts = counted(backlog.unpublished_fact_count, "fact")
        what = f"{facts} of {service}: not published for {age(oldest_s)}."
        yield Finding(what, f"See `rapport logs {service}`: the relay says what stops it.")
    if backlog.overdue_timer_count:
        what = f"{counted(backlog.overdue_timer_count, 'timer')} of {service}: due for more than a minute."
        yield Finding(what, f"See `rapport logs {service}`: their handler says what stops it.")
    yield from _set_aside(service, backlog)
    yield from _work(service, backlog)


def _set_aside(service: str, backlog: "Backlog") -> Iterator[Finding]:
    from rapport.common.v1 import states_pb2

    for each in backlog.set_aside:
        consumer = each.consumer.rpartition("/")[2]
        events = counted(each.event_count, "event")
        if each.state == states_pb2.SET_ASIDE_STATE_DEAD:
            what = f"{consumer} gave up on {events} ({each.error})."
            do = f"`rapport dead-letters list {consumer}`, mend the cause, then `... replay {consumer}`."
            yield Finding(what, do)
        elif each.error:
            what = f"{consumer} has set aside {events} ({each.error})."
            yield Finding(what, f"It tries them again by itself. What fails is in `rapport logs {service}`.")
        else:
            what = f"{consumer} keeps {events} of a type that {service} does not know."
            yield Finding(what, f"The release of {service} that does applies them.")


def _work(service: str, backlog: "Backlog") -> Iterator[Finding]:
    for each in backlog.work:
        kind = each.kind
        if each.alarm_count:
            what = f"{service}: {each.alarm_count} {kind} wait for us to mend something: the other side says"
            do = "Look at our login, sender, quota and right to relay there."
            yield Finding(f"{what} {each.alarm_code}.", do)
        if each.unknown_count:
            count = each.unknown_count
            what = f"{service}: Of {count} {kind} of the last day nobody knows whether they were done."
            yield Finding(what, "Their answers were lost. Ask the other side, by the key of the attempt.")
        if each.overdue_count:
            what = f"{service}: {each.overdue_count} {kind} are due for more than a minute."
            do = "They come faster than they can be done, or nobody does them: see the logs."
            yield Finding(what, do)
