"""What customers are to each other: noted after a search for the other one, ended, or deleted."""

from collections.abc import Mapping
from functools import partial

from google.protobuf.field_mask_pb2 import FieldMask

from chassis.api.messages import timestamp
from desk.language.catalogues import N_
from desk.pages.actions.action import Action, Doing, Done, Field, Values
from desk.pages.actions.choosing import called, meant, others
from desk.ui.speech import Speech
from rapport.customer.v1 import relationship_service_pb2 as pb
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.relationship_pb2 import Relationship

_BACK = ":back"  # of a kind that is said from the other side
# What the customer is to the other, and what the other is then to them.
KINDS: Mapping[str, tuple[str, str]] = {
    "employee-of": (N_("employee of"), N_("employer of")),
    "member-of-household": (N_("member of the household of"), N_("household of")),
    "subsidiary-of": (N_("subsidiary of"), N_("parent company of")),
}


def is_to(kind: str, back: bool, say: Speech) -> str:
    """What somebody is to another, in words: `employee of`, or from the other side `employer of`."""
    if kind in KINDS:
        return say(KINDS[kind][back])
    return say("the other way round, {kind}", kind=say.code(kind)) if back else say.code(kind)


async def _open(doing: Doing) -> Values:
    say = doing.look.say
    kinds = [(kind + _BACK * back, is_to(kind, back, say)) for kind in KINDS for back in (False, True)]
    return {"kinds": kinds, "related": "", "found": await others(doing)}


async def _relate(doing: Doing) -> Done | Values:
    """First whom the words may mean, which somebody sees and chooses; then what they are to each other."""
    look, related = doing.look, await meant(doing)
    if not related:
        return await RELATE.opened(doing) | {name: doing.text(name) for name in ("kind", "who", "role")}
    kind, _, is_back = doing.text("kind").partition(":")
    ends = (doing.customer, related)
    customer, related = ends[::-1] if is_back else ends
    noted = Relationship(kind=kind, customer=customer, related_customer=related, role=doing.text("role"))
    request = doing.request(pb.CreateRelationshipRequest, relationship=noted)
    made = await look.services.relationships.CreateRelationship(request)
    told = look.say("Noted: {what}.", what=await _what(doing, made))
    return Done(told, made.name, REMOVE.undo(doing, made.name, etag=made.etag))


async def _what(doing: Doing, each: Relationship) -> str:
    """What the customer is to the other, who is named: `employee of Acme`."""
    say = doing.look.say
    known = await doing.look.services.known((each.customer, each.related_customer))
    mine = each.customer in known and known[each.customer].name == doing.customer
    other = known.get(each.related_customer if mine else each.customer, Customer())
    return f"{is_to(each.kind, not mine, say)} {called(other, doing)}"


async def _seen(doing: Doing) -> Values:
    request = pb.GetRelationshipRequest(name=doing.on)
    seen = await doing.look.services.relationships.GetRelationship(request)
    what = await _what(doing, seen)
    return {"etag": seen.etag, "what": what, "day": doing.look.say.today.isoformat()}


async def _end(doing: Doing) -> Done:
    """On a day, of which today ends now: nothing ends later than that."""
    look, at = doing.look, doing.moment()
    if look.say.day_of(at) == look.say.today:
        at = min(at, look.say.now)
    ended = Relationship(name=doing.on, end_time=timestamp(at), etag=doing.text("etag"))
    request = doing.request(
        pb.UpdateRelationshipRequest, relationship=ended, update_mask=FieldMask(paths=["end_time"])
    )
    over = await look.services.relationships.UpdateRelationship(request)
    return Done(look.say("Ended: {what}.", what=await _what(doing, over)), doing.on)


async def _remove(doing: Doing) -> Done:
    await doing.look.services.relationships.DeleteRelationship(doing.request(pb.DeleteRelationshipRequest))
    return Done(doing.look.say("Deleted: it never was."), doing.on)


_written = partial(Action, permission="customer.relationships.write")
RELATE = _written(
    id="relate",
    label=N_("Add a relationship"),
    fields=[
        Field("kind", N_("What this customer is"), among="kinds"),
        Field("who", N_("To whom: phone, e-mail, number or name")),
        Field(
            "role", N_("As what"), required=False, most=100, hint=N_("optional, such as Head of purchasing")
        ),
    ],
    open=_open,
    do=_relate,
    template="pages/actions/kinds/relate.html",
)
END = _written(
    id="end",
    label=N_("End the relationship"),
    fields=[Field("day", N_("Until"), type="date")],
    button=N_("End"),
    consequence=N_("It stays to be seen, as one that is over. Nothing takes that back."),
    final=True,
    open=_seen,
    do=_end,
)
REMOVE = _written(
    id="unrelate",
    label=N_("Delete: it never was"),
    button=N_("Delete"),
    consequence=N_("Nobody sees it any more. What was and is over is ended instead."),
    final=True,
    open=_seen,
    do=_remove,
)
