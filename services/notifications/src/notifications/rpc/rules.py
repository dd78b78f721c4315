"""What no option of the contract can say of a request."""

from datetime import datetime
from typing import Any

from chassis.api.formats import FORMATS
from chassis.api.validation import Check
from chassis.api.wellknown import time_of
from notifications.domain.policy import BY_EVENT
from notifications.domain.template import STANDARD
from notifications.usecases.words import LANGUAGE_ALLOWED, language_code_of
from rapport.notifications.v1.notice_policy_pb2 import NoticePolicy
from rapport.notifications.v1.notice_service_pb2 import SendNoticeRequest
from rapport.notifications.v1.template_pb2 import Template
from rapport.notifications.v1.template_service_pb2 import CreateTemplateTextRequest
from rapport.options.v1 import options_pb2

_CODES = {"reason": options_pb2.FORMAT_CODE, "reference": options_pb2.FORMAT_REFERENCE}


def check_values(check: Check, sent: Any, now: datetime) -> None:
    """A reason is a code, and a reference is one: these are never personal."""
    for name, kind in _CODES.items():
        value = sent.variables.get(name, "")
        if value and (wrong := FORMATS[kind](value)):
            check.refuse(f"variables[{name}]", *wrong)


def check_sending(check: Check, sent: SendNoticeRequest, now: datetime) -> None:
    """It is of use when it is sent."""
    expires = time_of(sent.notice, "expire_time")
    if expires and sent.HasField("hold") and expires <= now + sent.hold.ToTimedelta():
        check.refuse("notice.expire_time", "INVALID_TIME", "must be after the hold is over")


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


def check_text(check: Check, sent: CreateTemplateTextRequest, now: datetime) -> None:
    """A language in which dates can be written."""
    language = sent.template_text_id
    known = language_code_of(language).lower()
    if language and known != language:
        allowed = f"must be {known}, the whole of it" if known else f"{LANGUAGE_ALLOWED}, in lower-case"
        check.refuse("template_text_id", "INVALID_CODE", allowed)


def check_policy(check: Check, sent: NoticePolicy, now: datetime) -> None:
    """An event that a policy can be about."""
    if sent.event_type and sent.event_type not in BY_EVENT:
        check.refuse("event_type", "INVALID_CODE", f"must be one of {', '.join(BY_EVENT)}")
