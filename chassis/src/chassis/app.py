"""One service, composed: what it serves, listens to, and does on time."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Generic, TypeVar

import grpc
from starlette.types import ASGIApp

from chassis.auth.tokens import Verifier
from chassis.clock import Clock
from chassis.db.database import Database
from chassis.events.broadcast import Broadcast
from chassis.events.declarations import Declaration, Listening
from chassis.events.facts import FactCodec
from chassis.events.past import Past
from chassis.explain.explainer import Explainer
from chassis.grpc.client import Channels
from chassis.inbox.freshness import Freshness
from chassis.inbox.subscription import BatchHandler, Handler, Subscription
from chassis.settings import ServiceSettings, WrongSettings
from chassis.tls import Certificates
from chassis.work.timers import TimerHandler, Together
from chassis.work.turn import Worker

S = TypeVar("S", bound=ServiceSettings)
T = TypeVar("T")


class App(Generic[S]):
    """What a service's `compose` fills. Nothing is connected or started until `chassis.lifecycle.serve`.

    Attributes:
        port, web_port: where it listens, when the settings do not say.
        declaration: what it needs of the broker.
        draining: set when the service begins to stop: what lasts has to end.
        freshness: how current what it knows of other services is.
        broadcast: reaches its other replicas.
        past: what streams of services hold whose every event it hears.
        verifier: tells whose a token is.
        channels: to other services, as this one: on behalf of whoever asks, with the rights that both have.
        forwarding: to other services, as whoever asks, with all their rights and none of this service's.
    """

    def __init__(self, service: Any, settings: S, clock: Clock) -> None:
        """Of a `chassis.service.Service`."""
        self.name, self.migrations = service.name, service.migrations
        self.port, self.web_port = service.port, service.web_port
        listens: Sequence[Listening] = service.listens
        self._listens = {each.durable: each.of(settings.heard) for each in listens}
        self.declaration = Declaration.of(service.name, listens, settings.heard)
        self._calls = service.calls
        self.settings = settings
        self.clock = clock
        self.db = Database(
            lambda: str(settings.current("database_url")),
            service.name,
            FactCodec(service.events),
            clock,
            settings.pool_size,
            settings.database_tls_dir,
        )
        self.freshness = Freshness()
        self.broadcast = Broadcast(service.name)
        self.past = Past()
        self.verifier = _verifier(settings)
        self.certificates = _certificates(settings)
        self.channels = Channels(settings.peers, settings.token_file, self.certificates)
        self.forwarding = Channels(settings.peers, None, self.certificates)
        self.explainer = Explainer(self.db, self.channels)
        self.servicers: list[object] = []
        self.subscriptions: list[Subscription] = []
        self.timers: dict[str, TimerHandler | Together] = {}
        self.backgrounds: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self.openers: list[Callable[[], Awaitable[None]]] = []
        self.measurements: list[Callable[[], Awaitable[None]]] = []
        self.workers: list[Worker] = []
        self.probes: dict[str, Callable[[], Awaitable[None]]] = {}
        self.draining = asyncio.Event()
        self.site: ASGIApp | None = None

    def serve(self, servicer: object) -> None:
        """Serve a gRPC service: an instance of a generated `*Servicer`."""
        self.servicers.append(servicer)

    def web(self, site: ASGIApp) -> None:
        """Serve pages or REST over HTTP, from when the service is ready until it drains."""
        self.site = site

    def subscribe(self, durable: str, *handlers: Handler) -> None:
        """Handle events of another service, by a durable that is declared, one transaction for each.

        A handler is `async def f(tx, event: Event[Message])`; the annotation says which message, or with `|`
        which messages. Together they take those that are declared; of what is heard by pattern, the one of
        `Event[Any]` takes what no other does.
        """
        for each in self._declared(durable):
            patterns = () if each.messages else each.subjects()
            self._handled(each, Subscription.of_handlers(each.durable, each.source, handlers, patterns))

    def project(self, durable: str, handler: BatchHandler) -> dict[str, Subscription]:
        """Fold the events of a declared durable into a read model, up to 500 in one transaction.

        Returns the subscription to each of its sources.
        """
        found = {}
        for each in self._declared(durable):
            patterns = () if each.messages else each.subjects()
            found[each.source] = Subscription.of_batches(
                each.durable, each.source, each.messages, handler, patterns
            )
            self._handled(each, found[each.source])
        return found

    def timer(self, kind: str, handler: TimerHandler | Together) -> None:
        """Call `handler(tx, timer)` when a timer that was scheduled under `kind` is due, once.

        `Together(handler)` is for kinds of which very many may be due at once.
        """
        self.timers[kind] = handler

    def background(self, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run from start until drain. A crash of it ends the process."""
        self.backgrounds.append(run)

    def measure(self, measurement: Callable[[], Awaitable[None]]) -> None:
        """Await every 15 seconds: for metrics that cost a query, which must be quick."""
        self.measurements.append(measurement)

    def on_open(self, start: Callable[[], Awaitable[None]]) -> None:
        """Await once the database is open, before anything is served."""
        self.openers.append(start)

    def work(self, worker: Worker) -> None:
        """Do one kind of work on the outside world: see `chassis.work`."""
        self.workers.append(worker)

    def probe(self, name: str, ask: Callable[[], Awaitable[None]]) -> None:
        """Have `python -m <service> check` await it: raises when something that is no peer is not reached."""
        self.probes[name] = ask

    def client(self, stub: Callable[[grpc.aio.Channel], T], service: str) -> T:
        """A typed stub to another service: with identity, deadline, retries and the current trace."""
        if service not in self._calls:
            raise ValueError(f"{self.name} declares no calls to {service}: add it to `calls` of the Service")
        return stub(self.channels.to(service))

    def check(self) -> None:
        """ValueError when something that the service declares is not handled: its events would pile up."""
        declared = {each.durable for every in self._listens.values() for each in every}
        if idle := declared - {each.durable for each in self.subscriptions}:
            raise ValueError(f"nothing handles {', '.join(sorted(idle))}, which {self.name} declares")

    def _declared(self, durable: str) -> list[Listening]:
        if durable not in self._listens:
            raise ValueError(f"{self.name} does not declare {durable}: add it to `listens` of the Service")
        return self._listens[durable]

    def _handled(self, declared: Listening, subscription: Subscription) -> None:
        wanted, handled = declared.consumption(), subscription.declared()
        if wanted != handled:
            raise ValueError(f"{declared.durable} is declared as {wanted}, but its handlers take {handled}")
        self.subscriptions.append(subscription)


def _verifier(settings: ServiceSettings) -> Verifier:
    """Of people, and of a cluster's accounts when there is one. WrongSettings for accounts that cannot be."""
    verifier = Verifier(settings.jwks_url, settings.issuer)
    if settings.cluster_accounts is not None:
        try:
            verifier.trust(settings.cluster_jwks_url, settings.cluster_issuer, settings.cluster_accounts)
        except ValueError as error:
            raise WrongSettings(f"RAPPORT_CLUSTER_ACCOUNTS: {error}") from None
    return verifier


def _certificates(settings: ServiceSettings) -> Certificates | None:
    """What other services are shown. WrongSettings for a folder that lacks it."""
    if settings.tls_dir is None:
        return None
    try:
        return Certificates(settings.tls_dir)
    except ValueError as error:
        raise WrongSettings(f"RAPPORT_TLS_DIR: {error}") from None
