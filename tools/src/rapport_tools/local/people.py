"""The people of a local stack, who sign in with a click. In production the identity provider has them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rapport_tools.cli.session import Session


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign in: `agents/{id}`, with one of `roles.ROLES`, of `departments/{department}`."""

    id: str
    name: str
    role: str
    department: str
    does: str  # what they are there for


PEOPLE = {
    person.id: person
    for person in (
        Person("alice", "Alice", "agent", "front-desk", "Talks with customers: cases, promises, goodwill."),
        Person(
            "sam", "Sam", "supervisor", "front-desk", "Supervises: every department's cases and promises."
        ),
        Person("rita", "Rita", "relations", "relations", "Manages relationships: whose customer who is."),
        Person("dora", "Dora", "department", "delivery", "Works on delivery's items, and writes its part."),
        Person("nils", "Nils", "sre", "platform", "Runs the services: backlogs, dead letters, traces."),
        Person("ada", "Ada", "admin", "platform", "May do everything."),
    )
}


def enter(session: "Session") -> None:
    """Enter those who are missing in the directory of colleagues, where pages have their names from.

    Whoever is there stays as they are. RpcError; nothing is done where no service has a directory.
    """
    import grpc

    from rapport.cases.v1.agent_pb2 import Agent
    from rapport.cases.v1.directory_service_pb2 import GetAgentRequest, UpdateAgentRequest
    from rapport.cases.v1.directory_service_pb2_grpc import DirectoryServiceStub

    if "cases" not in session.peers:
        return
    directory = session.stub(DirectoryServiceStub, "cases")
    for person in PEOPLE.values():
        agent = Agent(
            name=f"agents/{person.id}",
            display_name=person.name,
            email=f"{person.id}@rapport.example",
            department=f"departments/{person.department}",
        )
        try:
            directory.GetAgent(GetAgentRequest(name=agent.name))
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise
            directory.UpdateAgent(UpdateAgentRequest(agent=agent, allow_missing=True))
