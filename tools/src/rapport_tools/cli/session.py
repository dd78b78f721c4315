"""A command's way to the services of the running stack, or of a cluster, with an identity.

    session = Session.open()                             # as agent:demo, who may do everything
    session = Session.open("agent:alice", "billing")     # as an agent, with what agents may do

    cases = session.stub(case_service_pb2_grpc.CaseServiceStub, "cases")
    case = cases.OpenCase(request)                       # token and a 10 s deadline are added

    async with session.aio_channel("customer") as channel:
        jobs = import_service_pb2_grpc.ImportServiceStub(channel)
        job = await jobs.CreateImportJob(request, timeout=30)

Addresses come from `env` in the stack's home, tokens from the local issuer; of a cluster both are what
`rapport_tools.cli.cluster` says. A call without `timeout` gets 10 seconds, a stream one hour; a token is
signed, or read, anew before it ends. Leave errors alone: `rapport_tools.cli.main` turns a `grpc.RpcError`
into one line with the documented reason and into the exit code. When no stack runs, `Session.open` raises a
Failure (exit 3).
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import grpc
import grpc.aio

from rapport_testing.channels import Tls, aio_channel, blocking_channel
from rapport_tools.cli import cluster
from rapport_tools.cli.cluster import Cluster
from rapport_tools.cli.failures import Exit, Failure, stack_down
from rapport_tools.local.home import Home
from rapport_tools.local.issuer import LIFETIME_S, Issuer

T = TypeVar("T")
CALL_TIMEOUT_S = 10.0


class Session:
    """An identity at the services of one running stack, or of a cluster. Make it with `open`."""

    def __init__(
        self, home: Home, env: dict[str, str], sign: Callable[[], str], cluster: Cluster | None = None
    ) -> None:
        self.home = home
        self.env = env
        self._addresses: dict[str, str] = {} if cluster else json.loads(env["RAPPORT_PEERS"])
        self.peers = cluster.services if cluster else [*self._addresses]
        self._sign = sign
        self._signed = time.monotonic(), sign()
        self._cluster = cluster
        self._channels: dict[str, grpc.Channel] = {}

    @classmethod
    def open(cls, who: str = "agent:demo", department: str = "front-desk") -> "Session":
        """A session as `ROLE:NAME` of a department. `agent:demo` may do everything: demos need no set-up.

        Failure when no stack runs; WrongUse when there is no such role.
        """
        home = Home.current()
        if cluster.is_meant():
            return cls(home, dict(os.environ), lambda: cluster.token(home, who, department), Cluster())
        env = home.read_env()
        if home.supervisor() is None or "RAPPORT_PEERS" not in env:
            raise stack_down()
        issuer = Issuer(home)
        return cls(home, env, lambda: issuer.token_as(who, department))

    def token(self) -> str:
        """A token that is good for half an hour at least: what a command does may take longer than one is."""
        if time.monotonic() - self._signed[0] > LIFETIME_S / 2:
            self._signed = time.monotonic(), self._sign()
        return self._signed[1]

    def address(self, service: str) -> str:
        """Where a service is reached. Failure when there is no such service."""
        if service not in self.peers:
            raise Failure(
                f"{service} is not a service. Services are {', '.join(self.peers)}.", Exit.WRONG_USE
            )
        return self._cluster.address(service) if self._cluster else self._addresses[service]

    def addresses(self) -> dict[str, str]:
        return {each: self.address(each) for each in self.peers}

    def desk(self) -> str:
        """Where browsers reach the desk. Failure where nobody has said that."""
        if "RAPPORT_DESK_URL" not in self.env:
            raise Failure("RAPPORT_DESK_URL must say where the desk is.", Exit.WRONG_USE)
        return self.env["RAPPORT_DESK_URL"]

    def channel(self, service: str) -> grpc.Channel:
        """A blocking channel, one for each service."""
        if service not in self._channels:
            self._channels[service] = blocking_channel(
                self.address(service), self.token, CALL_TIMEOUT_S, self._tls(service)
            )
        return self._channels[service]

    def stub(self, stub: Callable[[grpc.Channel], T], service: str) -> T:
        return stub(self.channel(service))

    def aio_channel(self, service: str) -> grpc.aio.Channel:
        """An asyncio channel; close it, or use it with `async with`."""
        return aio_channel(self.address(service), self.token, CALL_TIMEOUT_S, self._tls(service))

    def _tls(self, service: str) -> Tls | None:
        return self._cluster.tls(service) if self._cluster else None


def pages(method: Callable[[Any], Any], request: Any) -> Iterator[Any]:
    """The answers of a method that lists, page by page; what `request` asks for goes on with each."""
    while True:
        page = method(request)
        yield page
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token
