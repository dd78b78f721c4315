"""Giving goodwill for a harm, within one's authority: the service says how much that is."""

from chassis.errors import invalid
from desk.language.catalogues import N_
from desk.pages.actions.action import Action, Doing, Done, Field, Values, opens
from desk.pages.actions.kinds.goodwill_requests import ASK_GOODWILL
from rapport.cases.v1.promise_service_pb2 import GetPromiseRequest
from rapport.loyalty.v1.goodwill_pb2 import Goodwill, Points
from rapport.loyalty.v1.goodwill_service_pb2 import CheckGoodwillRequest, GrantGoodwillRequest


async def _open(doing: Doing) -> Values:
    asked = CheckGoodwillRequest(customer=doing.customer)
    may = await doing.look.services.goodwill.CheckGoodwill(asked)
    told = N_("At most {n} points for one problem. You may still give them {left}.")
    left = min(may.customer_left, may.grantor_left)
    sentence = doing.look.say(told, n=min(may.amount, left), left=left)
    likely = {"sentence": sentence, "amount": str(min(100, may.amount))}
    if doing.on == doing.customer:
        return likely
    return likely | await _of_promise(doing) | {"reason": "promise-broken"}


_of_promise = opens(lambda to: to.promises.GetPromise, GetPromiseRequest)


async def _grant(doing: Doing) -> Done:
    look = doing.look
    try:
        points = Points(amount=int(doing.text("amount")))
    except ValueError:  # no number, or more than any account holds
        raise invalid("amount", "INVALID_NUMBER", N_("must be a whole number, 1 or more")) from None
    goodwill = Goodwill(customer=doing.customer, points=points, reason_code=doing.text("reason"))
    if doing.on.startswith("promises/"):
        goodwill.promise = doing.on
    await look.services.goodwill.GrantGoodwill(doing.request(GrantGoodwillRequest, goodwill=goodwill))
    given, why = look.say.number(points.amount), look.say.code(goodwill.reason_code)
    return Done(look.say("Given: {amount} points, because: {why}.", amount=given, why=why), doing.on)


GOODWILL = Action(
    id="goodwill",
    label=N_("Give goodwill"),
    letter="G",
    permission="loyalty.goodwill.grant",
    fields=[
        Field("amount", N_("Points"), type="number", hint=N_("a whole number")),
        Field("reason", N_("Reason"), codes=("promise-broken", "our-mistake", "late-delivery", "damaged")),
    ],
    button=N_("Give"),
    consequence=N_("They are on the customer's account at once. Goodwill is given once for one problem."),
    open=_open,
    do=_grant,
    beyond=ASK_GOODWILL,
)
