"""The gRPC services, and what no option of the contract can say of a request."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar

from chassis.api.checks import Rules
from chassis.api.entities import found
from chassis.api.formats import FORMATS
from chassis.api.messages import enum_name, moment, to_message
from chassis.api.validation import Check
from chassis.api.wellknown import duration_of, time_of
from chassis.errors import NotFound
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from chassis.zones import time_zone
from notifications.domain import template as domain
from notifications.domain.explanation import why_notice
from notifications.domain.route import NOTIFIED
from notifications.domain.segments import segments
from notifications.domain.template import LINKS, STANDARD
from notifications.names import ATTEMPT, NOTICE, TEMPLATE, TEXT, TEXT_VERSION
from notifications.rpc.readers import Readers
from notifications.store import tables as store
from notifications.usecases import notice, template
from notifications.usecases.figures import PERIOD_MAX, GroupBy, report_notices
from notifications.usecases.partials import whole
from notifications.usecases.policy import read_template
from notifications.usecases.samples import samples
from notifications.usecases.words import LANGUAGE_ALLOWED, language_code_of, render, stand_in, text_for
from rapport.common.v1 import channel_pb2
from rapport.common.v1.explanation_pb2 import Explanation
from rapport.notifications.v1 import notice_service_pb2 as notice_pb
from rapport.notifications.v1 import template_service_pb2 as template_pb
from rapport.notifications.v1.delivery_attempt_pb2 import DeliveryAttempt
from rapport.notifications.v1.notice_pb2 import Notice
from rapport.notifications.v1.notice_service_pb2_grpc import NoticeServiceServicer
from rapport.notifications.v1.template_pb2 import Template, TemplateText
from rapport.notifications.v1.template_service_pb2_grpc import TemplateServiceServicer
from rapport.options.v1 import options_pb2

_CODES = {"reason": options_pb2.FORMAT_CODE, "reference": options_pb2.FORMAT_REFERENCE}


def check_values(check: Check, sent: Any, now: datetime) -> None:
    """A reason is a code, and a reference is one: these are never personal."""
    for name, kind in _CODES.items():
        value = sent.variables.get(name, "")
        if value and (wrong := FORMATS[kind](value)):
            check.refuse(f"variables[{name}]", *wrong)


def check_channels(check: Check, sent: Any, now: datetime) -> None:
    """By which notices go, each once."""
    told = [enum_name(channel_pb2.Channel.DESCRIPTOR, each) for each in sent.channels]
    allowed = f"must be one of {', '.join(f'CHANNEL_{each}' for each in NOTIFIED)}, and no other's"
    for i, channel in enumerate(told):
        if channel not in NOTIFIED or channel in told[:i]:
            check.refuse(f"channels[{i}]", "INVALID_CODE", allowed)


def check_notice(check: Check, sent: Notice, now: datetime) -> None:
    """What its values and its channels are."""
    check_values(check, sent, now)
    check_channels(check, sent, now)


def check_sending(check: Check, sent: notice_pb.SendNoticeRequest, now: datetime) -> None:
    """It is of use when it is sent, and when that is is said once."""
    expires, hold = time_of(sent.notice, "expire_time"), duration_of(sent, "hold")
    scheduled = time_of(sent, "schedule_time")
    if scheduled and hold is not None:
        check.refuse("hold", "INVALID_TIME", "must be absent beside schedule_time")
    if scheduled and expires and expires <= scheduled:
        check.refuse("notice.expire_time", "INVALID_TIME", "must be after schedule_time")
    if expires and hold is not None and expires - now <= hold:
        check.refuse("notice.expire_time", "INVALID_TIME", "must be after the hold is over")


def check_period(check: Check, sent: notice_pb.ReportNoticesRequest, now: datetime) -> None:
    """From a moment to a later one, of a year at most."""
    start, end = time_of(sent, "start_time"), time_of(sent, "end_time")
    if start and end and not start < end <= start + PERIOD_MAX:
        check.refuse("end_time", "INVALID_TIME", "must be later than start_time, by 366 days at most")


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


def check_text(check: Check, sent: template_pb.CreateTemplateTextRequest, now: datetime) -> None:
    """A language in which dates can be written."""
    language = sent.template_text_id
    known = language_code_of(language).lower()
    if language and known != language:
        allowed = f"must be {known}, the whole of it" if known else f"{LANGUAGE_ALLOWED}, in lower-case"
        check.refuse("template_text_id", "INVALID_CODE", allowed)


class NoticeRpc(Rpc, NoticeServiceServicer):
    """Sending notices and following them."""

    rules: ClassVar[Rules] = {
        Notice: check_notice,
        notice_pb.SendNoticeRequest: check_sending,
        notice_pb.ReportNoticesRequest: check_period,
    }

    per_customer: int  # notices of one purpose that departments may request for a customer within a day

    SendNotice = change(notice_pb.SendNoticeRequest, notice.send_notice, Notice)
    CancelNotice = change(notice_pb.CancelNoticeRequest, notice.cancel_notice, Notice)
    GetNotice = get(NOTICE, store.GET_NOTICE, Notice)
    ListNotices = listing(notice_pb.ListNoticesResponse, store.LIST_NOTICES)
    GetDeliveryAttempt = get(ATTEMPT, store.GET_ATTEMPT, DeliveryAttempt)
    ListDeliveryAttempts = listing(
        notice_pb.ListDeliveryAttemptsResponse, store.LIST_ATTEMPTS, parent=(NOTICE, store.GET_NOTICE)
    )

    async def ReportNotices(
        self, request: notice_pb.ReportNoticesRequest, context: Any
    ) -> notice_pb.NoticeReport:
        """What became of notices, all in all and by what is asked for."""
        by = enum_name(notice_pb.ReportNoticesRequest.GroupBy.DESCRIPTOR, request.group_by)
        period = moment(request.start_time), moment(request.end_time)
        total, rows = await report_notices(self.db, GroupBy[by], *period, request.department)
        shown = partial(to_message, notice_pb.NoticeReport.Row)
        return notice_pb.NoticeReport(total=shown(total), rows=[shown(each) for each in rows])

    async def ExplainNotice(self, request: notice_pb.ExplainNoticeRequest, context: Any) -> Explanation:
        """Why a notice was or was not sent."""
        explained = await found(self.db, NOTICE, store.GET_NOTICE, *NOTICE.parse(request.name))
        its_template = await store.GET_TEMPLATE.one(self.db, id=explained.template_id)
        number = explained.latest_attempt
        attempt = await store.GET_ATTEMPT.maybe(self.db, notice_id=explained.id, id=number)
        why = partial(why_notice, explained, its_template, attempt)
        return await self.explainer.explain(request, to_message(Notice, explained), why)


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
        template_pb.CreateTemplateTextRequest: check_text,
        template_pb.RenderTemplateRequest: check_values,
    }

    readers: Readers
    link_hosts: Sequence[str]  # to which and under which texts may have links; none: to any
    review_all: bool  # whether a second person approves the texts of every template, whatever that says

    CreateTemplate = change(template_pb.CreateTemplateRequest, template.create_template, _shown)
    GetTemplate = get(TEMPLATE, store.SHOW_TEMPLATE, _shown)
    ListTemplates = listing(template_pb.ListTemplatesResponse, store.LIST_TEMPLATES, _shown)
    UpdateTemplate = change(template_pb.UpdateTemplateRequest, template.update_template, _shown)
    CreateTemplateText = change(template_pb.CreateTemplateTextRequest, template.create_text, TemplateText)
    ListTemplateTexts = listing(
        template_pb.ListTemplateTextsResponse, store.LIST_TEXTS, parent=(TEMPLATE, store.GET_TEMPLATE)
    )
    UpdateTemplateText = change(template_pb.UpdateTemplateTextRequest, template.update_text, TemplateText)
    ApproveTemplateText = change(template_pb.ApproveTemplateTextRequest, template.approve_text, TemplateText)
    RejectTemplateText = change(template_pb.RejectTemplateTextRequest, template.reject_text, TemplateText)

    async def GetTemplateText(
        self, request: template_pb.GetTemplateTextRequest, context: Any
    ) -> TemplateText:
        """The latest version of a text, or the one that is named."""
        if (ids := TEXT_VERSION.match(request.name)) is not None:
            return _version_shown(await found(self.db, TEXT_VERSION, store.GET_TEXT_VERSION, *ids))
        text = await found(self.db, TEXT, store.GET_TEXT, *TEXT.parse(request.name))
        return to_message(TemplateText, text)

    async def RenderTemplate(
        self, request: template_pb.RenderTemplateRequest, context: Any
    ) -> template_pb.RenderTemplateResponse:
        """What would be sent."""
        template, texts = await read_template(self.db, *TEMPLATE.parse(request.name))
        reader = await self.readers.of(request.customer) if request.customer else None
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
        given = links | (reader.variables if reader else {}) | dict(request.variables)
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
