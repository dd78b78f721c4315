"""Who signs what a customer is sent: asked as whoever sends it, or looks at it before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc

from notifications.names import FRONT_DESK
from rapport.cases.v1.case_service_pb2 import GetCaseRequest
from rapport.cases.v1.directory_service_pb2 import GetAgentRequest

if TYPE_CHECKING:
    from rapport.cases.v1.agent_pb2 import Agent
    from rapport.cases.v1.case_service_pb2_grpc import CaseServiceAsyncStub
    from rapport.cases.v1.directory_service_pb2_grpc import DirectoryServiceAsyncStub


@dataclass(frozen=True, slots=True)
class Signers:
    """Asks the directory and who owns a case: `front_desk` signs where nobody in person does."""

    directory: DirectoryServiceAsyncStub
    cases: CaseServiceAsyncStub
    front_desk: str

    async def of(self, manager: str, case: str = "") -> Agent | None:
        """Who looks after the customer; else who owns the case; else the front desk. grpc.aio.AioRpcError."""
        signer = await self._agent(self._in_person(manager)) or await self._owner(case)
        return signer or await self._agent(self.front_desk) or await self._agent(manager)

    async def _owner(self, case: str) -> Agent | None:
        """Who owns a case in person, where we may ask that."""
        if not case:
            return None
        try:
            found = await self.cases.GetCase(GetCaseRequest(name=case))
        except grpc.aio.AioRpcError as error:
            if error.code() in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.PERMISSION_DENIED):
                return None
            raise
        return await self._agent(self._in_person(found.owner))

    def _in_person(self, name: str) -> str:
        """Whom a name is of; "" of whoever signs at last."""
        return "" if name in (FRONT_DESK, self.front_desk) else name

    async def _agent(self, name: str) -> Agent | None:
        """The agent; None when nobody is named so who serves customers."""
        if not name:
            return None
        try:
            agent = await self.directory.GetAgent(GetAgentRequest(name=name))
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return None
            raise
        return None if agent.inactive else agent
