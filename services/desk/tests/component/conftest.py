"""The desk and the services behind it, started; and who asks it over HTTP."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

import httpx
import pytest

from customer.service import service as customer_service
from desk.auth.cookies import Cookies
from desk.auth.gate import Gate
from desk.auth.tokens import Tokens
from desk.service import service as desk_service
from rapport_testing.engines.ports import free_port
from rapport_testing.running import Running


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
            base_url=self.url, headers={"authorization": f"Bearer {token}"}, trust_env=False, timeout=30
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


Open = Callable[..., Awaitable[Desk]]


@pytest.fixture
async def open_desk(start: Any, issuer: Any) -> AsyncIterator[Open]:
    """Opens a desk before the services that are named; the others are away."""
    opened = []

    async def begin(*services: Any, **settings: Any) -> Desk:
        running = {each.name: await start(each, smtp_host="127.0.0.1") for each in services}
        own = free_port()
        peers = {name: each.address for name, each in running.items()} | {"desk": f"127.0.0.1:{own}"}
        desk = await start(desk_service, peers=peers, grpc_port=own, **settings)
        opened.append(Desk(desk, running, issuer))
        return opened[-1]

    yield begin
    for each in opened:
        await each.close()


@pytest.fixture
async def desk(open_desk: Open) -> Desk:
    """A desk before the customer service."""
    return await open_desk(customer_service)


@pytest.fixture
def alice(desk: Desk) -> httpx.AsyncClient:
    """Somebody who may everything."""
    return desk.client()
