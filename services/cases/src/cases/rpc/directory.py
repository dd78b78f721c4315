"""The gRPC service of the directory."""

from typing import Any

from cases.domain.agent import FIELDS, Agent
from cases.names import AGENT, DEPARTMENT
from cases.store import agents
from cases.usecases.agent import update_agent
from chassis.api.etags import etag
from chassis.api.masks import masked
from chassis.api.messages import to_message
from chassis.api.validation import Check
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.grpc.mutation import mutation
from rapport.cases.v1 import agent_pb2, directory_service_pb2, directory_service_pb2_grpc


class DirectoryRpc(directory_service_pb2_grpc.DirectoryServiceServicer):
    """The people a customer can be told to turn to."""

    def __init__(self, db: Database) -> None:
        self.db = db

    @mutation
    async def UpdateAgent(
        self, request: directory_service_pb2.UpdateAgentRequest, tx: Transaction
    ) -> agent_pb2.Agent:
        """Create or change an agent."""
        paths = masked(request.update_mask, request.agent, tuple(FIELDS))
        check = Check("agent.")
        (agent_id,) = check.name(AGENT, request.agent.name, "name")
        (department_id,) = check.name(DEPARTMENT, request.agent.department, "department", required=False)
        agent = Agent(
            id=agent_id,
            display_name=check.text(request.agent.display_name, "display_name", required=False),
            phone=check.text(request.agent.phone, "phone", max=50, required=False),
            email=check.email(request.agent.email, "email", required=False),
            department_id=department_id or "",
            inactive=request.agent.inactive,
            create_time=tx.now,
            update_time=tx.now,
        )
        check.raise_if_any()
        updated = await update_agent(
            tx, agent, paths=paths, allow_missing=request.allow_missing, etag=request.agent.etag
        )
        return _message(updated)

    async def GetAgent(self, request: directory_service_pb2.GetAgentRequest, context: Any) -> agent_pb2.Agent:
        """Get an agent."""
        (agent_id,) = AGENT.parse(request.name)
        agent = await agents.AGENT.maybe(self.db, id=agent_id)
        if agent is None:
            raise NotFound(request.name)
        return _message(agent)

    async def ListAgents(
        self, request: directory_service_pb2.ListAgentsRequest, context: Any
    ) -> directory_service_pb2.ListAgentsResponse:
        """List agents by name."""
        found, token = await agents.LIST_AGENTS.page(self.db, request, _message)
        return directory_service_pb2.ListAgentsResponse(agents=found, next_page_token=token)


def _message(agent: Agent) -> agent_pb2.Agent:
    return to_message(agent_pb2.Agent, agent, etag=etag(agent.version))
