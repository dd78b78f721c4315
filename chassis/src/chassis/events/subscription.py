"""What a service listens to: which messages of which service, and who handles them."""

import typing
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from chassis.db.transaction import Transaction
from chassis.events.envelope import Event
from chassis.events.facts import subject_of
from chassis.events.provision import Consumption

Handler = Callable[[Transaction, Event[Any]], Awaitable[None]]
BatchHandler = Callable[[Transaction, Sequence[Event[Any]]], Awaitable[None]]

BATCH = 500
PENDING_BATCHES = 1000  # two batches: one in work, one on its way
PENDING_SINGLES = 256


@dataclass(frozen=True, slots=True)
class Listening:
    """What a service declares that it listens to, before anything is composed: one durable consumer.

    Attributes:
        durable: `<service>-<handler>`. It names a position in the stream: renaming it replays all.
        source: the publishing service.
        messages: the event messages that are handled.
        in_batches: whether `App.project` folds many in one transaction; else each is
            handled alone, by `App.subscribe`.

    """

    durable: str
    source: str
    messages: Sequence[type[Message]]
    in_batches: bool = False

    def consumption(self) -> Consumption:
        """What it needs of the broker."""
        subjects = tuple(sorted({subject_of(message) for message in self.messages}))
        pending = PENDING_BATCHES if self.in_batches else PENDING_SINGLES
        return Consumption(self.durable, self.source, subjects, pending)


@dataclass(slots=True)
class Subscription:
    """One durable consumer and its handlers. Make it with `of_handlers` or `of_batches`.

    Attributes:
        durable: `<service>-<handler>`, the consumer's name and the inbox's key.
        source: the publishing service.
        messages: what is handled, by full name.
        handlers: for each of them, when events are handled one by one.
        batch: handles many events in one transaction, when they are folded into a read model.

    """

    durable: str
    source: str
    messages: Mapping[str, type[Message]]
    handlers: Mapping[str, Handler]
    batch: BatchHandler | None = None

    @classmethod
    def of_handlers(cls, durable: str, source: str, handlers: Sequence[Handler]) -> "Subscription":
        """One transaction for each event. ValueError when two handlers want the same message."""
        messages = [_message_of(handler) for handler in handlers]
        names = [message.DESCRIPTOR.full_name for message in messages]
        if len(set(names)) != len(names) or not names:
            raise ValueError(f"{durable} needs one handler for each message, has {names}")
        return cls(
            durable, source, dict(zip(names, messages, strict=True)), dict(zip(names, handlers, strict=True))
        )

    @classmethod
    def of_batches(
        cls, durable: str, source: str, messages: Sequence[type[Message]], handler: BatchHandler
    ) -> "Subscription":
        """One transaction for each batch of up to 500 events."""
        return cls(
            durable, source, {message.DESCRIPTOR.full_name: message for message in messages}, {}, handler
        )

    def declared(self) -> Consumption:
        """What it needs of the broker."""
        messages = tuple(self.messages.values())
        return Listening(self.durable, self.source, messages, self.batch is not None).consumption()


def _message_of(handler: Handler) -> type[Message]:
    """The message that a handler is annotated to take: `event: Event[NoticeSent]`."""
    hints = typing.get_type_hints(handler).values()
    found = [typing.get_args(hint)[0] for hint in hints if typing.get_origin(hint) is Event]
    if len(found) != 1:
        raise TypeError(f"{handler.__qualname__} must take (tx: Transaction, event: Event[SomeMessage])")
    return typing.cast(type[Message], found[0])
