"""What an attempt to deliver a notice is made of, and its beginning."""

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.db.database import Database
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.work import Work
from notifications.domain.attempt import Attempt
from notifications.domain.notice import Concern, Notice
from notifications.domain.template import Template
from notifications.store.notices import GET_ATTEMPT, GET_NOTICE, INSERT_ATTEMPT
from notifications.store.templates import GET_TEMPLATE, GET_TEMPLATE_VERSION
from notifications.usecases.hear_of_promise import count_told, told_of_promise
from notifications.usecases.save_notice import save


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one attempt is to deliver: the notice and the template as they were when it was prepared.

    Attributes:
        compose_time: what the message bears as its date. A repeat bears the date of what it repeats.

    """

    notice: Notice
    template: Template
    compose_time: datetime


async def prepare(db: Database, work: Work) -> Delivery:
    """What there is to deliver. A repeat renders the template version of what it repeats."""
    notice = await GET_NOTICE.one(db, id=UUID(work.key))
    if notice.in_doubt:
        template = await GET_TEMPLATE_VERSION.one(db, id=notice.template, version=notice.template_version)
    else:
        template = await GET_TEMPLATE.one(db, id=notice.template)
    time = db.clock.now()
    if work.unknown and work.fingerprint:
        time = (await GET_ATTEMPT.one(db, notice=notice.id, number=work.unknown[0])).start_time
    return Delivery(dataclasses.replace(notice), template, time)


async def start_attempt(tx: Transaction, notice: Notice, delivery: Delivery, attempt: Attempt) -> bool:
    """The message is about to leave. False when the notice says something else by now, or has ended."""
    if not notice.waits or notice.revision != delivery.notice.revision:
        return False
    notice.template_version = delivery.template.version
    notice.begin(attempt.number)
    await INSERT_ATTEMPT.run(tx, **values(attempt))
    await save(tx, notice)
    if notice.concern != Concern.NONE:
        await count_told(tx, await told_of_promise(tx, notice))
    return True
