"""What the page says of open cases: where each waits, for whom, since when."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from chassis.api.messages import moment, value_name
from desk.language.catalogues import N_
from desk.pages.actions.kinds.cases import NOTE, OWNER, REOPEN, RESOLVE
from desk.pages.actions.kinds.work_items import WORK, possible
from desk.pages.customer.page import Case, Resolved, Step
from desk.pages.customer.promises import Offer
from desk.pages.customer.things import page_of_call, title_of
from desk.ui.speech import Speech

RESOLVED_SHOWN = 2


def viewed(part: Any, say: Speech) -> Case:
    """A case as the view knows it: without the departments' parts."""
    return Case(part.case, say.titled(part.topic), _lasting(part, None, say), ())


def told_case(
    case: Any, items: Iterable[Any], names: Callable[[str], str], offer: Offer, say: Speech
) -> Case:
    """A case as its service knows it, and each department's part: first what is done."""
    listed = sorted(items, key=lambda each: value_name(each, "state") != "FINISHED")
    steps = [_step(each, offer, say) for each in listed]
    waiting = [each for each in listed if value_name(each, "state") != "FINISHED"]
    since = min((_since(each) for each in waiting), default=None)
    departments = ", ".join(dict.fromkeys(say.named(each.department) for each in waiting))
    acts = [WORK, NOTE, *([] if waiting else [RESOLVE]), OWNER]
    may_resolve = bool(offer(RESOLVE, on=case.name, owner=case.department))
    return Case(
        name=case.name,
        title=title_of(case, say, listed),
        lasting=_lasting(case, since, say),
        steps=steps,
        acts=offer(*acts, on=case.name, owner=case.department),
        owner=say("{who} owns it.", who=names(case.owner)),
        held=say("To be resolved when {who} is done.", who=departments) if waiting and may_resolve else "",
    )


def _lasting(case: Any, since: datetime | None, say: Speech) -> str:
    """How long it is open, and of that waits for what is not done: for whom, its steps say."""
    whole = say.lasting(say.now - moment(case.open_time))
    if since is None:
        return say("{span} end to end", span=whole)
    return say("{span} end to end, waits {waits}", span=whole, waits=say.lasting(say.now - since))


def resolved(cases: Iterable[Any], offer: Offer, say: Speech) -> Sequence[Resolved]:
    """Of the cases that were settled lately those that were last, which may be given to another owner, too.

    One whose owner serves customers no more can be opened again only after that.
    """
    latest = sorted(cases, key=lambda each: moment(each.resolve_time), reverse=True)[:RESOLVED_SHOWN]
    return [
        Resolved(
            name=each.name,
            title=title_of(each, say),
            how=say.code(each.resolution),
            when=say.on(moment(each.resolve_time)),
            acts=offer(REOPEN, OWNER, on=each.name, owner=each.department),
        )
        for each in latest
    ]


def _step(item: Any, offer: Offer, say: Speech) -> Step:
    state = value_name(item, "state")
    return Step(
        name=item.name,
        department=say.named(item.department),
        what=say.about(item),
        state="done" if state == "FINISHED" else "here",
        words=how_far(item, say),
        acts=offer(*possible(item), on=item.name, owner=item.department),
        page=page_of_call(item),
    )


def how_far(item: Any, say: Speech) -> str:
    """How long a piece of work took, or what becomes of it."""
    state = value_name(item, "state")
    if state == "FINISHED":
        return say.lasting(moment(item.finish_time) - moment(item.create_time))
    if item.HasField("forecast_finish_time"):
        expected, reason = say.on(moment(item.forecast_finish_time)), say.code(item.forecast_reason_code)
        return say("expects {day}: {reason}", day=expected, reason=reason)
    if item.block_reason_code:
        lasting = say.lasting(say.now - moment(item.block_time))
        reason = say.code(item.block_reason_code)
        return say("cannot go on for {span}, waits for: {reason}", span=lasting, reason=reason)
    told = N_("at it for {span}") if state == "STARTED" else N_("not begun for {span}")
    return say(told, span=say.lasting(say.now - _since(item)))


def _since(item: Any) -> datetime:
    return moment(item.start_time if item.HasField("start_time") else item.create_time)
