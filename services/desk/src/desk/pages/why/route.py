"""`/why?of=promises/...`: the reason in words, the rule, what it looked at, the chain of causes."""

import re
from datetime import datetime
from typing import Any

import grpc
from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from chassis.api.messages import moment
from chassis.errors import NotFound, Refusal
from chassis.explain.chain import what
from desk.pages.base import Look
from desk.pages.calls import refusal_of
from desk.ui import words
from desk.ui.speech import Speech

router = APIRouter()
_MOMENT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?: UTC|Z)")
_CODE = re.compile(r"\(([a-z0-9]+(?:-[a-z0-9]+)+)\)")


@router.get("/why")
async def why(look: Look, of: str) -> Response:
    """The explanation, as a fragment for the panel."""
    try:
        told = await look.services.explain(of)
    except (grpc.aio.AioRpcError, Refusal) as error:
        return HTMLResponse(look.html("pages/actions/refused.html", refusal=refusal_of(error)))
    if told is None:
        refusal = NotFound(of)
        return HTMLResponse(look.html("pages/actions/refused.html", refusal=refusal))
    say = look.say
    causes = [_cause(each, look) for each in told.causes]
    rule = f"{say.code(words.last(told.rule))}, {told.rule_version}".rstrip(", ") if told.rule else ""
    inputs = [(say.titled(name), _value(value, say)) for name, value in sorted(told.inputs.items()) if value]
    return look.answer(
        "pages/why/why.html",
        told=told,
        summary=_summary(told.summary, say),
        rule=rule,
        inputs=inputs,
        causes=causes,
    )


def _cause(cause: Any, look: Any) -> dict[str, str]:
    at = moment(cause.occur_time)
    return {
        "what": look.say.fact(words.last(what(cause))),
        "who": look.say.titled(words.last(cause.actor)),
        "when": look.say.moment(at),
        "trace": cause.trace_id,
    }


def _summary(text: str, say: Speech) -> str:
    """A service's words, with its moments where the reader is, and codes as people say them."""
    there = _MOMENT.sub(lambda at: say.moment(datetime.fromisoformat(f"{at[1]}T{at[2]}+00:00")), text)
    return _CODE.sub(lambda code: f"({say.code(code[1])})", there)


def _value(value: str, say: Speech) -> str:
    """Names by their last part: ids say nothing to people."""
    return say.code(words.last(value) if "/" in value and " " not in value else value)
