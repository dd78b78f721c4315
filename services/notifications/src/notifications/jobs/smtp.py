"""The provider of e-mail: an SMTP server. It takes a message once for each time that it is handed in."""

import hashlib
import re
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import aiosmtplib

from chassis import failpoints
from chassis.api.addresses import Address
from chassis.telemetry.tracing import client_span
from chassis.work import Later, Ours, Refused, code_of
from notifications.jobs.answers import refusal
from notifications.jobs.message import Mail, compose

NAME = "providers/smtp"
STEP_S = 30.0  # for the answer to anything but the message
QUIT_S = 2.0
_GO_ON = 354
_SUCCESS = 2  # the first digit: RFC 5321, 4.2.1
_FIRST_DOT = re.compile(rb"^\.", re.MULTILINE)


@dataclass(frozen=True, repr=False, slots=True)
class SmtpProvider:
    """Hands in mail to a server, one connection for each message.

    `security` is `none`, `starttls` or `tls`; no username, no login. The password is asked for each time.
    """

    host: str
    port: int
    security: str
    username: str
    password: Callable[[], str]

    async def send(
        self, mail: Mail, ready: Callable[[str], Awaitable[None]], commit_to_it: Callable[[], None]
    ) -> str:
        """Hand in one message and return the server's code.

        Args:
            mail: the message.
            ready: awaited when the server would take the message, with a fingerprint of it.
            commit_to_it: called right before the final dot, after which only an answer tells.

        Raises:
            Refused: the address is none, or the server refuses it for good.
            Ours: the server refuses us: a login, a sender, a quota, relaying.
            Later: no connection, or not now.
            Exception: anything else after the final dot: nobody knows.
        """
        smtp = self._client()
        failpoints.hit("provider.before_send")
        with client_span("send smtp", {"server.address": self.host, "server.port": self.port}):
            try:
                await self._connect(smtp)
                await self._envelope(smtp, mail)
                content = compose(mail)
                await ready(hashlib.sha256(content).hexdigest())
                code = await self._data(smtp, content, commit_to_it)
                failpoints.hit("provider.after_accept")
                await _part(smtp)
                return code
            finally:
                smtp.close()

    async def greet(self) -> None:
        """Go as far as before a message, and leave. Raises as `send` does."""
        smtp = self._client()
        try:
            await self._connect(smtp)
            await _part(smtp)
        finally:
            smtp.close()

    def _client(self) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            use_tls=self.security == "tls",
            start_tls=self.security == "starttls",
            username=self.username or None,
            password=self.password() or None,
            timeout=STEP_S,
        )

    async def _connect(self, smtp: aiosmtplib.SMTP) -> None:
        """Connect, greet, encrypt, log in: whatever is refused here is refused to us."""
        try:
            await smtp.connect()
            if smtp.is_ehlo_or_helo_needed:
                await smtp.ehlo()
        except aiosmtplib.SMTPResponseException as refused:
            raise refusal(refused.code, refused.message, of_recipient=False) from None
        except aiosmtplib.SMTPException as error:
            if isinstance(error.__cause__, ssl.SSLError) or type(error) is aiosmtplib.SMTPException:
                raise Ours(_code(error)) from None  # a certificate, or no STARTTLS, or no login there
            raise Later(_code(error)) from None

    async def _envelope(self, smtp: aiosmtplib.SMTP, mail: Mail) -> None:
        """Name the sender and the recipient."""
        to = mail.to.address
        options, encoding = _options(smtp, to)
        try:
            await smtp.mail(mail.sender.address.spec, options=options, encoding=encoding)
            await smtp.rcpt(to.spec, encoding=encoding)
        except aiosmtplib.SMTPSenderRefused as refused:
            raise refusal(refused.code, refused.message, of_recipient=False) from None
        except aiosmtplib.SMTPResponseException as refused:
            raise refusal(refused.code, refused.message, of_recipient=True) from None
        except aiosmtplib.SMTPException as error:
            raise Later(_code(error)) from None

    async def _data(self, smtp: aiosmtplib.SMTP, content: bytes, commit_to_it: Callable[[], None]) -> str:
        """Send the message. The final dot goes by itself, so that until then nothing has happened."""
        try:
            answer = await smtp.execute_command(b"DATA")
            if answer.code != _GO_ON:
                raise refusal(answer.code, answer.message, of_recipient=True)
            protocol = smtp.protocol
            if protocol is None:
                raise Later("smtp-server-disconnected")
            protocol.write(_FIRST_DOT.sub(b"..", content))
        except aiosmtplib.SMTPException as error:
            raise Later(_code(error)) from None
        commit_to_it()
        protocol.write(b".\r\n")
        answer = await protocol.read_response()  # as long as the turn lasts
        if answer.code // 100 != _SUCCESS:
            raise refusal(answer.code, answer.message, of_recipient=True)
        return str(answer.code)


def _code(error: aiosmtplib.SMTPException) -> str:
    return code_of(type(error).__name__)


def _options(smtp: aiosmtplib.SMTP, to: Address) -> tuple[list[str], str]:
    """The options of the envelope, and its encoding. Refused when the server cannot write to the address."""
    if not to.needs_utf8:
        return [], "ascii"
    if not smtp.supports_extension("smtputf8"):
        raise Refused("address-needs-smtputf8")
    return ["SMTPUTF8", "BODY=8BITMIME"], "utf-8"


async def _part(smtp: aiosmtplib.SMTP) -> None:
    """Say good-bye; nothing depends on it."""
    with suppress(aiosmtplib.SMTPException, OSError):
        await smtp.quit(timeout=QUIT_S)
