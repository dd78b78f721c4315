"""Taking a notice from the queue for one attempt to deliver it."""

import dataclasses
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from chassis.db.statement import values
from chassis.db.transaction import Transaction
from notifications.domain.attempt import Attempt
from notifications.domain.notice import Notice
from notifications.domain.template import Template
from notifications.store.notices import INSERT_ATTEMPT, LOCK_NOTICE
from notifications.store.templates import GET_TEMPLATE, GET_TEMPLATE_VERSION
from notifications.usecases.save_notice import SEND, save


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one attempt is to deliver: the notice and the template as they were when it began."""

    notice: Notice
    template: Template
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider: its resource name, and the domain in which its keys are ours."""

    name: str
    key_domain: str


async def start_attempt(
    tx: Transaction, notice_id: UUID, provider: Provider, send_timeout: timedelta
) -> Delivery | None:
    """Claim the notice for one attempt, or None when there is nothing more to send.

    The queue holds it again after `send_timeout`, in case this process does not live to record the outcome.
    Every attempt renders the template version of the first one.
    """
    notice = await LOCK_NOTICE.maybe(tx, id=notice_id)
    if notice is None or notice.ended:
        return None
    if not notice.claim(tx.now):
        await save(tx, notice, caused_by=notice.request_event)
        return None
    if notice.template_version:
        template = await GET_TEMPLATE_VERSION.one(tx, id=notice.template, version=notice.template_version)
    else:
        template = await GET_TEMPLATE.one(tx, id=notice.template)
        notice.template_version = template.version
    key = notice.provider_key(provider.key_domain)
    attempt = Attempt(notice.id, notice.attempt_count, provider.name, key, tx.now)
    await tx.schedule(SEND, str(notice.id), tx.now + send_timeout)
    await INSERT_ATTEMPT.run(tx, **values(attempt))
    await save(tx, notice)
    return Delivery(dataclasses.replace(notice), template, attempt)
