"""A command's way to the services of the running stack, with an identity.

    session = Session.open()                             # as agent:demo, who may do everything
    session = Session.open("agent:alice", "billing")     # as an agent, with what agents may do

    cases = session.stub(case_service_pb2_grpc.CaseServiceStub, "cases")
    case = cases.OpenCase(request)                       # token and a 10 s deadline are added

    async with session.aio_channel("customer") as channel:
        jobs = import_service_pb2_grpc.ImportServiceStub(channel)
        job = await jobs.CreateImportJob(request, timeout=30)

Addresses come from `env` in the stack's home; tokens from the local issuer. A call without `timeout` gets 10
seconds, a stream one hour. Leave errors alone: `rapport_tools.cli.main` turns a `grpc.RpcError` into one line
with the documented reason and into the exit code. When no stack runs, `Session.open` raises a Failure
(exit 3).
"""

import json
from collections.abc import Callable
from typing import TypeVar

import grpc
import grpc.aio

from rapport_testing.channels import aio_channel, blocking_channel
from rapport_tools.cli.failures import Exit, Failure, stack_down
from rapport_tools.local.home import Home

T = TypeVar("T")
CALL_TIMEOUT_S = 10.0


class Session:
    """An identity at the services of one running stack. Make it with `open`."""

    def __init__(self, home: Home, env: dict[str, str], token: str) -> None:
        self.home = home
        self.env = env
        self.peers: dict[str, str] = json.loads(env["RAPPORT_PEERS"])
        self._token = token
        self._channels: dict[str, grpc.Channel] = {}

    @classmethod
    def open(cls, who: str = "agent:demo", department: str = "front-desk") -> "Session":
        """A session as `ROLE:NAME` of a department. `agent:demo` may do everything: demos need no set-up.

        Failure when no stack runs; WrongUse when there is no such role.
        """
        from rapport_tools.local.issuer import Issuer

        home = Home.current()
        env = home.read_env()
        if home.supervisor() is None or "RAPPORT_PEERS" not in env:
            raise stack_down()
        return cls(home, env, Issuer(home).token_as(who, department))

    def address(self, service: str) -> str:
        """Where a service is reached. Failure when there is no such service."""
        if service not in self.peers:
            raise Failure(
                f"{service} is not a service. Services are {', '.join(self.peers)}.", Exit.WRONG_USE
            )
        return self.peers[service]

    def channel(self, service: str) -> grpc.Channel:
        """A blocking channel, one for each service."""
        if service not in self._channels:
            self._channels[service] = blocking_channel(self.address(service), self._token, CALL_TIMEOUT_S)
        return self._channels[service]

    def stub(self, stub: Callable[[grpc.Channel], T], service: str) -> T:
        """A blocking stub."""
        return stub(self.channel(service))

    def aio_channel(self, service: str) -> grpc.aio.Channel:
        """An asyncio channel; close it, or use it with `async with`."""
        return aio_channel(self.address(service), self._token, CALL_TIMEOUT_S)
