"""What an action is: who may do it, what its form holds when it opens, and what is done when it is sent."""

import re
import unicodedata
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlencode
from uuid import uuid4

from google.protobuf.message import Message
from starlette.datastructures import UploadFile

from chassis.api.messages import day, enum_name, timestamp
from chassis.errors import InvalidArgument, Violation, invalid
from desk.language.catalogues import N_
from desk.pages.base import Looking
from desk.pages.customer.things import thing_of
from desk.pages.find.searching import classify
from desk.pages.services import Services, ask
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.customer_service_pb2 import GetCustomerRequest

P = ParamSpec("P")
M = TypeVar("M", bound=Message)
Values = dict[str, Any]
REFERENCE_MAX = 100
NAME_S = 0.8  # a form that does not say whose it is comes sooner than one that waits for that
HOLD_S, LONG_HOLD_S = 10, 120  # what somebody chooses, in the menu: at least ten times as long (WCAG 2.2.1)
_SATURDAY = 5


@dataclass(frozen=True)
class Field:
    """A field of a form."""

    name: str
    label: str
    required: bool = True  # no form is sent without
    type: str = "text"  # of an input; `words` of several lines, `tick` of a box that is ticked
    most: int = 200  # characters of a text
    offers: Sequence[str] = ()  # codes whose words it offers; any other words are taken, too, and are no code
    # One of them is chosen by its words: such as a reason, which events tell and people read.
    codes: Sequence[str] = ()
    among: str = ""  # what the form holds under this name is chosen from: nothing else is taken
    hint: str = ""


@dataclass(frozen=True)
class Doing:
    """One opening or sending of a form."""

    look: Looking
    customer: str  # `customers/{uuid}`
    on: str  # the resource that it is about; the customer when it is no other
    fields: Mapping[str, str] = field(default_factory=dict)  # what was typed; empty when it opens
    files: Sequence[UploadFile] = ()  # of a form that has any

    @property
    def hold_s(self) -> int:
        """For how long what is done can be taken back."""
        is_long = self.look.request.cookies.get("hold") == str(LONG_HOLD_S)
        return LONG_HOLD_S if is_long else HOLD_S

    async def whose(self) -> str:
        """What the customer is called whose thing it is about; empty when nobody says, and of themselves."""
        if self.on == self.customer:
            return ""
        asked = self.look.services.customers.GetCustomer(GetCustomerRequest(name=self.customer))
        return (await ask(NAME_S, who=asked)).of("who", Customer).display_name

    def request(self, made: Callable[P, M], *args: P.args, **fields: P.kwargs) -> M:
        """A request about `on`, as that was when the form opened, and done once; of other fields as given."""
        request = made(*args, **fields)
        known = {"name": self.on, "etag": self.text("etag"), "request_id": self.text("request_id")}
        for each, value in known.items():
            if each in request.DESCRIPTOR.fields_by_name and not getattr(request, each):
                setattr(request, each, value)
        return request

    def text(self, name: str) -> str:
        """What was typed, without spaces around it."""
        return self.fields.get(name, "").strip()

    def said(self, name: str, known: Iterable[str]) -> tuple[str, str]:
        """What was typed as a code, and as it was said where the code does not say it.

        `other` for words of one's own: codes are in events and on timelines, where nothing personal may be.
        """
        typed = self.text(name)
        words = {said.casefold(): each for each in known for said in (each, self.look.say.code(each))}
        if typed.casefold() in words or typed == "":
            return words.get(typed.casefold(), ""), ""
        return (typed, "") if _A_CODE.fullmatch(typed) else ("other", typed)

    def reference(self, name: str) -> str:
        """What was typed as a reference: `order 5021` and `5021` are `orders/5021`, as where one finds."""
        typed = self.text(name)
        what, _, number = typed.partition(" ")
        if what.casefold() == self.look.say.code("order").casefold():
            typed = f"order {number}"
        written = "-".join(re.findall("[a-z0-9.:/#_-]+", _plain(typed), re.IGNORECASE))
        return classify(typed).reference or written[:REFERENCE_MAX]

    def choice(self, name: str, enum: Any) -> Any:
        """What was chosen of an enum, by its name without prefix. INVALID_CODE."""
        known = (each.number for each in enum.DESCRIPTOR.values if each.number)
        chosen = {enum_name(enum.DESCRIPTOR, number): number for number in known}
        if self.text(name) not in chosen:
            raise invalid(name, "INVALID_CODE", f"must be one of {', '.join(chosen)}")
        return chosen[self.text(name)]

    def when(self) -> dict[str, Any]:
        """`due_date`, or with a time of day `due_time`. INVALID_TIME."""
        at = self.moment()
        return {"due_time": timestamp(at)} if self.text("time") else {"due_date": day(at.date())}

    def moment(self) -> datetime:
        """The typed day and time as a moment; a day alone is its evening. INVALID_TIME."""
        try:
            on = date.fromisoformat(self.text("day"))
            at = datetime.combine(on, time.fromisoformat(self.text("time") or "18:00"), self.look.say.zone)
            told = at.astimezone(UTC).astimezone(self.look.say.zone)
        except (ValueError, OverflowError):  # the first and the last day are not there in every zone
            raise invalid("day", "INVALID_TIME", N_("must be a day, and a time of day or none")) from None
        if told.replace(tzinfo=None) != at.replace(tzinfo=None):
            raise invalid(
                "time", "INVALID_TIME", N_("must be a time that there is: clocks are put forward then")
            )
        return at


_A_CODE = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)+")  # of several words: one is a name as well
IN_WORDS = N_("choose one, or say it in your own words, which colleagues read")
REFERENCE = Field(
    "reference",
    N_("Order or reference"),
    required=False,
    most=REFERENCE_MAX,
    hint=N_("optional, such as order 5021"),
)


@dataclass(frozen=True)
class Undo:
    """What takes back what was done, while it can be: a form that is sent at once."""

    href: str  # where to
    fields: Mapping[str, str]
    for_s: int  # for how long it is offered


@dataclass(frozen=True)
class Done:
    """What was done."""

    words: str
    of: str = ""  # the resource that it changed: what was said of that before is over
    undo: Undo | None = None


async def nothing(_: Doing) -> Values:
    """What a form holds at first that begins empty."""
    return {}


@dataclass(frozen=True, kw_only=True)
class Action:
    """One thing to do."""

    id: str  # in its address
    label: str  # on the button that opens its form
    letter: str = ""  # the key that does it, in the row that has the focus
    permission: str  # of the RPC that it calls
    # Whether the RPC changes what a department owns: only its people, and who administers.
    owned: bool = False
    title: str = ""  # above its form, where that is not the label
    fields: Sequence[Field] = ()
    button: str = N_("Save")
    consequence: str = ""  # what else will happen
    final: bool = False  # nothing takes it back: its form begins at what closes it
    # What its fields hold at first, the likely answer; `what` it is about, a `sentence` on how much.
    open: Callable[[Doing], Awaitable[Values]] = nothing
    # Sends it, or gives what the form shows next. A refusal is shown in the form.
    do: Callable[[Doing], Awaitable[Done | Values]]
    # Where what is OVER_AUTHORITY is asked for: opened with what was typed here.
    beyond: "Action | None" = None
    template: str = "pages/actions/frame.html"  # of a form that is more than its fields

    @property
    def service(self) -> str:
        return self.permission.partition(".")[0]

    def href(self, customer: str, on: str = "") -> str:
        """Where its form opens, about something of a customer or themselves."""
        asked = "" if on in ("", customer) else f"?{urlencode({'on': on})}"
        return f"/{customer}/act/{self.id}{asked}"

    async def opened(self, doing: Doing) -> Values:
        """What its form holds before anything is typed, and what it is `about`. Refusal, AioRpcError."""
        held = dict.fromkeys((each.name for each in self.fields), "") | await self.open(doing)
        return held | {"about": ", ".join(filter(None, (held.get("what"), await doing.whose())))}

    def undo(self, doing: Doing, on: str, **fields: str) -> Undo:
        """Sending this takes back what was done to something of the customer."""
        return Undo(self.href(doing.customer, on), {"request_id": str(uuid4()), **fields}, doing.hold_s)

    async def sent(self, doing: Doing) -> Done | Values:
        """What is done, or shown next, when it is sent. REQUIRED, INVALID_CODE of any field; AioRpcError."""
        if wrong := [found for each in self.fields if (found := _wrong(each, doing.text(each.name)))]:
            raise InvalidArgument(wrong)
        return await self.do(doing)


def _wrong(field: Field, typed: str) -> Violation | None:
    if field.required and not typed:
        return Violation(field.name, "REQUIRED", N_("must be given"))
    if typed and field.codes and typed not in field.codes:
        return Violation(field.name, "INVALID_CODE", N_("must be one of those that are offered"))
    return None


Rpc = Callable[[Services], Callable[[M], Awaitable[Any]]]


def sends(rpc: Rpc[M], request: type[M], told: str, **fields: str) -> Callable[[Doing], Awaitable[Done]]:
    """What an action does that sends fields of its form, by the names that a request has, and says `told`.

    `{what}` in that, where it is there, is what it changed.
    """

    async def do(doing: Doing) -> Done:
        typed = {name: doing.text(field) for name, field in fields.items()}
        changed = await rpc(doing.look.services)(doing.request(request, **typed))
        named = {"what": thing_of(changed, doing.look.say)} if "{what}" in told else {}
        return Done(doing.look.say(told, **named), doing.on)

    return do


def opens(rpc: Rpc[M], request: type[M]) -> Callable[[Doing], Awaitable[Values]]:
    """What a form holds at first that is about one thing: as what it was seen, and what it is called."""

    async def opened(doing: Doing) -> Values:
        seen = await rpc(doing.look.services)(request(name=doing.on))
        return {"etag": seen.etag, "what": thing_of(seen, doing.look.say)}

    return opened


def working_day(on: date) -> date:
    """The day, or the Monday after a weekend."""
    return on + timedelta(days=max(0, 7 - on.weekday()) if on.weekday() >= _SATURDAY else 0)


def _plain(typed: str) -> str:
    """Without accents, and `ß` as `ss`."""
    return "".join(
        each
        for each in unicodedata.normalize("NFKD", typed.replace("ß", "ss"))
        if not unicodedata.combining(each)
    )
