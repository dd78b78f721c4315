"""What an attempt to deliver a notice is made of, and its beginning."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.db.database import Database
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.work import Work
from notifications.domain.attempt import Attempt
from notifications.domain.notice import Concern, Notice
from notifications.domain.template import Template, Text
from notifications.store.notices import GET_ATTEMPT, GET_NOTICE, INSERT_ATTEMPT
from notifications.store.templates import GET_TEXT_VERSION
from notifications.usecases.hear_of_promise import count_told, told_of_promise
from notifications.usecases.save_notice import save
from notifications.usecases.sendable import read_template
from notifications.usecases.words import text_for


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one attempt delivers.

    Attributes:
        compose_time: what the message bears as its date. A repeat bears the date of what it repeats.

    """

    notice: Notice
    template: Template
    text: Text
    channel: str
    compose_time: datetime


@dataclass(frozen=True, slots=True)
class Prepared:
    """What there is to deliver: the notice and the template as they were when it was prepared.

    Attributes:
        texts: the latest of every language. Of a repeat, the one that it repeats.
        compose_time: as a delivery has it.

    """

    notice: Notice
    template: Template
    texts: Sequence[Text]
    compose_time: datetime

    def to(self, channel: str, language_code: str) -> Delivery:
        """For a customer who is reached by `channel` and reads that language."""
        text = text_for(self.texts, language_code, self.template.default_language_code) or self.texts[0]
        return Delivery(self.notice, self.template, text, channel, self.compose_time)


async def prepare(db: Database, work: Work) -> Prepared:
    """What there is to deliver. A repeat renders the version of the text of what it repeats."""
    notice = await GET_NOTICE.one(db, id=UUID(work.key))
    template, texts = await read_template(db, notice.template_id)
    if notice.in_doubt:
        said = {"template_text_id": notice.language_code.lower(), "id": str(notice.text_version)}
        texts = [await GET_TEXT_VERSION.one(db, template_id=template.id, **said)]
    time = db.clock.now()
    if work.unknown and work.fingerprint:
        time = (await GET_ATTEMPT.one(db, notice_id=notice.id, id=work.unknown[0])).start_time
    return Prepared(dataclasses.replace(notice), template, texts, time)


async def start_attempt(tx: Transaction, notice: Notice, delivery: Delivery, attempt: Attempt) -> bool:
    """The message is about to leave. False when the notice says something else by now, or has ended."""
    if not notice.waits or notice.revision != delivery.notice.revision:
        return False
    notice.begin(attempt.number, delivery.channel, delivery.text)
    await INSERT_ATTEMPT.run(tx, **values(attempt))
    await save(tx, notice)
    if notice.concern != Concern.NONE:
        await count_told(tx, await told_of_promise(tx, notice))
    return True
