"""A form that says first what would become of what was typed, and is kept then."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import uuid4

import grpc
from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from google.type.money_pb2 import Money

from chassis.api.messages import money
from chassis.errors import Refusal, invalid
from desk.language.catalogues import N_
from desk.pages.services import refusal_of

MOST = 2**31 - 1
_AMOUNT = re.compile(r"([0-9]{1,7}(?:[.][0-9]{1,9})?) *([A-Za-z]{3})")


@dataclass(frozen=True)
class Typed:
    """A form: its fields, and of those that may be there several times all values."""

    fields: Mapping[str, str]
    lists: Mapping[str, Sequence[str]]

    def text(self, name: str) -> str:
        return self.fields.get(name, "").strip()

    def number(self, name: str) -> int:
        """A whole number, 0 for none. InvalidArgument for what is none."""
        return whole(name, self.text(name))


def whole(field: str, text: str) -> int:
    """A whole number, 0 for an empty text. InvalidArgument for what is none, or more than a message holds."""
    typed = text.strip() or "0"
    if not re.fullmatch(r"[0-9]{1,10}", typed) or int(typed) > MOST:
        raise invalid(field, "INVALID_NUMBER", N_("must be a whole number"))
    return int(typed)


def amount_of(field: str, text: str) -> Money:
    """An amount with its currency, `25.50 EUR`. InvalidArgument for what is none."""
    if not (typed := _AMOUNT.fullmatch(text.strip())):
        raise invalid(field, "INVALID_NUMBER", N_("must be an amount with its currency, such as 25.50 EUR"))
    return money(Decimal(typed[1]), typed[2].upper())


async def typed(request: Request, *several: str) -> Typed:
    """What was sent; fields that are named may be there several times."""
    async with request.form(max_files=0) as form:
        fields = {name: str(value) for name, value in form.items()}
        return Typed(fields, {name: [str(each) for each in form.getlist(name)] for name in several})


async def tried(
    sent: Typed,
    proposed_of: Callable[[], Any],
    preview: Callable[[Any], Awaitable[Any]],
    save: Callable[[Any, str], Awaitable[Any]],
    again: Callable[..., Response],
) -> Response:
    """Look, or save and show it, once for each form; what is refused is said in the form, which stays.

    `save` gives what was kept, whose page comes next; `again` is given what is `proposed`, its `preview` or
    the `refusal`, and the `request_id`.
    """
    proposed, request_id = None, sent.text("request_id")
    try:
        proposed = proposed_of()
        if sent.text("act") != "save":
            return again(proposed=proposed, preview=await preview(proposed), request_id=request_id)
        kept = await save(proposed, request_id)
    except (grpc.aio.AioRpcError, Refusal) as error:
        refusal = refusal_of(error)
        anew = str(uuid4()) if refusal.reason == "REQUEST_ID_REUSED" else request_id
        return again(proposed=proposed, refusal=refusal, request_id=anew)
    return RedirectResponse(f"/{kept.name}", 303)
