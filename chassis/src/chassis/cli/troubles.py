"""What `rapport doctor` says about the backlog of one service."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from chassis.cli.outbox import waiting_s
from chassis.cli.output import age, counted

if TYPE_CHECKING:
    from rapport.operations.v1.operations_pb2 import Backlog

OUTBOX_OLD_S = 30.0
Trouble = tuple[str, str]


def troubles(service: str, backlog: "Backlog") -> Iterator[Trouble]:
    """What is wrong, and what to do about it."""
    if (oldest_s := waiting_s(backlog)) > OUTBOX_OLD_S:
        facts = counted(backlog.unpublished_fact_count, "fact")
        what = f"{facts} of {service}: not published for {age(oldest_s)}."
        yield what, f"See `rapport logs {service}`: the relay says what stops it."
    if backlog.overdue_timer_count:
        what = f"{counted(backlog.overdue_timer_count, 'timer')} of {service}: due for more than a minute."
        yield what, f"See `rapport logs {service}`: their handler says what stops it."
    yield from _set_aside(service, backlog)
    for what, do in _work(backlog):
        yield f"{service}: {what}", do


def _set_aside(service: str, backlog: "Backlog") -> Iterator[Trouble]:
    from rapport.operations.v1.operations_pb2 import SetAside

    for each in backlog.set_aside:
        consumer = each.consumer.removeprefix("consumers/")
        events = counted(each.event_count, "event")
        if each.state == SetAside.STATE_DEAD:
            what = f"{consumer} gave up on {events} ({each.error})."
            yield (
                what,
                f"`rapport dead-letters list {consumer}`, mend the cause, then `... replay {consumer}`.",
            )
        elif each.error:
            what = f"{consumer} has set aside {events} ({each.error})."
            yield what, f"It tries them again by itself. What fails is in `rapport logs {service}`."
        else:
            what = f"{consumer} keeps {events} of a type that {service} does not know."
            yield what, f"The release of {service} that does applies them."


def _work(backlog: "Backlog") -> Iterator[Trouble]:
    for each in backlog.work:
        if each.alarm_count:
            what = f"{each.alarm_count} {each.kind} wait for us to mend something: "
            yield (
                f"{what}the other side says {each.alarm_code}.",
                "Look at our login, sender, quota and right to relay there.",
            )
        if each.unknown_count:
            what = f"Of {each.unknown_count} {each.kind} of the last day nobody knows whether they were done."
            yield what, "Their answers were lost. Ask the other side, by the key of the attempt."
        if each.overdue_count:
            what = f"{each.overdue_count} {each.kind} are due for more than a minute."
            yield what, "They come faster than they can be done, or nobody does them: see the logs."
