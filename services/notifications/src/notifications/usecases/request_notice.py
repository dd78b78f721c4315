"""Requesting a notice. The notice is in the queue once the transaction has committed."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from chassis import ids
from chassis.db.locks import LOCK_NAME
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.errors import InvalidArgument, NotFound, ResourceExhausted, Violation
from notifications.domain.notice import LIFETIME, Concern, Notice
from notifications.domain.template import SENDER, Template
from notifications.store.notices import COUNT_SENT_BY_HAND, INSERT_NOTICE
from notifications.store.templates import GET_TEMPLATE
from notifications.usecases import words
from notifications.usecases.save_notice import queue
from notifications.usecases.sendable import require_sendable_by_hand

MEASURE = timedelta(days=1)  # in which a customer may get so many notices of one purpose


@dataclass(frozen=True, slots=True)
class RequestNotice:
    """What to tell whom. `template` is the template's id; the last seven are a policy's, see `Notice`."""

    customer: str
    kind: str
    template: str
    variables: dict[str, str]
    promise: str = ""
    case: str = ""
    expire_time: datetime | None = None
    policy: str = ""
    policy_version: int = 0
    concern: Concern = Concern.NONE
    due_time: datetime | None = None
    department: str = ""
    promise_version: int = 0


async def send_notice(tx: Transaction, command: RequestNotice, at_most: int) -> Notice:
    """Request a notice for a department, once it is sure that the template can say it.

    Args:
        tx: the transaction.
        command: what to tell whom.
        at_most: how many notices of one purpose departments may request for a customer within a day.

    NotFound when there is no such template; what `require_sendable_by_hand` finds; InvalidArgument
    VARIABLE_UNKNOWN for what it does not take, and what `words.render` finds; ResourceExhausted
    TOO_MANY_NOTICES.

    """
    template = await GET_TEMPLATE.maybe(tx, id=command.template)
    if template is None:
        raise NotFound(f"templates/{command.template}")
    require_sendable_by_hand(template, command.promise)
    _check_variables(template, command.variables)
    await _require_measure(tx, command.customer, template.purpose, at_most)
    return await request_notice(tx, command, template)


async def request_notice(tx: Transaction, command: RequestNotice, template: Template) -> Notice:
    """Put a notice into the queue, for the purpose that the template has."""
    given = values(command) | {
        "purpose": template.purpose,
        "heard_version": command.promise_version,
        "expire_time": command.expire_time or tx.now + LIFETIME,
    }
    notice = Notice(id=ids.uuid7(tx.now), request_time=tx.now, request_event=tx.id, **given)
    notice.request_event = tx.record(notice.request_fact(), version=notice.version)
    await queue(tx, notice, template.kind)
    await tx.defer(INSERT_NOTICE, **values(notice))
    return notice


def _check_variables(template: Template, given: dict[str, str]) -> None:
    taken = {*words.to_give(template), *SENDER}
    if unknown := sorted(given.keys() - taken):
        described = f"must be one of {', '.join(sorted(taken))}"
        raise InvalidArgument(
            [Violation(f"notice.variables.{name}", "VARIABLE_UNKNOWN", described) for name in unknown]
        )
    words.rehearse(template, given)


async def _require_measure(tx: Transaction, customer: str, purpose: str, at_most: int) -> None:
    """Refuse what a program gone wrong would send. Each purpose has its own measure, and policies none."""
    await LOCK_NAME.run(tx, name=customer)
    since = tx.now - MEASURE  # ids may lie ahead of the time, and never behind it
    found = await COUNT_SENT_BY_HAND.one(
        tx, customer=customer, purpose=purpose, first=ids.floor(since), since=since
    )
    if found["count"] >= at_most:
        raise ResourceExhausted(
            "TOO_MANY_NOTICES",
            f"Departments may send a customer at most {at_most} notices for {purpose} within 24 hours.",
            {"most": at_most, "purpose": purpose},
        )
