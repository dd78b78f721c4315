"""Making, keeping, moving and taking back what was promised."""

from datetime import timedelta

from chassis.api.messages import date_of, moment
from desk.language.catalogues import N_
from desk.pages.actions import known
from desk.pages.actions.form import Doing, Done, Form, Values, working_day
from rapport.cases.v1.promise_pb2 import Promise
from rapport.cases.v1.promise_service_pb2 import (
    GetPromiseRequest,
    KeepPromiseRequest,
    MakePromiseRequest,
    RenegotiatePromiseRequest,
    WithdrawPromiseRequest,
)
from rapport.customer.v1.customer_service_pb2 import GetCustomerRequest


async def _open_promise(doing: Doing) -> Values:
    likely = working_day(doing.look.say.today + timedelta(days=1))
    values = {"kind": "", "reference": "", "day": likely.isoformat(), "time": "12:00"}
    return {**values, "kinds": known.PROMISES}


async def _make(doing: Doing) -> Done:
    look = doing.look
    when = doing.when()
    if "due_date" in when:  # a day is a day where the customer is
        whose = await look.services.customers.GetCustomer(GetCustomerRequest(name=doing.customer))
        when["time_zone"] = whose.time_zone or look.say.zone.key
    promise = Promise(
        customer=doing.customer,
        department=look.viewer.department,
        kind=doing.code("kind", known.PROMISES),
        reference=doing.reference("reference"),
        **when,
    )
    made = await look.services.promises.MakePromise(
        MakePromiseRequest(promise=promise, request_id=doing.request_id)
    )
    return Done(
        look.say("Promised. They hear of it from us if it slips."),
        f"/{doing.customer}/act/takeback?on={made.name}",
    )


async def _promise(doing: Doing) -> Promise:
    return await doing.look.services.promises.GetPromise(GetPromiseRequest(name=doing.on))


async def _open_kept(doing: Doing) -> Values:
    promise = await _promise(doing)
    return {"etag": promise.etag, "title": doing.look.say.about(promise.kind, promise.reference)}


async def _keep(doing: Doing) -> Done:
    request = KeepPromiseRequest(name=doing.on, etag=doing.text("etag"), request_id=doing.request_id)
    await doing.look.services.promises.KeepPromise(request)
    return Done(doing.look.say("Kept."))


async def _open_agree(doing: Doing) -> Values:
    promise = await _promise(doing)
    say = doing.look.say
    due = date_of(promise.due_date) if promise.HasField("due_date") else say.day_of(moment(promise.due_time))
    forecast = say.day_of(moment(promise.forecast_time)) if promise.HasField("forecast_time") else None
    likely = max(forecast or working_day(due + timedelta(days=2)), working_day(say.today + timedelta(days=1)))
    time = (
        ""
        if promise.HasField("due_date")
        else moment(promise.due_time).astimezone(say.zone).strftime("%H:%M")
    )
    return {
        "etag": promise.etag,
        "day": likely.isoformat(),
        "time": time,
        "reason": promise.reason_code,
        "asked": "",
        "was": say.due(promise),
        "title": doing.look.say.about(promise.kind, promise.reference),
        "reasons": [
            (each, say.titled(each))
            for each in dict.fromkeys(filter(None, (promise.reason_code, *known.CHANGES)))
        ],
    }


async def _agree(doing: Doing) -> Done:
    request = RenegotiatePromiseRequest(
        name=doing.on,
        reason_code=doing.code("reason"),
        customer_requested=bool(doing.text("asked")),
        etag=doing.text("etag"),
        request_id=doing.request_id,
        **doing.when(),
    )
    await doing.look.services.promises.RenegotiatePromise(request)
    return Done(doing.look.say("Agreed."))


async def _open_takeback(doing: Doing) -> Values:
    return await _open_kept(doing) | {"reason": "", "reasons": known.WITHDRAWALS}


async def _withdraw(doing: Doing) -> Done:
    request = WithdrawPromiseRequest(
        name=doing.on,
        reason_code=doing.code("reason", known.WITHDRAWALS),
        etag=doing.text("etag"),
        request_id=doing.request_id,
    )
    await doing.look.services.promises.WithdrawPromise(request)
    return Done(doing.look.say("Taken back."))


FORMS = {
    "promise": Form(N_("Make a promise"), _open_promise, _make),
    "agree": Form(N_("Agree a new date"), _open_agree, _agree),
    "keep": Form(N_("Mark as kept"), _open_kept, _keep),
    "takeback": Form(N_("Withdraw a promise"), _open_takeback, _withdraw),
}
