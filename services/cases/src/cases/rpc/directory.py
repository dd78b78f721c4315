"""The gRPC service of the directory."""

from cases.names import AGENT
from cases.store import agents
from cases.usecases.agent import update_agent
from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from rapport.cases.v1 import directory_service_pb2 as pb
from rapport.cases.v1.agent_pb2 import Agent
from rapport.cases.v1.directory_service_pb2_grpc import DirectoryServiceServicer


class DirectoryRpc(Rpc, DirectoryServiceServicer):
    """The people a customer can be told to turn to."""

    UpdateAgent = change(pb.UpdateAgentRequest, update_agent, Agent)
    GetAgent = get(AGENT, agents.AGENT, Agent)
    ListAgents = listing(pb.ListAgentsResponse, agents.LIST_AGENTS)
    ExplainAgent = explain(AGENT, agents.AGENT, Agent)
