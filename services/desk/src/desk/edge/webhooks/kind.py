"""What a kind of webhook brings: how its body is read, what of it is kept, and what the JSON of each has."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from desk.edge.webhooks.contact import (
    Contact,
    Handle,
    NotUnderstood,
    Receipt,
    code,
    handles,
    line,
    reference,
)

JSON = "application/json"
KIB, MIB = 1024, 1024 * 1024
P = TypeVar("P", bound=BaseModel)
_WORDS = {
    "missing": "is missing",
    "timezone_aware": "must have a time zone, as 2026-03-02T09:00:00Z",
    "string_too_long": "is too long",
    "too_long": "has too many items",
}
PROBLEMS_MAX = 20
Text = Annotated[str, Field(max_length=1_000_000)]
Line = Annotated[str, Field(max_length=1000)]
Direction = Literal["INBOUND", "OUTBOUND"]


@dataclass(frozen=True, slots=True)
class Glance:
    """What has to be known of a webhook before it is kept."""

    id: str = ""  # the sender's own, of this webhook
    call: str = ""  # the sender's id of the call that it is about; empty when it is a contact by itself
    rings_at: str = ""  # the code of the agent at whom it says that it rings


@dataclass(frozen=True, slots=True)
class CallState:
    """How a call is, by all that was told of it."""

    agents: frozenset[str] = frozenset()  # the codes of those at whom it rings, and of those who speak
    talking: frozenset[str] = frozenset()  # the codes of those who speak
    number: str = field(default="", repr=False)  # of whom we speak with, or are about to
    is_over: bool = False  # whether it has ended


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of webhook."""

    name: str  # as configured
    # The contact in the bodies that make it up, as they came, for numbers of a region. NotUnderstood.
    read: Callable[[Sequence[bytes], str], Contact]
    media_type: str = JSON  # of the body
    body_max_bytes: int = MIB  # the largest body
    glance: Callable[[bytes, str], Glance] = lambda body, region_code: Glance(
        _own_id(body)
    )  # what is looked at before it is kept. NotUnderstood.
    keep: Callable[[bytes], bytes] = bytes  # what of a body is kept
    # How the call is that the bodies tell of, in the order in which they came. NotUnderstood.
    call: Callable[[Sequence[bytes], str], CallState] = lambda bodies, region_code: CallState()
    # What it reports of a message of ours; None where it reports nothing. NotUnderstood.
    receipt: Callable[[Sequence[bytes]], Receipt | None] = lambda bodies: None
    # Whether its sender signs with a JWT, as a bearer token with the SHA-256 of the body in `payload_hash`,
    # and not as Standard Webhooks have it.
    by_jwt: bool = False
    creates: bool = True  # whether somebody unknown becomes a customer where the source does not say


class Identifier(BaseModel):
    """A handle of the customer, as the contract has it."""

    type: Literal["EMAIL", "PHONE", "FAX", "ACCOUNT_NUMBER", "EXTERNAL_ID", "SOCIAL", "DEVICE"]
    value: Line
    system: Line = ""


class Payload(BaseModel):
    """What every kind may say. Fields that are not known are passed over: senders say more than we need."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    id: Line = Field("", description="the sender's own, of this webhook")
    time: AwareDatetime | None = Field(None, description="when it happened, RFC 3339")
    customer: str = Field("", pattern="^(customers/[0-9a-f-]{36})?$", description="whose it is, if known")
    identifiers: list[Identifier] = Field(default_factory=list, max_length=20, description="of the customer")
    name: Line = Field("", description="what the customer is called")
    language: str = Field(
        "", pattern="^([a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?)?$", description="BCP 47"
    )
    topic: Line = ""
    reference: Line = Field("", description="what it refers to in the sender's system")

    def contact(
        self,
        channel: str,
        summary: str,
        region_code: str,
        *more: tuple[str, str, str],
        direction: Direction = "INBOUND",
    ) -> Contact:
        """The contact that it tells of, with whom `identifiers` and `more` (type, value, system) say."""
        return Contact(
            channel=channel,
            direction=direction,
            handles=self.handles(region_code, *more),
            told=line(next((value for _, value, _ in (*more, *self._given()) if value), "")),
            customer=self.customer,
            name=line(self.name),
            summary=summary,
            topic=code(self.topic),
            reference=reference(self.reference),
            occur_time=self.time,
            language_code=self.language,
        )

    def handles(self, region_code: str, *more: tuple[str, str, str]) -> tuple[Handle, ...]:
        """Those in `identifiers`, and `more`."""
        return handles([*self._given(), *more], region_code)

    def _given(self) -> list[tuple[str, str, str]]:
        return [(each.type, each.value, each.system) for each in self.identifiers]


def _load(body: bytes) -> dict[str, Any]:
    """An object of JSON. NotUnderstood."""
    try:
        loaded = json.loads(body)
    except (ValueError, RecursionError):
        raise NotUnderstood("body: must be JSON in UTF-8") from None
    if not isinstance(loaded, dict):
        raise NotUnderstood("body: must be an object")
    return loaded


def read(model: type[P], body: bytes) -> P:
    """The payload of a kind. NotUnderstood, with what is wrong in each field."""
    try:
        return model.model_validate(_load(body))
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        raise NotUnderstood(*(_problem(each) for each in problems[:PROBLEMS_MAX])) from None


def _own_id(body: bytes) -> str:
    """The sender's id in it, if it has one. NotUnderstood."""
    found = _load(body).get("id", "")
    return found.encode(errors="replace").decode() if isinstance(found, str) else ""


def _problem(error: Any) -> str:
    field = ".".join(str(each) for each in error["loc"]) or "body"
    return f"{field}: {_WORDS.get(error['type'], error['type'].replace('_', ' '))}"
