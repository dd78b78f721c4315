"""A mail server that answers as told."""

import asyncio
import email
import email.policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, Envelope, Session

from rapport_testing.fixtures import free_port


class MailServer:
    """An SMTP server that answers as told.

    Attributes:
        replies: the answers to the next messages, before it accepts everything.
        refusals: the answers to the next commands of a name, such as `RCPT`, before it takes them.
        unwanted: words of subjects; a message with one is refused as spam.
        received: every message that was handed in, accepted or not.
        raw: the same as bytes.
        accepted: those that were accepted.
    """

    DROP = "250 an answer that is lost"

    def __init__(self) -> None:
        self.port = free_port()
        self._server: asyncio.Server | None = None
        self.forget()

    def forget(self) -> None:
        """Be as it was made: nothing came, and everything will be accepted."""
        self.replies: list[str] = []
        self.unwanted: list[str] = []
        self.received: list[EmailMessage] = []
        self.accepted: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.refusals: dict[str, list[str]] = {"MAIL": [], "RCPT": []}
        self.raw: list[bytes] = []
        self.gate = asyncio.Event()  # answers wait until it is set
        self.gate.set()
        self.utf8 = True

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        message = email.message_from_bytes(envelope.content or b"", policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.received.append(message)
        self.raw.append(envelope.original_content or b"")
        await self.gate.wait()
        if self.replies:
            if self.replies[0] == self.DROP and server.transport is not None:
                server.transport.abort()
            return self.replies.pop(0)
        if any(word in str(message["subject"]) for word in self.unwanted):
            return "554 5.7.1 Message rejected as spam"
        self.accepted.append(message)
        self.recipients += envelope.rcpt_tos
        return "250 kept"

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.refusals["MAIL"]:
            return self.refusals["MAIL"].pop(0)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 ok"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.refusals["RCPT"]:
            return self.refusals["RCPT"].pop(0)
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def start(self) -> None:
        """Listen, unless it does."""
        if self._server is not None:
            return
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, hostname="test.local", enable_SMTPUTF8=self.utf8), "127.0.0.1", self.port
        )

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None
