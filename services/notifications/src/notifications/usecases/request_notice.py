"""Requesting a notice. The notice is in the queue once the transaction has committed."""

from dataclasses import dataclass
from datetime import datetime

from chassis import ids
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.errors import InvalidArgument, NotFound, Violation
from notifications.domain.notice import LIFETIME, Concern, Notice
from notifications.domain.template import SENDER, Template
from notifications.store.notices import INSERT_NOTICE
from notifications.store.templates import GET_TEMPLATE
from notifications.usecases import words
from notifications.usecases.save_notice import queue


@dataclass(frozen=True, slots=True)
class RequestNotice:
    """What to tell whom. `template` is the template's id; the last seven are a policy's, see `Notice`."""

    customer: str
    kind: str
    purpose: str
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
    seen_version: int = 0


async def send_notice(tx: Transaction, command: RequestNotice) -> Notice:
    """Request a notice for a department, once it is sure that the template can say it.

    NotFound when there is no such template; InvalidArgument VARIABLE_UNKNOWN for what it does not take, and
    what `words.render` finds.
    """
    template = await GET_TEMPLATE.maybe(tx, id=command.template)
    if template is None:
        raise NotFound(f"templates/{command.template}")
    _check_variables(template, command.variables)
    return await request_notice(tx, command)


async def request_notice(tx: Transaction, command: RequestNotice) -> Notice:
    """Put a notice into the queue."""
    given = values(command) | {"expire_time": command.expire_time or tx.now + LIFETIME}
    notice = Notice(id=ids.uuid7(tx.now), request_time=tx.now, request_event=tx.id, **given)
    notice.request_event = tx.record(notice.request_fact(), version=notice.version)
    await queue(tx, notice)
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
