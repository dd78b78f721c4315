"""A whole company in this process: the real services, events between them, mail, and a desk before them."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import asyncpg
import httpx
from aiosmtpd.smtp import SMTP

from cases.service import service as cases
from chassis.clock import Clock
from chassis.lifecycle import Lifecycle
from chassis.service import Service
from customer.service import service as customer
from desk.auth.gate import Gate
from desk.auth.renewal import Tokens
from desk.service import service as desk
from loyalty.service import service as loyalty
from notifications.service import service as notifications
from rapport_testing.engines.ports import free_port
from rapport_testing.fixtures import Start, starting
from rapport_testing.infrastructure import Infrastructure
from rapport_testing.running import Running
from rapport_testing.tokens import TestIssuer
from rapport_tools.cli.session import Session
from rapport_tools.demo.story import Outcome, Story
from rapport_tools.local.home import Home
from rapport_tools.local.mail import Handler, Mailbox
from rapport_tools.local.roles import ROLES
from tests.browser.visitor import Visitor

TELEPHONY = "the-token-of-the-telephone-system"
SERVICES: list[Service[Any]] = [customer, cases, loyalty, notifications]


@dataclass(frozen=True)
class Person:
    """Somebody who works here, with what a role may do, as in the embedded stack."""

    name: str
    role: str = "agent"
    department: str = "front-desk"

    @property
    def permissions(self) -> Iterable[str]:
        """What their token says that they may."""
        return ROLES[self.role]


ALICE = Person("alice")
DORA = Person("dora", "department", "delivery")
ADMIN = Person("ada", "admin", "platform")


class Company:
    """What runs.

    Attributes:
        clock: that of the services.
        services: by name; each may be stopped.
        mailbox: what customers were sent.
        gate: signs people in.
    """

    def __init__(
        self,
        infrastructure: Infrastructure,
        issuer: TestIssuer,
        folder: Path,
        clock: Clock,
        start: Start,
        settings: Mapping[str, Any],
    ) -> None:
        self._infrastructure = infrastructure
        self.clock = clock
        self.mailbox = Mailbox(folder / "mail")
        self.mailbox.folder.mkdir()
        self.services: dict[str, Running] = {}
        self._ports = {each.name: free_port() for each in [*SERVICES, desk]}
        self._issuer, self._folder, self._start = issuer, folder, start
        self._settings = settings
        self._rest = httpx.AsyncClient(trust_env=False, timeout=30)

    @property
    def url(self) -> str:
        """Where the desk is."""
        return f"http://127.0.0.1:{self.services['desk'].app.settings.web_port}"

    def token(self, person: Person) -> str:
        """A token of the issuer that the services know."""
        return self._issuer.token(f"agent:{person.name}", person.permissions, person.department, 3600)

    async def ask(self, asker: Person, method: str, path: str, /, **body: Any) -> dict[str, Any]:
        """Have a person do something, by the desk's REST; what is answered, as JSON."""
        headers = {"authorization": f"Bearer {self.token(asker)}"}
        if method != "GET":
            headers["idempotency-key"] = str(uuid4())
        answer = await self._rest.request(method, f"{self.url}/v1/{path}", json=body or None, headers=headers)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return dict(answer.json())

    async def session(self, person: Person, form: str = "") -> dict[str, str]:
        """The cookies of a browser in which somebody has just signed in; `form`: that it had, of forms."""
        begun = await self.gate.sessions.begin(Tokens(self.token(person)), person.name.capitalize(), form)
        return {self.gate.jar.session: begun.session, self.gate.jar.form: begun.form}

    async def sign_in(self, visitor: Visitor, person: Person = ALICE) -> None:
        """Give a browser a session of somebody's, as if they had signed in at the provider."""
        had = {each["name"]: each["value"] for each in await visitor.context.cookies()}
        told = await self.session(person, had.get(self.gate.jar.form, ""))
        told["zone"] = visitor.zone  # or the first page is loaded twice
        await visitor.context.add_cookies(
            [
                {"name": name, "value": value, "url": self.url, "sameSite": "Lax"}
                for name, value in told.items()
            ]
        )

    async def tell_story(self, tell: Callable[[str, str], None], customer: str = "") -> Outcome:
        """Have the story of the demo happen, in another thread; `tell` is called there after each step."""
        return await asyncio.to_thread(Story(self._session, tell, customer).run)

    async def open(self) -> None:
        """Start everything."""
        loop, mail = asyncio.get_running_loop(), free_port()
        self._smtp = await loop.create_server(
            lambda: SMTP(Handler(self.mailbox), hostname="test.local", enable_SMTPUTF8=True),
            "127.0.0.1",
            mail,
        )
        post = {"smtp_host": "127.0.0.1", "smtp_port": mail, "smtp_security": "none"}
        for service in SERVICES:
            await self.begin(service, **(post if service is notifications else {}))
        await self.begin(desk, **{"webhooks_dir": self._sources(), **self._settings})
        self.gate = Gate(self.services["desk"].app)

    def _sources(self) -> Path:
        """The folder with the one source of webhooks: a telephone system."""
        folder = self._folder / "sources"
        folder.mkdir()
        (folder / "telephony.json").write_text(
            json.dumps({"kind": "telephony", "tokens": [TELEPHONY], "region": "DE", "creates": False})
        )
        return folder

    async def call(self, call: str, number: str, event: str = "ringing", agent: str = "alice") -> None:
        """Have the telephone system say that something happens in a call."""
        told = {"id": f"{call}-{event}", "call": call, "event": event, "agent": agent, "from": number}
        headers = {"authorization": f"Bearer {TELEPHONY}"}
        answer = await self._rest.post(f"{self.url}/webhooks/telephony", json=told, headers=headers)
        assert answer.is_success, answer.text

    async def begin(self, service: Service[Any], **settings: Any) -> None:
        """Start a service where the others look for it."""
        peers = {name: f"127.0.0.1:{port}" for name, port in self._ports.items()}
        self.services[service.name] = await self._start(
            service, peers=peers, grpc_port=self._ports[service.name], **settings
        )

    def reading(self, name: str) -> AbstractAsyncContextManager[asyncpg.Connection]:
        """A superuser's connection to the database of a service."""
        return self._infrastructure.superuser(str(self.services[name].app.settings.database_url))

    async def restart(self, name: str) -> None:
        """Start a stopped service again, where it was, with what it had."""
        running = self.services[name]
        service = next(each for each in [*SERVICES, desk] if each.name == name)
        running.app = service.app(running.app.settings, self.clock)
        running.db, running.lifecycle = running.app.db, Lifecycle(running.app)
        await running.lifecycle.start()
        if service is desk:
            self.gate = Gate(running.app)

    async def close(self) -> None:
        """End what is no service."""
        await self._rest.aclose()
        self._smtp.close()

    def _session(self, who: str, department: str) -> Session:
        """Someone as the demo has them: `agent:demo` may everything."""
        role, _, name = who.partition(":")
        person = Person(name, "admin" if name == "demo" else role, department)
        peers = {name: f"127.0.0.1:{port}" for name, port in self._ports.items()}
        return Session(Home(self._folder), {"RAPPORT_PEERS": json.dumps(peers)}, lambda: self.token(person))


@asynccontextmanager
async def company(
    infrastructure: Infrastructure, issuer: TestIssuer, folder: Path, clock: Clock, **settings: Any
) -> AsyncIterator[Company]:
    """A company for the time of the block; settings are its desk's."""
    async with starting(infrastructure, issuer, clock, folder) as start:
        opened = Company(infrastructure, issuer, folder, clock, start, settings)
        try:
            await opened.open()
            yield opened
        finally:
            await opened.close()


class SignedIn(Protocol):
    """Opens a browser in which somebody has signed in; how, as of `tests.browser.visitor.visiting`."""

    def __call__(self, person: Person = ALICE, **how: Any) -> Awaitable[Visitor]:
        """Open it."""
        ...


class Steps:
    """The story told at the pace of who watches: each step waits until the one before was looked at."""

    def __init__(self) -> None:
        self._told: asyncio.Queue[str] = asyncio.Queue()
        self._go_on = threading.Semaphore(0)
        self._loop = asyncio.get_running_loop()

    def tell(self, what: str, _: str) -> None:
        """Called by the story, in its thread."""
        self._loop.call_soon_threadsafe(self._told.put_nowait, what)
        self._go_on.acquire()

    def begin(self, story: Coroutine[Any, Any, Outcome]) -> asyncio.Task[Outcome]:
        """Have the story happen, which calls `tell`."""
        self._telling = asyncio.create_task(story)
        return self._telling

    async def next(self) -> str:
        """What happened next; the story waits for `go_on`. What stopped it is raised."""
        told = asyncio.create_task(self._told.get())
        await asyncio.wait({told, self._telling}, return_when=asyncio.FIRST_COMPLETED)
        if not told.done():
            told.cancel()
            raise AssertionError("the story is over") from self._telling.exception()
        return told.result()

    def go_on(self) -> None:
        """Let the next step happen."""
        self._go_on.release()
