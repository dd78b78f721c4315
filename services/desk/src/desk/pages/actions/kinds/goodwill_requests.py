"""Money and things that make up for a harm, and asking for what one may not give alone."""

import re
from functools import partial
from typing import Any

from chassis.errors import invalid
from desk.language.catalogues import N_
from desk.pages.actions.action import Action, Doing, Done, Field, Values
from desk.pages.customer.gifts import said
from desk.pages.trying import amount_of
from rapport.common.v1.states_pb2 import GoodwillKind
from rapport.loyalty.v1 import goodwill_service_pb2 as pb
from rapport.loyalty.v1.goodwill_pb2 import Goodwill, InKind, Points

_KINDS = ("points", "money", "item", "repair", "waived-fee")
_REASONS = ("promise-broken", "our-mistake", "late-delivery", "damaged")


async def _left(doing: Doing) -> Values:
    """What one may give alone, of each kind."""
    asked = pb.CheckGoodwillRequest(customer=doing.customer)
    if doing.on.startswith("promises/"):
        asked.promise = doing.on
    may, say = await doing.look.services.goodwill.CheckGoodwill(asked), doing.look.say
    told = N_("Alone you may give {points} points, {money} in money, and things that cost {in_kind}.")
    amounts = {"money": say.money(may.money.amount), "in_kind": say.money(may.in_kind.amount)}
    return {"sentence": say(told, points=may.amount, **amounts)}


async def _likely(doing: Doing) -> Values:
    return {"kind": "points"} | await _left(doing)


def _gift(doing: Doing, kind: str) -> Goodwill:
    """What is to be given: points, or an amount with its currency. InvalidArgument."""
    goodwill = Goodwill(customer=doing.customer, reason_code=doing.text("reason"))
    goodwill.explanation = doing.text("explanation")
    if doing.on.startswith("promises/"):
        goodwill.promise = doing.on
    amount = doing.text("amount")
    if kind == "points":
        if not re.fullmatch("[0-9]{1,10}", amount):
            raise invalid("amount", "INVALID_NUMBER", N_("must be a whole number, 1 or more"))
        goodwill.points.CopyFrom(Points(amount=int(amount)))
        return goodwill
    cost = amount_of("amount", amount)
    if kind == "money":
        goodwill.money.CopyFrom(cost)
    else:
        of = GoodwillKind.Value(f"GOODWILL_KIND_{kind.upper().replace('-', '_')}")
        goodwill.in_kind.CopyFrom(InKind(kind=of, reference=doing.reference("reference"), cost=cost))
    return goodwill


async def _compensate(doing: Doing) -> Done:
    goodwill = _gift(doing, doing.text("kind"))
    request = doing.request(pb.GrantGoodwillRequest, goodwill=goodwill)
    made, say = await doing.look.services.goodwill.GrantGoodwill(request), doing.look.say
    told = {"amount": said(made, say), "why": say.code(made.reason_code)}
    return Done(say("Given: {amount}, because: {why}.", **told), doing.on)


async def _ask(doing: Doing) -> Done:
    goodwill = _gift(doing, doing.text("kind"))
    request = doing.request(pb.RequestGoodwillRequest, goodwill=goodwill)
    made, say = await doing.look.services.goodwill.RequestGoodwill(request), doing.look.say
    return Done(say("Asked for: {amount}. Tell the customer that somebody decides.", amount=said(made, say)))


async def _seen(doing: Doing) -> Values:
    seen = await doing.look.services.goodwill.GetGoodwill(pb.GetGoodwillRequest(name=doing.on))
    return {"what": said(seen, doing.look.say)}


async def _approve(doing: Doing) -> Done:
    request = doing.request(pb.ApproveGoodwillRequest)
    made = await doing.look.services.goodwill.ApproveGoodwill(request)
    return Done(doing.look.say("Given: {amount}.", amount=said(made, doing.look.say)), doing.on)


async def _decline(doing: Doing) -> Done:
    request = doing.request(pb.DeclineGoodwillRequest, reason_code=doing.text("reason"))
    await doing.look.services.goodwill.DeclineGoodwill(request)
    return Done(doing.look.say("It was declined."), doing.on)


_WHAT: list[Any] = [
    Field("amount", N_("How much"), hint=N_("points, or what it costs with its currency, such as 25 EUR")),
    Field("reason", N_("Reason"), codes=_REASONS),
    Field("explanation", N_("In words for the customer"), most=500),
    Field("reference", N_("Which thing"), required=False, most=100, hint=N_("optional, such as order 5021")),
]
_granting = partial(Action, permission="loyalty.goodwill.grant", open=_left)
ASK_GOODWILL = _granting(
    id="ask-goodwill",
    label=N_("Ask for more goodwill"),
    open=_likely,
    fields=[Field("kind", N_("What"), codes=_KINDS), *_WHAT],
    button=N_("Ask"),
    consequence=N_("Somebody with more authority says yes or no within 7 days; the grant names both of you."),
    do=_ask,
)
COMPENSATE = _granting(
    id="compensate",
    label=N_("Give money or a thing"),
    fields=[Field("kind", N_("What"), codes=_KINDS[1:]), *_WHAT],
    button=N_("Give"),
    consequence=N_("It is booked on the department that caused it. Goodwill is given once for one problem."),
    do=_compensate,
    beyond=ASK_GOODWILL,
)
_deciding = partial(Action, permission="loyalty.goodwill.approve", open=_seen)
APPROVE = _deciding(
    id="approve-goodwill",
    label=N_("Say yes"),
    button=N_("Say yes"),
    consequence=N_("The customer gets it at once, by your authority and on your budget."),
    final=True,
    do=_approve,
)
DECLINE = _deciding(
    id="decline-goodwill",
    label=N_("Say no"),
    fields=[Field("reason", N_("Reason"), codes=("not-our-mistake", "too-much", "another-way"))],
    button=N_("Say no"),
    consequence=N_("Nothing is given. Whoever asked tells the customer."),
    final=True,
    do=_decline,
)
