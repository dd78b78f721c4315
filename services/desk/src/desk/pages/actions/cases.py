"""Opening a case, asking departments for their part of it, and settling it."""

import asyncio
from datetime import timedelta

from desk.language.catalogues import N_
from desk.pages.actions import known
from desk.pages.actions.colleagues import colleagues
from desk.pages.actions.form import Doing, Done, Form, Values, working_day
from desk.ui import words
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.case_service_pb2 import (
    AssignCaseRequest,
    GetCaseRequest,
    OpenCaseRequest,
    ResolveCaseRequest,
)
from rapport.cases.v1.directory_service_pb2 import ListAgentsRequest
from rapport.cases.v1.note_pb2 import Note
from rapport.cases.v1.note_service_pb2 import CreateNoteRequest
from rapport.cases.v1.work_item_pb2 import WorkItem
from rapport.cases.v1.work_item_service_pb2 import (
    CreateWorkItemRequest,
    FinishWorkItemRequest,
    ForecastWorkItemRequest,
    GetWorkItemRequest,
    ListWorkItemsRequest,
    StartWorkItemRequest,
)


async def _open_case(doing: Doing) -> Values:
    return {"topic": "", "display_name": "", "topics": known.TOPICS}


async def _case(doing: Doing) -> Done:
    look, topic = doing.look, doing.code("topic", known.TOPICS)
    typed = "" if topic in known.TOPICS else doing.text("topic")  # as it was said, which no code is
    case = Case(
        customer=doing.customer,
        topic=topic,
        display_name=doing.text("display_name") or typed,
        owner=look.viewer.agent,
    )
    await look.services.cases.OpenCase(OpenCaseRequest(case=case, request_id=doing.request_id))
    return Done(look.say("Opened. You own it until it is resolved."))


async def _open_resolve(doing: Doing) -> Values:
    case = await doing.look.services.cases.GetCase(GetCaseRequest(name=doing.on))
    return {"etag": case.etag, "resolution": "", "resolutions": known.RESOLUTIONS}


async def _resolve(doing: Doing) -> Done:
    request = ResolveCaseRequest(
        name=doing.on,
        resolution=doing.code("resolution", known.RESOLUTIONS),
        etag=doing.text("etag"),
        request_id=doing.request_id,
    )
    await doing.look.services.cases.ResolveCase(request)
    return Done(doing.look.say("Resolved."))


async def _open_owner(doing: Doing) -> Values:
    services = doing.look.services
    case = await services.cases.GetCase(GetCaseRequest(name=doing.on))
    return {"etag": case.etag, "owner": case.owner, "agents": await colleagues(doing.look)}


async def _assign(doing: Doing) -> Done:
    request = AssignCaseRequest(
        name=doing.on, owner=doing.text("owner"), etag=doing.text("etag"), request_id=doing.request_id
    )
    await doing.look.services.cases.AssignCase(request)
    return Done(doing.look.say("Assigned."))


async def _open_note(doing: Doing) -> Values:
    return {"text": ""}


async def _note(doing: Doing) -> Done:
    request = CreateNoteRequest(
        parent=doing.on, note=Note(text=doing.text("text")), request_id=doing.request_id
    )
    await doing.look.services.notes.CreateNote(request)
    return Done(doing.look.say("Noted, for colleagues only."))


async def _open_work(doing: Doing) -> Values:
    services, ours = doing.look.services, doing.look.viewer.department
    listed, items = await asyncio.gather(
        services.directory.ListAgents(ListAgentsRequest(page_size=1000)),
        services.work_items.ListWorkItems(ListWorkItemsRequest(filter=f'case="{doing.on}"', page_size=1000)),
    )
    at_work = [each.department for each in items.work_items]
    everybody = sorted(each.department for each in listed.agents)
    departments = dict.fromkeys([*at_work, *everybody, ours])  # those of the case first
    return {
        "department": next((each for each in at_work if each != ours), ""),
        "kind": "",
        "reference": "",
        "departments": [(each, doing.look.say.titled(words.last(each))) for each in departments],
        "tasks": known.TASKS,
    }


async def _work(doing: Doing) -> Done:
    item = WorkItem(
        case=doing.on,
        department=doing.text("department"),
        kind=doing.code("kind", known.TASKS),
        reference=doing.reference("reference"),
    )
    await doing.look.services.work_items.CreateWorkItem(
        CreateWorkItemRequest(work_item=item, request_id=doing.request_id)
    )
    asked = doing.look.say.code(words.last(item.department))
    return Done(doing.look.say("Asked: {department}.", department=asked))


async def _open_item(doing: Doing) -> Values:
    item = await doing.look.services.work_items.GetWorkItem(GetWorkItemRequest(name=doing.on))
    return {"etag": item.etag, "title": doing.look.say.about(item.kind, item.reference)}


async def _start(doing: Doing) -> Done:
    request = StartWorkItemRequest(name=doing.on, etag=doing.text("etag"), request_id=doing.request_id)
    await doing.look.services.work_items.StartWorkItem(request)
    return Done(doing.look.say("Begun."))


async def _finish(doing: Doing) -> Done:
    request = FinishWorkItemRequest(name=doing.on, etag=doing.text("etag"), request_id=doing.request_id)
    await doing.look.services.work_items.FinishWorkItem(request)
    return Done(doing.look.say("Finished."))


async def _open_forecast(doing: Doing) -> Values:
    likely = working_day(doing.look.say.today + timedelta(days=2))
    values = {"day": likely.isoformat(), "time": "18:00", "reason": "", "reasons": known.DELAYS}
    return await _open_item(doing) | values


async def _forecast(doing: Doing) -> Done:
    request = ForecastWorkItemRequest(
        name=doing.on,
        forecast_finish_time=doing.moment(),
        reason_code=doing.code("reason", known.DELAYS),
        etag=doing.text("etag"),
        request_id=doing.request_id,
    )
    await doing.look.services.work_items.ForecastWorkItem(request)
    return Done(doing.look.say("Forecast. If a promise slips, the customer hears of it now."))


FORMS = {
    "case": Form(N_("Open a case"), _open_case, _case),
    "resolve": Form(N_("Resolve the case"), _open_resolve, _resolve),
    "owner": Form(N_("Change owner"), _open_owner, _assign),
    "note": Form(N_("Add a note to the case"), _open_note, _note),
    "work": Form(N_("Ask a department"), _open_work, _work),
    "start": Form(N_("Begin work"), _open_item, _start),
    "finish": Form(N_("Mark as done"), _open_item, _finish),
    "forecast": Form(N_("Give a date"), _open_forecast, _forecast),
}
