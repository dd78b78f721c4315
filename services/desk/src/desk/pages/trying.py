"""What was typed into a form, and its values."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from fastapi import Request
from google.type.money_pb2 import Money

from chassis.api.messages import money
from chassis.errors import invalid
from desk.language.catalogues import N_

MOST = 2**31 - 1
_AMOUNT = re.compile(r"([0-9]{1,7}(?:[.][0-9]{1,9})?) *([A-Za-z]{3})")


@dataclass(frozen=True)
class Typed:
    """A form: its fields, and of those that may be there several times all values."""

    fields: Mapping[str, str]
    lists: Mapping[str, Sequence[str]]

    def text(self, name: str) -> str:
        return self.fields.get(name, "").strip()

    @property
    def request_id(self) -> str:
        """Once for each form."""
        return self.text("request_id")

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
