"""`/customers/{id}/act/{action}`: a form opens, is sent, and says what became of it."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import uuid4

import grpc
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from starlette.datastructures import UploadFile

from chassis.errors import InvalidArgument, NotFound, Refusal, Violation
from desk.language.catalogues import violation
from desk.pages.actions.action import Action, Doing, Done, Values
from desk.pages.actions.drafts import Drafts
from desk.pages.actions.kinds import ACTIONS
from desk.pages.actions.kinds.contact import CONTACT
from desk.pages.base import Look, Looking
from desk.pages.services import refusal_of

router = APIRouter()
_ANEW = ("ETAG_MISMATCH", "REQUEST_ID_REUSED")
_FIELDS = {
    "due_time": "day",
    "due_date": "day",
    "forecast_finish_time": "day",
    "end_time": "day",
    "reason_code": "reason",
    "address_lines": "lines",
}
_HELD = ("request_id", "csrf", "etag", "step", "before")


@router.get("/customers/{uuid}/act/{action}")
async def opened(look: Look, uuid: str, action: str, on: str = "") -> Response:
    """The form, with what its author typed before, or the likely answer."""
    form, doing = _action(action), Doing(look, f"customers/{uuid}", on or f"customers/{uuid}")
    return _form(await _opened(form, doing))


@router.post("/customers/{uuid}/act/{action}")
async def sent(look: Look, request: Request, uuid: str, action: str, on: str = "") -> Response:
    """Do it, once for each request id. A refusal is shown in the form, which keeps what was typed."""
    said = getattr(request.state, "form", None) or await request.form()
    typed = {name: value for name, value in said.items() if isinstance(value, str)}
    files = [each for each in said.getlist("files") if isinstance(each, UploadFile) and each.size]
    form, doing = _action(action), Doing(look, f"customers/{uuid}", on or f"customers/{uuid}", typed, files)
    try:
        done = await form.sent(doing)
    except (grpc.aio.AioRpcError, Refusal) as error:
        return await _again(doing, form, refusal_of(error))
    finally:
        await said.close()
    if not isinstance(done, Done):
        request_id = done.pop("request_id", doing.text("request_id"))
        return _form(_html(doing, form, {"before": _told(done)} | done, request_id))
    await Drafts(look).delete(_key(doing, form))
    told = look.html("pages/actions/done.html", done=done)
    return HTMLResponse(told, headers={"X-Done": "1"})


@router.post("/drafts/{key:path}")
async def draft(look: Look, request: Request, key: str) -> Response:
    """Keep what is typed, for its author, until it is sent."""
    typed = {name: str(value) for name, value in (await request.form()).items() if name != "csrf"}
    await Drafts(look).put(key, typed)
    return Response(status_code=204)


async def note_box(look: Looking, customer: str) -> str:
    """The box that is always there, for who may record what a customer said: with their draft."""
    if not look.viewer.may(CONTACT.permission):
        return ""
    return await _opened(CONTACT, Doing(look, customer, customer))


async def _opened(form: Action, doing: Doing) -> str:
    draft = await Drafts(doing.look).get(_key(doing, form))
    request_id = draft.pop("request_id", "") or str(uuid4())  # of a form that nobody typed into, a new one
    values = await form.opened(replace(doing, fields=draft))
    draft.pop("seen", None)  # what was seen then is not what is seen now
    return _html(doing, form, {"before": _told(values)} | values | _typed(draft, values), request_id)


async def _again(doing: Doing, form: Action, refusal: Refusal) -> Response:
    """The form once more: what was refused, and after a change by somebody else what they changed."""
    differences: list[tuple[str, str, str]] = []
    passes = refusal.code in ("UNAVAILABLE", "DEADLINE_EXCEEDED")
    try:
        values = None if passes else await form.opened(doing)
    except (grpc.aio.AioRpcError, Refusal):
        values = None
    if values is None:  # the form stays as it is
        told = doing.look.html("pages/actions/refused.html", refusal=refusal, is_kept=passes)
        return HTMLResponse(told)
    if form.beyond and refusal.reason == "OVER_AUTHORITY":
        await _hand_on(doing, form.beyond)
    sent = _typed(doing.fields, values)
    typed = {name: text for name, text in sent.items() if name in values and name not in _HELD}
    if refusal.reason == "ETAG_MISMATCH":
        was = _was(doing)
        ours = {name: text for name, text in typed.items() if text != was.get(name)}
        differences = [
            (name, now, ours.get(name, now))
            for name, text in typed.items()
            if (now := str(values[name])) != was.get(name, text)
        ]
        values = {"before": _told(values)} | values | ours  # what somebody did not touch stays as it is now
    else:
        held = {name: doing.fields[name] for name in ("etag", "before") if name in doing.fields}
        values |= typed | held
    return _form(_html(doing, form, values, doing.text("request_id"), refusal, differences))


async def _hand_on(doing: Doing, to: Action) -> None:
    """What was typed is what another form opens with; of what was typed there before, the words stay."""
    drafts, key = Drafts(doing.look), _key(doing, to)
    before, typed = await drafts.get(key), doing.fields
    words = {each.name: before[each.name] for each in to.fields if not each.codes and each.name in before}
    await drafts.put(key, words | {each.name: typed[each.name] for each in to.fields if each.name in typed})


def _typed(fields: Mapping[str, str], values: Values) -> Values:
    """What was typed: not what a form offers, whatever is sent by its name."""
    return {name: text for name, text in fields.items() if isinstance(values.get(name, ""), str)}


def _told(values: Values) -> str:
    """What a form held when it opened, to tell what its author changes."""
    return json.dumps({name: each for name, each in values.items() if isinstance(each, str)})


def _was(doing: Doing) -> dict[str, str]:
    try:
        was = json.loads(doing.fields.get("before", ""))
    except ValueError:
        return {}
    return was if isinstance(was, dict) else {}


def _form(html: str) -> Response:
    return HTMLResponse(html, headers={"X-Form": "1"})


def _html(
    doing: Doing,
    form: Action,
    values: Values,
    request_id: str,
    refusal: Refusal | None = None,
    differences: Sequence[tuple[str, str, str]] = (),
) -> str:
    errors: defaultdict[str, str] = defaultdict(str)
    beyond = form.beyond if refusal and refusal.reason == "OVER_AUTHORITY" else None
    if isinstance(refusal, InvalidArgument) and refusal.reason not in _ANEW:
        say = doing.look.say.language
        errors |= {_field(each): violation(each, say) for each in refusal.violations}
    labels = {each.name: doing.look.say(each.label) for each in form.fields}
    wrong = [labels.get(name) or doing.look.say.titled(name.removeprefix("v-")) for name in errors]
    elsewhere = [name for name in errors if name not in values]  # of no field of the form
    return doing.look.html(
        form.template,
        form=form,
        action=form.href(doing.customer, doing.on),
        draft=f"/drafts/{_key(doing, form)}",
        value=values,
        errors=errors,
        wrong=", ".join(wrong),
        elsewhere=elsewhere,
        # What is decided upon anew is another request.
        request_id=str(uuid4()) if refusal and refusal.reason in _ANEW else request_id,
        refusal=refusal,
        differences=differences,
        beyond=beyond.href(doing.customer, doing.on) if beyond else "",
    )


def _field(wrong: Violation) -> str:
    """The field of a form that is wrong: `promise.due_date` is `day`, `variables[city]` is `v-city`.

    One of several that are typed in one field is that: `required_skills[0]` is `required_skills`.
    """
    name, _, key = wrong.field.rpartition(".")[2].partition("[")
    place = key.rstrip("]")
    return f"v-{place}" if place and not place.isdigit() else _FIELDS.get(name, name)


def _action(id: str) -> Action:
    if id not in ACTIONS:
        raise NotFound(f"act/{id}")
    return ACTIONS[id]


def _key(doing: Doing, form: Action) -> str:
    """Of a draft: whom and what it is about, and what for."""
    about = doing.customer if doing.on == doing.customer else f"{doing.customer}/{doing.on}"
    return f"{about}/{form.id}"
