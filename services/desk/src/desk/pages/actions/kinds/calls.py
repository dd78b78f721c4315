"""Asking that somebody calls the customer."""

from desk.language.catalogues import N_
from desk.pages.actions.action import Action, Doing, Done, Field, opens
from rapport.cases.v1.call_service_pb2 import RequestCallRequest
from rapport.cases.v1.case_service_pb2 import GetCaseRequest

REASONS = ("bad-news", "feedback", "undeliverable-notice", "other")


async def _ask(doing: Doing) -> Done:
    say = doing.look.say
    request = doing.request(RequestCallRequest, case=doing.on, reason_code=doing.text("reason"))
    item = await doing.look.services.calls.RequestCall(request)
    return Done(say("Somebody is asked to call: {reason}.", reason=say.code(item.call.reason_code)), doing.on)


CALL = Action(
    id="have-called",
    label=N_("Have them called"),
    permission="cases.work_items.write",
    owned=True,
    fields=[Field("reason", N_("Reason"), codes=REASONS)],
    button=N_("Ask"),
    consequence=N_("It waits in the queue of the department that answers for the case, with what to say."),
    open=opens(lambda to: to.cases.GetCase, GetCaseRequest),
    do=_ask,
)
