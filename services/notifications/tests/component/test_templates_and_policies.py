"""Templates, their texts and policies: versions, refusals, previews."""

import asyncio
from typing import Any

import grpc
import pytest
import sqlalchemy as sa

from chassis.db.schema import INBOX
from chassis.db.statement import Statement
from chassis.grpc import status
from notifications.usecases import template as usecases
from rapport.notifications.v1 import notice_policy_service_pb2, template_service_pb2
from rapport.notifications.v1.notice_pb2 import Notice
from rapport.notifications.v1.notice_policy_pb2 import NoticePolicy
from rapport.notifications.v1.notice_policy_service_pb2_grpc import NoticePolicyServiceStub
from rapport.notifications.v1.template_pb2 import Template, TemplateText
from rapport_testing.running import reason
from rapport_testing.wait import eventually

HANDLED = Statement[Any](
    sa.select(INBOX.c.event_id).where(
        INBOX.c.event_id == sa.bindparam("event_id"), INBOX.c.consumer == "notifications-promises"
    )
)
AT_RISK = "rapport.cases.v1.PromiseAtRisk"
DELAY_TEXT = "templates/delay/texts/en-gb"
HELLO = TemplateText(subject="News", body="Yours, {{ contact_name }}")


def manager(desk: Any, department: str) -> Any:
    """Who answers for a department's policies."""
    permissions = ["notifications.notice_policies.write"]
    return desk.running.stub(NoticePolicyServiceStub, permissions, "agent:paul", department)


async def refusal(call: Any) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    return reason(refused.value)


async def test_a_changed_text_is_a_new_version_and_what_was_sent_stays_readable(desk: Any) -> None:
    first = await desk.text()
    assert (first.version, first.language_code, first.etag) == (1, "en-GB", '"1"')
    second = await desk.update_text(subject="Sorry, {{ new_date }}")
    assert (second.name, second.version, second.body) == (DELAY_TEXT, 2, first.body)
    assert await desk.text() == second
    event = desk.at_risk()
    await desk.hear(event)
    notice = await desk.notice_in("SENT", event.promise)
    assert (notice.language_code, notice.text_version) == ("en-GB", 2)
    assert desk.mail.accepted[0]["Subject"] == "Sorry, Monday, 9 March 2026"
    request = template_service_pb2.GetTemplateTextRequest(name=f"{DELAY_TEXT}/versions/1")
    before = await desk.templates.GetTemplateText(request)
    assert (before.name, before.subject, before.version) == (request.name, first.subject, 1)
    assert await desk.update_text(subject=second.subject) == second  # which says nothing new


async def test_a_text_in_another_language_replaces_none(desk: Any) -> None:
    english = await desk.text()
    italian = TemplateText(
        subject="Nuova data: {{ new_date }}", body=english.body, apology="Ci dispiace.",
        reasons={"other": "C'è stato un imprevisto."},
    )  # fmt: skip
    created = await desk.create_text("delay", "it", italian)
    assert (created.name, created.language_code) == ("templates/delay/texts/it", "it")
    assert await desk.text() == english
    listed = await desk.templates.ListTemplateTexts(
        template_service_pb2.ListTemplateTextsRequest(parent="templates/delay")
    )
    assert [text.language_code for text in listed.template_texts] == ["de", "en-GB", "it"]
    told = []
    for language in ("it-CH", "fr", "en-GB", "de-AT"):
        desk.peers.customers.answer.language_code = language
        event = desk.at_risk()
        await desk.hear(event)
        told.append((await desk.notice_in("SENT", event.promise)).language_code)
    assert told == ["it", "en-GB", "en-GB", "de"]
    assert desk.mail.accepted[0]["Subject"] == "Nuova data: lunedì 9 marzo 2026"
    assert desk.mail.accepted[0]["Content-Language"] == "it"
    assert desk.mail.accepted[3]["Subject"].endswith("ein neuer Termin, Montag, 9. März 2026")
    assert (
        "Der Transport dauert länger als geplant." in desk.mail.accepted[3].get_body(("plain",)).get_content()
    )
    facts = await desk.told("NoticeSent")
    assert [fact.data.language_code for fact in facts] == told
    assert {fact.data.template for fact in facts} == {"templates/delay"}


async def test_changes_made_at_the_same_time_are_versions_of_their_own(desk: Any) -> None:
    changes = (desk.update_text(subject=f"{n}: {{{{ new_date }}}}") for n in range(5))
    made = await asyncio.gather(*changes)
    assert sorted(text.version for text in made) == [2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        ({"subject": ""}, {"template_text.subject": "REQUIRED"}),
        ({"subject": "x" * 201}, {"template_text.subject": "TOO_LONG"}),
        ({"body": "x" * 10_001}, {"template_text.body": "TOO_LONG"}),
        ({"body": "a\x00"}, {"template_text.body": "INVALID_TEXT"}),
        (
            {"apology": ""},
            dict.fromkeys(("template_text.body", "template_text.mjml"), "TEMPLATE_PART_MISSING"),
        ),
        ({"subject": "{{ nobody }}"}, {"template_text.body": "VARIABLE_UNKNOWN"}),
        ({"subject": "{% for x in y %}"}, {"template_text.subject": "INVALID_TEMPLATE"}),
        (
            {"subject": "", "body": ""},
            {"template_text.subject": "REQUIRED", "template_text.body": "REQUIRED"},
        ),
        ({"reasons": {"other": "Rain.", "SNOW": "Snow."}}, {"template_text.reasons": "INVALID_CODE"}),
    ],
)
async def test_a_wrong_text_is_refused_with_every_violation(
    desk: Any, change: dict[str, Any], reasons: dict[str, str]
) -> None:
    assert await desk.violations(desk.update_text(**change)) == reasons
    assert (await desk.text()).version == 1
    text = await desk.text()
    for field, value in change.items():
        if field == "reasons":
            text.reasons.update(value)
        else:
            setattr(text, field, value)
    assert await desk.violations(desk.create_text("delay", "fr", text)) == reasons


@pytest.mark.parametrize("language", ["xx-english", "EN", "en_GB", "zh-tw", ""])
async def test_a_text_is_in_a_language_that_dates_can_be_written_in(desk: Any, language: str) -> None:
    [found] = (await desk.violations(desk.create_text("delay", language, await desk.text()))).items()
    assert found == ("template_text_id", "INVALID_CODE" if language else "REQUIRED")


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        ({"type": 0}, {"template.type": "INVALID_ENUM"}),
        ({"purpose": ""}, {"template.purpose": "REQUIRED"}),
        ({"purpose": "service"}, {"template.purpose": "INVALID_NAME"}),
        ({"default_language_code": "xx-english"}, {"template.default_language_code": "INVALID_CODE"}),
        ({"default_language_code": ""}, {"template.default_language_code": "REQUIRED"}),
        ({"variables": ["Depot"]}, {"template.variables[0].name": "INVALID_CODE"}),
        ({"variables": ["depot", "depot"]}, {"template.variables[1].name": "INVALID_CODE"}),
        ({"variables": ["depot", "customer_name"]}, {"template.variables[1].name": "VARIABLE_RESERVED"}),
        ({"variables": [f"v{i}" for i in range(31)]}, {"template.variables": "TOO_LONG"}),
    ],
)
async def test_a_wrong_template_is_refused(
    desk: Any, change: dict[str, Any], reasons: dict[str, str]
) -> None:
    if "variables" in change:
        change = {"variables": [Template.Variable(name=name) for name in change["variables"]]}
    assert await desk.violations(desk.create_template("wrong", HELLO, **change)) == reasons


async def test_nobody_takes_a_template_a_text_or_a_policy_for_a_new_one(desk: Any) -> None:
    assert await refusal(desk.create_template("delay", HELLO)) == "RESOURCE_EXISTS"
    assert await refusal(desk.create_text("delay", "en-gb", await desk.text())) == "RESOURCE_EXISTS"
    assert await refusal(desk.create_policy("promise-at-risk")) == "RESOURCE_EXISTS"
    assert await desk.violations(desk.create_template("No Way", HELLO)) == {"template_id": "INVALID_CODE"}


async def test_a_stale_change_is_refused(desk: Any) -> None:
    calls = [
        desk.update_text(subject="Sorry", etag='"7"'),
        desk.update_policy("promise-at-risk", disabled=True, etag='"7"'),
        desk.update_template("delay", default_language_code="en-GB", etag='"7"'),
    ]
    assert {await refusal(call) for call in calls} == {"ETAG_MISMATCH"}


async def test_templates_are_listed_by_name(desk: Any) -> None:
    await desk.create_template("apple", HELLO)
    request = template_service_pb2.ListTemplatesRequest(page_size=2)
    first = await desk.templates.ListTemplates(request)
    request.page_token = first.next_page_token
    second = await desk.templates.ListTemplates(request)
    assert second.next_page_token == ""
    listed = [template.name.removeprefix("templates/") for template in (*first.templates, *second.templates)]
    assert listed == ["apple", "confirm-consent", "delay", "recovery"]


async def test_a_template_says_in_which_languages_it_has_a_text(desk: Any) -> None:
    await desk.create_template("ready", HELLO)
    for language in ("fr", "de-ch"):
        await desk.create_text("ready", language, HELLO)
    await desk.update_text("templates/ready/texts/fr", subject="Nouvelles")  # a version is no language
    listed = await desk.templates.ListTemplates(template_service_pb2.ListTemplatesRequest())
    told = {each.name: list(each.language_codes) for each in listed.templates}
    assert told["templates/ready"] == ["de-CH", "en", "fr"]
    assert told["templates/delay"] == ["de", "en-GB"]
    changed = await desk.update_template("ready", default_language_code="fr")
    assert changed == await desk.template("ready")
    assert list(changed.language_codes) == told["templates/ready"]


async def test_a_template_says_whether_policies_alone_send_it(desk: Any) -> None:
    await desk.create_template("ready", HELLO)
    await desk.create_text("ready", "de", HELLO)

    async def told() -> dict[str, bool]:
        listed = await desk.templates.ListTemplates(template_service_pb2.ListTemplatesRequest())
        return {each.name: each.policies_only for each in listed.templates}

    only = {"templates/confirm-consent": True, "templates/delay": True, "templates/recovery": True}
    assert await told() == only | {"templates/ready": False}
    dated = await desk.update_text("templates/ready/texts/de", subject="Es bleibt beim {{ old_date }}")
    changed = await desk.update_template("ready", default_language_code="de")
    assert (await told(), changed) == (only | {"templates/ready": True}, await desk.template("ready"))
    await desk.update_text(dated.name, subject="Es geht los")  # an older version is sent to nobody
    assert await told() == only | {"templates/ready": False}


async def test_a_template_says_what_its_sender_gives_by_the_texts_that_are_sent(desk: Any) -> None:
    depot = [Template.Variable(name="depot")]
    said = "{% if reference and depot == 'reason' %}{{ reference }}{% endif %} Reason: {{ contact_name }}"
    await desk.create_template("ready", TemplateText(subject="In {{ depot }}", body=said), variables=depot)
    told = await desk.template("ready")
    assert (list(told.given_variables), told.tells_promises) == (["depot", "reference"], False)
    await desk.create_text(
        "ready", "de", TemplateText(subject="Am", body="{{ new_date|trim }} {{ contact_name }}")
    )
    told = await desk.update_template("ready", review_required=True)
    assert (list(told.given_variables), told.tells_promises) == (["depot", "new_date", "reference"], True)
    await desk.update_text("templates/ready/texts/de", body="{{ reason }} {{ contact_name }}")  # a draft
    assert await desk.template("ready") == told
    listed = await desk.templates.ListTemplates(template_service_pb2.ListTemplatesRequest())
    assert {each.name: list(each.given_variables) for each in listed.templates} == {
        "templates/confirm-consent": ["confirm_link", "confirm_purpose"],
        "templates/delay": ["new_date", "old_date", "reason", "reference"],
        "templates/ready": ["depot", "new_date", "reference"],
        "templates/recovery": ["old_date", "reference"],
    }


async def test_what_has_a_default_wherever_it_stands_is_given_and_need_not_be(desk: Any) -> None:
    depot, body = [Template.Variable(name="depot")], "{{ contact_name }}"
    text = TemplateText(subject="In {{ depot | default('Hamburg') }}", body=body)
    await desk.create_template("ready", text, variables=depot)
    told = await desk.template("ready")
    assert (list(told.given_variables), list(told.required_variables)) == (["depot"], [])
    await desk.create_text("ready", "de", TemplateText(subject="In {{ depot }}", body=body))
    assert list((await desk.template("ready")).required_variables) == ["depot"]


async def test_a_template_changes_as_far_as_its_texts_allow(desk: Any) -> None:
    depot = Template.Variable(name="depot")
    await desk.create_template(
        "ready", TemplateText(subject="In {{ depot }}", body="{{ contact_name }}"), variables=[depot]
    )
    assert await refusal(desk.update_template("ready", default_language_code="fr")) == "TEXT_MISSING"
    await desk.create_text("ready", "fr", HELLO)
    changed = await desk.update_template("ready", default_language_code="fr")
    assert (changed.default_language_code, changed.etag) == ("fr", '"2"')
    other = [Template.Variable(name="shelf", impersonal=True)]
    assert await refusal(desk.update_template("ready", variables=other)) == "VARIABLE_IN_USE"
    assert await desk.template("ready") == changed


async def test_the_variables_of_a_template_change_before_it_has_a_text(desk: Any) -> None:
    template = Template(type="TYPE_INFORMATION", purpose="purposes/service", default_language_code="en")
    create = template_service_pb2.CreateTemplateRequest(template_id="ready", template=template)
    await desk.templates.CreateTemplate(create)
    changed = await desk.update_template("ready", variables=[Template.Variable(name="depot")])
    assert [variable.name for variable in changed.variables] == ["depot"]


async def test_a_template_has_so_many_texts_and_no_more(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usecases, "TEXTS_MAX", 2)
    await desk.create_template("ready", HELLO)
    await desk.create_text("ready", "fr", HELLO)
    assert await refusal(desk.create_text("ready", "de", HELLO)) == "TOO_MANY_TEXTS"


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
    assert shown.subject == "7: a new date, Friday, 6 March 2026"
    assert "The weather is holding us up." in shown.body
    assert (shown.language_code, shown.text_version) == ("en-GB", 1)
    request.variables["new_date"], request.time_zone = "2026-03-06T01:00:00Z", "America/New_York"
    shown = await desk.templates.RenderTemplate(request)
    assert shown.subject == "7: a new date, Thursday, 5 March 2026"  # where the customer is
    del request.variables["contact_name"]
    del request.variables["reason"]
    assert await desk.violations(desk.templates.RenderTemplate(request)) == {
        "variables[contact_name]": "VARIABLE_MISSING",
        "variables[reason]": "VARIABLE_MISSING",
    }
    assert desk.mail.received == []


async def test_bad_news_says_sorry_why_what_happens_next_and_who_is_there(desk: Any) -> None:
    told = {
        "subject": "Your warranty",
        "body": "{{ apology }} {{ reason }} {{ next_step }} {{ contact_name }}, {{ contact_reach }}",
        "apology": "I am sorry.",
        "reasons": {"other": "Something came up.", "no-parts": "There are no parts for it."},
        "next_step": "You get your money back.",
    }
    await desk.create_template("refused", TemplateText(**told), type="TYPE_BAD_NEWS")
    for lacks in ("apology", "reasons", "next_step"):
        said = TemplateText(**{name: value for name, value in told.items() if name != lacks})
        refused = await desk.violations(desk.create_text("refused", "de", said))
        assert refused == {"template_text.body": "TEMPLATE_PART_MISSING"}, lacks
    for part in ("apology", "reason", "next_step", "contact_name", "contact_reach"):
        body = told["body"].replace("{{ " + part + " }}", "")
        refused = await desk.violations(desk.update_text("templates/refused/texts/en", body=body))
        assert refused == {"template_text.body": "TEMPLATE_PART_MISSING"}, part
    notice = Notice(customer=desk.customer, kind="refused", template="templates/refused")
    assert await desk.violations(desk.send(notice)) == {"variables[reason]": "VARIABLE_MISSING"}
    notice.variables["reason"] = "no-parts"
    await desk.sent((await desk.send(notice)).name)
    [mail] = desk.mail.accepted
    assert mail.get_content().startswith(
        "I am sorry. There are no parts for it. You get your money back. Sam Reed, "
    )


@pytest.mark.parametrize(
    ("name", "expected"), [("templates/none", "RESOURCE_NOT_FOUND"), ("none", "INVALID_NAME")]
)
async def test_what_is_not_there_is_not_found(desk: Any, name: str, expected: str) -> None:
    pb, rpc = template_service_pb2, desk.templates
    calls = [
        rpc.GetTemplate(pb.GetTemplateRequest(name=name)),
        rpc.RenderTemplate(pb.RenderTemplateRequest(name=name)),
        rpc.GetTemplateText(pb.GetTemplateTextRequest(name=f"{name}/texts/de")),
        rpc.GetTemplateText(pb.GetTemplateTextRequest(name=f"{name}/texts/de/versions/9")),
        rpc.ListTemplateTexts(pb.ListTemplateTextsRequest(parent=name)),
        desk.update_text(f"{name}/texts/de", subject="Sorry"),
    ]
    assert {await refusal(call) for call in calls} == {expected}


async def test_a_policy_that_is_switched_off_sends_nothing(desk: Any) -> None:
    off = await desk.update_policy("promise-at-risk", disabled=True)
    assert (off.version, off.disabled) == (2, True)
    first, second = desk.at_risk(), desk.at_risk()
    event_id = await desk.hear(first)
    await eventually(lambda: HANDLED.maybe(desk.running.db, event_id=event_id))
    await desk.update_policy("promise-at-risk", disabled=False)
    await desk.hear(second)
    notice = await desk.notice_in("SENT", second.promise)
    assert (notice.notice_policy, notice.policy_version) == ("noticePolicies/promise-at-risk", 3)
    assert await desk.notices_of(first.promise) == []
    listed = await desk.policies.ListNoticePolicies(notice_policy_service_pb2.ListNoticePoliciesRequest())
    assert [(p.name, p.version, p.disabled) for p in listed.notice_policies] == [
        ("noticePolicies/consent-requested", 1, False),
        ("noticePolicies/promise-at-risk", 3, False),
        ("noticePolicies/promise-recovered", 1, False),
    ]


async def test_a_deleted_policy_is_gone_and_its_name_counts_on(desk: Any) -> None:
    pb, name = notice_policy_service_pb2, "noticePolicies/promise-at-risk"
    await desk.policies.DeleteNoticePolicy(pb.DeleteNoticePolicyRequest(name=name, etag='"1"'))
    get = pb.GetNoticePolicyRequest(name=name)
    assert await refusal(desk.policies.GetNoticePolicy(get)) == "RESOURCE_NOT_FOUND"
    assert await refusal(desk.update_policy("promise-at-risk", disabled=True)) == "RESOURCE_NOT_FOUND"
    again = await desk.create_policy("promise-at-risk")
    assert again.version == 3
    assert await desk.policies.GetNoticePolicy(get) == again


async def test_the_name_of_a_deleted_policy_stays_its_departments(desk: Any) -> None:
    pb, late = notice_policy_service_pb2, {"event_type": AT_RISK, "template": "templates/delay"}
    create = pb.CreateNoticePolicyRequest(notice_policy_id="late", notice_policy=NoticePolicy(**late))
    delivery, billing = manager(desk, "delivery"), manager(desk, "billing")
    await delivery.CreateNoticePolicy(create)
    await delivery.DeleteNoticePolicy(pb.DeleteNoticePolicyRequest(name="noticePolicies/late"))
    assert await refusal(billing.CreateNoticePolicy(create)) == "NOT_OWNER"
    given = desk.create_policy("late", department="departments/billing")  # by an administrator
    assert await desk.violations(given) == {"notice_policy.department": "INVALID_NAME"}
    again = await desk.create_policy("late")
    assert (again.department, again.version) == ("departments/delivery", 3)


@pytest.mark.parametrize(("department", "rule"), [("delivery", "apologies"), ("billing", "promise-at-risk")])
async def test_the_policies_of_the_promises_department_say_how_before_the_platforms_and_nobody_elses(
    desk: Any, department: str, rule: str
) -> None:
    text = await desk.text()
    text.subject = "Sorry, {{ new_date }}"
    await desk.create_template("sorry", text, type="TYPE_DELAY", department="departments/delivery")
    for policy_id in ("zorry", "apologies"):
        await desk.create_policy(policy_id, template="templates/sorry", department="departments/delivery")
    event = desk.at_risk(department=f"departments/{department}")
    await desk.hear(event)
    notice = await desk.notice_in("SENT", event.promise)
    assert notice.template == ("templates/sorry" if rule == "apologies" else "templates/delay")
    assert (notice.notice_policy, notice.department) == (
        f"noticePolicies/{rule}",
        f"departments/{department}",
    )
    assert (await desk.explain(notice.name)).rule == f"noticePolicies/{rule}"
    assert len(await desk.notices_of(event.promise)) == 1
    assert len(desk.mail.received) == 1


@pytest.mark.parametrize(
    ("policy_id", "change", "reasons"),
    [
        ("No Way", {}, {"notice_policy_id": "INVALID_CODE"}),
        ("late", {"event_type": "rapport.cases.v1.CaseOpene"}, {"notice_policy.event_type": "INVALID_CODE"}),
        ("late", {"template": "delay"}, {"notice_policy.template": "INVALID_NAME"}),
        ("", {}, {"notice_policy_id": "REQUIRED"}),
        ("late", {"event_type": ""}, {"notice_policy.event_type": "REQUIRED"}),
    ],
)
async def test_a_wrong_policy_is_refused(
    desk: Any, policy_id: str, change: dict[str, str], reasons: dict[str, str]
) -> None:
    assert await desk.violations(desk.create_policy(policy_id, **change)) == reasons


async def test_a_policy_needs_a_template_that_an_event_can_fill_in(desk: Any) -> None:
    assert await refusal(desk.create_policy("late", template="templates/none")) == "RESOURCE_NOT_FOUND"
    text = await desk.text()
    text.subject += " in {{ depot }}"
    depot = [Template.Variable(name="depot")]
    platform = "departments/platform"
    await desk.create_template("depot", text, type="TYPE_DELAY", variables=depot, department=platform)
    for change in (desk.create_policy("late", template="templates/depot"),
                   desk.update_policy("promise-at-risk", template="templates/depot")):  # fmt: skip
        assert await refusal(change) == "TEMPLATE_NOT_SENDABLE"


@pytest.mark.parametrize(
    "about", [{"purpose": "purposes/marketing"}, {"default_language_code": "fr"}], ids=["purpose", "language"]
)
async def test_a_policy_needs_a_template_for_the_service_that_has_a_text_for_all(
    desk: Any, about: dict[str, str]
) -> None:
    text = await desk.text()
    text.body, text.mjml = text.body + "{{ unsubscribe_link }}", ""
    await desk.create_template("sale", text, type="TYPE_DELAY", **about)
    assert await refusal(desk.create_policy("late", template="templates/sale")) == "TEMPLATE_NOT_SENDABLE"


async def test_a_recovery_is_told_without_a_reason_so_not_by_a_delay(desk: Any) -> None:
    text = await desk.text()
    platform = "departments/platform"
    await desk.create_template("again", text, type="TYPE_DELAY", department=platform)
    event_type = "rapport.cases.v1.PromiseRecovered"
    policy = desk.create_policy("again", event_type=event_type, template="templates/again")
    assert await refusal(policy) == "TEMPLATE_NOT_SENDABLE"


@pytest.mark.parametrize("fact", ["PromiseAtRisk", "PromiseRecovered"])
@pytest.mark.parametrize(
    "body",
    [
        "{{ contact_name }} is looking into it.",
        "{{ contact_name }}: {% if reference %}{{ old_date }} and {{ new_date }}{% endif %}",
    ],
    ids=["untold", "hidden"],
)
async def test_a_policy_needs_a_template_that_tells_the_date(desk: Any, fact: str, body: str) -> None:
    await desk.create_template("vague", TemplateText(subject="News", body=body))
    policy = desk.create_policy("vague", event_type=f"rapport.cases.v1.{fact}", template="templates/vague")
    assert await refusal(policy) == "TEMPLATE_NOT_SENDABLE"


async def test_a_policy_sends_words_of_its_own_department_or_the_platforms(desk: Any) -> None:
    """Else a department could not change its own words, for the sake of a policy that it does not own."""
    await desk.create_template(
        "sorry", await desk.text(), type="TYPE_DELAY", department="departments/delivery"
    )
    pb, billing = notice_policy_service_pb2, manager(desk, "billing")
    policy = NoticePolicy(event_type=AT_RISK, template="templates/sorry")
    create = pb.CreateNoticePolicyRequest(notice_policy_id="late", notice_policy=policy)
    assert await refusal(billing.CreateNoticePolicy(create)) == "TEMPLATE_NOT_SENDABLE"
    create.notice_policy.template = "templates/delay"
    await billing.CreateNoticePolicy(create)
    change = NoticePolicy(name="noticePolicies/late", template="templates/sorry")
    update = pb.UpdateNoticePolicyRequest(notice_policy=change)
    assert await refusal(billing.UpdateNoticePolicy(update)) == "TEMPLATE_NOT_SENDABLE"
    assert await refusal(desk.update_policy("promise-at-risk", template="templates/sorry")) == (
        "TEMPLATE_NOT_SENDABLE"
    )
    own = pb.CreateNoticePolicyRequest(notice_policy_id="sorry", notice_policy=policy)
    await manager(desk, "delivery").CreateNoticePolicy(own)


async def test_a_refusal_names_the_policy_that_stands_in_the_way(desk: Any) -> None:
    depot = [Template.Variable(name="depot")]
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await desk.update_template("delay", variables=depot)
    assert status.refusal(refused.value).metadata == {
        "resource": "templates/delay",
        "notice_policy": "noticePolicies/promise-at-risk",
    }


async def test_a_template_that_a_policy_sends_stays_one_that_it_can_send(desk: Any) -> None:
    depot = [Template.Variable(name="depot")]
    assert await refusal(desk.update_template("delay", variables=depot)) == "TEMPLATE_NOT_SENDABLE"
    await desk.update_policy("promise-at-risk", disabled=True)
    await desk.update_template("delay", variables=depot)
    assert await refusal(desk.update_policy("promise-at-risk", disabled=False)) == "TEMPLATE_NOT_SENDABLE"


async def test_a_text_that_a_policy_sends_says_the_date_in_every_language(desk: Any) -> None:
    vague = TemplateText(subject="Nouvelles", body="{{ contact_name }}")
    assert await refusal(desk.create_text("recovery", "fr", vague)) == "TEMPLATE_NOT_SENDABLE"
    name = "templates/recovery/texts/en-gb"
    assert await refusal(desk.update_text(name, body=vague.body)) == "TEMPLATE_NOT_SENDABLE"
