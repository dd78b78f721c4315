"""What a local stack begins with, unless it is there.

Colleagues who sign in, who of them is above others and may do more alone, and a message they may send.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import grpc

from rapport.cases.v1.agent_pb2 import Agent
from rapport.cases.v1.authority_policy_pb2 import AUTHORITY_ACT_GOODWILL, AuthorityPolicy
from rapport.cases.v1.authority_service_pb2 import CreateAuthorityPolicyRequest
from rapport.cases.v1.authority_service_pb2_grpc import AuthorityServiceStub
from rapport.cases.v1.department_pb2 import Department
from rapport.cases.v1.directory_service_pb2 import (
    GetAgentRequest,
    GetDepartmentRequest,
    UpdateAgentRequest,
    UpdateDepartmentRequest,
)
from rapport.cases.v1.directory_service_pb2_grpc import DirectoryServiceStub
from rapport.common.v1.value_band_pb2 import ValueBand
from rapport.notifications.v1.template_pb2 import Template, TemplateText
from rapport.notifications.v1.template_service_pb2 import CreateTemplateRequest, CreateTemplateTextRequest
from rapport.notifications.v1.template_service_pb2_grpc import TemplateServiceStub
from rapport_tools.cli.session import Session
from rapport_tools.local.people import PEOPLE
from rapport_tools.local.roles import ROLES

# What anybody at the front desk may give a customer in a value band; whoever leads may give more.
_POINTS = {
    ValueBand.VALUE_BAND_STANDARD: 500,
    ValueBand.VALUE_BAND_SILVER: 1000,
    ValueBand.VALUE_BAND_GOLD: 1500,
    ValueBand.VALUE_BAND_PLATINUM: 2000,
}
_LEADS = "loyalty.programs.write"
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


def authority(session: Session) -> None:
    """Have Sam asked by the front desk for what is above others, who may give more goodwill than they.

    A department that is there stays as it is, and so does a policy. RpcError; nothing without the service.
    """
    if "cases" not in session.peers:
        return
    directory = session.stub(DirectoryServiceStub, "cases")
    front_desk = Department(
        name="departments/front-desk", display_name="Front desk", escalation_path=["agents/sam"]
    )
    try:
        directory.GetDepartment(GetDepartmentRequest(name=front_desk.name))
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.NOT_FOUND:
            raise
        directory.UpdateDepartment(UpdateDepartmentRequest(department=front_desk, allow_missing=True))
    policy = AuthorityPolicy(
        display_name="Goodwill of the front desk",
        department=front_desk.name,
        act=AUTHORITY_ACT_GOODWILL,
        limits=[
            *(AuthorityPolicy.Limit(least_band=band, points=points) for band, points in _POINTS.items()),
            AuthorityPolicy.Limit(permission=_LEADS, points=2000, rolling_day_points=10_000),
        ],
    )
    created = CreateAuthorityPolicyRequest(authority_policy_id="front-desk-goodwill", authority_policy=policy)
    _once(partial(session.stub(AuthorityServiceStub, "cases").CreateAuthorityPolicy, created))


def _once(create: Callable[[], Any]) -> None:
    """Create what may be there already."""
    try:
        create()
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.ALREADY_EXISTS:
            raise


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
        _once(create)
