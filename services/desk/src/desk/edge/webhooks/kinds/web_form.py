"""`web-form`: what somebody filled in on a web site."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic import Field

from desk.edge.webhooks.contact import Contact, code, line, words
from desk.edge.webhooks.kind import Kind
from desk.edge.webhooks.payload import Line, Payload, Text, read


class Form(Payload):
    """A form that was sent."""

    form: Line = Field("", description="which form; its topic unless one is given")
    email: Line = ""
    phone: Line = ""
    message: Text = ""
    fields: dict[str, Any] = Field(default_factory=dict, max_length=100, description="the others, by name")


def contact(bodies: Sequence[bytes], region_code: str) -> Contact:
    """The contact. NotUnderstood."""
    told = read(Form, bodies[0])
    others = "\n".join(f"{line(name)}: {_shown(value)}" for name, value in told.fields.items())
    found = told.contact(
        "WEB",
        words(told.message, others),
        region_code,
        ("EMAIL", told.email, ""),
        ("PHONE", told.phone, ""),
    )
    return replace(found, topic=found.topic or code(told.form))


def _shown(value: Any) -> str:
    several = value if isinstance(value, list) else [value]
    return ", ".join(line(str(each), 1000) for each in several)


DECLARED = (Kind("web-form", contact),)
