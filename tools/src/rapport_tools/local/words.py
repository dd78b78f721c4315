"""A message that people of a local stack may send, with what they fill in. Departments write their own."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rapport_tools.cli.session import Session

_ID = "visit-arranged"
_TEXTS = {
    "en": (
        "We come on {{ new_date }}",
        """\
Dear {{ customer_name }},

we come on {{ new_date }}, {{ time_window }}: {{ work }}.

If that does not suit you, please turn to me: {{ contact_reach }}.

With kind regards,
{{ contact_name }}
""",
    ),
    "de": (
        "Wir kommen am {{ new_date }}",
        """\
Guten Tag, {{ customer_name }},

wir kommen am {{ new_date }}, {{ time_window }}: {{ work }}.

Wenn Ihnen das nicht passt, wenden Sie sich bitte an mich: {{ contact_reach }}.

Mit freundlichen Grüßen
{{ contact_name }}
""",
    ),
}


def write(session: "Session") -> None:
    """Write what is missing of it. What is there stays as it is. RpcError; nothing where no service sends."""
    import grpc

    from rapport.notifications.v1.template_pb2 import Template, TemplateText
    from rapport.notifications.v1.template_service_pb2 import CreateTemplateRequest, CreateTemplateTextRequest
    from rapport.notifications.v1.template_service_pb2_grpc import TemplateServiceStub

    if "notifications" not in session.peers:
        return
    templates = session.stub(TemplateServiceStub, "notifications")
    given = [Template.Variable(name=name, impersonal=True) for name in ("time_window", "work")]
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
