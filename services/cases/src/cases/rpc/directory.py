"""The gRPC service of the directory: departments, and the people a customer can be told to turn to."""

from datetime import datetime
from typing import ClassVar

from cases.names import AGENT, DEPARTMENT
from cases.store import tables as store
from cases.usecases.agent import update_agent
from cases.usecases.department import update_department
from chassis.api.checks import Rules
from chassis.api.validation import Check
from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from rapport.cases.v1 import directory_service_pb2 as pb
from rapport.cases.v1.agent_pb2 import Agent
from rapport.cases.v1.department_pb2 import Department
from rapport.cases.v1.directory_service_pb2_grpc import DirectoryServiceServicer


def check_department(check: Check, sent: Department, now: datetime) -> None:
    """Each kind of work once."""
    check.different((each.kind for each in sent.work_kinds), "work_kinds[{}].kind")


def check_work_kind(check: Check, sent: Department.WorkKind, now: datetime) -> None:
    """Each field once."""
    check.different((each.field for each in sent.required_fields), "required_fields[{}].field")


def check_agent(check: Check, sent: Agent, now: datetime) -> None:
    """Each team, skill and language once."""
    for field in ("teams", "skills", "language_codes"):
        check.different(getattr(sent, field), f"{field}[{{}}]")


class DirectoryRpc(Rpc, DirectoryServiceServicer):
    """Departments and agents."""

    rules: ClassVar[Rules] = {
        Department: check_department,
        Department.WorkKind: check_work_kind,
        Agent: check_agent,
    }

    UpdateDepartment = change(pb.UpdateDepartmentRequest, update_department, Department)
    GetDepartment = get(DEPARTMENT, store.DEPARTMENT, Department)
    ListDepartments = listing(pb.ListDepartmentsResponse, store.LIST_DEPARTMENTS)
    ExplainDepartment = explain(DEPARTMENT, store.DEPARTMENT, Department)
    UpdateAgent = change(pb.UpdateAgentRequest, update_agent, Agent)
    GetAgent = get(AGENT, store.AGENT, Agent)
    ListAgents = listing(pb.ListAgentsResponse, store.LIST_AGENTS)
    ExplainAgent = explain(AGENT, store.AGENT, Agent)
