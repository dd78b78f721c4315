"""Writing to the customer in a department's words, seen before they are sent."""

import asyncio
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

import grpc

from chassis.errors import InvalidArgument, Refusal
from chassis.grpc.status import reason
from desk.language.catalogues import N_
from desk.pages.actions.action import NAME_S, Action, Doing, Done, Undo, Values
from desk.pages.services import Services, ask, refusal_of
from desk.ui import words
from rapport.cases.v1.promise_service_pb2 import ListPromisesRequest, ListPromisesResponse
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.customer_service_pb2 import GetCustomerRequest
from rapport.notifications.v1 import notice_service_pb2 as pb
from rapport.notifications.v1.notice_pb2 import Notice
from rapport.notifications.v1.template_pb2 import Template
from rapport.notifications.v1.template_service_pb2 import (
    ListTemplatesRequest,
    RenderTemplateRequest,
    RenderTemplateResponse,
)

_VARIABLE = re.compile(r"variables\[(\w+)\]")

_SLACK_S = 2  # who presses in the last moment is in time


async def _open(doing: Doing) -> Values:
    doing = doing if doing.fields else await _likely(doing)
    values, customer = await _known(doing)
    typed = _typed(doing, values)
    try:
        return await _asked(doing, customer, values, typed)
    except grpc.aio.AioRpcError as error:
        if not isinstance(refusal_of(error), InvalidArgument):
            raise
        return values | _fields(doing, values)  # what is wrong is said when it is looked at


async def _likely(doing: Doing) -> Doing:
    """The form as it opens: about what was promised to the customer and is due first."""
    waited_for = "(state = OPEN OR state = AT_RISK OR state = BROKEN)"
    asked = ListPromisesRequest(
        filter=f'customer = "{doing.customer}" AND {waited_for}', order_by="due_time", page_size=1
    )
    listed = await ask(NAME_S, promises=doing.look.services.promises.ListPromises(asked))
    promised = listed.of("promises", ListPromisesResponse).promises
    about = [
        doing.look.say.thing(each.reference) for each in promised if each.reference.startswith("orders/")
    ]
    return replace(doing, fields={"v-reference": about[0]}) if about else doing


async def _known(doing: Doing) -> tuple[Values, Customer]:
    """The templates that people may send, the variables of the one that is chosen, and who gets it."""
    services = doing.look.services
    listed, customer = await asyncio.gather(
        services.templates.ListTemplates(ListTemplatesRequest(page_size=1000)),
        services.customers.GetCustomer(GetCustomerRequest(name=doing.customer)),
    )
    ours = [each for each in listed.templates if _is_sendable(each)]
    chosen = next(
        (each for each in ours if each.name == doing.text("template")), ours[0] if ours else Template()
    )
    shown = doing.text("asked").split() if doing.text("of") == chosen.name else []
    values = {
        "template": chosen.name,
        "templates": [(each.name, doing.look.say.named(each.name)) for each in ours],
        "variables": list(dict.fromkeys([*(each.name for each in chosen.variables), *shown])),
        "recipient": customer.display_name,
        "preview": None,
        "seen": "",
        "language": customer.language_code,
        "hold": doing.hold_s,
    }
    return values, customer


def _is_sendable(template: Template) -> bool:
    """Whether it is not policies' alone, nor a part of others, and has a text in its default language."""
    if template.policies_only or template.type == Template.TYPE_PARTIAL:
        return False
    return template.default_language_code in template.language_codes


async def _do(doing: Doing) -> Done | Values:
    return await (_undo(doing) if doing.text("step") == "undo" else _send(doing))


async def _send(doing: Doing) -> Done | Values:
    look = doing.look
    values, customer = await _known(doing)
    template, typed = values["template"], _typed(doing, values)
    shown = await _asked(doing, customer, values, typed)
    # Another message than was seen is seen first.
    if doing.text("step") != "send" or not shown["preview"] or doing.text("seen") != shown["seen"]:
        return shown
    notice = Notice(customer=doing.customer, kind=words.last(template), template=template, variables=typed)
    request = doing.request(pb.SendNoticeRequest, notice=notice)
    request.hold.FromTimedelta(timedelta(seconds=values["hold"] + _SLACK_S))
    sent = await look.services.notices.SendNotice(request)
    if await _is_taken_back(doing, sent.name):
        told = look.say("It was taken back, and is not sent. Send it again if it is to go after all.")
        return shown | {"told": told, "request_id": str(uuid4())}
    held = {
        **_fields(doing, values),
        "template": template,
        "of": template,
        "asked": " ".join(values["variables"]),
        "notice": sent.name,
        "step": "undo",
        "request_id": str(uuid5(UUID(words.last(sent.name)), "undo")),
    }
    who, hold_s = values["recipient"], values["hold"]
    told = look.say("{who} gets it in {n} seconds, where they allow it.", who=who, n=hold_s)
    return Done(told, sent.name, Undo(NOTICE.href(doing.customer), held, hold_s))


async def _is_taken_back(doing: Doing, notice: str) -> bool:
    """Whether it was sent before, as in another tab, and taken back since: what goes goes once."""
    if not doing.look.viewer.may("notifications.notices.read"):
        return False
    try:
        known = await doing.look.services.notices.GetNotice(pb.GetNoticeRequest(name=notice))
    except grpc.aio.AioRpcError:  # it was accepted: who sent it is told so, and may still undo it
        return False
    return known.reason_code == "taken-back"


async def _undo(doing: Doing) -> Done | Values:
    """Take a message back before it is sent, and write on; or say that it is too late for that."""
    request = doing.request(pb.CancelNoticeRequest, name=doing.text("notice"))
    try:
        await doing.look.services.notices.CancelNotice(request)
    except grpc.aio.AioRpcError as error:
        if reason(error) != "NOTICE_UNDER_WAY":
            raise
        return Done(doing.look.say("It is too late to take the message back."))
    try:
        return await _open(doing) | {"request_id": str(uuid4())}  # another message, if it is sent after all
    except grpc.aio.AioRpcError:
        return Done(doing.look.say("The message is taken back, and not sent."))


async def _asked(doing: Doing, customer: Customer, values: Values, typed: dict[str, str]) -> Values:
    """The message as it will read, or fields for what its words still need. InvalidArgument: typed wrong."""
    asked, preview = dict.fromkeys(values["variables"]), None
    if values["template"]:
        try:
            preview = await rendered(doing.look.services, customer.name, values["template"], typed)
        except grpc.aio.AioRpcError as error:
            refusal = refusal_of(error)
            missing = _missing(refusal)
            if not missing or (doing.text("of") == values["template"] and set(missing) <= set(asked)):
                raise
            asked |= dict.fromkeys(missing)
    told = {"variables": list(asked), "preview": preview, "seen": _seen(preview, typed)}
    return values | told | _fields(doing, told)


def _typed(doing: Doing, values: Values) -> dict[str, str]:
    """What was typed for the variables of a template: what is empty was not."""
    read = {"reference": doing.reference}
    typed = {name: read.get(name, doing.text)(f"v-{name}") for name in values["variables"]}
    return {name: text for name, text in typed.items() if text}


def _fields(doing: Doing, values: Values) -> Values:
    """Variables as fields of the form: departments name them as they like, also as other fields are."""
    return {f"v-{name}": doing.text(f"v-{name}") for name in values["variables"]}


def _seen(preview: RenderTemplateResponse | None, typed: Mapping[str, str]) -> str:
    """What a preview is told apart from others by: also from that of words that were changed meanwhile."""
    words = [preview.subject, preview.body] if preview else []
    return hashlib.sha256(json.dumps([words, typed]).encode()).hexdigest()


def _missing(refusal: Refusal) -> list[str]:
    """The variables that a message cannot be made without, when nothing else is wrong."""
    wrong = [each.field for each in getattr(refusal, "violations", ())]
    named = [_VARIABLE.fullmatch(each) for each in wrong]
    return [each[1] for each in named if each] if all(named) else []


async def rendered(
    services: Services,
    customer: str,
    template: str,
    variables: Mapping[str, str],
    language: str = "",
    case: str = "",
) -> Any:
    """A message as the customer reads it, in their language if in no other, signed by whoever would sign."""
    request = RenderTemplateRequest(
        name=template, customer=customer, variables=variables, language_code=language, case=case
    )
    return await services.templates.RenderTemplate(request)


NOTICE = Action(
    id="notice",
    label=N_("Send a message"),
    letter="S",
    permission="notifications.notices.write",
    button=N_("Preview"),
    open=_open,
    do=_do,
    template="pages/actions/kinds/notice.html",
)
