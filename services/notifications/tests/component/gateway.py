"""A gateway of text messages that answers as told."""

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any

from rapport_testing.fixtures import free_port


class Gateway:
    """A gateway that takes text messages by signed webhooks, and answers as told.

    Attributes:
        answers: to the next requests, before it takes everything: an answer's head, `DROP` or `SILENCE`.
        asked: the headers and the content of every request.
        sent: each message that it has taken, by its id: a repeat is the same.
        at_request: called when the next request is there, before it is answered.
    """

    DROP, SILENCE = b"DROP", b"SILENCE"

    def __init__(self) -> None:
        self.port = free_port()
        self.forget()

    def forget(self) -> None:
        """Be as it was made: nothing came, and everything will be taken."""
        self.answers: list[bytes] = []
        self.asked: list[tuple[dict[str, str], bytes]] = []
        self.sent: dict[str, dict[str, Any]] = {}
        self.at_request: Callable[[], None] = lambda: None

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, which is one request."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head)
            }
            content = await reader.readexactly(int(headers["content-length"]))
            self.asked.append((headers, content))
            moment, self.at_request = self.at_request, lambda: None
            moment()
            answer = self.answers.pop(0) if self.answers else b"202 Accepted"
            if answer in (self.DROP, self.SILENCE) or answer.startswith(b"2"):
                self.sent[headers["webhook-id"]] = json.loads(content)
            if answer == self.SILENCE:
                await reader.read()
            elif answer != self.DROP:
                writer.write(b"HTTP/1.1 " + answer + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                await writer.drain()
        writer.close()
