"""What a service listens to: which messages of which service, and who handles them."""

import typing
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from google.protobuf.message import Message

from chassis.db.transaction import Transaction
from chassis.events import registry
from chassis.events.envelope import Event
from chassis.events.facts import subject_of
from chassis.events.provision import Consumption

Handler = Callable[[Transaction, Event[Any]], Awaitable[None]]
BatchHandler = Callable[[Transaction, Sequence[Event[Any]]], Awaitable[None]]

EVERY = "*"  # as a source: each service that this one may hear
BATCH = 500
PENDING_BATCHES = 1000  # two batches: one in work, one on its way
PENDING_SINGLES = 256


@dataclass(frozen=True, slots=True)
class Listening:
    """What a service declares that it listens to, before anything is composed: one durable consumer.

    Attributes:
        durable: `<service>-<handler>`. It names a position in the stream: renaming it replays all.
        source: the publishing service; `EVERY` for one consumer of each, `<durable>-<source>`.
        messages: the event messages that are handled; none for all that `patterns` match.
        in_batches: whether `App.project` folds many in one transaction; else each is
            handled alone, by `App.subscribe`.
        patterns: of subjects, as NATS has them, when there are no `messages`. What is heard by pattern is
            handled whether its contract is installed here or not.

    """

    durable: str
    source: str
    messages: Sequence[type[Message]] = ()
    in_batches: bool = False
    patterns: Sequence[str] = ("events.*.>",)

    def of(self, sources: Callable[[], Sequence[str]]) -> "list[Listening]":
        """Itself; of every source, one for each of these."""
        if self.source != EVERY:
            return [self]
        return [replace(self, durable=f"{self.durable}-{each}", source=each) for each in sources()]

    def subjects(self) -> tuple[str, ...]:
        """Where it looks in the stream of its source."""
        if self.messages:
            return tuple(sorted({subject_of(message) for message in self.messages}))
        return tuple(".".join(["events", self.source, *p.split(".")[2:]]) for p in self.patterns)

    def consumption(self) -> Consumption:
        """What it needs of the broker."""
        pending = PENDING_BATCHES if self.in_batches else PENDING_SINGLES
        return Consumption(self.durable, self.source, self.subjects(), pending)


@dataclass(slots=True)
class Subscription:
    """One durable consumer and its handlers. Make it with `of_handlers` or `of_batches`.

    Attributes:
        durable: `<service>-<handler>`, the consumer's name and the inbox's key.
        source: the publishing service.
        messages: what is handled, by full name; of what is heard by pattern, what can be read here.
        handlers: for each of them, when events are handled one by one; under "" for every other.
        batch: handles many events in one transaction, when they are folded into a read model.
        patterns: of subjects, when all that is published there is heard, known here or not.

    """

    durable: str
    source: str
    messages: Mapping[str, type[Message]]
    handlers: Mapping[str, Handler]
    batch: BatchHandler | None = None
    patterns: tuple[str, ...] = ()

    @classmethod
    def of_handlers(
        cls, durable: str, source: str, handlers: Sequence[Handler], patterns: tuple[str, ...] = ()
    ) -> "Subscription":
        """One transaction for each event. ValueError when two handlers want the same message.

        What is heard by pattern goes to the handler of its message, and what has none to the one of
        `Event[Any]`, which there must be then, and otherwise must not.
        """
        by_type = {_type_of(handler): handler for handler in handlers}
        if len(by_type) != len(handlers) or not handlers or ("" in by_type) != bool(patterns):
            raise ValueError(
                f"{durable} needs one handler for each message, and by pattern one of Event[Any]; "
                f"it has those of {[name or 'Any' for name in by_type]}"
            )
        messages = {name: message for name in by_type if (message := registry.message_of(name))}
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
        """Whether it handles events of that type."""
        return full_name in self.messages or (bool(self.patterns) and full_name != "")

    def handler(self, full_name: str) -> Handler:
        """Who handles events of that type one by one."""
        return self.handlers.get(full_name) or self.handlers[""]

    def declared(self) -> Consumption:
        """What it needs of the broker."""
        messages = () if self.patterns else tuple(self.messages.values())
        in_batches = self.batch is not None
        return Listening(self.durable, self.source, messages, in_batches, self.patterns).consumption()


def _type_of(handler: Handler) -> str:
    """The message that a handler is annotated to take, `event: Event[NoticeSent]`; "" for `Event[Any]`."""
    hints = typing.get_type_hints(handler).values()
    found = [typing.get_args(hint)[0] for hint in hints if typing.get_origin(hint) is Event]
    if len(found) != 1:
        raise TypeError(f"{handler.__qualname__} must take (tx: Transaction, event: Event[SomeMessage])")
    return "" if found[0] is Any else str(found[0].DESCRIPTOR.full_name)
