"""What an attempt to deliver a notice is made of, and its beginning."""

from dataclasses import dataclass
from datetime import datetime

from chassis.db.database import Database
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.work import Work
from notifications.domain.attempt import Attempt
from notifications.domain.notice import Notice
from notifications.domain.template import Template, Text
from notifications.store.notices import GET_ATTEMPT, INSERT_ATTEMPT
from notifications.store.templates import GET_TEXT_VERSION
from notifications.usecases.hear_of_promise import count_told, told_of_promise
from notifications.usecases.save_notice import save
from notifications.usecases.sendable import read_template
from notifications.usecases.words import text_for


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one attempt delivers: the notice and the template as they were when it was prepared.

    Attributes:
        compose_time: what the message bears as its date. A repeat bears the date of what it repeats.
    """

    notice: Notice
    template: Template
    text: Text
    channel: str
    compose_time: datetime


async def prepare(db: Database, work: Work, notice: Notice, channel: str, language_code: str) -> Delivery:
    """What to deliver to a customer who is reached by `channel` and reads that language.

    A repeat renders the version of the text of what it repeats.
    """
    template, texts = await read_template(db, notice.template_id)
    text = text_for(texts, language_code, template.default_language_code) or texts[0]
    if notice.in_doubt:
        said = {"template_text_id": notice.language_code.lower(), "id": str(notice.text_version)}
        text = await GET_TEXT_VERSION.one(db, template_id=template.id, **said)
    time = db.clock.now()
    if work.unknown and work.fingerprint:
        time = (await GET_ATTEMPT.one(db, notice_id=notice.id, id=work.unknown[0])).start_time
    return Delivery(notice, template, text, channel, time)


async def start_attempt(tx: Transaction, notice: Notice, delivery: Delivery, attempt: Attempt) -> bool:
    """The message is about to leave. False when the notice says something else by now, or has ended."""
    if not notice.waits or notice.revision != delivery.notice.revision:
        return False
    notice.begin(attempt.number, delivery.channel, delivery.text)
    await INSERT_ATTEMPT.run(tx, **values(attempt))
    await save(tx, notice)
    await count_told(tx, await told_of_promise(tx, notice))
    return True
