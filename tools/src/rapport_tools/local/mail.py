"""A mail server for the local stack: `python -m rapport_tools.local.mail FOLDER PORT`.

It plays the mail provider that knows what it has: a message is kept once. A repeat of it, to the byte, is
accepted and counted, and not kept again; the same Message-ID with other words is another message. Nothing is
ever sent on.
"""

import asyncio
import email
import email.policy
import hashlib
import json
import signal
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from rapport_testing.engines.process import write_private

MAX_MESSAGE_BYTES = 5 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Mail:
    """One kept message. `repeats` counts how often it was handed in again."""

    id: str
    message_id: str
    received_at: str
    sender: str
    recipients: list[str]
    subject: str
    repeats: int


class Mailbox:
    """The kept messages: `<id>.eml` as received and `<id>.json` about it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, content: bytes, sender: str, recipients: list[str]) -> Mail:
        """Keep a message, or count a repeat of it."""
        message = email.message_from_bytes(content, policy=email.policy.default)
        message_id = str(message["Message-ID"] or "")
        key = hashlib.sha256(content).hexdigest()[:16]
        known = self.find(key)
        if known is None:
            (self.folder / f"{key}.eml").write_bytes(content)
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            mail = Mail(key, message_id, now, sender, recipients, str(message["Subject"] or ""), 0)
        else:
            mail = Mail(**(asdict(known) | {"repeats": known.repeats + 1}))
        write_private(self.folder / f"{key}.json", json.dumps(asdict(mail)))  # from here on it is kept
        return mail

    def find(self, key: str) -> Mail | None:
        path = self.folder / f"{key}.json"
        return Mail(**json.loads(path.read_text())) if path.exists() else None

    def list(self) -> "list[Mail]":
        """Every message, newest first."""
        return sorted(self._all(), key=lambda mail: mail.received_at, reverse=True)

    def message(self, key: str) -> EmailMessage:
        parsed = email.message_from_bytes(
            (self.folder / f"{key}.eml").read_bytes(), policy=email.policy.default
        )
        assert isinstance(parsed, EmailMessage)
        return parsed

    def _all(self) -> Iterator[Mail]:
        for path in self.folder.glob("*.json"):
            yield Mail(**json.loads(path.read_text()))


class Handler:
    """What aiosmtpd calls for each message."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Accept a message; 250 is answered only once it is kept."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        mail = self._mailbox.keep(content, envelope.mail_from or "", list(envelope.rcpt_tos))
        return (
            f"250 kept as {mail.id}"
            if mail.repeats == 0
            else f"250 known as {mail.id}, repeat {mail.repeats}"
        )


async def serve(folder: Path, port: int) -> None:
    """Receive until SIGTERM."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    handler = Handler(Mailbox(folder))

    def connection() -> SMTP:
        return SMTP(
            handler, data_size_limit=MAX_MESSAGE_BYTES, hostname="rapport.local", enable_SMTPUTF8=True
        )

    async with await loop.create_server(connection, "127.0.0.1", port):
        await stopping.wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
