"""TemplateService: what notices say."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from chassis.api.checks import Rules
from chassis.api.decoding import decoder
from chassis.api.entities import found
from chassis.api.messages import to_message
from chassis.api.validation import Check
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.grpc.methods import change, get, listing
from chassis.grpc.mutation import mutation
from chassis.languages import language_code_of
from chassis.servicer import Rpc
from chassis.zones import time_zone
from notifications.domain import template as domain
from notifications.domain.segments import segments
from notifications.domain.template import COMPANY_NAME, LINKS, STANDARD
from notifications.names import TEMPLATE, TEXT, TEXT_VERSION
from notifications.peers.purposes import Purposes
from notifications.peers.readers import Readers
from notifications.rpc.checks import check_values
from notifications.store import tables as store
from notifications.usecases import template
from notifications.usecases.partials import included, whole
from notifications.usecases.policy import read_template
from notifications.usecases.prose import names_in, needed_in
from notifications.usecases.samples import samples
from notifications.usecases.words import LANGUAGE_ALLOWED, render, stand_in, text_for
from rapport.notifications.v1 import template_service_pb2 as template_pb
from rapport.notifications.v1.template_pb2 import Template, TemplateText
from rapport.notifications.v1.template_service_pb2_grpc import TemplateServiceServicer

_NEW = decoder(template_pb.CreateTemplateRequest.DESCRIPTOR, template.create_template)


def check_template(check: Check, sent: Template, now: datetime) -> None:
    """A language in which dates can be written; variables that no template has, each once."""
    if sent.default_language_code and not language_code_of(sent.default_language_code):
        check.refuse("default_language_code", "INVALID_CODE", LANGUAGE_ALLOWED)
    names = [variable.name for variable in sent.variables]
    for i, name in enumerate(names):
        if name in names[:i]:
            check.refuse(f"variables[{i}].name", "INVALID_CODE", "must be no other variable's")
        elif name in STANDARD:
            described = f"must not be one that every template has: {', '.join(sorted(STANDARD))}"
            check.refuse(f"variables[{i}].name", "VARIABLE_RESERVED", described)


def check_new(check: Check, sent: template_pb.CreateTemplateRequest, now: datetime) -> None:
    """What it is for; but of what is never sent."""
    if not sent.template.purpose and sent.template.type != Template.TYPE_PARTIAL:
        check.refuse("template.purpose", "REQUIRED", "must be given")


def check_text(check: Check, sent: template_pb.CreateTemplateTextRequest, now: datetime) -> None:
    """A language in which dates can be written."""
    language = sent.template_text_id
    known = language_code_of(language).lower()
    if language and known != language:
        allowed = f"must be {known}, the whole of it" if known else f"{LANGUAGE_ALLOWED}, in lower-case"
        check.refuse("template_text_id", "INVALID_CODE", allowed)


def _shown(template: domain.TemplateInLanguages) -> Template:
    variables = [
        Template.Variable(name=name, impersonal=impersonal) for name, impersonal in template.variables.items()
    ]
    used = frozenset().union(*map(names_in, template.sources))
    given, needed = template.to_give(used), frozenset().union(*map(needed_in, template.sources))
    return to_message(
        Template,
        template,
        variables=variables,
        given_variables=given,
        required_variables=[each for each in given if each in needed or each not in used],
        tells_promises=template.tells_promises(used),
        policies_only=template.policies_only(used),
        includers=map(TEMPLATE.format, template.includers),
    )


def _text_shown(text: domain.Text) -> TemplateText:
    return to_message(TemplateText, text, partials=included(text))


def _version_shown(text: domain.Text) -> TemplateText:
    shown = _text_shown(text)
    shown.name = TEXT_VERSION.format(text.template_id, text.language, text.version)
    return shown


class TemplateRpc(Rpc, TemplateServiceServicer):
    """What notices say."""

    rules: ClassVar[Rules] = {
        Template: check_template,
        template_pb.CreateTemplateRequest: check_new,
        template_pb.CreateTemplateTextRequest: check_text,
        template_pb.RenderTemplateRequest: check_values,
    }

    purposes: Purposes
    readers: Readers
    link_hosts: Sequence[str]  # to which and under which texts may have links; none: to any
    company: str  # who we are to customers
    review_all: bool  # whether a second person approves the texts of every template, whatever that says

    GetTemplate = get(TEMPLATE, store.SHOW_TEMPLATE, _shown)
    ListTemplates = listing(template_pb.ListTemplatesResponse, store.LIST_TEMPLATES, _shown)
    UpdateTemplate = change(template_pb.UpdateTemplateRequest, template.update_template, _shown)
    CreateTemplateText = change(template_pb.CreateTemplateTextRequest, template.create_text, _text_shown)
    ListTemplateTexts = listing(
        template_pb.ListTemplateTextsResponse,
        store.LIST_TEXTS,
        _text_shown,
        parent=(TEMPLATE, store.GET_TEMPLATE),
    )
    UpdateTemplateText = change(template_pb.UpdateTemplateTextRequest, template.update_text, _text_shown)
    ApproveTemplateText = change(template_pb.ApproveTemplateTextRequest, template.approve_text, _text_shown)
    RejectTemplateText = change(template_pb.RejectTemplateTextRequest, template.reject_text, _text_shown)

    async def CreateTemplate(self, request: template_pb.CreateTemplateRequest, context: Any) -> Any:
        """Keep a new template, and what its purpose says for ever."""
        purpose = request.template.purpose
        request.template.essential = bool(purpose) and await self.purposes.is_essential(purpose)
        return await self._create(request, context)

    @mutation
    async def _create(self, sent: template_pb.CreateTemplateRequest, tx: Transaction) -> Template:
        return _shown(await template.create_template(tx, sent.template.essential, **_NEW(sent)))

    async def GetTemplateText(
        self, request: template_pb.GetTemplateTextRequest, context: Any
    ) -> TemplateText:
        """The latest version of a text, or the one that is named."""
        if (ids := TEXT_VERSION.match(request.name)) is not None:
            return _version_shown(await found(self.db, TEXT_VERSION, store.GET_TEXT_VERSION, *ids))
        text = await found(self.db, TEXT, store.GET_TEXT, *TEXT.parse(request.name))
        return _text_shown(text)

    async def RenderTemplate(
        self, request: template_pb.RenderTemplateRequest, context: Any
    ) -> template_pb.RenderTemplateResponse:
        """What would be sent."""
        template, texts = await read_template(self.db, *TEMPLATE.parse(request.name))
        reader = await self.readers.of(request.customer, request.case) if request.customer else None
        language = request.language_code or (reader.language_code if reader else "")
        language = language or template.default_language_code
        text = text_for(texts, language, template.default_language_code)
        if request.text_version:
            version = (template.id, language_code_of(language).lower(), str(request.text_version))
            named = await found(self.db, TEXT_VERSION, store.GET_TEXT_VERSION, *version)
            [text] = await whole(self.db, template, [named])
        if text is None:
            raise NotFound(TEXT.format(template.id, template.default_language_code.lower()))
        links = {name: stand_in(name) for name in LINKS}  # a reader's own nobody else sees
        given = (
            links
            | {COMPANY_NAME: self.company}
            | (reader.variables if reader else {})
            | dict(request.variables)
        )
        sampled = samples(template, text, given, self.db.clock.now()) if request.sample else {}
        zone = time_zone(request.time_zone or (reader.time_zone if reader else "")) or UTC
        words = render(template, text, given | sampled, zone)
        return template_pb.RenderTemplateResponse(
            subject=words.subject,
            body=words.body,
            html=words.html,
            language_code=text.language_code,
            text_version=text.version,
            sample_variables=sampled,
            time_zone=str(zone),
            sms_segment_count=segments(words.body),
        )
