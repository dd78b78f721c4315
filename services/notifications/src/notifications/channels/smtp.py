"""The provider of e-mail: an SMTP server. It takes a message once for each time that it is handed in."""

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

import aiosmtplib

from chassis import failpoints
from chassis.api.addresses import Address
from chassis.telemetry.tracing import client_span
from chassis.work import Later, NotDone, Ours, Refused, code_of
from notifications.channels.channel import Away, Unwanted
from notifications.channels.message import Mail, compose
from notifications.domain.reasons import Reason

NAME = "providers/smtp"
STEP_S = 30.0  # for the answer to anything but the message
QUIT_S = 2.0
IDLE_S = 2.0  # for which a connection is kept; servers wait for minutes
MESSAGES_MOST = 50  # on one connection
_GO_ON = 354
_SUCCESS, _REFUSALS = 2, (4, 5)  # the first digit: RFC 5321, 4.2.1
_FIRST_DOT = re.compile(rb"^\.", re.MULTILINE)
_PERMANENT = 500
_CLOSING = 421
_GONE = re.compile(rf"{_CLOSING}|[^\d]")  # it closes, or did not answer
_ENHANCED = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")
# Bad mailbox, system, syntax; moved, not unique, no mail there; disabled, full, size, list; no route, no
# host; an address that the system behind cannot take.
_RECIPIENT = re.compile(r"5\.1\.(?:[1-69]|10)|5\.2\.[0-4]|5\.4\.[14]|5\.6\.7")
_LEAVES = re.compile(r"421|4\d\d 4\.(?:3\.|7\.28)")  # closes, is full, or counts what is ours
_UNDEFINED = re.compile(r"5\.[0-5]\.0|5\.5\.0")  # says no more than the code
_OF_A_MAILBOX = {550, 551, 552}
_ABOUT_US = re.compile(
    r"relay|rcpthosts|sender|authenticat|log ?in|credential|limit|too many|\brate\b|spam|black|block"
    r"|reputation|spf|dkim|dmarc|policy|not owned|send as|client host|banned",
    re.IGNORECASE,
)


@dataclass(eq=False, slots=True)
class _Kept:
    """A connection, on which nothing is going on while it is kept."""

    smtp: aiosmtplib.SMTP
    messages: int = 0
    ending: asyncio.TimerHandle = field(init=False)


@dataclass(frozen=True, repr=False, slots=True)
class SmtpProvider:
    """Hands in mail to a server, one message after another on as many connections as there are at once.

    `security` is `none`, `starttls` or `tls`; no username, no login. The password is asked for each time that
    one is made.
    """

    host: str
    port: int
    security: str
    username: str
    password: Callable[[], str]
    sign: Callable[[bytes], bytes] = bytes  # puts a signature before a message
    _idle: "list[_Kept]" = field(default_factory=list, init=False)
    _leaving: set[asyncio.Task[None]] = field(default_factory=set, init=False)

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
            Away: no connection, or nothing now.
            Unwanted: this message, for what it says.
            Later: not now for this recipient.
            Exception: anything else after the final dot: nobody knows.
        """
        failpoints.hit("provider.before_send")
        with client_span("send smtp", {"server.address": self.host, "server.port": self.port}):
            kept = await self._addressed(mail)
            try:
                content = self.sign(compose(mail))
                await ready(mail.fingerprint)
                code = await self._data(kept.smtp, content, commit_to_it)
                failpoints.hit("provider.after_accept")
            except BaseException:
                kept.smtp.close()
                raise
            self._keep(kept)
            return code

    async def _addressed(self, mail: Mail) -> "_Kept":
        """A connection on which sender and recipient are named: one that was kept, or else a new one.

        That one is dead, or closed by the server, says nothing of what becomes of a new one; but the others
        that were kept may be dead too, and are left.
        """
        if self._idle:
            kept = self._idle.pop()
            kept.ending.cancel()
            try:
                await self._envelope(kept.smtp, mail)
            except BaseException as error:
                kept.smtp.close()
                if not isinstance(error, Away) or not _GONE.match(error.code):
                    raise
                self._leave_all()
            else:
                return kept
        smtp = self._client()
        try:
            await self._connect(smtp)
            await self._envelope(smtp, mail)
        except BaseException:
            smtp.close()
            raise
        return _Kept(smtp)

    def _keep(self, kept: "_Kept") -> None:
        """Keep a connection for the next message, a moment and not for too many: servers count."""
        kept.messages += 1
        loop = asyncio.get_running_loop()
        if kept.messages < MESSAGES_MOST:
            self._idle.append(kept)
            kept.ending = loop.call_later(IDLE_S, self._let_go, kept)
        else:
            self._parting(kept)

    def _let_go(self, kept: "_Kept") -> None:
        self._idle.remove(kept)
        self._parting(kept)

    def _leave_all(self) -> None:
        while self._idle:
            kept = self._idle.pop()
            kept.ending.cancel()
            kept.smtp.close()

    def _parting(self, kept: "_Kept") -> None:
        task = asyncio.create_task(_leave(kept.smtp))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

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
            raise Away(_code(error)) from None

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
            raise Away(_code(error)) from None

    async def _data(self, smtp: aiosmtplib.SMTP, content: bytes, commit_to_it: Callable[[], None]) -> str:
        """Send the message. The final dot goes by itself, so that until then nothing has happened."""
        try:
            answer = await smtp.execute_command(b"DATA")
            if answer.code != _GO_ON:
                raise refusal(answer.code, answer.message, of_recipient=True)
            protocol = smtp.protocol
            if protocol is None:
                raise Away("smtp-server-disconnected")
            protocol.write(_FIRST_DOT.sub(b"..", content))
        except aiosmtplib.SMTPException as error:
            raise Away(_code(error)) from None
        commit_to_it()
        protocol.write(b".\r\n")
        answer = await protocol.read_response()  # as long as the turn lasts
        if answer.code // 100 == _SUCCESS:
            return str(answer.code)
        if answer.code // 100 not in _REFUSALS:  # no answer to a message: nobody knows
            raise aiosmtplib.SMTPResponseException(answer.code, answer.message)
        raise of_what_it_says(refusal(answer.code, answer.message, of_recipient=True))


def of_what_it_says(refused: NotDone) -> NotDone:
    """What is said after the message is about that, unless it is the recipient's, or the server goes away."""
    if isinstance(refused, Ours):
        return Unwanted(refused.code)
    if isinstance(refused, Away) and not _LEAVES.match(refused.code):
        return Unwanted(refused.code, passing=True)
    return refused


def refusal(code: int, text: str, *, of_recipient: bool) -> NotDone:
    """What an answer of 400 or more is about: the recipient, us, or the moment.

    Only what says so is about the recipient, for only that ends a notice. A server that does not know us,
    does not want our sender, or has counted enough of our mail today, says 5xx just the same, and means that
    we have to mend something. By the enhanced codes of RFC 3463 where there is one; else by the code and a
    word of the text, which goes no further.

    Args:
        code: the answer's code.
        text: its text; may be personal and is not kept.
        of_recipient: whether the recipient was named by then, and so may be meant.
    """
    enhanced = found.group() if (found := _ENHANCED.search(text)) else ""
    shown = f"{code} {enhanced}".strip()
    if code < _PERMANENT:
        return Later(shown) if of_recipient and not _is_of_server(code, enhanced, text) else Away(shown)
    if of_recipient and _is_about_recipient(code, enhanced, text):
        return Refused(shown)
    return Ours(shown)


def _is_of_server(code: int, enhanced: str, text: str) -> bool:
    """Whether what may pass stands in everybody's way: the server closes, is full, or counts what is ours."""
    return code == _CLOSING or enhanced.startswith(("4.3.", "4.7.28")) or bool(_ABOUT_US.search(text))


def _is_about_recipient(code: int, enhanced: str, text: str) -> bool:
    if enhanced and not _UNDEFINED.fullmatch(enhanced):
        return bool(_RECIPIENT.fullmatch(enhanced))
    return code in _OF_A_MAILBOX and not _ABOUT_US.search(text)


def _code(error: aiosmtplib.SMTPException) -> str:
    return code_of(type(error).__name__)


def _options(smtp: aiosmtplib.SMTP, to: Address) -> tuple[list[str], str]:
    """The options of the envelope, and its encoding. Refused when the server cannot write to the address."""
    if not to.needs_utf8:
        return [], "ascii"
    if not smtp.supports_extension("smtputf8"):
        raise Refused(Reason.NEEDS_SMTPUTF8)
    return ["SMTPUTF8", "BODY=8BITMIME"], "utf-8"


async def _leave(smtp: aiosmtplib.SMTP) -> None:
    try:
        await _part(smtp)
    finally:
        smtp.close()


async def _part(smtp: aiosmtplib.SMTP) -> None:
    """Say good-bye; nothing depends on it."""
    with suppress(aiosmtplib.SMTPException, OSError):
        await smtp.quit(timeout=QUIT_S)
