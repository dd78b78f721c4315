"""What there has to be before a request about a department's resource can be answered: billing's, always."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from google.protobuf.message import Message

from chassis.api.messages import timestamp
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
from rapport.customer.v1 import (
    attribute_pb2,
    attribute_service_pb2,
    customer_pb2,
    customer_service_pb2,
    identifier_pb2,
    import_job_pb2,
    import_service_pb2,
    purpose_pb2,
    purpose_service_pb2,
    section_service_pb2,
)
from rapport.notifications.v1 import (
    notice_policy_pb2,
    notice_policy_service_pb2,
    template_pb2,
    template_service_pb2,
)
from tests.contracts.valid import section_contract

Administer = Callable[[str, Message], Awaitable[Any]]
"""Calls `Service.Method` as an administrator, and returns the answer."""
Scene = Callable[[Administer], Awaitable[Message]]

OWNER = "departments/billing"
CUSTOMER = f"customers/{uuid4()}"
BEFORE = timestamp(datetime(2026, 3, 1, 9, tzinfo=UTC))
SOON = timestamp(datetime(2026, 3, 4, 9, tzinfo=UTC))
LATER = timestamp(datetime(2026, 3, 9, 9, tzinfo=UTC))


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


async def create_template(do: Administer) -> Message:
    template = template_pb2.Template(
        type=template_pb2.Template.TYPE_INFORMATION,
        purpose="purposes/service",
        default_language_code="en",
        department=OWNER,
    )
    return template_service_pb2.CreateTemplateRequest(template_id=f"t{uuid4().hex}", template=template)


async def update_template(do: Administer) -> Message:
    template = await do("TemplateService.CreateTemplate", await create_template(do))
    await do("TemplateService.CreateTemplateText", _text_of(template.name))
    return template_service_pb2.UpdateTemplateRequest(
        template=template_pb2.Template(name=template.name, default_language_code="en")
    )


def _text_of(template: str) -> template_service_pb2.CreateTemplateTextRequest:
    text = template_pb2.TemplateText(subject="Hello", body="{{ contact_name }}")
    return template_service_pb2.CreateTemplateTextRequest(
        parent=template, template_text_id="en", template_text=text
    )


async def create_text(do: Administer) -> Message:
    return _text_of((await do("TemplateService.CreateTemplate", await create_template(do))).name)


async def update_text(do: Administer) -> Message:
    text = await do("TemplateService.CreateTemplateText", await create_text(do))
    return template_service_pb2.UpdateTemplateTextRequest(
        template_text=template_pb2.TemplateText(name=text.name, subject="Hello again")
    )


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


async def create_policy(_: Administer) -> Message:
    return notice_policy_service_pb2.CreateNoticePolicyRequest(
        notice_policy_id=f"p{uuid4().hex}",
        notice_policy=notice_policy_pb2.NoticePolicy(
            event_type="rapport.cases.v1.PromiseAtRisk",
            template="templates/delay",
            disabled=True,
            department=OWNER,
        ),
    )


async def create_policy_again(do: Administer) -> Message:
    """A policy of the caller's, under the name of one of billing's that was deleted."""
    again: Any = await create_policy(do)
    policy = await do("NoticePolicyService.CreateNoticePolicy", again)
    deleted = notice_policy_service_pb2.DeleteNoticePolicyRequest(name=policy.name)
    await do("NoticePolicyService.DeleteNoticePolicy", deleted)
    again.notice_policy.department = ""
    return again


async def update_policy(do: Administer) -> Message:
    policy = await do("NoticePolicyService.CreateNoticePolicy", await create_policy(do))
    return notice_policy_service_pb2.UpdateNoticePolicyRequest(
        notice_policy=notice_policy_pb2.NoticePolicy(name=policy.name, event_type=policy.event_type)
    )


async def delete_policy(do: Administer) -> Message:
    policy = await do("NoticePolicyService.CreateNoticePolicy", await create_policy(do))
    return notice_policy_service_pb2.DeleteNoticePolicyRequest(name=policy.name)


async def create_purpose(_: Administer) -> Message:
    purpose = purpose_pb2.Purpose(
        department=OWNER, display_name="Surveys", contact_default=purpose_pb2.Purpose.DEFAULT_DENIED
    )
    return purpose_service_pb2.CreatePurposeRequest(purpose_id=f"p{uuid4().hex}", purpose=purpose)


async def update_purpose(do: Administer) -> Message:
    name = (await do("PurposeService.CreatePurpose", await create_purpose(do))).name
    return purpose_service_pb2.UpdatePurposeRequest(
        purpose=purpose_pb2.Purpose(name=name, display_name="Polls")
    )


async def create_job(do: Administer) -> Message:
    """A job of a source that nobody has begun to import."""
    return import_service_pb2.CreateImportJobRequest(
        import_job=import_job_pb2.ImportJob(source=(uuid4().hex + uuid4().hex))
    )


async def _job(do: Administer) -> str:
    return str((await do("ImportService.CreateImportJob", await create_job(do))).name)


async def append_rows(do: Administer) -> Message:
    row = import_job_pb2.ImportRow(line=1, customer=customer_pb2.Customer(display_name="Ada"))
    return import_service_pb2.AppendImportRowsRequest(name=await _job(do), rows=[row])


async def commit_job(do: Administer) -> Message:
    return import_service_pb2.CommitImportJobRequest(name=await _job(do))


async def cancel_job(do: Administer) -> Message:
    return import_service_pb2.CancelImportJobRequest(name=await _job(do))


def _resolve() -> customer_service_pb2.ResolveCustomerRequest:
    return customer_service_pb2.ResolveCustomerRequest(
        identifier=identifier_pb2.Identifier(
            type=identifier_pb2.Identifier.TYPE_EXTERNAL_ID, system="crm", value=f"{uuid4()}"
        ),
        new_customer=customer_pb2.Customer(display_name="Ada"),
    )


async def resolve_and_create(_: Administer) -> Message:
    return _resolve()


async def resolve_and_create_some(_: Administer) -> Message:
    return customer_service_pb2.BatchResolveCustomersRequest(requests=[_resolve()])


def _schema() -> section_service_pb2.PutSectionSchemaRequest:
    return section_service_pb2.PutSectionSchemaRequest(
        name=f"sectionSchemas/s{uuid4().hex}",
        department=OWNER,
        display_name="Billing",
        message_type="items.v1.Items",
        descriptors=section_contract(),
    )


async def _put_schema(do: Administer) -> str:
    """The code of a schema of billing's, the only one."""
    for each in (
        await do("SectionService.ListSectionSchemas", section_service_pb2.ListSectionSchemasRequest())
    ).section_schemas:
        await do(
            "SectionService.DeleteSectionSchema",
            section_service_pb2.DeleteSectionSchemaRequest(name=each.name),
        )
    put = await do("SectionService.PutSectionSchema", _schema())
    return str(put.name.partition("/")[2])


async def put_schema(do: Administer) -> Message:
    """Another version of billing's, without saying whose."""
    request = _schema()
    request.name = f"sectionSchemas/{await _put_schema(do)}"
    request.department = ""
    return request


async def delete_schema(do: Administer) -> Message:
    return section_service_pb2.DeleteSectionSchemaRequest(name=f"sectionSchemas/{await _put_schema(do)}")


async def put_section(do: Administer) -> section_service_pb2.PutViewSectionRequest:
    ada = customer_pb2.Customer(display_name="Ada")
    made = await do(
        "CustomerService.CreateCustomer", customer_service_pb2.CreateCustomerRequest(customer=ada)
    )
    name = f"{made.name}/view/sections/{await _put_schema(do)}"
    return section_service_pb2.PutViewSectionRequest(name=name, as_of_time=BEFORE)


async def put_sections(do: Administer) -> Message:
    return section_service_pb2.BatchPutViewSectionsRequest(requests=[await put_section(do)])


async def delete_section(do: Administer) -> Message:
    put = await do("SectionService.PutViewSection", await put_section(do))
    return section_service_pb2.DeleteViewSectionRequest(name=put.name)


def _attribute() -> attribute_service_pb2.PutAttributeRequest:
    attribute = attribute_pb2.Attribute
    return attribute_service_pb2.PutAttributeRequest(
        name=f"attributes/billing.a{uuid4().hex}",
        display_name="Tariff",
        type=attribute.TYPE_TEXT,
        data_class=attribute.DATA_CLASS_PLAIN,
        rule=attribute.RULE_LATEST,
    )


async def put_attribute(do: Administer) -> Message:
    """Another version of billing's."""
    put = await do("AttributeService.PutAttribute", _attribute())
    request = _attribute()
    request.name, request.display_name = put.name, "Contract"
    return request


async def delete_attribute(do: Administer) -> Message:
    put = await do("AttributeService.PutAttribute", _attribute())
    return attribute_service_pb2.DeleteAttributeRequest(name=put.name)


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
    "notifications.TemplateService.CreateTemplate": create_template,
    "notifications.TemplateService.UpdateTemplate": update_template,
    "notifications.TemplateService.CreateTemplateText": create_text,
    "notifications.TemplateService.UpdateTemplateText": update_text,
    "notifications.NoticePolicyService.CreateNoticePolicy": create_policy,
    "notifications.NoticePolicyService.CreateNoticePolicy+notice_policy_id": create_policy_again,
    "notifications.NoticePolicyService.UpdateNoticePolicy": update_policy,
    "notifications.NoticePolicyService.DeleteNoticePolicy": delete_policy,
    "customer.ImportService.CreateImportJob": create_job,
    "customer.ImportService.AppendImportRows": append_rows,
    "customer.ImportService.CommitImportJob": commit_job,
    "customer.ImportService.CancelImportJob": cancel_job,
    "customer.PurposeService.CreatePurpose": create_purpose,
    "customer.PurposeService.UpdatePurpose": update_purpose,
    "customer.SectionService.PutSectionSchema": put_schema,
    "customer.SectionService.DeleteSectionSchema": delete_schema,
    "customer.SectionService.PutViewSection": put_section,
    "customer.SectionService.BatchPutViewSections": put_sections,
    "customer.SectionService.DeleteViewSection": delete_section,
    "customer.AttributeService.PutAttribute": put_attribute,
    "customer.AttributeService.DeleteAttribute": delete_attribute,
    "customer.CustomerService.ResolveCustomer+new_customer": resolve_and_create,
    "customer.CustomerService.BatchResolveCustomers+new_customer": resolve_and_create_some,
}
