"""The channel of the inbox that a customer reads in an app: a message is a row of our own database."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from chassis import failpoints, ids
from chassis.db.database import Database
from notifications.domain.inbox_message import InboxMessage
from notifications.domain.notice import Notice
from notifications.domain.route import Addressed
from notifications.domain.strategy import Channel
from notifications.names import CUSTOMER
from notifications.peers.contacts import Contact
from notifications.usecases.attempt import Delivery
from notifications.usecases.inbox import NAME, Inboxes, put
from notifications.usecases.words import Words


@dataclass(slots=True)
class InboxChannel:
    """Messages that their customer finds there for `kept_for`."""

    db: Database
    inboxes: Inboxes
    kept_for: timedelta
    code: str = Channel.APP
    provider: str = NAME
    idempotent: bool = True
    addressed: Addressed | None = None
    a_minute: int = 0

    def key(self, notice: Notice) -> str:
        """The notice and its revision, and no key of what another channel says of it."""
        return f"inbox.{notice.id}.{notice.revision}"

    async def prepare(self, delivery: Delivery, contact: Contact, words: Words) -> InboxMessage:
        """The message, with all its parts."""
        now = self.db.clock.now()
        return InboxMessage(
            id=ids.uuid7(now),
            customer_id=CUSTOMER.ids(delivery.notice.customer)[0],
            notice=delivery.notice.name,
            key=self.key(delivery.notice),
            subject=words.subject,
            body=words.body,
            html=words.html,
            language_code=delivery.text.language_code,
            create_time=now,
            expire_time=now + self.kept_for,
        )

    async def send(
        self, message: InboxMessage, ready: Callable[[str], Awaitable[None]], commit_to_it: Callable[[], None]
    ) -> str:
        """Put it there. What is there by its key already stays as it is."""
        failpoints.hit("provider.before_send")
        said = "\n\n".join((message.subject, message.body, message.html))
        await ready(hashlib.sha256(said.encode()).hexdigest())
        commit_to_it()
        await put(self.db, self.inboxes, message)
        failpoints.hit("provider.after_accept")
        return "put"
