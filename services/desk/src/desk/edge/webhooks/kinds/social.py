"""`social`: somebody mentions us on a social network."""

from collections.abc import Sequence
from dataclasses import replace

from pydantic import Field

from desk.edge.webhooks.contact import Contact, line, words
from desk.edge.webhooks.kind import Kind
from desk.edge.webhooks.payload import Line, Payload, Text, read


class Mention(Payload):
    """A post that mentions us."""

    network: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", description="a code, such as `mastodon`")
    handle: Line
    text: Text
    url: Line = ""


def contact(bodies: Sequence[bytes], region_code: str) -> Contact:
    """The contact. NotUnderstood."""
    told = read(Mention, bodies[0])
    found = told.contact(
        "SOCIAL",
        words(told.text, line(told.url, 1000)),
        region_code,
        ("SOCIAL", told.handle, told.network),
    )
    return replace(found, name=found.name or line(told.handle))


DECLARED = (Kind("social", contact),)
