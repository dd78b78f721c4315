"""Making, keeping, moving and taking back what was promised."""

from datetime import timedelta
from functools import partial

from chassis.api.messages import date_of, moment
from chassis.zones import day_of
from desk.language.catalogues import N_
from desk.pages.actions.action import (
    IN_WORDS,
    NAME_S,
    REFERENCE,
    Action,
    Doing,
    Done,
    Field,
    Values,
    opens,
    sends,
    working_day,
)
from desk.pages.customer.things import promise_of
from desk.pages.services import ask
from rapport.cases.v1 import promise_service_pb2 as pb
from rapport.cases.v1.authority_policy_pb2 import AUTHORITY_ACT_EXTENSION
from rapport.cases.v1.authority_service_pb2 import CheckAuthorityRequest, CheckAuthorityResponse
from rapport.cases.v1.promise_pb2 import Promise
from rapport.customer.v1.customer_service_pb2 import GetCustomerRequest

PROMISES = ("call-back", "delivery", "refund", "installation", "repair")
CHANGES = ("customer-away", "carrier-delay", "out-of-stock", "other")
WITHDRAWALS = ("customer-cancelled", "customer-agreed", "our-mistake", "out-of-stock")
AGAIN = timedelta(minutes=10)  # who promises the same again so soon may not mean to


async def _likely(doing: Doing) -> Values:
    day = working_day(doing.look.say.today + timedelta(days=1))
    return {"day": day.isoformat(), "time": "12:00"}


async def _make(doing: Doing) -> Done:
    look = doing.look
    when = doing.when()
    if "due_date" in when:  # a day is a day where the customer is
        whose = await look.services.customers.GetCustomer(GetCustomerRequest(name=doing.customer))
        when["time_zone"] = whose.effective_time_zone or look.say.zone.key
    kind, said = doing.said("kind", PROMISES)
    promise = Promise(
        customer=doing.customer,
        department=look.viewer.department,
        kind=kind,
        display_name=said,
        reference=doing.reference("reference"),
        **when,
    )
    made = await look.services.promises.MakePromise(doing.request(pb.MakePromiseRequest, promise=promise))
    told = look.say("Promised: {what}. They hear of it from us if it slips.", what=promise_of(made, look.say))
    if before := await _equal(doing, made):
        at = look.say.clock(moment(before.make_time))
        told = look.say("{told} The same was promised at {time} already.", told=told, time=at)
    undo = TAKEBACK.undo(doing, made.name, reason="our-mistake", etag=made.etag)
    return Done(told, made.name, undo)


async def _equal(doing: Doing, made: Promise) -> Promise | None:
    """What was promised to the customer a moment ago in the same words, and is still to be kept."""
    asked = pb.ListPromisesRequest(filter=f'customer = "{doing.customer}" AND state = OPEN', page_size=50)
    lately = ask(NAME_S, listed=doing.look.services.promises.ListPromises(asked))
    return next(
        (
            each
            for each in (await lately).of("listed", pb.ListPromisesResponse).promises
            if each.name != made.name
            and promise_of(each, doing.look.say) == promise_of(made, doing.look.say)
            and moment(made.make_time) - moment(each.make_time) < AGAIN
        ),
        None,
    )


_seen = opens(lambda to: to.promises.GetPromise, pb.GetPromiseRequest)


async def _open_agree(doing: Doing) -> Values:
    promise = await doing.look.services.promises.GetPromise(pb.GetPromiseRequest(name=doing.on))
    say = doing.look.say
    if promise.HasField("due_date"):
        due, time = date_of(promise.due_date), ""
    else:
        at = moment(promise.due_time).astimezone(say.zone)
        due, time = at.date(), at.strftime("%H:%M")
    zone = say.zone_of(promise.time_zone)
    forecast = day_of(moment(promise.forecast_time), zone) if promise.HasField("forecast_time") else None
    likely = max(forecast or working_day(due + timedelta(days=2)), working_day(say.today + timedelta(days=1)))
    return await _alone(doing, promise) | {
        "etag": promise.etag,
        "day": likely.isoformat(),
        "time": time,
        "reason": promise.reason_code,
        "asked": "",
        "what": promise_of(promise, say),
        "reasons": say.choices(dict.fromkeys(filter(None, (promise.reason_code, *CHANGES)))),
    }


async def _alone(doing: Doing, promise: Promise) -> Values:
    """By how much whoever agrees may put it off alone, where that is limited and known in a moment."""
    about = {"case": promise.case} if promise.case else {"customer": promise.customer}
    request = CheckAuthorityRequest(**about, act=AUTHORITY_ACT_EXTENSION)
    asked = await ask(NAME_S, may=doing.look.services.authority.CheckAuthority(request))
    for may in asked.of("may", CheckAuthorityResponse).authorities:
        if may.authority_policy:
            say, n = doing.look.say, may.days_left
            told = say.count(
                n, "You may put it off by {n} day alone.", "You may put it off by {n} days alone."
            )
            return {"sentence": told}
    return {}


async def _agree(doing: Doing) -> Done:
    request = doing.request(
        pb.RenegotiatePromiseRequest,
        reason_code=doing.text("reason"),
        customer_requested=bool(doing.text("asked")),
        **doing.when(),
    )
    agreed = await doing.look.services.promises.RenegotiatePromise(request)
    return Done(doing.look.say("Agreed: {what}.", what=promise_of(agreed, doing.look.say)), doing.on)


_owned = partial(Action, permission="cases.promises.write", owned=True)
PROMISE = Action(
    id="promise",
    label=N_("Make a promise"),
    letter="P",
    permission="cases.promises.write",
    fields=[
        Field("kind", N_("What is promised"), offers=PROMISES, hint=IN_WORDS),
        REFERENCE,
        Field("day", N_("Due date"), type="date"),
        Field(
            "time",
            N_("Time"),
            type="time",
            required=False,
            hint=N_("optional; without it, by the end of that day where the customer is"),
        ),
    ],
    button=N_("Promise"),
    open=_likely,
    do=_make,
)
AGREE = _owned(
    id="agree",
    label=N_("Agree a new date"),
    letter="A",
    fields=[
        Field("day", N_("New date"), type="date"),
        Field("time", N_("Time"), type="time", required=False),
        Field("reason", N_("Reason"), among="reasons"),
        Field("asked", N_("The customer asked for it"), type="tick", required=False),
    ],
    button=N_("Agree"),
    consequence=N_("The old date stays on record with the reason."),
    open=_open_agree,
    do=_agree,
)
KEEP = _owned(
    id="keep",
    label=N_("Mark as kept"),
    letter="K",
    button=N_("Mark as kept"),
    consequence=N_("It counts as kept now. The customer is not told of it, and it cannot be taken back."),
    final=True,
    open=_seen,
    do=sends(lambda to: to.promises.KeepPromise, pb.KeepPromiseRequest, N_("Kept: {what}.")),
)
TAKEBACK = _owned(
    id="takeback",
    label=N_("Take back"),
    letter="T",
    title=N_("Take back a promise"),
    fields=[Field("reason", N_("Reason"), codes=WITHDRAWALS)],
    button=N_("Take back"),
    consequence=N_(
        "We will not do it. The customer is not told of it, and it cannot be undone. A promise that is broken"
        " already stays broken."
    ),
    open=_seen,
    do=sends(
        lambda to: to.promises.WithdrawPromise,
        pb.WithdrawPromiseRequest,
        N_("Taken back: {what}."),
        reason_code="reason",
    ),
)
