"""`social`: somebody mentions us on a social network."""

from collections.abc import Sequence

from pydantic import Field

from desk.edge.webhooks.contact import Contact, code, line, reference, words
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
    return Contact(
        channel="SOCIAL",
        handles=told.handles(region_code, ("SOCIAL", told.handle, told.network)),
        customer=told.customer,
        name=line(told.name or told.handle),
        summary=words(told.text, line(told.url, 1000)),
        topic=code(told.topic),
        reference=reference(told.reference),
        occur_time=told.time,
        language_code=told.language,
    )


DECLARED = (Kind("social", contact),)
