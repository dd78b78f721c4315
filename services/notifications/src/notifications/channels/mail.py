"""The channel of e-mail."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from chassis.api.addresses import address_of
from chassis.work import Refused
from notifications.channels import smtp
from notifications.channels.message import Mail, Mailbox
from notifications.channels.smtp import SmtpProvider
from notifications.domain.notice import Notice
from notifications.domain.reasons import Reason
from notifications.domain.route import Addressed
from notifications.peers.contacts import Contact
from notifications.usecases.attempt import Delivery
from notifications.usecases.words import Words

BY_MAIL = Addressed("EMAIL", "dsn", "feedback-loop")


@dataclass(slots=True)
class MailChannel:
    """E-mail, from `sender`, by an SMTP server."""

    server: SmtpProvider
    sender: Mailbox
    a_minute: int
    code: str = "EMAIL"
    provider: str = smtp.NAME
    addressed: Addressed | None = BY_MAIL
    idempotent: bool = False

    def key(self, notice: Notice) -> str:
        """The Message-ID."""
        return message_id(notice, self.sender.address.domain)

    async def prepare(self, delivery: Delivery, contact: Contact, words: Words) -> Mail:
        """The message, with a way out where there is one."""
        address, reply_to = address_of(contact.address), address_of(contact.reply_to)
        if address is None:
            raise Refused(Reason.INVALID_ADDRESS)
        return Mail(
            message_id=self.key(delivery.notice),
            sender=self.sender,
            to=Mailbox(contact.customer_name, address),
            reply_to=reply_to if reply_to and not reply_to.needs_utf8 else None,
            words=words,
            language_code=delivery.text.language_code,
            time=delivery.compose_time,
            unsubscribe_url=contact.unsubscribe_url,
        )

    async def send(
        self, message: Mail, ready: Callable[[str], Awaitable[None]], commit_to_it: Callable[[], None]
    ) -> str:
        return await self.server.send(message, ready, commit_to_it)


def message_id(notice: Notice, domain: str) -> str:
    """The same for every attempt to say the same thing, another for a revision."""
    revision = f".{notice.revision}" if notice.revision else ""
    return f"<{notice.id}{revision}@{domain}>"
