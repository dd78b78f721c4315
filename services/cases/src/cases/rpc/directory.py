"""The gRPC service of the directory."""

from typing import Any

from cases.domain.agent import Agent
from cases.names import AGENT, DEPARTMENT
from cases.store import agents
from cases.usecases.agent import update_agent
from chassis.api.masks import masked
from chassis.api.messages import to_message
from chassis.api.validation import Check
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.grpc.mutation import mutation
from rapport.cases.v1 import directory_pb2, directory_pb2_grpc

# The fields of the message that can be changed, and where the entity has them.
_FIELDS = {
    "display_name": "display_name",
    "phone": "phone",
    "email": "email",
    "department": "department_id",
}


class DirectoryRpc(directory_pb2_grpc.DirectoryServiceServicer):
    """The people a customer can be told to turn to."""

    def __init__(self, db: Database) -> None:
        self.db = db

    @mutation
    async def UpdateAgent(
        self, request: directory_pb2.UpdateAgentRequest, tx: Transaction
    ) -> directory_pb2.Agent:
        """Create or change an agent."""
        paths = masked(request.update_mask, request.agent, tuple(_FIELDS))
        check = Check("agent.")
        (agent_id,) = check.name(AGENT, request.agent.name, "name")
        (department_id,) = check.name(DEPARTMENT, request.agent.department, "department", required=False)
        agent = Agent(
            id=agent_id,
            display_name=check.text(request.agent.display_name, "display_name", required=False),
            phone=check.text(request.agent.phone, "phone", max=50, required=False),
            email=check.email(request.agent.email, "email", required=False),
            department_id=department_id or "",
        )
        check.raise_if_any()
        fields = [_FIELDS[path] for path in paths]
        return _message(await update_agent(tx, agent, fields=fields, allow_missing=request.allow_missing))

    async def GetAgent(self, request: directory_pb2.GetAgentRequest, context: Any) -> directory_pb2.Agent:
        """Get an agent."""
        (agent_id,) = AGENT.parse(request.name)
        agent = await agents.AGENT.maybe(self.db, id=agent_id)
        if agent is None:
            raise NotFound(request.name)
        return _message(agent)

    async def ListAgents(
        self, request: directory_pb2.ListAgentsRequest, context: Any
    ) -> directory_pb2.ListAgentsResponse:
        """List agents by name."""
        found, token = await agents.LIST_AGENTS.page(self.db, request, _message)
        return directory_pb2.ListAgentsResponse(agents=found, next_page_token=token)


def _message(agent: Agent) -> directory_pb2.Agent:
    return to_message(directory_pb2.Agent, agent)
