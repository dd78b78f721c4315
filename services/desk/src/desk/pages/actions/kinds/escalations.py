"""Asking somebody with more authority to see to a case, and taking what one is asked to see to."""

from functools import partial

from chassis.api.messages import moment, value_name
from desk.language.catalogues import N_
from desk.pages.actions.action import Action, Doing, Done, Field, Values, opens
from desk.pages.customer.loading import Names
from desk.ui.speech import Speech
from rapport.cases.v1 import escalation_pb2
from rapport.cases.v1 import escalation_service_pb2 as pb
from rapport.cases.v1.case_service_pb2 import GetCaseRequest
from rapport.cases.v1.escalation_pb2 import Escalation

REASONS = {
    "customer-asked": escalation_pb2.ESCALATION_REASON_CUSTOMER_ASKED,
    "beyond-authority": escalation_pb2.ESCALATION_REASON_BEYOND_AUTHORITY,
}


def why_asked(escalation: Escalation, say: Speech) -> str:
    """Why somebody with more authority is asked, in words."""
    return say.code(value_name(escalation, "reason").lower().replace("_", "-"))


async def _escalate(doing: Doing) -> Done:
    look = doing.look
    asked = Escalation(case=doing.on, reason=REASONS[doing.text("reason")])
    made = await look.services.escalations.CreateEscalation(
        doing.request(pb.CreateEscalationRequest, escalation=asked)
    )
    names = Names(look.viewer, look.memory)
    await names.learn(look.services, {made.assignee})
    told = {"who": names(made.assignee), "moment": look.say.moment(moment(made.due_time))}
    if made.answer_promise:
        return Done(look.say("{who} is asked. Tell the customer: they hear by {moment}.", **told), doing.on)
    return Done(look.say("{who} is asked, until {moment}.", **told), doing.on)


async def _seen(doing: Doing) -> Values:
    seen = await doing.look.services.escalations.GetEscalation(pb.GetEscalationRequest(name=doing.on))
    return {"etag": seen.etag, "what": why_asked(seen, doing.look.say)}


async def _take(doing: Doing) -> Done:
    taken = await doing.look.services.escalations.TakeEscalation(doing.request(pb.TakeEscalationRequest))
    say = doing.look.say
    if taken.answer_promise:
        return Done(say("You see to it. The customer was promised to hear from you."), doing.on)
    return Done(say("You see to it."), doing.on)


_owned = partial(Action, permission="cases.escalations.write", owned=True)
ESCALATE = _owned(
    id="escalate",
    label=N_("Ask somebody with more authority"),
    fields=[Field("reason", N_("Reason"), codes=tuple(REASONS))],
    button=N_("Ask"),
    consequence=N_(
        "The next one above the owner is asked, and who comes after them when nobody takes it in time."
        " A customer who asked for it is promised by when they hear."
    ),
    final=True,
    open=opens(lambda to: to.cases.GetCase, GetCaseRequest),
    do=_escalate,
)
TAKE = _owned(
    id="take",
    label=N_("I see to it"),
    button=N_("I see to it"),
    consequence=N_("Nobody else is asked. What the customer was promised you keep by speaking with them."),
    open=_seen,
    do=_take,
)
