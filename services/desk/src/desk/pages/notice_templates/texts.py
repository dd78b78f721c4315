"""`/templates/{id}/texts/{language}`: one text, how it reads, its versions, written and approved."""

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import grpc
from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.api.messages import value_name
from chassis.errors import NotFound, Refusal
from desk.auth.gate import FRAMED
from desk.pages.base import Look, Looking
from desk.pages.customer.loading import Names
from desk.pages.customer.route import UUID
from desk.pages.customer.things import address
from desk.pages.editing import Trial, marked
from desk.pages.find.searching import unasked
from desk.pages.notice_templates import forms, view
from desk.pages.services import refusal_of
from desk.pages.trying import Typed, typed
from desk.pages.work.route import CODE
from rapport.customer.v1.customer_service_pb2 import SearchCustomersRequest
from rapport.notifications.v1 import template_service_pb2 as pb
from rapport.notifications.v1.template_pb2 import Template, TemplateText

WRITE, APPROVE = "notifications.template_texts.write", "notifications.template_texts.approve"
LISTED, FOUND_MAX = 1000, 20
# What every text may say.
_EVERYWHERE = (
    "company_name",
    "customer_name",
    "contact_name",
    "contact_reach",
    "pages_link",
    "unsubscribe_link",
)
router = APIRouter(prefix="/templates/{code}/texts")


@dataclass(frozen=True)
class Chosen:
    """Which text is looked at, and how."""

    name: str
    language: str
    version: int  # that is shown as it reads; 0 is the latest
    beside: int  # beside which the latest is shown; 0 is none
    customer: str  # whose eyes it is read with, `customers/{uuid}`; or empty


async def texts_of(look: Looking, template: str) -> list[TemplateText]:
    """The latest versions of a template's texts, by language."""
    request = pb.ListTemplateTextsRequest(parent=template, page_size=LISTED)
    return list((await look.services.templates.ListTemplateTexts(request)).template_texts)


def _chosen(look: Looking, code: str, language: str) -> Chosen:
    if not CODE.fullmatch(code) or not CODE.fullmatch(language):
        raise NotFound("templates/…")
    query = look.request.query_params
    numbers = {name: _number(query.get(name, "")) for name in ("version", "beside")}
    customer = query.get("customer", "")
    whose = f"customers/{customer}" if UUID.fullmatch(customer) else ""
    return Chosen(f"templates/{code}/texts/{language}", language, **numbers, customer=whose)


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"[1-9][0-9]{0,5}", text) else 0


@router.get("")
async def begun(look: Look, code: str) -> Response:
    """To a text in another language, which is there or is written then."""
    language = look.request.query_params.get("language", "").strip().lower()
    return RedirectResponse(f"/{_chosen(look, code, language).name}", 303)


@router.get("/{language}")
async def one(look: Look, code: str, language: str) -> Response:
    """A text, or the form of one that is not there yet."""
    return await _page(look, _chosen(look, code, language), Trial())


@router.get("/{language}/html")
async def as_html(look: Look, code: str, language: str) -> Response:
    """How it reads as HTML, for a frame: nothing in it runs, is fetched, or knows whose page it is in."""
    chosen = _chosen(look, code, language)
    if (latest := await _text(look, chosen.name)) is None:
        raise NotFound(chosen.name)
    answer = await _rendered(look, chosen, latest)
    return HTMLResponse(answer.html, headers={"Content-Security-Policy": FRAMED})


@router.post("/{language}")
async def act(look: Look, code: str, language: str) -> Response:
    """Find whom to read it as; keep another version of it; approve or reject what waits."""
    chosen, sent = _chosen(look, code, language), await typed(look.request)
    if sent.text("act") == "find":
        return await _page(look, chosen, Trial(), await _found(look, sent), sent.text("who"))
    try:
        await _done(look, chosen, sent)
    except (grpc.aio.AioRpcError, Refusal) as error:
        refusal = refusal_of(error)
        anew = str(uuid4()) if refusal.reason == "REQUEST_ID_REUSED" else sent.request_id
        return await _page(look, chosen, Trial(sent, None, None, refusal, anew))
    return RedirectResponse(f"/{chosen.name}", 303)


async def _done(look: Looking, chosen: Chosen, sent: Typed) -> None:
    templates, request_id, etag = look.services.templates, sent.request_id, sent.text("etag")
    match sent.text("act"):
        case "approve":
            await templates.ApproveTemplateText(
                pb.ApproveTemplateTextRequest(name=chosen.name, etag=etag, request_id=request_id)
            )
        case "reject":
            note = sent.text("note")
            await templates.RejectTemplateText(
                pb.RejectTemplateTextRequest(name=chosen.name, note=note, etag=etag, request_id=request_id)
            )
        case _ if etag:
            proposed = forms.text_of(chosen.name, sent)
            mask = FieldMask(paths=[field for field in forms.TEXT_FIELDS if field in sent.fields])
            await templates.UpdateTemplateText(
                pb.UpdateTemplateTextRequest(template_text=proposed, update_mask=mask, request_id=request_id)
            )
        case _:
            await templates.CreateTemplateText(
                pb.CreateTemplateTextRequest(
                    parent=chosen.name.partition("/texts/")[0],
                    template_text_id=chosen.language,
                    template_text=forms.text_of("", sent),
                    request_id=request_id,
                )
            )


async def _page(
    look: Looking,
    chosen: Chosen,
    trial: Trial[TemplateText],
    found: list[tuple[str, str]] | None = None,
    who: str = "",
) -> Response:
    say, viewer = look.say, look.viewer
    template = await look.services.templates.GetTemplate(
        pb.GetTemplateRequest(name=chosen.name.partition("/texts/")[0])
    )
    now = await _text(look, chosen.name)
    if now is None and not viewer.may_change(WRITE, template.department):
        raise NotFound(chosen.name)
    now = now or TemplateText()
    names = Names(viewer, look.memory)
    await names.learn(look.services, {now.author})
    fields = defaultdict(str, trial.fields or forms.text_written(now))
    errors = marked(trial.refusal, say.language, (*forms.TEXT_FIELDS, "note"), forms.text_field)
    reads, unreadable = await _reads(look, chosen, template, now) if now.name else (None, "")
    return look.answer(
        "pages/notice_templates/text.html",
        422 if trial.refusal else 200,
        its=template,
        title=say.named(template.name),
        language=say.language_of(chosen.language),
        name=chosen.name,
        now=view.shown(now, say) if now.name else None,
        state=value_name(now, "state"),
        note=now.review_note,
        says_sorry=value_name(template, "type") in ("DELAY", "BAD_NEWS"),
        has_more=bool(now.apology or now.next_step or now.reasons),
        beside=await _version(look, chosen),
        versions=list(range(now.version - 1, max(0, now.version - 51), -1)),
        chosen=chosen,
        reads=view.rendered(reads, say) if reads else None,
        unreadable=unreadable,
        found=found,
        who=who,
        typed=fields,
        variables=[*_EVERYWHERE, *(each.name for each in template.variables)],
        etag=trial.fields.get("etag", now.etag),
        request_id=trial.request_id or str(uuid4()),
        told=trial.told(say, errors),
        errors=errors,
        may_write=viewer.may_change(WRITE, template.department),
        may_approve=viewer.may_change(APPROVE, template.department),
        is_own=now.author == viewer.agent,
        author=names(now.author),
    )


async def _text(look: Looking, name: str) -> TemplateText | None:
    try:
        found: TemplateText = await look.services.templates.GetTemplateText(
            pb.GetTemplateTextRequest(name=name)
        )
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return None
        raise
    return found


async def _version(look: Looking, chosen: Chosen) -> view.Words | None:
    if not chosen.beside:
        return None
    found = await _text(look, f"{chosen.name}/versions/{chosen.beside}")
    return view.shown(found, look.say) if found else None


async def _reads(look: Looking, chosen: Chosen, template: Template, latest: TemplateText) -> tuple[Any, str]:
    """How it reads; or why that cannot be said. A partial is read in what it stands in."""
    if value_name(template, "type") == "PARTIAL":
        return None, ""
    try:
        return await _rendered(look, chosen, latest), ""
    except grpc.aio.AioRpcError as error:
        return None, look.say.refusal(refusal_of(error))


async def _rendered(look: Looking, chosen: Chosen, latest: TemplateText) -> Any:
    """A version as it reads, with samples for what nobody gives; the latest unless another is chosen."""
    return await look.services.templates.RenderTemplate(
        pb.RenderTemplateRequest(
            name=chosen.name.partition("/texts/")[0],
            language_code=latest.language_code,
            text_version=chosen.version or latest.version,
            customer=chosen.customer,
            sample=True,
        )
    )


async def _found(look: Looking, sent: Typed) -> list[tuple[str, str]]:
    """Who may be meant by what was typed, each with what a choice says of them."""
    if unasked(sent.text("who"), look.say):
        return []
    request = SearchCustomersRequest(query=sent.text("who"), page_size=FOUND_MAX)
    matches = (await look.services.customers.SearchCustomers(request)).matches
    return [
        (
            each.customer.name.removeprefix("customers/"),
            ", ".join(filter(None, (each.customer.display_name, address(each.customer)))),
        )
        for each in matches
    ]
