"""Stand-ins for what cases says of people: who they are, and whom one of them calls."""

import asyncio
from typing import Any

import grpc

from rapport.cases.v1 import (
    agent_pb2,
    call_service_pb2,
    call_service_pb2_grpc,
    case_pb2,
    case_service_pb2_grpc,
    directory_service_pb2_grpc,
)


class Directory(directory_service_pb2_grpc.DirectoryServiceServicer):
    """The directory of agents, which has been `asked` and answers while its `gate` is open."""

    def __init__(self) -> None:
        self.failure: grpc.StatusCode | None = None
        self.asked, self.gate = asyncio.Event(), asyncio.Event()
        self.gate.set()
        self.agents = {
            "agents/sam": agent_pb2.Agent(
                name="agents/sam", display_name="Sam Reed", phone="+49 30 1234", email="sam@acme.example"
            ),
            "agents/front-desk": agent_pb2.Agent(
                name="agents/front-desk", display_name="Lea Front", phone="+49 30 1"
            ),
        }

    async def GetAgent(self, request: Any, context: Any) -> Any:
        self.asked.set()
        await self.gate.wait()
        if self.failure is not None:
            await context.abort(self.failure, "told to")
        if request.name not in self.agents:
            await context.abort(grpc.StatusCode.NOT_FOUND, "nobody")
        return self.agents[request.name]


class Calls(call_service_pb2_grpc.CallServiceServicer):
    """Whom a person calls before a message tells bad news: nobody, until a test gives a reason."""

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.failure: grpc.StatusCode | None = None

    async def CheckCallFirst(self, request: Any, context: Any) -> Any:
        if self.failure is not None:
            await context.abort(self.failure, "told to")
        return call_service_pb2.CheckCallFirstResponse(
            call_first=bool(self.reasons), reason_codes=self.reasons
        )


class Cases(case_service_pb2_grpc.CaseServiceServicer):
    """Who owns each case, by name."""

    def __init__(self) -> None:
        self.owners: dict[str, str] = {}
        self.failure = grpc.StatusCode.NOT_FOUND  # of all others

    async def GetCase(self, request: Any, context: Any) -> Any:
        if request.name not in self.owners:
            await context.abort(self.failure, "told to")
        return case_pb2.Case(name=request.name, owner=self.owners[request.name])
