"""Making, keeping, moving and taking back what was promised."""

from datetime import timedelta
from functools import partial

from chassis.api.messages import date_of, moment
from desk.language.catalogues import N_
from desk.pages.actions.action import (
    IN_WORDS,
    REFERENCE,
    Action,
    Doing,
    Done,
    Field,
    Values,
    sends,
    working_day,
)
from rapport.cases.v1 import promise_service_pb2 as pb
from rapport.cases.v1.promise_pb2 import Promise
from rapport.customer.v1.customer_service_pb2 import GetCustomerRequest

PROMISES = ("call-back", "delivery", "refund", "installation", "repair")
CHANGES = ("customer-away", "carrier-delay", "out-of-stock", "other")
WITHDRAWALS = ("customer-cancelled", "customer-agreed", "our-mistake", "out-of-stock")


async def _likely(doing: Doing) -> Values:
    day = working_day(doing.look.say.today + timedelta(days=1))
    return {"day": day.isoformat(), "time": "12:00"}


async def _make(doing: Doing) -> Done:
    look = doing.look
    when = doing.when()
    if "due_date" in when:  # a day is a day where the customer is
        whose = await look.services.customers.GetCustomer(GetCustomerRequest(name=doing.customer))
        when["time_zone"] = whose.time_zone or look.say.zone.key
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
    undo = TAKEBACK.href(doing.customer, made.name)
    return Done(look.say("Promised. They hear of it from us if it slips."), undo)


async def _promise(doing: Doing) -> Promise:
    return await doing.look.services.promises.GetPromise(pb.GetPromiseRequest(name=doing.on))


async def _what(doing: Doing) -> Values:
    promise = await _promise(doing)
    return {"etag": promise.etag, "what": doing.look.say.about(promise)}


async def _open_agree(doing: Doing) -> Values:
    promise = await _promise(doing)
    say = doing.look.say
    if promise.HasField("due_date"):
        due, time = date_of(promise.due_date), ""
    else:
        at = moment(promise.due_time).astimezone(say.zone)
        due, time = at.date(), at.strftime("%H:%M")
    forecast = say.day_of(moment(promise.forecast_time)) if promise.HasField("forecast_time") else None
    likely = max(forecast or working_day(due + timedelta(days=2)), working_day(say.today + timedelta(days=1)))
    return {
        "etag": promise.etag,
        "day": likely.isoformat(),
        "time": time,
        "reason": promise.reason_code,
        "asked": "",
        "was": say.due(promise),
        "what": doing.look.say.about(promise),
        "reasons": say.choices(dict.fromkeys(filter(None, (promise.reason_code, *CHANGES)))),
    }


async def _agree(doing: Doing) -> Done:
    request = doing.request(
        pb.RenegotiatePromiseRequest,
        reason_code=doing.text("reason"),
        customer_requested=bool(doing.text("asked")),
        **doing.when(),
    )
    await doing.look.services.promises.RenegotiatePromise(request)
    return Done(doing.look.say("Agreed."))


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
    template="pages/actions/kinds/agree.html",
)
KEEP = _owned(
    id="keep",
    label=N_("Mark as kept"),
    letter="K",
    sentence=N_("{what} is done."),
    button=N_("Mark as kept"),
    consequence=N_("This cannot be taken back."),
    open=_what,
    do=sends(lambda to: to.promises.KeepPromise, pb.KeepPromiseRequest, N_("Kept.")),
)
TAKEBACK = _owned(
    id="takeback",
    label=N_("Take back"),
    letter="T",
    title=N_("Take back a promise"),
    sentence=N_("We will not do it: {what}."),
    fields=[Field("reason", N_("Reason"), codes=WITHDRAWALS)],
    button=N_("Take back"),
    consequence=N_("This cannot be undone. A promise that is broken already stays broken."),
    open=_what,
    do=sends(
        lambda to: to.promises.WithdrawPromise,
        pb.WithdrawPromiseRequest,
        N_("Taken back."),
        reason_code="reason",
    ),
)
