"""What a local stack begins with, unless it is there: colleagues who sign in, and a message they may send."""

from collections.abc import Callable
from functools import partial
from typing import Any

import grpc

from rapport.cases.v1.agent_pb2 import Agent
from rapport.cases.v1.directory_service_pb2 import GetAgentRequest, UpdateAgentRequest
from rapport.cases.v1.directory_service_pb2_grpc import DirectoryServiceStub
from rapport.notifications.v1.template_pb2 import Template, TemplateText
from rapport.notifications.v1.template_service_pb2 import CreateTemplateRequest, CreateTemplateTextRequest
from rapport.notifications.v1.template_service_pb2_grpc import TemplateServiceStub
from rapport_tools.cli.session import Session
from rapport_tools.local.people import PEOPLE
from rapport_tools.local.roles import ROLES

# A message that people may send, with what they fill in. Departments write their own.
_ID = "visit-arranged"
_TEXTS = {
    "en": (
        "We come on {{ day }}",
        """\
Dear {{ customer_name }},

we come on {{ day }}, {{ time_window }}: {{ work }}.

If that does not suit you, please turn to me: {{ contact_reach }}.

With kind regards,
{{ contact_name }}
""",
    ),
    "de": (
        "Wir kommen am {{ day }}",
        """\
Guten Tag, {{ customer_name }},

wir kommen am {{ day }}, {{ time_window }}: {{ work }}.

Wenn Ihnen das nicht passt, wenden Sie sich bitte an mich: {{ contact_reach }}.

Mit freundlichen Grüßen
{{ contact_name }}
""",
    ),
}


def colleagues(session: Session) -> None:
    """Enter those who are missing in the directory of colleagues, where pages have their names from.

    Whoever is there stays as they are. RpcError; nothing is done where no service has a directory.
    """
    if "cases" not in session.peers:
        return
    directory = session.stub(DirectoryServiceStub, "cases")
    for person in PEOPLE.values():
        agent = Agent(
            name=f"agents/{person.id}",
            display_name=person.name,
            email=f"{person.id}@rapport.example",
            department=f"departments/{person.department}",
            inactive=not ROLES[person.role] & {"*", "cases.cases.write"},  # they are named, and own no case
        )
        try:
            directory.GetAgent(GetAgentRequest(name=agent.name))
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise
            directory.UpdateAgent(UpdateAgentRequest(agent=agent, allow_missing=True))


def message(session: Session) -> None:
    """Write what is missing of a message that people may send. RpcError; nothing where no service sends."""
    if "notifications" not in session.peers:
        return
    templates = session.stub(TemplateServiceStub, "notifications")
    given = [Template.Variable(name=name, impersonal=True) for name in ("day", "time_window", "work")]
    template = Template(
        type=Template.TYPE_INFORMATION,
        purpose="purposes/service",
        default_language_code="en",
        variables=given,
    )
    steps: list[Callable[[], Any]] = [
        partial(templates.CreateTemplate, CreateTemplateRequest(template_id=_ID, template=template))
    ]
    for language, (subject, body) in _TEXTS.items():
        text = TemplateText(subject=subject, body=body)
        request = CreateTemplateTextRequest(
            parent=f"templates/{_ID}", template_text_id=language, template_text=text
        )
        steps.append(partial(templates.CreateTemplateText, request))
    for create in steps:
        try:
            create()
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.ALREADY_EXISTS:
                raise
