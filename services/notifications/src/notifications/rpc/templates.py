"""The gRPC service of templates."""

from datetime import UTC
from typing import Any, ClassVar

from chassis.api.checks import Rules
from chassis.api.entities import found
from chassis.api.messages import to_message
from chassis.api.zones import time_zone
from chassis.errors import NotFound
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from notifications.domain import template as domain
from notifications.names import TEMPLATE, TEXT, TEXT_VERSION
from notifications.rpc.rules import check_template, check_text, check_values
from notifications.store import templates as store
from notifications.usecases import template as usecases
from notifications.usecases.sendable import read_template
from notifications.usecases.words import render, text_for
from rapport.notifications.v1 import template_service_pb2 as pb
from rapport.notifications.v1.template_pb2 import Template, TemplateText
from rapport.notifications.v1.template_service_pb2_grpc import TemplateServiceServicer


def _shown(template: domain.TemplateInLanguages) -> Template:
    variables = [
        Template.Variable(name=name, impersonal=impersonal) for name, impersonal in template.variables.items()
    ]
    return to_message(Template, template, variables=variables)


def _version_shown(text: domain.Text) -> TemplateText:
    return to_message(
        TemplateText, text, name=TEXT_VERSION.format(text.template_id, text.language, text.version)
    )


class TemplateRpc(Rpc, TemplateServiceServicer):
    """What notices say."""

    rules: ClassVar[Rules] = {
        Template: check_template,
        pb.CreateTemplateTextRequest: check_text,
        pb.RenderTemplateRequest: check_values,
    }

    CreateTemplate = change(pb.CreateTemplateRequest, usecases.create_template, _shown)
    GetTemplate = get(TEMPLATE, store.SHOW_TEMPLATE, _shown)
    ListTemplates = listing(pb.ListTemplatesResponse, store.LIST_TEMPLATES, _shown)
    UpdateTemplate = change(pb.UpdateTemplateRequest, usecases.update_template, _shown)
    CreateTemplateText = change(pb.CreateTemplateTextRequest, usecases.create_text, TemplateText)
    ListTemplateTexts = listing(
        pb.ListTemplateTextsResponse, store.LIST_TEXTS, parent=(TEMPLATE, store.GET_TEMPLATE)
    )
    UpdateTemplateText = change(pb.UpdateTemplateTextRequest, usecases.update_text, TemplateText)

    async def GetTemplateText(self, request: pb.GetTemplateTextRequest, context: Any) -> TemplateText:
        """The latest version of a text, or the one that is named."""
        if (ids := TEXT_VERSION.match(request.name)) is not None:
            return _version_shown(await found(self.db, TEXT_VERSION, store.GET_TEXT_VERSION, *ids))
        text = await found(self.db, TEXT, store.GET_TEXT, *TEXT.parse(request.name))
        return to_message(TemplateText, text)

    async def RenderTemplate(
        self, request: pb.RenderTemplateRequest, context: Any
    ) -> pb.RenderTemplateResponse:
        """What would be sent."""
        template, texts = await read_template(self.db, *TEMPLATE.parse(request.name))
        text = text_for(texts, request.language_code, template.default_language_code)
        if text is None:
            raise NotFound(TEXT.format(template.id, template.default_language_code.lower()))
        words = render(template, text, request.variables, time_zone(request.time_zone) or UTC)
        return pb.RenderTemplateResponse(
            subject=words.subject,
            body=words.body,
            language_code=text.language_code,
            text_version=text.version,
        )
