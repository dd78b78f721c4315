"""The desk and the services behind it, started; and who asks it over HTTP."""

import asyncio
import base64
import contextlib
import hmac
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from chassis.clock import Clock
from customer.service import service as customer_service
from desk.auth.cookies import Cookies
from desk.auth.gate import Gate
from desk.auth.renewal import Tokens
from desk.edge.webhooks.kinds import KINDS
from desk.service import service as desk_service
from rapport_testing.engines.ports import free_port
from rapport_testing.fixtures import Start
from rapport_testing.running import Running
from rapport_testing.sharing import Shared, is_alone


class Desk:
    """A running desk, and clients of it."""

    def __init__(self, running: Running, services: dict[str, Running], issuer: Any) -> None:
        self.running, self.services, self._issuer = running, services, issuer
        self.url = f"http://127.0.0.1:{running.app.settings.web_port}"
        self.gate = Gate(running.app)
        self._clients: list[httpx.AsyncClient] = []

    def client(self, *permissions: str, token: str | None = None) -> httpx.AsyncClient:
        """Whoever has these permissions; all of them unless some are named."""
        token = token or self._issuer.token("agent:alice", permissions or ("*",), "front-desk")
        client = httpx.AsyncClient(
            base_url=self.url,
            headers={"authorization": f"Bearer {token}"},
            trust_env=False,
            verify=False,
            timeout=30,
        )
        self._clients.append(client)
        return client

    async def session(
        self,
        who: str = "agent:alice",
        permissions: Iterable[str] = ("*",),
        department: str = "front-desk",
        lifetime_s: float = 600,
    ) -> Cookies:
        """Somebody has signed in, without a provider: the cookies of their browser."""
        tokens = self.token(who, permissions, department, lifetime_s)
        return await self.gate.sessions.begin(tokens, who.partition(":")[2].capitalize())

    def token(self, who: str, *told: Any) -> Tokens:
        """What a provider gives somebody: permissions, department and lifetime as of `session`."""
        return Tokens(self._issuer.token(who, *told))

    def browser(self, cookies: Cookies | None = None, who: str = "agent:alice") -> httpx.AsyncClient:
        """A browser with these cookies, whose requests are those of a page of the desk."""
        kept = {self.gate.jar.session: cookies.session, self.gate.jar.form: cookies.form} if cookies else {}
        told = {"x-csrf": cookies.csrf(who)} if cookies else {}
        client = httpx.AsyncClient(
            base_url=self.url,
            cookies=kept,
            headers={"origin": self.url, "sec-fetch-site": "same-origin", **told},
            trust_env=False,
            verify=False,
            timeout=30,
        )
        self._clients.append(client)
        return client

    async def signed_in(
        self,
        who: str = "agent:alice",
        permissions: Iterable[str] = ("*",),
        department: str = "front-desk",
    ) -> httpx.AsyncClient:
        """A browser in which somebody has signed in."""
        return self.browser(await self.session(who, permissions, department), who)

    async def close(self) -> None:
        """Let the clients go."""
        for client in self._clients:
            await client.aclose()


async def erika(desk: Any) -> str:
    """A customer."""
    created = await desk.client().post("/v1/customers", json={"displayName": "Erika Sommer"})
    return str(created.json()["name"])


SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes now").decode()
TOKEN = "a-token-of-some-length-or-other"


class Sender:
    """Sends webhooks of one source to a desk.

    Attributes:
        name: the source's.
    """

    def __init__(self, desk: Desk, clock: Clock, name: str) -> None:
        self.desk, self.name = desk, name
        self._clock = clock

    async def post(self, body: Any, sent_id: str = "1", **headers: str) -> httpx.Response:
        """Send, signed unless told otherwise."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        stamp = headers.pop("stamp", str(int(self._clock.now().timestamp())))
        signed = hmac.digest(base64.b64decode(SECRET[6:]), f"{sent_id}.{stamp}.".encode() + content, "sha256")
        kind = "message/rfc822" if self.name == "email" else "application/json"
        said = {
            "content-type": kind,
            "webhook-id": sent_id,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        async with httpx.AsyncClient(
            base_url=self.desk.url, trust_env=False, verify=False, timeout=30
        ) as client:
            return await client.post(f"/webhooks/{self.name}", content=content, headers=said)

    async def send(self, body: Any, sent_id: str = "1", **headers: str) -> str:
        """Send what is taken; returns what it is known by."""
        answer = await self.post(body, sent_id, **headers)
        assert answer.status_code == 202, answer.text
        return answer.json()["id"]


def made(folder: Path) -> Path:
    """A folder of a source of each kind, and of one with a token."""
    for kind in KINDS:
        told = {"kind": kind, "secrets": [SECRET], "region": "DE", "creates": True}
        (folder / f"{kind}.json").write_text(json.dumps(told))
    (folder / "shop.json").write_text(json.dumps({"kind": "event", "tokens": [TOKEN], "creates": False}))
    return folder


@pytest.fixture(scope="module")
def shared_sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the desk that tests share."""
    return made(tmp_path_factory.mktemp("sources"))


@pytest.fixture
def sources(shared_sources: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """The folder of sources of webhooks; of who is alone, one that they may change."""
    if not is_alone(request):
        return shared_sources
    (tmp_path / "sources").mkdir()
    return made(tmp_path / "sources")


@pytest.fixture
def frozen() -> Iterator[str]:
    """The address of a process that is stopped: it takes connections, and never says anything."""
    with socket.create_server(("127.0.0.1", free_port())) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


class Slow:
    """An address at which a service answers later than a page waits.

    Attributes:
        address: to ask instead of the service's.
        target: the service's.
    """

    DELAY_S = 0.3

    def __init__(self) -> None:
        self.address, self.target = f"127.0.0.1:{free_port()}", ""

    async def passed_on(self, asker: asyncio.StreamReader, to_asker: asyncio.StreamWriter) -> None:
        """Take what is asked to the service at once, and what it answers back late."""
        service, to_service = await asyncio.open_connection(*self.target.split(":"))

        async def passing(source: asyncio.StreamReader, to: asyncio.StreamWriter, delay_s: float) -> None:
            while some := await source.read(2**16):
                await asyncio.sleep(delay_s)
                to.write(some)
                await to.drain()
            to.close()

        with contextlib.suppress(ConnectionError):
            await asyncio.gather(passing(asker, to_service, 0), passing(service, to_asker, self.DELAY_S))


@pytest.fixture
async def slow() -> AsyncIterator[Slow]:
    """Stands before a service that is its `target`."""
    standing = Slow()
    server = await asyncio.start_server(standing.passed_on, *standing.address.split(":"))
    yield standing
    server.close()


Open = Callable[..., Awaitable[Desk]]


@pytest.fixture
async def open_desk(
    start: Start, shared: Shared, issuer: Any, request: pytest.FixtureRequest
) -> AsyncIterator[Open]:
    """Opens a desk before the services that are named; the others are away.

    Tests of a module that name the same share them, unless a test is alone.
    """
    opened = []
    alone = is_alone(request)

    async def begin(*services: Any, **settings: Any) -> Desk:
        if alone or settings.keys() - {"webhooks_dir"}:
            running = await opening(start, *services, **settings)
        else:
            key = (*(each.name for each in services), *settings.items())
            running = await shared.open(key, lambda start: opening(start, *services, **settings))
        opened.append(Desk(*running, issuer))
        return opened[-1]

    yield begin
    for each in opened:
        await each.close()


async def opening(start: Start, *services: Any, **settings: Any) -> tuple[Running, dict[str, Running]]:
    """Start services and a desk before them; returns the desk, and the services by name."""
    running: dict[str, Running] = {}
    for each in services:  # in an order in which each calls those before it
        known = {name: running[name].address for name in each.calls if name in running}
        running[each.name] = await start(each, smtp_host="127.0.0.1", peers=known)
    own = free_port()
    peers = {name: each.address for name, each in running.items()} | {"desk": f"127.0.0.1:{own}"}
    peers |= settings.pop("peers", {})
    return await start(desk_service, peers=peers, grpc_port=own, **settings), running


@pytest.fixture
async def desk(open_desk: Open, sources: Path) -> Desk:
    """A desk before the customer service, with a source of webhooks of each kind."""
    return await open_desk(customer_service, webhooks_dir=sources)


@pytest.fixture
def sender(desk: Desk) -> Callable[[str], Sender]:
    """Gives who sends webhooks of one source."""
    return lambda name: Sender(desk, desk.running.app.clock, name)


@pytest.fixture
async def known(alice: httpx.AsyncClient) -> Callable[..., Awaitable[str]]:
    """Makes a customer with handles, `email="..."`."""

    async def make(name: str, **handles: str) -> str:
        identifiers = [{"type": f"TYPE_{kind.upper()}", "value": value} for kind, value in handles.items()]
        answer = await alice.post("/v1/customers", json={"displayName": name, "identifiers": identifiers})
        assert answer.status_code == 200, answer.text
        return answer.json()["name"]

    return make


@pytest.fixture
def alice(desk: Desk) -> httpx.AsyncClient:
    """Somebody who may everything."""
    return desk.client()
