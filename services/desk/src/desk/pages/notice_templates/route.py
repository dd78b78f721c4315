"""`/templates`: the words of messages; each, `/templates/{id}`, with its languages."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from google.protobuf.field_mask_pb2 import FieldMask

from desk.pages.base import Look, Looking
from desk.pages.editing import Editor, Trial, marked
from desk.pages.notice_templates import forms, texts, view
from desk.pages.trying import Typed
from rapport.customer.v1.purpose_service_pb2 import ListPurposesRequest
from rapport.notifications.v1 import template_service_pb2 as pb
from rapport.notifications.v1.template_pb2 import Template, TemplateText

WRITE = "notifications.templates.write"
LISTED = 1000
_CHANGED = FieldMask(paths=["default_language_code", "variables", "review_required"])
_FIELDS = ("code", "type", "purpose", "default_language_code", "variables")


@dataclass(frozen=True)
class Known:
    """What a page shows beside a template."""

    texts: Sequence[TemplateText] = ()
    purposes: list[tuple[str, str]] = field(default_factory=list)  # of a new one, to choose from


class Templates(Editor[Template]):
    """What messages say. There is nothing to try: their texts are looked at by themselves."""

    collection, template, permission = "templates", "pages/notice_templates/one.html", WRITE

    def begun(self, look: Looking, chosen: Mapping[str, str]) -> Template:
        return Template(department=look.viewer.department)

    async def get(self, look: Looking, name: str) -> Template:
        return await look.services.templates.GetTemplate(pb.GetTemplateRequest(name=name))

    def read(self, now: Template, sent: Typed) -> Template:
        return forms.template_of(now, sent)

    async def preview(self, look: Looking, now: Template, proposed: Template, sent: Typed) -> Any:
        return None

    async def create(self, look: Looking, proposed: Template, sent: Typed) -> Template:
        asked = pb.CreateTemplateRequest(
            template_id=sent.text("code"), template=proposed, request_id=sent.request_id
        )
        return await look.services.templates.CreateTemplate(asked)

    async def update(self, look: Looking, now: Template, proposed: Template, sent: Typed) -> Template:
        asked = pb.UpdateTemplateRequest(template=proposed, update_mask=_CHANGED, request_id=sent.request_id)
        return await look.services.templates.UpdateTemplate(asked)

    async def known(self, look: Looking, now: Template) -> Known:
        if not now.name:
            listed = await look.services.purposes.ListPurposes(ListPurposesRequest(page_size=LISTED))
            return Known(purposes=view.purposes(listed.purposes, look.say))
        return Known(await texts.texts_of(look, now.name))

    def shown(self, look: Looking, now: Template, known: Known, trial: Trial[Template]) -> Mapping[str, Any]:
        say = look.say
        typed = defaultdict(str, trial.fields or forms.template_written(now))
        errors = marked(trial.refusal, say.language, _FIELDS, forms.template_field)
        return {
            "its": now,
            "line": view.line(now, say) if now.name else None,
            "texts": [view.shown(each, say) for each in known.texts],
            "partials": sorted({each for text in known.texts for each in text.partials}),
            "may_write_texts": look.viewer.may_change(texts.WRITE, now.department),
            "kinds": view.kinds(say),
            "purposes": known.purposes,
            "typed": typed,
            "told": trial.told(say, errors),
            "errors": errors,
        }


router = APIRouter()


@router.get("/templates")
async def templates(look: Look) -> Response:
    """All of them."""
    listed = await look.services.templates.ListTemplates(pb.ListTemplatesRequest(page_size=LISTED))
    return look.answer(
        "pages/notice_templates/all.html",
        lines=view.lines(listed.templates, look.say),
        more=bool(listed.next_page_token),
        may=look.viewer.may(WRITE),
    )


router.include_router(texts.router)
router.include_router(Templates().router())
