"""What there has to be before a request about a department's resource can be answered: billing's, always."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from google.protobuf.message import Message

from rapport.cases.v1 import (
    agent_pb2,
    authority_policy_pb2,
    authority_service_pb2,
    calendar_pb2,
    calendar_service_pb2,
    call_service_pb2,
    case_job_pb2,
    case_job_service_pb2,
    case_link_pb2,
    case_link_service_pb2,
    case_pb2,
    case_service_pb2,
    clock_policy_pb2,
    clock_policy_service_pb2,
    clock_service_pb2,
    department_pb2,
    directory_service_pb2,
    escalation_pb2,
    escalation_service_pb2,
    presence_pb2,
    presence_service_pb2,
    promise_pb2,
    promise_service_pb2,
    queue_service_pb2,
    team_pb2,
    team_service_pb2,
    topic_pb2,
    topic_service_pb2,
    work_item_pb2,
    work_item_service_pb2,
)
from tests.contracts import scenes_customer, scenes_loyalty, scenes_notifications
from tests.contracts.scene import BEFORE, CUSTOMER, LATER, OWNER, SOON, Administer, Scene


async def _case(do: Administer) -> Any:
    return await do("CaseService.OpenCase", await open_case(do))


async def _work_item(do: Administer) -> Any:
    item = work_item_pb2.WorkItem(case=(await _case(do)).name, department=OWNER, kind="refund")
    request = work_item_service_pb2.CreateWorkItemRequest(work_item=item)
    return await do("WorkItemService.CreateWorkItem", request)


def _promised(**fields: Any) -> promise_pb2.Promise:
    promised = {"customer": CUSTOMER, "department": OWNER, "kind": "refund", "due_time": SOON}
    return promise_pb2.Promise(**promised | fields)


async def _lent(do: Administer, **fields: Any) -> promise_pb2.Promise:
    """Billing's promise on a case that delivery answers for."""
    agent = await update_agent(do)
    agent.agent.department = "departments/delivery"
    owner = await do("DirectoryService.UpdateAgent", agent)
    case = case_pb2.Case(customer=CUSTOMER, topic="late-delivery", owner=owner.name)
    opened = await do("CaseService.OpenCase", case_service_pb2.OpenCaseRequest(case=case))
    return _promised(case=opened.name, **fields)


async def open_case(do: Administer) -> Message:
    owner = await do("DirectoryService.UpdateAgent", await update_agent(do))
    case = case_pb2.Case(customer=CUSTOMER, topic="late-delivery", owner=owner.name, department=OWNER)
    return case_service_pb2.OpenCaseRequest(case=case)


async def update_case(do: Administer) -> Message:
    case = case_pb2.Case(name=(await _case(do)).name, topic="damaged")
    return case_service_pb2.UpdateCaseRequest(case=case)


async def assign_case(do: Administer) -> Message:
    return case_service_pb2.AssignCaseRequest(name=(await _case(do)).name, owner="agents/front-desk")


async def resolve_case(do: Administer) -> Message:
    return case_service_pb2.ResolveCaseRequest(name=(await _case(do)).name, resolution="refunded")


async def reopen_case(do: Administer) -> Message:
    name = (await do("CaseService.ResolveCase", await resolve_case(do))).name
    return case_service_pb2.ReopenCaseRequest(name=name)


async def merge_cases(do: Administer) -> case_service_pb2.MergeCasesRequest:
    pair = [(await _case(do)).name for _ in range(2)]
    return case_service_pb2.MergeCasesRequest(name=pair[0], merged_cases=pair[1:], reason_code="same")


async def unmerge_case(do: Administer) -> Message:
    merge = await merge_cases(do)
    await do("CaseService.MergeCases", merge)
    return case_service_pb2.UnmergeCaseRequest(name=merge.merged_cases[0], reason_code="two-concerns")


async def split_case(do: Administer) -> Message:
    return case_service_pb2.SplitCaseRequest(name=(await _case(do)).name, display_name="And the invoice")


async def create_link(do: Administer) -> Message:
    pair = [(await _case(do)).name for _ in range(2)]
    link = case_link_pb2.CaseLink(case=pair[0], linked_case=pair[1], kind="KIND_RELATED")
    return case_link_service_pb2.CreateCaseLinkRequest(case_link=link)


async def delete_link(do: Administer) -> Message:
    made = await do("CaseLinkService.CreateCaseLink", await create_link(do))
    return case_link_service_pb2.DeleteCaseLinkRequest(name=made.name)


async def create_case_job(_: Administer) -> Message:
    job = case_job_pb2.CaseJob(department=OWNER, filter='topic = "nothing"', change={"resolution": "closed"})
    return case_job_service_pb2.CreateCaseJobRequest(case_job=job)


async def cancel_case_job(do: Administer) -> Message:
    made = await do("CaseJobService.CreateCaseJob", await create_case_job(do))
    return case_job_service_pb2.CancelCaseJobRequest(name=made.name)


async def create_topic(_: Administer) -> Message:
    topic = topic_pb2.Topic(display_name="Refunds", department=OWNER)
    return topic_service_pb2.CreateTopicRequest(topic_id=f"t{uuid4().hex}", topic=topic)


async def update_topic(do: Administer) -> Message:
    name = (await do("TopicService.CreateTopic", await create_topic(do))).name
    topic = topic_pb2.Topic(name=name, display_name="Money back")
    return topic_service_pb2.UpdateTopicRequest(topic=topic)


async def create_team(_: Administer) -> Message:
    team = team_pb2.Team(display_name="Refunds", department=OWNER)
    return team_service_pb2.CreateTeamRequest(team_id=f"t{uuid4().hex}", team=team)


async def update_team(do: Administer) -> Message:
    name = (await do("TeamService.CreateTeam", await create_team(do))).name
    return team_service_pb2.UpdateTeamRequest(team=team_pb2.Team(name=name, display_name="Money back"))


async def _presence(do: Administer) -> str:
    agent = await do("DirectoryService.UpdateAgent", await update_agent(do))
    return f"{agent.name}/presence"


async def set_presence(do: Administer) -> Message:
    state = presence_pb2.Presence.STATE_BUSY
    return presence_service_pb2.SetPresenceRequest(name=await _presence(do), state=state)


async def hold_presence(do: Administer) -> Message:
    request = presence_service_pb2.HoldPresenceRequest(name=await _presence(do))
    request.max_age.FromMilliseconds(1)
    return request


async def add_work_item(do: Administer) -> Message:
    item = work_item_pb2.WorkItem(case=(await _case(do)).name, department=OWNER, kind="refund")
    return work_item_service_pb2.CreateWorkItemRequest(work_item=item)


async def forecast_work_item(do: Administer) -> Message:
    name = (await _work_item(do)).name
    return work_item_service_pb2.ForecastWorkItemRequest(
        name=name, forecast_finish_time=LATER, reason_code="other"
    )


async def start_work_item(do: Administer) -> Message:
    return work_item_service_pb2.StartWorkItemRequest(name=(await _work_item(do)).name)


async def finish_work_item(do: Administer) -> Message:
    return work_item_service_pb2.FinishWorkItemRequest(name=(await _work_item(do)).name)


def working(change: Callable[[str], Message], *before: Callable[[str], Message]) -> Scene:
    """A change of billing's work, after others."""

    async def scene(do: Administer) -> Message:
        name = (await _work_item(do)).name
        for each in before:
            request = each(name)
            method = type(request).__name__.removesuffix("Request")
            await do(f"WorkItemService.{method}", request)
        return change(name)

    return scene


def depending(request: Callable[..., Message]) -> Scene:
    """A change of what billing's work waits for."""

    async def scene(do: Administer) -> Message:
        first = await _work_item(do)
        item = work_item_pb2.WorkItem(case=first.case, department=OWNER, kind="refund")
        added = work_item_service_pb2.CreateWorkItemRequest(work_item=item)
        second = await do("WorkItemService.CreateWorkItem", added)
        return request(name=second.name, predecessor=first.name)

    return scene


def depending_lent(request: Callable[..., Message]) -> Scene:
    """A change of what billing's work waits for on a case of delivery's."""

    async def scene(do: Administer) -> Message:
        case = (await _lent(do)).case
        item = work_item_pb2.WorkItem(case=case, department=OWNER, kind="refund")
        added = work_item_service_pb2.CreateWorkItemRequest(work_item=item)
        first, second = [await do("WorkItemService.CreateWorkItem", added) for _ in range(2)]
        return request(name=second.name, predecessor=first.name)

    return scene


def assign_work_item(name: str) -> Message:
    return work_item_service_pb2.AssignWorkItemRequest(name=name)


def route_work_item(name: str) -> Message:
    return work_item_service_pb2.RouteWorkItemRequest(name=name, required_skills=["refunds"])


async def take_next_work(do: Administer) -> Message:
    await _work_item(do)
    agent = await do("DirectoryService.UpdateAgent", await update_agent(do))
    return queue_service_pb2.TakeNextWorkRequest(name=agent.name)


def block_work_item(name: str) -> Message:
    return work_item_service_pb2.BlockWorkItemRequest(name=name, reason_code="customer")


def unblock_work_item(name: str) -> Message:
    return work_item_service_pb2.UnblockWorkItemRequest(name=name)


def hand_over_work_item(name: str) -> Message:
    return work_item_service_pb2.HandOverWorkItemRequest(
        name=name, department="departments/delivery", reason_code="not-ours"
    )


async def make_promise(_: Administer) -> Message:
    return promise_service_pb2.MakePromiseRequest(promise=_promised())


async def make_promises(_: Administer) -> Message:
    return promise_service_pb2.BatchMakePromisesRequest(
        requests=[promise_service_pb2.MakePromiseRequest(promise=_promised())]
    )


def making(**fields: Any) -> Scene:
    async def scene(do: Administer) -> Message:
        return promise_service_pb2.MakePromiseRequest(promise=await _lent(do, **fields))

    return scene


def making_many(**fields: Any) -> Scene:
    async def scene(do: Administer) -> Message:
        promise = promise_service_pb2.MakePromiseRequest(promise=await _lent(do, **fields))
        return promise_service_pb2.BatchMakePromisesRequest(requests=[promise])

    return scene


async def promise_again(do: Administer) -> Message:
    """Billing's promise on a case of delivery's, taken back and made anew, sooner."""
    promise = await _lent(do, due_time=LATER)
    item = work_item_pb2.WorkItem(case=promise.case, department=OWNER, kind="refund")
    added = work_item_service_pb2.CreateWorkItemRequest(work_item=item)
    promise.work_item = (await do("WorkItemService.CreateWorkItem", added)).name
    again = promise_service_pb2.MakePromiseRequest(promise=promise)
    made = await do("PromiseService.MakePromise", again)
    await do("PromiseService.WithdrawPromise", withdraw_promise(made.name))
    again.promise.due_time.CopyFrom(SOON)
    return again


def changing(change: Callable[[str], Message], *, lent: bool = False) -> Scene:
    """A change of billing's promise, on a case of delivery's when that is `lent` the right."""

    async def scene(do: Administer) -> Message:
        promise = await _lent(do) if lent else _promised()
        made = promise_service_pb2.MakePromiseRequest(promise=promise)
        return change((await do("PromiseService.MakePromise", made)).name)

    return scene


def renegotiate_promise(name: str) -> Message:
    return promise_service_pb2.RenegotiatePromiseRequest(
        name=name, due_time=LATER, reason_code="customer-agreed"
    )


def keep_promise(name: str) -> Message:
    return promise_service_pb2.KeepPromiseRequest(name=name)


def record_delay_notification(name: str) -> Message:
    return promise_service_pb2.RecordDelayNotificationRequest(name=name, channel="CHANNEL_VOICE")


def withdraw_promise(name: str) -> Message:
    return promise_service_pb2.WithdrawPromiseRequest(name=name, reason_code="customer-cancelled")


async def update_agent(_: Administer) -> directory_service_pb2.UpdateAgentRequest:
    agent = agent_pb2.Agent(
        name=f"agents/a{uuid4().hex}", display_name="Ada", phone="+49 30 1", department=OWNER
    )
    return directory_service_pb2.UpdateAgentRequest(agent=agent, allow_missing=True)


async def update_department(_: Administer) -> Message:
    department = department_pb2.Department(name=OWNER, display_name="Billing")
    return directory_service_pb2.UpdateDepartmentRequest(department=department, allow_missing=True)


async def request_call(do: Administer) -> Message:
    return call_service_pb2.RequestCallRequest(case=(await _case(do)).name, reason_code="bad-news")


async def record_call_outcome(do: Administer) -> Message:
    name = (await do("CallService.RequestCall", await request_call(do))).name
    return call_service_pb2.RecordCallOutcomeRequest(name=name, outcome="CALL_OUTCOME_REACHED")


async def create_escalation(do: Administer) -> Message:
    """Of a case of billing's, which has somebody on its path."""
    lead = agent_pb2.Agent(
        name=f"agents/a{uuid4().hex}", display_name="Ada", phone="+49 30 1", department=OWNER
    )
    await do(
        "DirectoryService.UpdateAgent",
        directory_service_pb2.UpdateAgentRequest(agent=lead, allow_missing=True),
    )
    billing = department_pb2.Department(name=OWNER, display_name="Billing", escalation_path=[lead.name])
    change = directory_service_pb2.UpdateDepartmentRequest(department=billing, allow_missing=True)
    await do("DirectoryService.UpdateDepartment", change)
    escalation = escalation_pb2.Escalation(
        case=(await _case(do)).name, reason="ESCALATION_REASON_BEYOND_AUTHORITY"
    )
    return escalation_service_pb2.CreateEscalationRequest(escalation=escalation)


async def take_escalation(do: Administer) -> Message:
    made = await do("EscalationService.CreateEscalation", await create_escalation(do))
    return escalation_service_pb2.TakeEscalationRequest(name=made.name)


async def create_authority_policy(_: Administer) -> Message:
    policy = authority_policy_pb2.AuthorityPolicy(
        department=OWNER,
        act="AUTHORITY_ACT_GOODWILL",
        limits=[authority_policy_pb2.AuthorityPolicy.Limit(points=3)],
    )
    return authority_service_pb2.CreateAuthorityPolicyRequest(
        authority_policy_id=f"p{uuid4().hex}", authority_policy=policy
    )


async def update_authority_policy(do: Administer) -> Message:
    made = await do("AuthorityService.CreateAuthorityPolicy", await create_authority_policy(do))
    changed = authority_policy_pb2.AuthorityPolicy(name=made.name, disabled=True)
    return authority_service_pb2.UpdateAuthorityPolicyRequest(authority_policy=changed)


async def create_clock_policy(_: Administer) -> Message:
    target = clock_policy_pb2.ClockPolicy.Target(metric="CLOCK_METRIC_RESOLUTION", business_minutes=60)
    policy = clock_policy_pb2.ClockPolicy(
        department=OWNER, subject="SUBJECT_CASE", condition="true", targets=[target]
    )
    return clock_policy_service_pb2.CreateClockPolicyRequest(
        clock_policy_id=f"p{uuid4().hex}", clock_policy=policy
    )


async def update_clock_policy(do: Administer) -> Message:
    made = await do("ClockPolicyService.CreateClockPolicy", await create_clock_policy(do))
    changed = clock_policy_pb2.ClockPolicy(name=made.name, position=7)
    return clock_policy_service_pb2.UpdateClockPolicyRequest(clock_policy=changed)


async def pause_clock(do: Administer) -> Message:
    """One of a case of billing's, for which there is a policy of its own."""
    await do("ClockPolicyService.CreateClockPolicy", await create_clock_policy(do))
    case = (await _case(do)).name
    listed = clock_service_pb2.ListClocksRequest(filter=f'case = "{case}"')
    (clock,) = (await do("ClockService.ListClocks", listed)).clocks
    return clock_service_pb2.PauseClockRequest(name=clock.name, reason_code="waiting-for-customer")


async def resume_clock(do: Administer) -> Message:
    paused = await do("ClockService.PauseClock", await pause_clock(do))
    return clock_service_pb2.ResumeClockRequest(name=paused.name)


async def reconcile_clocks(_: Administer) -> Message:
    return clock_service_pb2.ReconcileClocksRequest(validate_only=True)


async def create_calendar(_: Administer) -> Message:
    weekdays = calendar_pb2.Calendar.Hours(
        days=[1], windows=[calendar_pb2.Calendar.Window(opens="09:00", closes="17:00")]
    )
    return calendar_service_pb2.CreateCalendarRequest(
        calendar_id=f"c{uuid4().hex}",
        calendar=calendar_pb2.Calendar(
            display_name="Mondays", time_zone="Europe/Berlin", hours=[weekdays], department=OWNER
        ),
    )


async def update_calendar(do: Administer) -> Message:
    calendar = await do("CalendarService.CreateCalendar", await create_calendar(do))
    return calendar_service_pb2.UpdateCalendarRequest(
        calendar=calendar_pb2.Calendar(name=calendar.name, display_name="Every Monday")
    )


SCENES: dict[str, Scene] = {
    "cases.CaseService.OpenCase": open_case,
    "cases.CaseService.UpdateCase": update_case,
    "cases.CaseService.AssignCase": assign_case,
    "cases.CaseService.ResolveCase": resolve_case,
    "cases.CaseService.ReopenCase": reopen_case,
    "cases.CaseService.MergeCases": merge_cases,
    "cases.CaseService.UnmergeCase": unmerge_case,
    "cases.CaseService.SplitCase": split_case,
    "cases.CaseLinkService.CreateCaseLink": create_link,
    "cases.CaseLinkService.DeleteCaseLink": delete_link,
    "cases.CaseJobService.CreateCaseJob": create_case_job,
    "cases.CaseJobService.CancelCaseJob": cancel_case_job,
    "cases.TopicService.CreateTopic": create_topic,
    "cases.TopicService.UpdateTopic": update_topic,
    "cases.TeamService.CreateTeam": create_team,
    "cases.TeamService.UpdateTeam": update_team,
    "cases.PresenceService.SetPresence": set_presence,
    "cases.PresenceService.HoldPresence": hold_presence,
    "cases.WorkItemService.CreateWorkItem": add_work_item,
    "cases.WorkItemService.ForecastWorkItem": forecast_work_item,
    "cases.WorkItemService.StartWorkItem": start_work_item,
    "cases.WorkItemService.FinishWorkItem": finish_work_item,
    "cases.WorkItemService.AssignWorkItem": working(assign_work_item),
    "cases.WorkItemService.RouteWorkItem": working(route_work_item),
    "cases.QueueService.TakeNextWork": take_next_work,
    "cases.WorkItemService.BlockWorkItem": working(block_work_item),
    "cases.WorkItemService.UnblockWorkItem": working(unblock_work_item, block_work_item),
    "cases.WorkItemService.HandOverWorkItem": working(hand_over_work_item),
    "cases.WorkItemService.AddPredecessor": depending(work_item_service_pb2.AddPredecessorRequest),
    "cases.WorkItemService.RemovePredecessor": depending(work_item_service_pb2.RemovePredecessorRequest),
    "cases.WorkItemService.AddPredecessor+case": depending_lent(work_item_service_pb2.AddPredecessorRequest),
    "cases.WorkItemService.RemovePredecessor+case": depending_lent(
        work_item_service_pb2.RemovePredecessorRequest
    ),
    "cases.CallService.RequestCall": request_call,
    "cases.CallService.RecordCallOutcome": record_call_outcome,
    "cases.EscalationService.CreateEscalation": create_escalation,
    "cases.EscalationService.TakeEscalation": take_escalation,
    "cases.AuthorityService.CreateAuthorityPolicy": create_authority_policy,
    "cases.AuthorityService.UpdateAuthorityPolicy": update_authority_policy,
    "cases.ClockPolicyService.CreateClockPolicy": create_clock_policy,
    "cases.ClockPolicyService.UpdateClockPolicy": update_clock_policy,
    "cases.ClockService.PauseClock": pause_clock,
    "cases.ClockService.ResumeClock": resume_clock,
    "cases.ClockService.ReconcileClocks": reconcile_clocks,
    "cases.PromiseService.MakePromise": make_promise,
    "cases.PromiseService.BatchMakePromises": make_promises,
    "cases.PromiseService.MakePromise+case": making(),
    "cases.PromiseService.MakePromise+keep_time": making(keep_time=BEFORE),
    "cases.PromiseService.MakePromise+work_item": promise_again,
    "cases.PromiseService.BatchMakePromises+case": making_many(),
    "cases.PromiseService.BatchMakePromises+keep_time": making_many(keep_time=BEFORE),
    "cases.PromiseService.BatchMakePromises+due_time": making_many(due_time=BEFORE),
    "cases.PromiseService.RenegotiatePromise": changing(renegotiate_promise),
    "cases.PromiseService.RenegotiatePromise+case": changing(renegotiate_promise, lent=True),
    "cases.PromiseService.KeepPromise": changing(keep_promise),
    "cases.PromiseService.KeepPromise+case": changing(keep_promise, lent=True),
    "cases.PromiseService.RecordDelayNotification": changing(record_delay_notification),
    "cases.PromiseService.RecordDelayNotification+case": changing(record_delay_notification, lent=True),
    "cases.PromiseService.WithdrawPromise": changing(withdraw_promise),
    "cases.PromiseService.WithdrawPromise+case": changing(withdraw_promise, lent=True),
    "cases.DirectoryService.UpdateAgent": update_agent,
    "cases.DirectoryService.UpdateDepartment": update_department,
    "cases.CalendarService.CreateCalendar": create_calendar,
    "cases.CalendarService.UpdateCalendar": update_calendar,
    **scenes_customer.SCENES,
    **scenes_loyalty.SCENES,
    **scenes_notifications.SCENES,
}
