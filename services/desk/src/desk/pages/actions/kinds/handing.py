"""Which department has a piece of work, who of it does it, and whether it can go on."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

import grpc

from chassis.api.messages import value_name
from desk.language.catalogues import N_
from desk.pages.actions.action import Action, Doing, Done, Field, Values, opens, sends
from desk.pages.actions.kinds.routing import FIELDS as ROUTING
from desk.pages.actions.kinds.routing import ROUTE, routed, skills
from desk.pages.actions.offering import colleagues, departments
from desk.pages.customer.loading import Names
from rapport.cases.v1 import work_item_service_pb2 as pb
from rapport.cases.v1.department_pb2 import Department
from rapport.cases.v1.directory_service_pb2 import GetDepartmentRequest
from rapport.cases.v1.work_item_pb2 import WorkItem

REASONS = ("next-step", "not-ours", "mistake", "other")
OBSTACLES = ("customer-answer", "other-department", "supplier", "out-of-stock", "other")
KEY = "v-"  # before the key of a field that the other department has to know, as refusals of it name that
_INPUTS: Mapping[int, str] = {
    Department.FORMAT_DATE: "date",
    Department.FORMAT_EMAIL: "email",
    Department.FORMAT_NUMBER: "number",
}

_seen = opens(lambda to: to.work_items.GetWorkItem, pb.GetWorkItemRequest)


async def _item(doing: Doing) -> WorkItem:
    return await doing.look.services.work_items.GetWorkItem(pb.GetWorkItemRequest(name=doing.on))


async def _possible(doing: Doing) -> Values:
    """Every department but the one that has it, and what the chosen one has to know."""
    say, (item, codes) = doing.look.say, await asyncio.gather(_item(doing), departments(doing.look))
    others = [f"departments/{code}" for code in codes]
    required, route = await asyncio.gather(_required(doing, item), routed(doing.look, but=item.department))
    return route | {
        "etag": item.etag,
        "what": say.about(item),
        "departments": [(each, say.named(each)) for each in others if each != item.department],
        "required": [
            (KEY + each.field, each.display_name or say.titled(each.field), _INPUTS.get(each.format, "text"))
            for each in required
        ],
        **{KEY + each.field: item.fields.get(each.field, "") for each in required},
    }


async def _required(doing: Doing, item: WorkItem) -> Sequence[Department.RequiredField]:
    """What the chosen department has to know of such work: nothing, where it has not said so."""
    if not doing.text("department"):
        return ()
    asked = GetDepartmentRequest(name=doing.text("department"))
    try:
        department = await doing.look.services.directory.GetDepartment(asked)
    except grpc.aio.AioRpcError as error:
        if error.code() in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT):
            return ()
        raise
    return [said for each in department.work_kinds if each.kind == item.kind for said in each.required_fields]


async def _hand_over(doing: Doing) -> Done | Values:
    """First what the other department has to know, if it does; then the work is theirs."""
    look, required = doing.look, await _required(doing, await _item(doing))
    asked = {each.field: doing.text(KEY + each.field) for each in required}
    if not all(KEY + field in doing.fields for field in asked):
        typed = {name: doing.text(name) for name in ("department", "reason", "asked_again", *ROUTING)}
        return await HAND_OVER.opened(doing) | typed
    request = doing.request(
        pb.HandOverWorkItemRequest,
        department=doing.text("department"),
        reason_code=doing.text("reason"),
        asked_customer_again=bool(doing.text("asked_again")),
        fields={field: said for field, said in asked.items() if said},
        team=doing.text("team"),
        required_skills=skills(doing),
    )
    item = await look.services.work_items.HandOverWorkItem(request)
    department = look.say.named(item.department)
    return Done(
        look.say("{department} has it now: {what}.", department=department, what=look.say.about(item)),
        doing.on,
    )


async def _assignees(doing: Doing) -> Values:
    """Who works for the department: the viewer first, who most likely takes it."""
    item = await _item(doing)
    listed = await colleagues(doing.look, item.department)
    listed.sort(key=lambda each: each[0] != doing.look.viewer.agent)
    return {
        "etag": item.etag,
        "what": doing.look.say.about(item),
        "agents": [*listed, ("", doing.look.say("nobody"))],
        "assignee": listed[0][0] if listed else "",
    }


async def _assign(doing: Doing) -> Done:
    look, before = doing.look, await _item(doing)
    item = await look.services.work_items.AssignWorkItem(
        doing.request(pb.AssignWorkItemRequest, assignee=doing.text("assignee"))
    )
    names = Names(look.viewer, look.memory)
    await names.learn(look.services, {item.assignee} - {""})
    what = look.say.about(item)
    told = (
        look.say("{who} does it: {what}.", who=names(item.assignee), what=what)
        if item.assignee
        else look.say("Nobody has it now: {what}.", what=what)
    )
    return Done(told, doing.on, GIVE.undo(doing, doing.on, assignee=before.assignee, etag=item.etag))


_owned = partial(Action, permission="cases.work_items.write", owned=True)
GIVE = _owned(
    id="give",
    label=N_("Who does it"),
    fields=[Field("assignee", N_("Who does it"), among="agents", required=False)],
    open=_assignees,
    do=_assign,
)
HAND_OVER = _owned(
    id="handover",
    label=N_("Hand over"),
    fields=[
        Field("department", N_("To which department"), among="departments"),
        Field("reason", N_("Reason"), codes=REASONS),
        Field(
            "asked_again",
            N_("The customer was asked again for what they had said"),
            required=False,
            type="tick",
        ),
    ],
    button=N_("Hand over"),
    consequence=N_("It waits for them from now on; what was promised on it stands. Only they give it back."),
    final=True,
    open=_possible,
    do=_hand_over,
    template="pages/actions/kinds/handover.html",
)
BLOCK = _owned(
    id="block",
    label=N_("It cannot go on"),
    fields=[Field("reason", N_("It waits for"), codes=OBSTACLES)],
    consequence=N_("What is promised on it is at risk from now on: if it slips, the customer is told."),
    open=_seen,
    do=sends(
        lambda to: to.work_items.BlockWorkItem,
        pb.BlockWorkItemRequest,
        N_("Cannot go on: {what}."),
        reason_code="reason",
    ),
)
UNBLOCK = _owned(
    id="unblock",
    label=N_("It goes on"),
    button=N_("It goes on"),
    open=_seen,
    do=sends(lambda to: to.work_items.UnblockWorkItem, pb.UnblockWorkItemRequest, N_("Goes on: {what}.")),
)


def further(item: WorkItem) -> Sequence[Action]:
    """What else can be done with a piece of work, where there is room for it."""
    if value_name(item, "state") == "FINISHED":
        return ()
    is_queued = value_name(item, "state") == "PENDING" and not item.assignee
    also = (ROUTE,) if is_queued else ()
    return (GIVE, *also, HAND_OVER) if item.block_reason_code else (GIVE, *also, HAND_OVER, BLOCK)
