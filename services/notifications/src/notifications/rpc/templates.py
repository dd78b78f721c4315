"""The gRPC service of templates."""

from datetime import UTC
from typing import Any

from chassis.api.messages import to_message
from chassis.api.validation import Check
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.grpc.mutation import mutation
from notifications.domain.template import Kind, Template
from notifications.names import PURPOSE, TEMPLATE
from notifications.rpc.variables import check_declared, check_values
from notifications.store.templates import GET_TEMPLATE, LIST_TEMPLATES
from notifications.usecases.create_template import CreateTemplate, create_template
from notifications.usecases.words import LANGUAGE_ALLOWED, is_language, render
from rapport.notifications.v1 import template_service_pb2 as pb
from rapport.notifications.v1.template_service_pb2_grpc import TemplateServiceServicer

SUBJECT_MAX = 200
BODY_MAX = 10_000
REASONS_MAX = 100


class TemplateRpc(TemplateServiceServicer):
    """What notices say."""

    def __init__(self, db: Database) -> None:
        self.db = db

    @mutation
    async def CreateTemplate(self, request: pb.CreateTemplateRequest, tx: Transaction) -> pb.Template:
        """Create a template, or a new version of it."""
        check = Check()
        template_id = check.code(request.template_id, "template_id")
        template, within = request.template, check.at("template")
        kind = within.enum(pb.Template.Kind.DESCRIPTOR, template.kind, "kind")
        purpose = template.purpose
        within.name(PURPOSE, purpose, "purpose")
        language = within.text(template.language_code, "language_code", max=35)
        if language and not is_language(language):
            within.refuse("language_code", "INVALID_CODE", LANGUAGE_ALLOWED)
        subject = within.text(template.subject, "subject", max=SUBJECT_MAX)
        body = within.text(template.body, "body", max=BODY_MAX)
        apology = within.text(template.apology, "apology", max=500, required=False)
        reasons = _reasons(within, template.reasons)
        variables = check_declared(within, template.variables)
        department = within.department(template.department)
        check.raise_if_any()
        command = CreateTemplate(
            template_id,
            Kind(kind),
            template.purpose,
            language,
            subject,
            body,
            apology,
            reasons,
            variables,
            department,
        )
        return _message(await create_template(tx, command))

    async def GetTemplate(self, request: pb.GetTemplateRequest, context: Any) -> pb.Template:
        """The latest version of a template."""
        return _message(await self._latest(request.name))

    async def ListTemplates(self, request: pb.ListTemplatesRequest, context: Any) -> pb.ListTemplatesResponse:
        """The latest version of every template, by name."""
        templates, token = await LIST_TEMPLATES.page(self.db, request, _message)
        return pb.ListTemplatesResponse(templates=templates, next_page_token=token)

    async def RenderTemplate(
        self, request: pb.RenderTemplateRequest, context: Any
    ) -> pb.RenderTemplateResponse:
        """What would be sent. Dates are shown as days in UTC, for want of a customer with a time zone."""
        check = Check()
        given = check_values(check, request.variables)
        check.raise_if_any()
        template = await self._latest(request.name)
        words = render(template, given, UTC)
        return pb.RenderTemplateResponse(
            subject=words.subject, body=words.body, template_version=template.version
        )

    async def _latest(self, name: str) -> Template:
        (template_id,) = TEMPLATE.parse(name)
        template = await GET_TEMPLATE.maybe(self.db, id=template_id)
        if template is None:
            raise NotFound(name)
        return template


def _reasons(check: Check, sent: Any) -> dict[str, str]:
    reasons = dict(sent)
    if len(reasons) > REASONS_MAX:
        check.refuse("reasons", "TOO_LONG", f"must hold at most {REASONS_MAX} items")
        return {}
    for code, words in sorted(reasons.items()):
        check.code(code, "reasons")
        check.text(words, f"reasons[{code}]" if code.isidentifier() else "reasons", max=500)
    return reasons


def _message(template: Template) -> pb.Template:
    return to_message(pb.Template, template)
