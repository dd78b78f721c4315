"""The provider of e-mail: an SMTP server, recognising a repeat by the Message-ID."""

from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

import aiosmtplib

from chassis import failpoints
from chassis.telemetry.tracing import client_span
from notifications.domain.attempt import Later, Refused
from notifications.domain.notice import REFUSED
from notifications.usecases.words import Words, one_line

NAME = "providers/smtp"
_PERMANENT = 500
_ACCEPTED = "250"


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail is handed in. `security` is `none`, `starttls` or `tls`; no username, no login."""

    host: str
    port: int
    security: str
    username: str
    password: str


@dataclass(frozen=True, repr=False, slots=True)
class Mail:
    """One message, plain text. Personal: used once, never kept, never shown."""

    message_id: str
    address: str
    name: str
    reply_to: str
    words: Words
    language_code: str
    time: datetime


class SmtpProvider:
    """Sends mail.

    Args:
        server: where mail is handed in.
        sender: the From header, `Acme <service@acme.example>`; its domain is the domain of our Message-IDs.

    """

    def __init__(self, server: SmtpServer, sender: str) -> None:
        self._server = server
        name, address = parseaddr(sender)
        self._sender = Address(name, addr_spec=address)

    @property
    def domain(self) -> str:
        """The domain of the Message-IDs."""
        return self._sender.domain

    async def send(self, mail: Mail) -> str:
        """Hand in one message and return the server's code.

        Later when the server is down, refuses us, or answers 4xx; Refused when it answers 5xx to this
        message, or the address is none.
        """
        message = self._message(mail)
        server = self._server
        failpoints.hit("provider.before_send")
        with client_span("send smtp", {"server.address": server.host, "server.port": server.port}):
            try:
                await aiosmtplib.send(
                    message,
                    hostname=server.host,
                    port=server.port,
                    use_tls=server.security == "tls",
                    start_tls=server.security == "starttls",
                    username=server.username or None,
                    password=server.password or None,
                )
            except aiosmtplib.SMTPRecipientsRefused as refused:
                raise _answer(refused.recipients[0].code) from None
            except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPDataError) as refused:
                raise _answer(refused.code) from None
            except aiosmtplib.SMTPResponseException as refused:  # to us, not to this message
                raise Later(str(refused.code)) from None
            except (aiosmtplib.SMTPException, OSError) as error:
                raise Later(type(error).__name__) from None
        failpoints.hit("provider.after_accept")
        return _ACCEPTED

    def _message(self, mail: Mail) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        try:
            message["To"] = Address(one_line(mail.name), addr_spec=mail.address)
        except (MessageError, ValueError):
            raise Refused("INVALID_ADDRESS", REFUSED) from None
        message["From"] = self._sender
        if mail.reply_to:
            message["Reply-To"] = one_line(mail.reply_to)
        message["Subject"] = one_line(mail.words.subject)
        message["Date"] = format_datetime(mail.time)
        message["Message-ID"] = mail.message_id
        message["Auto-Submitted"] = "auto-generated"
        message["Content-Language"] = mail.language_code
        message.set_content(mail.words.body)
        return message


def _answer(code: int) -> Later | Refused:
    return Refused(str(code), REFUSED) if code >= _PERMANENT else Later(str(code))
