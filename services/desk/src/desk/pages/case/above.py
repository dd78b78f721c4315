"""Who with more authority was asked to see to a case, and what whoever looks may do alone."""

from collections.abc import Sequence

from chassis.api.messages import moment, value_name
from desk.auth.sessions import Viewer
from desk.language.catalogues import N_
from desk.pages.actions.kinds.escalations import TAKE, why_asked
from desk.pages.actions.offering import offered
from desk.pages.customer.alone import alone
from desk.pages.customer.loading import Names
from desk.pages.customer.page import Card
from desk.pages.services import Parts
from desk.ui.speech import Speech
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.escalation_pb2 import Escalation
from rapport.cases.v1.escalation_service_pb2 import ListEscalationsResponse
from rapport.cases.v1.promise_service_pb2 import ListPromisesResponse

_STATES = {
    "OPEN": N_("{who} is asked, until {until}"),
    "TAKEN": N_("{who} sees to it"),
    "CANCELLED": N_("nobody is asked any more"),
}


def is_asked(parts: Parts) -> bool:
    """Whether somebody is asked now."""
    return any(value_name(each, "state") == "OPEN" for each in _escalations(parts))


def above(case: Case, parts: Parts, viewer: Viewer, names: Names, say: Speech) -> Card:
    """Who was asked, the latest first, and of an open case what the viewer may do alone."""
    promised = parts.of("promises", ListPromisesResponse).promises
    due = {each.name: say.due(each) for each in promised}
    rows = [
        _asked(each, due.get(each.answer_promise, ""), viewer, names, say)
        for each in reversed(_escalations(parts))
    ]
    refusal, is_open = parts["escalations"].refusal, value_name(case, "state") == "OPEN"
    return Card(
        trouble=say.refusal(refusal) if refusal else "",
        rows=rows,
        alone=alone(parts, say) if is_open else (),
    )


def _escalations(parts: Parts) -> Sequence[Escalation]:
    return parts.of("escalations", ListEscalationsResponse).escalations


def _asked(each: Escalation, hears: str, viewer: Viewer, names: Names, say: Speech) -> Card:
    state = value_name(each, "state")
    told = {"who": names(each.assignee), "until": say.moment(moment(each.due_time))}
    return Card(
        name=each.name,
        why=why_asked(each, say),
        words=say(_STATES[state], **told),
        mood={"OPEN": "stale", "TAKEN": "ok"}.get(state, "soft"),
        hears=say("The customer was promised to hear by {moment}.", moment=hears) if hears else "",
        levels=[
            say("{who}, until {until}", who=names(level.agent), until=say.moment(moment(level.due_time)))
            for level in each.levels
        ],
        acts=offered(viewer, each.customer, TAKE, on=each.name, owner=taker(each, viewer))
        if state == "OPEN"
        else (),
    )


def taker(each: Escalation, viewer: Viewer) -> str:
    """Whose people may take it: of its department, and whoever was asked, wherever they work."""
    was_asked = any(level.agent == viewer.agent for level in each.levels)
    return viewer.department if was_asked else each.department
