"""What a service needs of the broker, declared in code: its stream, and what it listens to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from google.protobuf.message import Message

from chassis.events.registry import subject_of

EVERY = "*"  # as a source: each service that this one may hear
OTHERS = "+"  # the same, without itself
PENDING_BATCHES = 1000  # two batches: one in work, one on its way
PENDING_SINGLES = 256


def stream_of(service: str) -> str:
    return service.upper()


@dataclass(frozen=True, slots=True)
class Consumption:
    """One durable consumer: `durable` reads `subjects` from the stream of the service `source`."""

    durable: str
    source: str
    subjects: tuple[str, ...]
    max_ack_pending: int = 256


@dataclass(frozen=True, slots=True)
class Listening:
    """What a service declares that it listens to, before anything is composed: one durable consumer."""

    durable: str  # `<service>-<handler>`. It names a position in the stream: renaming it replays all
    source: str  # the publishing service; `EVERY` or `OTHERS` for one consumer of each, `<durable>-<source>`
    # The event messages that are handled; none for all that `patterns` match.
    messages: Sequence[type[Message]] = ()
    # Whether `App.project` folds many in one transaction; else each is handled alone, by `App.subscribe`.
    in_batches: bool = False
    # Of subjects, as NATS has them, when there are no `messages`. What is heard by pattern is handled
    # whether its contract is installed here or not.
    patterns: Sequence[str] = ("events.*.>",)

    def of(self, sources: Callable[[], Sequence[str]]) -> "list[Listening]":
        """Itself; of every source, one for each of these."""
        if self.source not in (EVERY, OTHERS):
            return [self]
        own = self.durable.partition("-")[0] if self.source == OTHERS else ""
        return [
            replace(self, durable=f"{self.durable}-{each}", source=each) for each in sources() if each != own
        ]

    def subjects(self) -> tuple[str, ...]:
        """Where it looks in the stream of its source."""
        if self.messages:
            return tuple(sorted({subject_of(message) for message in self.messages}))
        return tuple(".".join(["events", self.source, *p.split(".")[2:]]) for p in self.patterns)

    def consumption(self) -> Consumption:
        pending = PENDING_BATCHES if self.in_batches else PENDING_SINGLES
        return Consumption(self.durable, self.source, self.subjects(), pending)


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a service needs of the broker."""

    service: str
    subscriptions: tuple[Consumption, ...] = ()

    @classmethod
    def of(
        cls, service: str, listens: Sequence[Listening], heard: Callable[[], Sequence[str]]
    ) -> "Declaration":
        """What a service needs that listens so; `heard` are the services that are every one."""
        each = (one for listening in listens for one in listening.of(heard))
        return cls(service, tuple(one.consumption() for one in each))

    @property
    def sources(self) -> list[str]:
        """The services it listens to, each once."""
        return list(dict.fromkeys(each.source for each in self.subscriptions))

    def describe(self) -> dict[str, Any]:
        """Everything that provisioning makes, as plain values. `read` is the way back."""
        return {
            "service": self.service,
            "stream": {"name": stream_of(self.service), "subjects": [f"events.{self.service}.>"]},
            "consumers": [
                {
                    "durable": each.durable,
                    "source": each.source,
                    "stream": stream_of(each.source),
                    "subjects": list(each.subjects),
                    "max_ack_pending": each.max_ack_pending,
                }
                for each in self.subscriptions
            ],
        }

    @classmethod
    def read(cls, described: Mapping[str, Any]) -> "Declaration":
        """The declaration that `describe` described. KeyError when something is missing."""
        consumers = (
            Consumption(each["durable"], each["source"], tuple(each["subjects"]), each["max_ack_pending"])
            for each in described["consumers"]
        )
        return cls(described["service"], tuple(consumers))
