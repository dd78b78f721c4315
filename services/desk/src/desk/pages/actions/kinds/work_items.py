"""Asking departments for their part of a case; what a department does with what it was asked."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from chassis.api.messages import timestamp, value_name
from desk.language.catalogues import N_
from desk.pages.actions.action import (
    IN_WORDS,
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
from desk.pages.actions.kinds.handing import UNBLOCK
from desk.pages.actions.kinds.routing import routed, skills
from desk.pages.actions.offering import departments
from rapport.cases.v1 import work_item_service_pb2 as pb
from rapport.cases.v1.case_service_pb2 import GetCaseRequest
from rapport.cases.v1.work_item_pb2 import WorkItem

TASKS = ("deliver-order", "pack-order", "refund-shipping", "call-back", "repair")
DELAYS = ("carrier-delay", "out-of-stock", "weather", "staff-shortage", "other")


def possible(item: WorkItem) -> Sequence[Action]:
    """What can be done with a piece of work as it is now, most likely first."""
    if item.HasField("call"):
        return ()  # it has a page, which says what became of it
    left = {"PENDING": (START, FORECAST, FINISH), "STARTED": (FORECAST, FINISH)}
    now = left.get(value_name(item, "state"), ())
    if item.block_reason_code:
        return (UNBLOCK, *(each for each in now if each is not START))
    return now


async def _offered(doing: Doing) -> Values:
    services, ours = doing.look.services, doing.look.viewer.department
    everybody, about, route, items = await asyncio.gather(
        departments(doing.look, doing.customer),
        _of_case(doing),
        routed(doing.look),
        services.work_items.ListWorkItems(
            pb.ListWorkItemsRequest(filter=f'case="{doing.on}"', page_size=1000)
        ),
    )
    at_work = [each.department for each in items.work_items]
    others = (f"departments/{each}" for each in everybody)
    offered = dict.fromkeys([*at_work, *others, ours])  # those of the case first
    return (about | route) | {
        "department": next((each for each in at_work if each != ours), ""),
        "departments": [(each, doing.look.say.named(each)) for each in offered],
    }


async def _ask(doing: Doing) -> Done:
    kind, said = doing.said("kind", TASKS)
    item = WorkItem(
        case=doing.on,
        department=doing.text("department"),
        kind=kind,
        display_name=said,
        reference=doing.reference("reference"),
        team=doing.text("team"),
        required_skills=skills(doing),
        language_code=doing.text("language_code"),
    )
    await doing.look.services.work_items.CreateWorkItem(
        doing.request(pb.CreateWorkItemRequest, work_item=item)
    )
    say, asked = doing.look.say, doing.look.say.named(item.department)
    return Done(say("{department} is asked: {what}.", department=asked, what=say.about(item)), doing.on)


_of_case = opens(lambda to: to.cases.GetCase, GetCaseRequest)
_seen = opens(lambda to: to.work_items.GetWorkItem, pb.GetWorkItemRequest)


async def _likely(doing: Doing) -> Values:
    day = working_day(doing.look.say.today + timedelta(days=2))
    return await _seen(doing) | {"day": day.isoformat(), "time": "18:00"}


async def _forecast(doing: Doing) -> Done:
    request = doing.request(
        pb.ForecastWorkItemRequest,
        forecast_finish_time=timestamp(doing.moment()),
        reason_code=doing.text("reason"),
    )
    say, item = doing.look.say, await doing.look.services.work_items.ForecastWorkItem(request)
    told = say(
        "Another date for {what}. If a promise slips, the customer hears of it now.", what=say.about(item)
    )
    return Done(told, doing.on)


_owned = partial(Action, permission="cases.work_items.write", owned=True)
WORK = _owned(
    id="work",
    label=N_("Ask a department"),
    letter="W",
    fields=[
        Field("department", N_("Department"), among="departments"),
        Field("kind", N_("Task"), offers=TASKS, hint=IN_WORDS),
        REFERENCE,
    ],
    button=N_("Ask"),
    open=_offered,
    do=_ask,
    template="pages/actions/kinds/work.html",
)
START = _owned(
    id="start",
    label=N_("Begin work"),
    letter="B",
    button=N_("Begin work"),
    open=_seen,
    do=sends(lambda to: to.work_items.StartWorkItem, pb.StartWorkItemRequest, N_("Begun: {what}.")),
)
FORECAST = _owned(
    id="forecast",
    label=N_("Give a date"),
    letter="F",
    fields=[
        Field("day", N_("Expected date"), type="date"),
        Field("time", N_("Time"), type="time", required=False),
        Field("reason", N_("Reason"), codes=DELAYS),
    ],
    button=N_("Save the date"),
    consequence=N_(
        "If it is later than promised, the customer is told now: "
        "apology, reason, new date and a contact name."
    ),
    open=_likely,
    do=_forecast,
)
FINISH = _owned(
    id="finish",
    label=N_("Mark as done"),
    letter="D",
    button=N_("Mark as done"),
    consequence=N_("A promise that rests on it is kept by this. It cannot be taken back."),
    final=True,
    open=_seen,
    do=sends(lambda to: to.work_items.FinishWorkItem, pb.FinishWorkItemRequest, N_("Finished: {what}.")),
)
