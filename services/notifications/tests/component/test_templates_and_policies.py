"""Templates and policies: versions, refusals, previews."""

import asyncio
from typing import Any

import grpc
import pytest
import sqlalchemy as sa

from chassis.db.schema import INBOX
from chassis.db.statement import Statement
from rapport.notifications.v1 import policy_service_pb2, template_service_pb2
from rapport_testing.running import reason
from rapport_testing.wait import eventually

HANDLED = Statement[Any](sa.select(INBOX.c.event_id).where(INBOX.c.event_id == sa.bindparam("event_id")))


async def test_a_new_version_is_what_is_read_and_sent(desk: Any) -> None:
    delay = await desk.template("delay")
    assert (delay.version, delay.kind) == (1, template_service_pb2.Template.KIND_DELAY)
    delay.subject = "Sorry, {{ new_date }}"
    created = await desk.create_template("delay", delay)
    assert (created.name, created.version) == ("templates/delay", 2)
    assert (await desk.template("delay")).subject == "Sorry, {{ new_date }}"
    event = desk.at_risk()
    await desk.hear(event)
    assert (await desk.notice_in("SENT", event.promise)).template_version == 2
    assert desk.mail.accepted[0]["Subject"] == "Sorry, Monday, 9 March 2026"


async def test_versions_made_at_the_same_time_are_numbered_apart(desk: Any) -> None:
    delay = await desk.template("delay")
    created = await asyncio.gather(*(desk.create_template("delay", delay) for _ in range(5)))
    assert sorted(template.version for template in created) == [2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        ({"kind": 0}, {"template.kind": "INVALID_ENUM"}),
        ({"purpose": ""}, {"template.purpose": "REQUIRED"}),
        ({"purpose": "service"}, {"template.purpose": "INVALID_NAME"}),
        ({"purpose": "purposes/marketing"}, {"template.purpose": "PURPOSE_FIXED"}),
        ({"language_code": "xx-english"}, {"template.language_code": "INVALID_CODE"}),
        ({"subject": ""}, {"template.subject": "REQUIRED"}),
        ({"subject": "x" * 201}, {"template.subject": "TOO_LONG"}),
        ({"body": "x" * 10_001}, {"template.body": "TOO_LONG"}),
        ({"body": "a\x00"}, {"template.body": "INVALID_TEXT"}),
        ({"apology": ""}, {"template.body": "TEMPLATE_PART_MISSING"}),
        ({"subject": "{{ nobody }}"}, {"template.variables": "VARIABLE_UNKNOWN"}),
        ({"subject": "{% for x in y %}"}, {"template.subject": "INVALID_TEMPLATE"}),
        (
            {"subject": "", "language_code": ""},
            {"template.subject": "REQUIRED", "template.language_code": "REQUIRED"},
        ),
    ],
)
async def test_a_wrong_template_is_refused_with_every_violation(
    desk: Any, change: dict[str, Any], reasons: dict[str, str]
) -> None:
    delay = await desk.template("delay")
    for field, value in change.items():
        setattr(delay, field, value)
    assert await desk.violations(desk.create_template("delay", delay)) == reasons
    assert (await desk.template("delay")).version == 1


@pytest.mark.parametrize(
    ("variables", "reasons"),
    [
        (["Depot"], {"template.variables[0]": "INVALID_CODE"}),
        (["depot", "customer_name"], {"template.variables[1]": "VARIABLE_RESERVED"}),
        ([f"v{i}" for i in range(31)], {"template.variables": "TOO_LONG"}),
    ],
)
async def test_declared_variables_have_names_of_their_own(
    desk: Any, variables: list[str], reasons: dict[str, str]
) -> None:
    delay = await desk.template("delay")
    delay.variables.extend(variables)
    assert await desk.violations(desk.create_template("delay", delay)) == reasons


async def test_reasons_are_codes_with_words(desk: Any) -> None:
    delay = await desk.template("delay")
    delay.reasons["rain"] = "Rain."
    delay.reasons["SNOW"] = ""
    assert await desk.violations(desk.create_template("delay", delay)) == {
        "template.reasons": "INVALID_CODE",
        "template.reasons[SNOW]": "REQUIRED",
    }


async def test_a_template_id_is_a_code(desk: Any) -> None:
    violations = await desk.violations(desk.create_template("No Way", await desk.template("delay")))
    assert violations == {"template_id": "INVALID_CODE"}


async def test_templates_are_listed_by_name_in_their_latest_version(desk: Any) -> None:
    delay = await desk.template("delay")
    for template_id in ("apple", "delay"):
        await desk.create_template(template_id, delay)
    request = template_service_pb2.ListTemplatesRequest(page_size=2)
    first = await desk.templates.ListTemplates(request)
    request.page_token = first.next_page_token
    second = await desk.templates.ListTemplates(request)
    assert second.next_page_token == ""
    listed = [(t.name, t.version) for t in (*first.templates, *second.templates)]
    assert listed == [("templates/apple", 1), ("templates/delay", 2), ("templates/recovery", 1)]


async def test_a_preview_shows_what_would_be_sent(desk: Any) -> None:
    request = template_service_pb2.RenderTemplateRequest(
        name="templates/delay",
        variables={
            "customer_name": "Maria",
            "contact_name": "Sam",
            "contact_reach": "+49",
            "reason": "weather",
            "old_date": "2026-03-04T12:00:00Z",
            "new_date": "2026-03-06T12:00:00Z",
            "reference": "orders/7",
        },
    )
    shown = await desk.templates.RenderTemplate(request)
    assert shown.subject == "orders/7: a new date, Friday, 6 March 2026"
    assert "The weather is holding us up." in shown.body
    assert shown.template_version == 1
    del request.variables["contact_name"]
    del request.variables["reason"]
    assert await desk.violations(desk.templates.RenderTemplate(request)) == {
        "variables.contact_name": "VARIABLE_MISSING",
        "variables.reason": "VARIABLE_MISSING",
    }
    assert desk.mail.received == []


async def test_a_template_that_is_not_there_is_not_found(desk: Any) -> None:
    for name, expected in (("templates/none", "RESOURCE_NOT_FOUND"), ("none", "INVALID_NAME")):
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await desk.templates.GetTemplate(template_service_pb2.GetTemplateRequest(name=name))
        assert reason(refusal.value) == expected
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await desk.templates.RenderTemplate(template_service_pb2.RenderTemplateRequest(name=name))
        assert reason(refusal.value) == expected


async def test_a_policy_that_is_switched_off_sends_nothing(desk: Any) -> None:
    created = await desk.create_policy("promise-at-risk", enabled=False)
    assert created.version == 2
    first, second = desk.at_risk(), desk.at_risk()
    event_id = await desk.hear(first)
    await eventually(lambda: HANDLED.maybe(desk.running.db, event_id=event_id))
    await desk.create_policy("promise-at-risk")
    await desk.hear(second)
    await desk.notice_in("SENT", second.promise)
    assert await desk.notices_of(first.promise) == []
    listed = await desk.policies.ListNoticePolicies(policy_service_pb2.ListNoticePoliciesRequest())
    assert [(p.name, p.version, p.enabled) for p in listed.notice_policies] == [
        ("noticePolicies/promise-at-risk", 3, True),
        ("noticePolicies/promise-recovered", 1, True),
    ]


@pytest.mark.parametrize(("department", "rule"), [("delivery", "apologies"), ("billing", "promise-at-risk")])
async def test_the_policies_of_the_promises_department_say_how_before_the_platforms_and_nobody_elses(
    desk: Any, department: str, rule: str
) -> None:
    delay = await desk.template("delay")
    delay.subject = "Sorry, {{ new_date }}"
    await desk.create_template("sorry", delay)
    for policy_id in ("zorry", "apologies"):
        await desk.create_policy(policy_id, template="templates/sorry", department="departments/delivery")
    event = desk.at_risk(department=f"departments/{department}")
    await desk.hear(event)
    notice = await desk.notice_in("SENT", event.promise)
    assert notice.template == ("templates/sorry" if rule == "apologies" else "templates/delay")
    assert (await desk.explain(notice.name)).rule == f"noticePolicies/{rule}"
    assert len(await desk.notices_of(event.promise)) == 1
    assert len(desk.mail.received) == 1


@pytest.mark.parametrize(
    ("policy_id", "change", "reasons"),
    [
        ("No Way", {}, {"notice_policy_id": "INVALID_CODE"}),
        ("late", {"event_type": "rapport.cases.v1.CaseOpened"}, {"notice_policy.event_type": "INVALID_CODE"}),
        ("late", {"template": "delay"}, {"notice_policy.template": "INVALID_NAME"}),
        ("", {"event_type": ""}, {"notice_policy_id": "REQUIRED", "notice_policy.event_type": "REQUIRED"}),
    ],
)
async def test_a_wrong_policy_is_refused(
    desk: Any, policy_id: str, change: dict[str, str], reasons: dict[str, str]
) -> None:
    assert await desk.violations(desk.create_policy(policy_id, **change)) == reasons


async def test_a_policy_needs_a_template_that_an_event_can_fill_in(desk: Any) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await desk.create_policy("late", template="templates/none")
    assert reason(refusal.value) == "RESOURCE_NOT_FOUND"
    delay = await desk.template("delay")
    delay.subject += " in {{ depot }}"
    delay.variables.append("depot")
    await desk.create_template("depot", delay)
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await desk.create_policy("late", template="templates/depot")
    assert reason(refusal.value) == "TEMPLATE_NOT_SENDABLE"


async def test_a_policy_needs_a_template_for_the_service_of_which_promises_are(desk: Any) -> None:
    delay = await desk.template("delay")
    delay.purpose = "purposes/marketing"
    await desk.create_template("sale", delay)
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await desk.create_policy("late", template="templates/sale")
    assert reason(refusal.value) == "TEMPLATE_NOT_SENDABLE"


@pytest.mark.parametrize("fact", ["PromiseAtRisk", "PromiseRecovered"])
async def test_a_policy_needs_a_template_that_tells_the_date(desk: Any, fact: str) -> None:
    for body in (
        "{{ contact_name }} is looking into it.",
        "{{ contact_name }}: {% if reference %}{{ old_date }} and {{ new_date }}{% endif %}",
    ):
        template = template_service_pb2.Template(
            kind="KIND_INFORMATION",
            purpose="purposes/service",
            language_code="en",
            subject="News",
            body=body,
        )
        await desk.create_template("vague", template)
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await desk.create_policy(
                "vague", event_type=f"rapport.cases.v1.{fact}", template="templates/vague"
            )
        assert reason(refusal.value) == "TEMPLATE_NOT_SENDABLE"


@pytest.mark.parametrize("change", ["variables", "kind"])
async def test_a_template_that_a_policy_sends_stays_one_that_it_can_send(desk: Any, change: str) -> None:
    delay = await desk.template("delay")
    if change == "kind":
        delay.kind = template_service_pb2.Template.KIND_INFORMATION
    else:
        delay.variables.append("depot")
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await desk.create_template("delay", delay)
    assert reason(refusal.value) == "TEMPLATE_NOT_SENDABLE"
    await desk.create_policy("promise-at-risk", enabled=False)
    await desk.create_template("delay", delay)
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await desk.create_policy("promise-at-risk")
    assert reason(refusal.value) == "TEMPLATE_NOT_SENDABLE"
