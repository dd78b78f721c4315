"""What a partial stands in, which must still say what it must when the partial is changed."""

import asyncio

from chassis.db.transaction import Transaction
from chassis.errors import FailedPrecondition, InvalidArgument
from notifications.domain.template import Template
from notifications.names import TEXT_VERSION
from notifications.store.tables import (
    GET_TEMPLATE,
    PARTIALS_BY_ID,
    POLICIES_WITH_TEMPLATE,
    SENT_TEXTS,
    TEMPLATES_INCLUDING,
)
from notifications.usecases import words
from notifications.usecases.partials import Changed, Whole, refusal, whole
from notifications.usecases.policy import require_sendable


async def require_fit(tx: Transaction, changed: Changed) -> None:
    """Refuse a partial with which what it stands in, by itself or in another, could not be sent.

    FailedPrecondition PARTIAL_IN_USE; TEMPLATE_NOT_SENDABLE by a policy that sends it.
    """
    for template_id in await including(tx, changed.partial.id):
        template = await GET_TEMPLATE.one(tx, id=template_id)
        texts = await SENT_TEXTS.all(tx, template_id=template_id)
        try:
            wholes = await whole(tx, template, texts, changed)
            for each in wholes:
                await asyncio.to_thread(words.check, template, each)
        except InvalidArgument as wrong:
            told = f"It stands in {template.name}, which could not be sent: {wrong}"
            raise FailedPrecondition("PARTIAL_IN_USE", told, {"resource": template.name}) from None
        for policy in await POLICIES_WITH_TEMPLATE.all(tx, template_id=template.id):
            await asyncio.to_thread(require_sendable, template, wholes, policy)


async def require_reviewed(tx: Transaction, template: Template, wholes: list[Whole]) -> None:
    """Refuse in what a second person approves what nobody else reads. InvalidArgument INVALID_PARTIAL."""
    if not template.review_required:
        return
    ids = {TEXT_VERSION.parse(name)[0] for each in wholes for name in each.partials}
    partials = await PARTIALS_BY_ID.all(tx, ids=sorted(ids))
    if unread := sorted(each.name for each in partials if not each.review_required):
        told = f"must include partials that are reviewed, as {template.name} is: {', '.join(unread)}"
        raise refusal("body", told)


async def including(tx: Transaction, partial_id: str) -> list[str]:
    """The templates, by id, of which a text that is sent has a partial, or one that has it."""
    return [row["template_id"] for row in await TEMPLATES_INCLUDING.all(tx, partial=partial_id)]
