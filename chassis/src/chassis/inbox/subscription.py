"""What a service listens to: which messages of which service, and who handles them."""

import typing
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from chassis.contracts import message_of
from chassis.db.transaction import Transaction
from chassis.events import registry
from chassis.events.declarations import Consumption, Listening
from chassis.events.envelope import Event

Handler = Callable[[Transaction, Event[Any]], Awaitable[None]]
BatchHandler = Callable[[Transaction, Sequence[Event[Any]]], Awaitable[None]]

BATCH = 500


@dataclass(slots=True)
class Subscription:
    """One durable consumer and its handlers. Make it with `of_handlers` or `of_batches`."""

    durable: str  # `<service>-<handler>`, the consumer's name and the inbox's key
    source: str
    # What is handled, by full name; of what is heard by pattern, what can be read here.
    messages: Mapping[str, type[Message]]
    # For each of them, when events are handled one by one; under "" for every other.
    handlers: Mapping[str, Handler]
    # Handles many events in one transaction, when they are folded into a read model.
    batch: BatchHandler | None = None
    # Of subjects, when all that is published there is heard, known here or not.
    patterns: tuple[str, ...] = ()

    @classmethod
    def of_handlers(
        cls, durable: str, source: str, handlers: Sequence[Handler], patterns: tuple[str, ...] = ()
    ) -> "Subscription":
        """One transaction for each event. ValueError when two handlers want the same message.

        What is heard by pattern goes to the handler of its message, and what has none to the one of
        `Event[Any]`, which there must be then, and otherwise must not.
        """
        wanted = [(name, handler) for handler in handlers for name in _types_of(handler)]
        by_type = dict(wanted)
        if len(by_type) != len(wanted) or not handlers or ("" in by_type) != bool(patterns):
            raise ValueError(
                f"{durable} needs one handler for each message, and by pattern one of Event[Any]; "
                f"it has those of {[name or 'Any' for name in by_type]}"
            )
        messages = {name: message for name in by_type if (message := message_of(name))}
        return cls(durable, source, registry.heard(patterns) | messages, by_type, None, patterns)

    @classmethod
    def of_batches(
        cls,
        durable: str,
        source: str,
        messages: Sequence[type[Message]],
        handler: BatchHandler,
        patterns: tuple[str, ...] = (),
    ) -> "Subscription":
        """One transaction for each batch of up to 500 events."""
        known = registry.heard(patterns) | {each.DESCRIPTOR.full_name: each for each in messages}
        return cls(durable, source, known, {}, handler, patterns)

    def hears(self, full_name: str) -> bool:
        return full_name in self.messages or (bool(self.patterns) and full_name != "")

    def handler(self, full_name: str) -> Handler:
        return self.handlers.get(full_name) or self.handlers[""]

    def declared(self) -> Consumption:
        """What it needs of the broker."""
        messages = () if self.patterns else tuple(self.messages.values())
        in_batches = self.batch is not None
        return Listening(self.durable, self.source, messages, in_batches, self.patterns).consumption()


def _types_of(handler: Handler) -> list[str]:
    """The messages that a handler is annotated to take, `event: Event[NoticeSent]`; "" for `Event[Any]`."""
    hints = typing.get_type_hints(handler).values()
    found = [typing.get_args(hint)[0] for hint in hints if typing.get_origin(hint) is Event]
    if len(found) != 1:
        raise TypeError(f"{handler.__qualname__} must take (tx: Transaction, event: Event[SomeMessage])")
    messages = typing.get_args(found[0]) or found  # of a union, each
    return ["" if each is Any else str(each.DESCRIPTOR.full_name) for each in messages]
