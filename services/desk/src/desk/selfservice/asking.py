"""One look at a customer's own pages: whose link it is, how to speak to them, and what was sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl
from uuid import UUID, uuid4, uuid5

from starlette.requests import Request

from chassis.clock import Clock
from chassis.errors import invalid
from chassis.web import body_of
from desk.language.catalogues import N_
from desk.ui.speech import Speech, speech
from rapport.customer.v1.self_service_link_service_pb2 import ResolveSelfServiceLinkResponse

PURPOSES_MOST = 1_000  # of which one form says what is welcome: by 7 fields each, of 740 bytes
BODY_MAX_BYTES = 32 * 1024 + 740 * PURPOSES_MOST
FIELDS_MAX = 400 + 7 * PURPOSES_MOST
_FORM = "application/x-www-form-urlencoded"
_NAMESPACE = UUID("0b0b9b7e-6d5c-4a43-9f5e-6f2f5a0c1d4e")


@dataclass(frozen=True)
class Own:
    """Whoever holds a link, and what they sent."""

    request: Request = field(repr=False)
    token: str = field(repr=False)
    linked: ResolveSelfServiceLinkResponse = field(repr=False)
    say: Speech
    company: str  # who we are to them
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def customer(self) -> str:
        """The very name that the link is of."""
        return self.linked.customer

    def text(self, name: str) -> str:
        """What a field holds, as one paragraph after another; empty without."""
        return self.fields.get(name, "").replace("\r\n", "\n").strip()

    def request_id(self, what: str) -> str:
        """The same for a form that is sent twice as it is, and for nobody else's; another for other words."""
        try:
            sent = UUID(self.text("form"))
        except ValueError:
            sent = uuid4()
        return str(uuid5(_NAMESPACE, f"{self.customer} {what} {sent} {sorted(self.fields.items())}"))


def speaking(request: Request, clock: Clock, language: str = "", zone: str = "") -> Speech:
    """How to speak to a customer: in their language, or in what their browser prefers of ours."""
    preferred = ",".join(filter(None, (language, request.headers.get("accept-language", ""))))
    return speech(preferred[:1000], zone, clock.now())


async def sent_to(request: Request) -> bytes:
    """What was sent. InvalidArgument TOO_LONG; ClientDisconnect."""
    body = await body_of(request, BODY_MAX_BYTES)
    if body is None:
        raise invalid("form", "TOO_LONG", N_("is too long"))
    return body


def fields_of(request: Request, body: bytes) -> dict[str, str]:
    """The fields of a form. InvalidArgument INVALID_TEXT for what is none."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind != _FORM:
            raise ValueError("no form")
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX)
    except ValueError:
        raise invalid("form", "INVALID_TEXT", N_("is not understood")) from None
    return dict(pairs)
