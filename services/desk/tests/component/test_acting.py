"""Forms that are sent: what is wrong is said in the form, and what is decided anew is another request."""

import re
from base64 import b64encode
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from prometheus_client import REGISTRY

from cases.service import service as cases_service
from customer.service import service as customer_service
from notifications.service import service as notifications_service
from rapport.options.v1.layout_pb2 import layout
from rapport_testing.clock import ManualClock
from rapport_testing.wait import eventually
from rapport_tools.local.roles import ROLES

REQUEST_ID = re.compile(r'name="request_id" value="([^"]+)"')


async def erika(desk: Any) -> str:
    created = await desk.client().post("/v1/customers", json={"displayName": "Erika Sommer"})
    return str(created.json()["name"])


@pytest.mark.parametrize("field", ["channel", "direction"])
async def test_a_choice_that_is_none_is_refused_in_the_form(desk: Any, field: str) -> None:
    name, alice = await erika(desk), await desk.signed_in()
    typed = {"summary": "x", "channel": "VOICE", "direction": "INBOUND", "request_id": str(uuid4())}
    answer = await alice.post(f"/{name}/act/contact", data={**typed, field: "PIGEON"})
    assert answer.status_code == 200
    assert "X-Form" in answer.headers
    assert "must be one of" in answer.text


async def test_a_request_id_that_was_used_for_something_else_is_followed_by_another(desk: Any) -> None:
    name, alice = await erika(desk), await desk.signed_in()
    used = str(uuid4())
    typed = {"summary": "First", "channel": "VOICE", "direction": "INBOUND", "request_id": used}
    assert "X-Done" in (await alice.post(f"/{name}/act/contact", data=typed)).headers
    again = await alice.post(f"/{name}/act/contact", data={**typed, "summary": "Second"})
    assert "X-Form" in again.headers
    (fresh,) = REQUEST_ID.findall(again.text)
    assert fresh != used
    sent = await alice.post(f"/{name}/act/contact", data={**typed, "summary": "Second", "request_id": fresh})
    assert "X-Done" in sent.headers


async def test_a_time_that_the_clocks_leave_out_is_refused_in_the_form(desk: Any) -> None:
    name, alice = await erika(desk), await desk.signed_in()
    alice.cookies.set("zone", "Europe/Berlin")
    typed = {"kind": "call-back", "day": "2026-03-29", "time": "02:30", "request_id": str(uuid4())}
    answer = await alice.post(f"/{name}/act/promise", data=typed)
    assert "X-Form" in answer.headers
    assert "clocks are put forward" in answer.text


@pytest.mark.parametrize(
    ("zone", "typed"), [("America/New_York", "9999-12-31"), ("Asia/Tokyo", "0001-01-01")]
)
async def test_a_day_that_is_not_there_in_every_zone_is_refused_in_the_form(desk, zone, typed) -> None:
    name, alice = await erika(desk), await desk.signed_in()
    alice.cookies.set("zone", zone)
    sent = {"kind": "call-back", "day": typed, "time": "23:30" if typed > "2" else "00:30"}
    answer = await alice.post(f"/{name}/act/promise", data={**sent, "request_id": str(uuid4())})
    assert (answer.status_code, "X-Form" in answer.headers) == (200, True)
    assert "must be a day" in answer.text


@pytest.mark.parametrize(("key", "field"), [("find%00", "q"), ("find", "q\x00")])
async def test_a_draft_is_kept_under_names_that_are_text(desk, key: str, field: str) -> None:
    alice = await desk.signed_in()
    answer = await alice.post(f"/drafts/{key}", data={field: "x"}, headers={"x-requested-with": "fragment"})
    assert (answer.status_code, "must be one line" in answer.text) == (400, True)


INFORMATION = {"type": "TYPE_INFORMATION", "purpose": "purposes/service", "defaultLanguageCode": "en"}


async def template(rest: Any, id: str, words: str, *variables: str) -> None:
    """A department has a message."""
    named = [{"name": each} for each in variables]
    text = {"languageCode": "en", "subject": "Hello", "body": f"{words} {{{{ contact_name }}}}"}
    for path, body in (
        (f"templates?templateId={id}", {**INFORMATION, "variables": named}),
        (f"templates/{id}/texts?templateTextId=en", text),
    ):
        made = await rest.post(f"/v1/{path}", json=body)
        assert made.status_code == 200, made.text


TEXTS = "notifications.v1.TemplateService/ListTemplateTexts"


async def test_the_preview_of_a_message_asks_once_who_gets_it_and_which_there_are(open_desk: Any) -> None:
    desk = await open_desk(customer_service, cases_service, notifications_service)
    name, alice, rest = await erika(desk), await desk.signed_in(), desk.client()
    blank = await rest.post("/v1/templates?templateId=a-blank", json=INFORMATION)  # without a text
    assert blank.status_code == 200, blank.text
    await template(rest, "greeting", "Good day {{ customer_name }}.")
    methods = ("customer.v1.CustomerService/GetCustomer", "notifications.v1.TemplateService/ListTemplates")

    def asked() -> list[float]:
        count = "rpc_server_duration_seconds_count"
        told = [{"method": f"rapport.{each}", "code": "OK"} for each in (*methods, TEXTS)]
        return [REGISTRY.get_sample_value(count, each) or 0.0 for each in told]

    customers, templates, texts = asked()
    answer = await alice.post(f"/{name}/act/notice", data={"request_id": str(uuid4())})
    assert "Good day Erika Sommer." in answer.text
    assert "a-blank" not in answer.text
    assert asked() == [customers + 1, templates + 1, texts]


async def test_a_case_a_promise_and_work_are_told_in_the_words_of_who_opens_them(open_desk: Any) -> None:
    desk = await open_desk(customer_service, cases_service)
    name, alice, rest = await erika(desk), await desk.signed_in(), desk.client()
    me = {"displayName": "Alice", "email": "alice@example.com", "department": "departments/front-desk"}
    known = await rest.patch("/v1/agents/alice?allowMissing=true", json=me)
    assert known.status_code == 200, known.text
    opened = await alice.post(
        f"/{name}/act/case", data={"topic": "Paket kam nie an!", "request_id": str(uuid4())}
    )
    assert "X-Done" in opened.headers, opened.text
    (case,) = (await rest.get("/v1/cases", params={"filter": f'customer="{name}"'})).json()["cases"]
    assert (case["topic"], case["displayName"]) == ("other", "Paket kam nie an!")
    promise = {"kind": "Frau Sommer zurückrufen", "reference": "order 5021", "day": "2027-03-01"}
    made = await alice.post(f"/{name}/act/promise", data={**promise, "request_id": str(uuid4())})
    assert "X-Done" in made.headers, made.text
    (kept,) = (await rest.get("/v1/promises", params={"filter": f'customer="{name}"'})).json()["promises"]
    assert (kept["kind"], kept["reference"]) == ("other", "orders/5021")
    assert kept["displayName"] == "Frau Sommer zurückrufen"
    asked = {"department": "departments/delivery", "kind": "Найти посылку", "request_id": str(uuid4())}
    done = await alice.post(f"/{name}/act/work", data=asked, params={"on": case["name"]})
    assert "X-Done" in done.headers, done.text
    (work,) = (await rest.get("/v1/workItems")).json()["workItems"]
    assert (work["kind"], work["displayName"]) == ("other", "Найти посылку")
    page = (await alice.get(f"/{name}")).text
    assert "Frau Sommer zurückrufen, order 5021" in page
    assert "Найти посылку" in page
    gone = {
        "displayName": "Gus",
        "email": "gus@example.com",
        "department": "departments/typing-pool",
        "inactive": True,
    }
    assert (await rest.patch("/v1/agents/gus?allowMissing=true", json=gone)).is_success
    form = await alice.get(f"/{name}/act/work", params={"on": case["name"]})
    assert "typing-pool" not in form.text
    assert '<option value="departments/delivery" selected>' in form.text
    assert '<option value="departments/front-desk">' in form.text


async def test_a_department_that_nobody_works_for_can_be_asked_for_what_it_promised_or_writes(
    open_desk: Any,
) -> None:
    desk = await open_desk(customer_service, cases_service)
    name, alice, rest = await erika(desk), await desk.signed_in(), desk.client()
    promise = {"customer": name, "department": "departments/billing", "kind": "corrected-invoice"}
    due = {"dueTime": "2030-03-01T12:00:00Z"}
    made = await rest.post("/v1/promises:make", json={"promise": promise | due})
    assert made.is_success, made.text
    contract = FileDescriptorSet()
    file = contract.file.add(name="claims/v1/claim.proto", package="claims.v1", syntax="proto3")
    field = {"name": "open", "number": 1, "type": "TYPE_STRING", "label": "LABEL_OPTIONAL"}
    file.message_type.add(name="Claim").field.add(**field).options.Extensions[layout].label = "Open"
    schema = {"displayName": "Claims", "messageType": "claims.v1.Claim", "department": "departments/claims"}
    described = {"descriptors": b64encode(contract.SerializeToString()).decode()}
    kept = await rest.post("/v1/sectionSchemas/claims:put", json=schema | described)
    assert kept.is_success, kept.text
    me = {"displayName": "Alice", "email": "alice@example.com", "department": "departments/front-desk"}
    await rest.patch("/v1/agents/alice?allowMissing=true", json=me)
    about = {"customer": name, "topic": "late", "owner": "agents/alice"}
    case = (await rest.post("/v1/cases:open", json={"case": about})).json()
    form = await alice.get(f"/{name}/act/work", params={"on": case["name"]})
    for department in ("billing", "claims"):
        assert f'<option value="departments/{department}">' in form.text
    assert 'href="/work/claims"' in (await alice.get("/")).text


@pytest.mark.parametrize(("act", "typed"), [("case", "display_name"), ("contact", "summary")])
async def test_a_topic_in_own_words_and_what_is_said_of_it_may_both_be_as_long_as_their_fields(
    open_desk: Any, act: str, typed: str
) -> None:
    desk = await open_desk(customer_service, cases_service)
    name, alice = await erika(desk), await desk.signed_in()
    me = {"displayName": "Alice", "email": "alice@example.com", "department": "departments/front-desk"}
    assert (await desk.client().patch("/v1/agents/alice?allowMissing=true", json=me)).is_success
    form = (await alice.get(f"/{name}/act/{act}")).text
    longest = {
        field: "Ä" * int(most)
        for field in ("topic", typed)
        for most in re.findall(rf'name="{field}"[^>]* maxlength="(\d+)"', form)
    }
    assert len(longest) == 2
    sent = {"channel": "VOICE", "direction": "INBOUND", "request_id": str(uuid4()), **longest}
    answer = await alice.post(f"/{name}/act/{act}", data=sent)
    assert "X-Done" in answer.headers, answer.text


async def test_whoever_said_no_to_calls_is_not_to_be_called_however_much_else_they_said(
    open_desk: Any,
) -> None:
    desk = await open_desk(customer_service)
    name, alice, rest = await erika(desk), await desk.signed_in(), desk.client()
    purposes = [f"a-{number}" for number in range(5)]
    for purpose in purposes:
        about = {"displayName": purpose, "contactDefault": "DEFAULT_ALLOWED"}
        assert (await rest.post(f"/v1/purposes?purposeId={purpose}", json=about)).is_success
    channels = ("voice", "ivr", "email", "chat", "sms", "web", "app", "social", "fax", "letter")
    said = [f"{purpose}.{channel}" for purpose in purposes for channel in channels]
    for consent in (*said, "service.voice"):
        no = {"state": "STATE_DENIED"}
        answer = await rest.patch(f"/v1/{name}/consents/{consent}?allowMissing=true", json=no)
        assert answer.is_success, answer.text
    assert "call: no" in (await alice.get(f"/{name}")).text


async def a_case(rest: Any, customer: str, display_name: str, owner: str = "alice") -> str:
    """A case of a colleague at the front desk."""
    them = {"displayName": owner.title(), "email": f"{owner}@example.com"}
    them["department"] = "departments/front-desk"
    assert (await rest.patch(f"/v1/agents/{owner}?allowMissing=true", json=them)).is_success
    case = {"customer": customer, "topic": "late", "displayName": display_name, "owner": f"agents/{owner}"}
    return str((await rest.post("/v1/cases:open", json={"case": case})).json()["name"])


def undo_of(done: Any) -> tuple[str, dict[str, str]]:
    """What is sent to take back what was done: where to, and what."""
    (href,) = re.findall(r'data-undo="10" method="post" action="([^"]+)"', done.text)
    held = re.findall(r'name="([^"]+)" value="([^"]*)"', done.text)
    return unescape(href), {name: unescape(value) for name, value in held}


async def test_a_resolution_is_taken_back_at_once_unless_somebody_was_faster(open_desk: Any) -> None:
    desk = await open_desk(customer_service, cases_service)
    name, alice, rest = await erika(desk), await desk.signed_in(), desk.client()
    case = await a_case(rest, name, "Where is it?")

    async def resolve() -> tuple[str, dict[str, str]]:
        form = {"resolution": "delivered", "request_id": str(uuid4())}
        resolved = await alice.post(f"/{name}/act/resolve", params={"on": case}, data=form)
        assert "Resolved: Where is it?." in resolved.text
        return undo_of(resolved)

    href, held = await resolve()
    reopened = await alice.post(href, data=held)
    assert ("X-Done" in reopened.headers, "Reopened: Where is it?." in reopened.text) == (True, True)
    assert (await rest.get(f"/v1/{case}")).json()["reopenReasonCode"] == "our-mistake"
    href, held = await resolve()
    assert (await rest.post(f"/v1/{case}:reopen", json={})).is_success
    late = await alice.post(href, data=held)
    assert ("X-Form" in late.headers, "Somebody changed this" in late.text) == (True, True), late.text


async def test_a_case_is_given_away_with_a_note_and_back_by_undo_where_its_new_department_is_ours(
    open_desk: Any,
) -> None:
    desk = await open_desk(customer_service, cases_service)
    name, rest = await erika(desk), desk.client()
    alice = await desk.signed_in(permissions=ROLES["agent"])
    case, _ = await a_case(rest, name, "Where is it?"), await a_case(rest, name, "Another", "bob")
    dora = {"displayName": "Dora", "email": "dora@example.com", "department": "departments/delivery"}
    assert (await rest.patch("/v1/agents/dora?allowMissing=true", json=dora)).is_success
    form = (await alice.get(f"/{name}/act/owner", params={"on": case})).text
    assert "<strong>Where is it?, Erika Sommer</strong>" in form
    assert '<option value="agents/alice">Alice, front desk, who owns it now</option>' in form
    assert '<option value="" selected>' in form

    async def give(owner: str) -> Any:
        typed = {"owner": f"agents/{owner}", "text": f"For {owner}.", "request_id": str(uuid4())}
        return await alice.post(f"/{name}/act/owner", params={"on": case}, data=typed)

    given = await give("bob")
    assert "Bob owns it now: Where is it?." in given.text
    href, held = undo_of(given)
    assert "Alice owns it now" in (await alice.post(href, data=held)).text
    assert "data-undo" not in (await give("dora")).text
    notes = (await rest.get(f"/v1/{case}/notes")).json()["notes"]
    assert [each["text"] for each in notes] == ["For bob.", "For dora."]
    assert "Dora owns it." in (await alice.get(f"/{name}")).text


async def test_what_was_promised_a_moment_ago_is_promised_again_and_said_to_be(open_desk: Any) -> None:
    desk = await open_desk(customer_service, cases_service)
    name, alice, rest = await erika(desk), await desk.signed_in(), desk.client()

    async def promise(day: str) -> str:
        typed = {"kind": "call-back", "day": day, "time": "12:00", "request_id": str(uuid4())}
        return (await alice.post(f"/{name}/act/promise", data=typed)).text

    assert "Promised: Call back, " in await promise("2027-03-01")
    assert "The same was promised" not in await promise("2027-03-02")
    again = await promise("2027-03-01")
    assert "The same was promised at" in again
    (takeback,) = re.findall(r'action="([^"]+)"', again)
    held = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', again))
    undone = await alice.post(unescape(takeback), data={key: unescape(each) for key, each in held.items()})
    assert "Taken back: Call back, " in undone.text
    left = (await rest.get("/v1/promises", params={"filter": f'customer="{name}" AND state=OPEN'})).json()
    assert len(left["promises"]) == 2


async def test_a_day_that_is_over_is_said_in_no_words_of_the_contract(open_desk: Any) -> None:
    desk = await open_desk(customer_service, cases_service)
    name, alice = await erika(desk), await desk.signed_in()
    typed = {"kind": "call-back", "day": "2020-03-01", "request_id": str(uuid4())}
    refused = (await alice.post(f"/{name}/act/promise", data=typed)).text
    assert ("must be in the future<" in refused, "keep_time" in refused) == (True, False), refused
    assert "look at: Due date." in refused


async def test_what_cannot_be_taken_back_begins_at_what_closes_it(open_desk: Any) -> None:
    desk = await open_desk(customer_service, cases_service)
    name, alice, rest = await erika(desk), await desk.signed_in(), desk.client()
    promise = {
        "customer": name,
        "kind": "delivery",
        "reference": "orders/5021",
        "dueTime": "2027-03-01T11:00:00Z",
    }
    promise["department"] = "departments/front-desk"
    made = (await rest.post("/v1/promises:make", json={"promise": promise})).json()["name"]
    form = (await alice.get(f"/{name}/act/keep", params={"on": made})).text
    assert re.search("<button[^>]* data-close autofocus>", form)
    assert "Delivery of order 5021, " in form
    assert ", Erika Sommer</strong>" in form


async def test_a_case_whose_owner_has_left_is_given_to_somebody_else_and_opened_again(open_desk: Any) -> None:
    desk = await open_desk(customer_service, cases_service)
    name, alice, rest = await erika(desk), await desk.signed_in(), desk.client()
    gus = {"displayName": "Gus", "email": "gus@example.com", "department": "departments/front-desk"}
    assert (await rest.patch("/v1/agents/gus?allowMissing=true", json=gus)).is_success
    opened = {"customer": name, "topic": "late", "owner": "agents/gus"}
    case = (await rest.post("/v1/cases:open", json={"case": opened})).json()["name"]
    assert (await rest.post(f"/v1/{case}:resolve", json={"resolution": "settled"})).is_success
    assert (await rest.patch("/v1/agents/gus", json={"inactive": True})).is_success

    async def act(label: str, **typed: str) -> str:
        """What is said when one chooses what the page offers."""
        page = (await alice.get(f"/{name}")).text
        href = re.findall(rf'data-open="([^"]+)"[^>]*>{label}', page)[0]
        form = (await alice.get(unescape(href))).text
        held = dict(re.findall(r'name="(request_id|etag)" value="([^"]*)"', form))
        kept = {key: unescape(value) for key, value in held.items()}
        return (await alice.post(unescape(href), data=kept | typed)).text

    owners = (await alice.get(f"/{name}/act/owner", params={"on": case})).text
    assert ("agents/front-desk" in owners, "agents/gus" in owners) == (True, False)
    assert "serves customers no more" in await act("Reopen the case", reason="not-settled")
    assert "Front Desk owns it now: Late." in await act("Change owner", owner="agents/front-desk")
    assert "Reopened: Late." in await act("Reopen the case", reason="not-settled")
    reopened = (await rest.get(f"/v1/{case}")).json()
    assert (reopened["owner"], reopened["reopenReasonCode"]) == ("agents/front-desk", "not-settled")
    why = (await alice.get("/why", params={"of": case})).text
    assert "Why it was opened again" in why
    assert "not settled" in why

    async def told() -> bool:
        return "Case reopened: Late, not settled" in (await alice.get(f"/{name}")).text

    await eventually(told)


async def test_a_case_that_was_resolved_lately_can_be_opened_again_however_many_are_newer(
    open_desk: Any,
) -> None:
    desk = await open_desk(customer_service, cases_service)
    name, alice, rest = await erika(desk), await desk.signed_in(), desk.client()
    opened = {"customer": name, "topic": "late", "owner": "agents/front-desk"}
    case, *_ = [(await rest.post("/v1/cases:open", json={"case": opened})).json()["name"] for _ in range(52)]
    assert (await rest.post(f"/v1/{case}:resolve", json={"resolution": "settled"})).is_success
    page = unescape((await alice.get(f"/{name}")).text)
    assert f"act/reopen?{urlencode({'on': case})}" in page


async def test_what_is_missing_is_said_once_at_its_field(open_desk: Any) -> None:
    desk = await open_desk(customer_service, cases_service)
    name, alice = await erika(desk), await desk.signed_in()
    answer = await alice.post(f"/{name}/act/case", data={"topic": " ", "request_id": str(uuid4())})
    assert answer.text.count("must be given") == 1
    assert "look at: Topic." in answer.text
    assert "case.topic" not in answer.text


async def test_a_service_that_is_away_is_named_and_what_was_typed_stays(open_desk: Any) -> None:
    desk = await open_desk(customer_service, cases_service)
    name, alice = await erika(desk), await desk.signed_in()
    await desk.services["cases"].lifecycle.stop()
    answer = await alice.post(f"/{name}/act/case", data={"topic": "Late", "request_id": str(uuid4())})
    assert "Cases does not answer." in answer.text
    assert "What you wrote is kept" in answer.text
    assert "X-Form" not in answer.headers


async def test_a_message_asks_for_all_that_its_words_need(open_desk: Any) -> None:
    desk = await open_desk(customer_service, cases_service, notifications_service)
    name, alice = await erika(desk), await desk.signed_in()
    await template(desk.client(), "aaa", "About {{ reference }}.")  # which it does not declare
    form = await alice.get(f"/{name}/act/notice")
    assert 'name="v-reference"' in form.text
    typed = {"template": "templates/aaa", "of": "templates/aaa", "asked": "reference"}
    told = {**typed, "v-reference": "order 5021", "request_id": str(uuid4())}
    preview = await alice.post(f"/{name}/act/notice", data=told)
    assert "About 5021." in preview.text, preview.text
    (seen,) = re.findall(r'name="seen" value="([^"]+)"', preview.text)
    sent = await alice.post(f"/{name}/act/notice", data={**told, "step": "send", "seen": seen})
    assert "X-Done" in sent.headers, sent.text


async def test_a_message_begins_with_what_was_promised_and_is_due_first(open_desk: Any) -> None:
    desk = await open_desk(customer_service, cases_service, notifications_service)
    rest = desk.client()
    name, alice, now = await erika(desk), await desk.signed_in(), desk.running.app.clock.now()
    await template(rest, "aaa", "About {{ reference }}.")
    for number, days in ((5022, 3), (5021, 2)):
        promise = {"customer": name, "department": "departments/front-desk", "kind": "delivery"}
        promise |= {"reference": f"orders/{number}", "dueTime": (now + timedelta(days=days)).isoformat()}
        made = await rest.post(
            "/v1/promises:make", json={"promise": promise}, headers={"idempotency-key": str(uuid4())}
        )
        assert made.is_success, made.text
    form = await alice.get(f"/{name}/act/notice")
    assert re.findall(r'name="v-reference"[^>]* value="([^"]*)"', form.text) == ["order 5021"]


async def test_nobody_is_offered_words_that_tell_a_date_of_a_promise(open_desk: Any) -> None:
    desk = await open_desk(customer_service, cases_service, notifications_service)
    name, alice = await erika(desk), await desk.signed_in()
    form = await alice.get(f"/{name}/act/notice")
    assert "There is no message yet that people may send." in form.text
    await template(desk.client(), "moved", "We come on {{ new_date }}.")
    await template(desk.client(), "greeting", "Good day.")
    form = await alice.get(f"/{name}/act/notice")
    assert re.findall(r'<option value="([^"]+)"', form.text) == ["templates/greeting"]


async def test_the_preview_says_in_which_language_a_message_goes_and_when_that_is_not_theirs(
    open_desk: Any,
) -> None:
    desk = await open_desk(customer_service, cases_service, notifications_service)
    name, alice, rest = await erika(desk), await desk.signed_in(), desk.client()
    await template(rest, "greeting", "Good day.")
    await rest.patch(f"/v1/{name}?updateMask=languageCode", json={"languageCode": "de"})
    form = await alice.get(f"/{name}/act/notice")
    assert "It goes in English: there is no text in German, which Erika Sommer reads." in form.text
    text = {"subject": "Hallo", "body": "Guten Tag. {{ contact_name }}"}
    await rest.post("/v1/templates/greeting/texts?templateTextId=de", json=text)
    assert "It goes in German." in (await alice.get(f"/{name}/act/notice")).text


async def test_a_message_is_sent_whoever_leaves_and_can_be_taken_back_in_the_time_that_one_chose(
    open_desk: Any, clock: ManualClock
) -> None:
    desk = await open_desk(customer_service, cases_service, notifications_service)
    name, alice, rest = await erika(desk), await desk.signed_in(), desk.client()
    await template(rest, "aaa", "About {{ reference }}.")
    typed = {"template": "templates/aaa", "of": "templates/aaa", "asked": "reference"}
    typed |= {"v-reference": "order 5021", "request_id": str(uuid4())}

    async def send(chosen: str) -> tuple[str, dict[str, str]]:
        alice.cookies.set("hold", chosen)
        preview = await alice.post(f"/{name}/act/notice", data=typed)
        assert f"For {chosen} seconds you can take it back" in preview.text
        (seen,) = re.findall(r'name="seen" value="([^"]+)"', preview.text)
        told = {**typed, "step": "send", "seen": seen, "request_id": str(uuid4())}
        sent = await alice.post(f"/{name}/act/notice", data=told)
        assert f"Erika Sommer gets it in {chosen} seconds" in sent.text, sent.text
        return sent.text, dict(re.findall(r'name="([^"]+)" value="([^"]*)"', sent.text))

    async def kept(notice: str) -> Any:
        return (await rest.get(f"/v1/{notice}")).json()

    text, undo = await send("120")
    assert 'data-undo="120"' in text
    clock.advance(timedelta(seconds=119))
    for _ in range(2):  # also when the answer was lost
        again = await alice.post(f"/{name}/act/notice", data=undo)
        assert ("X-Form" in again.headers, "Send to Erika Sommer" in again.text) == (True, True)
        assert 'value="order 5021"' in again.text
        assert undo["request_id"] not in again.text
    assert (await kept(undo["notice"]))["state"] == "NOTICE_STATE_SUPPRESSED"
    late = await alice.post(f"/{name}/act/notice", data={**undo, "request_id": str(uuid4())})
    assert ("X-Done" in late.headers, "too late" in late.text) == (True, True)
    _, undo = await send("10")
    await alice.post("/sign-out", data={"csrf": alice.headers["x-csrf"]})
    assert (await kept(undo["notice"]))["attemptCount"] == 0
    clock.advance(timedelta(seconds=13))

    async def tried() -> bool:
        return bool((await kept(undo["notice"]))["attemptCount"])

    await eventually(tried)
    alice = await desk.signed_in()
    _, undo = await send("10")
    await desk.services["customer"].lifecycle.stop()  # of which only the form has something to ask
    gone = await alice.post(f"/{name}/act/notice", data=undo)
    assert ("X-Done" in gone.headers, "The message is taken back" in gone.text) == (True, True), gone.text
    assert (await kept(undo["notice"]))["state"] == "NOTICE_STATE_SUPPRESSED"


async def test_a_message_that_was_taken_back_in_another_tab_is_not_said_to_go(open_desk: Any) -> None:
    desk = await open_desk(customer_service, cases_service, notifications_service)
    name, alice, rest = await erika(desk), await desk.signed_in(), desk.client()
    await template(rest, "aaa", "All is well.")
    preview = await alice.post(f"/{name}/act/notice", data={"request_id": str(uuid4())})
    (seen,) = re.findall(r'name="seen" value="([^"]+)"', preview.text)
    send = {"template": "templates/aaa", "step": "send", "seen": seen, "request_id": str(uuid4())}
    sent = await alice.post(f"/{name}/act/notice", data=send)
    undo = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', sent.text))
    await alice.post(f"/{name}/act/notice", data=undo)
    again = await alice.post(f"/{name}/act/notice", data=send)
    assert ("X-Form" in again.headers, "It was taken back" in again.text) == (True, True), again.text
    (fresh,) = REQUEST_ID.findall(again.text)
    assert fresh != send["request_id"]
    after_all = await alice.post(f"/{name}/act/notice", data={**send, "request_id": fresh})
    assert "Erika Sommer gets it" in after_all.text


async def test_the_box_is_one_form_with_what_was_typed_and_what_is_wrong_in_it(desk: Any) -> None:
    name, alice = await erika(desk), await desk.signed_in()
    typed = {"summary": "She calls back.", "channel": "EMAIL", "topic": "late", "channels": "none"}
    kept = await alice.post(f"/drafts/{name}/contact", data=typed, headers={"x-requested-with": "fragment"})
    assert kept.is_success
    page, box = (await alice.get(f"/{name}")).text, (await alice.get(f"/{name}/act/contact")).text
    for each in (page, box):
        assert "She calls back.</textarea>" in each
        assert '<option value="EMAIL" selected>' in each
    told = {**typed, "summary": " ", "direction": "INBOUND", "request_id": str(uuid4())}
    refused = (await alice.post(f"/{name}/act/contact", data=told)).text
    assert 'aria-invalid="true" aria-describedby="error-contact-summary"' in refused
    assert f'data-again="/{name}/act/contact"' in refused
    nobody = await desk.signed_in("agent:nils", ["customer.*.read"])
    assert "/act/contact" not in (await nobody.get(f"/{name}")).text


async def test_a_message_of_a_draft_is_seen_before_it_is_sent(open_desk: Any) -> None:
    desk = await open_desk(customer_service, cases_service, notifications_service)
    name, alice, rest = await erika(desk), await desk.signed_in(), desk.client()
    await template(rest, "aaa", "All is well.")
    await template(rest, "bbb", "Your contract is ended.")
    seen = await alice.post(
        f"/{name}/act/notice", data={"template": "templates/bbb", "request_id": str(uuid4())}
    )
    held = dict(re.findall(r'name="(seen|asked|of)" value="([^"]*)"', seen.text))
    await alice.post(f"/drafts/{name}/notice", data={"template": "templates/bbb", **held})
    again = await alice.get(f"/{name}/act/notice")
    assert '<option value="templates/bbb" selected>' in again.text
    assert ("Your contract is ended." in again.text, "All is well." in again.text) == (True, False)


async def test_of_several_messages_each_can_be_sent_whatever_the_first_asks_for(open_desk: Any) -> None:
    desk = await open_desk(customer_service, cases_service, notifications_service)
    name, alice, rest = await erika(desk), await desk.signed_in(), desk.client()
    await template(rest, "aaa", "In {{ city }}.", "city")
    await template(rest, "bbb", "All is well.")

    def fields(form: Any) -> dict[str, str]:
        return dict(re.findall(r'name="(of|asked|seen|v-[^"]+)" (?:[^>]*)value="([^"]*)"', form.text))

    form = fields(await alice.get(f"/{name}/act/notice"))
    assert form["of"] == "templates/aaa"
    told = {**form, "v-city": "Kiel", "template": "templates/bbb", "request_id": str(uuid4())}
    seen = await alice.post(f"/{name}/act/notice", data=told)
    assert ("All is well." in seen.text, "v-city" in seen.text) == (True, False)
    send = {**fields(seen), "template": "templates/bbb", "step": "send", "request_id": str(uuid4())}
    sent = await alice.post(f"/{name}/act/notice", data=send)
    assert "X-Done" in sent.headers, sent.text


async def test_what_a_message_needs_and_is_left_empty_is_asked_for(open_desk: Any) -> None:
    desk = await open_desk(customer_service, cases_service, notifications_service)
    name, alice, rest = await erika(desk), await desk.signed_in(), desk.client()
    await template(rest, "aaa", "In {{ city }}.", "city")
    assert "must be given" not in (await alice.get(f"/{name}/act/notice")).text
    told = {"template": "templates/aaa", "of": "templates/aaa", "asked": "city", "v-city": " "}
    empty = await alice.post(f"/{name}/act/notice", data={**told, "request_id": str(uuid4())})
    assert ("Send to" in empty.text, empty.text.count('aria-invalid="true"')) == (False, 1), empty.text


async def test_words_that_were_changed_after_they_were_seen_are_seen_again(open_desk: Any) -> None:
    desk = await open_desk(customer_service, cases_service, notifications_service)
    name, alice, rest = await erika(desk), await desk.signed_in(), desk.client()
    await template(rest, "aaa", "All is well.")
    (seen,) = re.findall(r'name="seen" value="([^"]+)"', (await alice.get(f"/{name}/act/notice")).text)
    changed = {"body": "All is lost. {{ contact_name }}"}
    assert (await rest.patch("/v1/templates/aaa/texts/en?updateMask=body", json=changed)).is_success
    send = {"template": "templates/aaa", "step": "send", "seen": seen, "request_id": str(uuid4())}
    again = await alice.post(f"/{name}/act/notice", data=send)
    assert ("X-Form" in again.headers, "All is lost." in again.text) == (True, True)


async def test_a_contact_of_which_nothing_is_said_is_none(desk: Any) -> None:
    name, alice = await erika(desk), await desk.signed_in()
    told = {"summary": " ", "channel": "VOICE", "direction": "INBOUND", "request_id": str(uuid4())}
    assert "must be given" in (await alice.post(f"/{name}/act/contact", data=told)).text


async def test_variables_may_be_called_as_fields_of_the_form_are(open_desk: Any) -> None:
    desk = await open_desk(customer_service, cases_service, notifications_service)
    name, alice, rest = await erika(desk), await desk.signed_in(), desk.client()
    names = ("recipient", "template", "templates", "hold", "step", "seen", "notice", "request_id", "preview")
    await template(rest, "aaa", " ".join(f"{{{{ {each} }}}}" for each in names), *names)
    assert "Send to" not in (await alice.get(f"/{name}/act/notice")).text
    typed = {"template": "templates/aaa", **{f"v-{each}": f"said-{each}" for each in names}}
    seen = await alice.post(f"/{name}/act/notice", data={**typed, "request_id": str(uuid4())})
    assert "Send to Erika Sommer" in seen.text
    assert all(f"said-{each}" in seen.text for each in names)
    (digest,) = re.findall(r'name="seen" value="([^"]+)"', seen.text)
    step = {"step": "send", "seen": digest, "request_id": str(uuid4())}
    sent = await alice.post(f"/{name}/act/notice", data={**typed, **step})
    assert ("X-Done" in sent.headers, "Erika Sommer gets it" in sent.text) == (True, True), sent.text


async def test_what_was_done_already_is_said_to_be_when_something_else_is_sent(open_desk: Any) -> None:
    desk = await open_desk(customer_service, cases_service)
    name, alice, rest = await erika(desk), await desk.signed_in(), desk.client()
    me = {"displayName": "Alice", "email": "alice@example.com", "department": "departments/front-desk"}
    assert (await rest.patch("/v1/agents/alice?allowMissing=true", json=me)).is_success
    once = {"request_id": str(uuid4())}
    await alice.post(f"/{name}/act/case", data={"topic": "Late", **once})  # and the answer is lost
    other = await alice.post(f"/{name}/act/case", data={"topic": "Lost", **once})
    assert ("was done already" in other.text, "must be new" in other.text) == (True, False), other.text


async def test_what_may_not_be_done_is_not_said_to_be_kept_for_another_time(desk: Any) -> None:
    name = await erika(desk)
    nils = await desk.signed_in("agent:nils", ["loyalty.operations.read"])
    refused = await nils.post(f"/{name}/act/correct", data={"request_id": str(uuid4())})
    assert ("You may not do this." in refused.text, "What you wrote is kept" in refused.text) == (
        True,
        False,
    ), refused.text


async def test_a_form_that_no_page_made_is_a_form_nevertheless(desk: Any) -> None:
    name, alice = await erika(desk), await desk.signed_in()
    answer = await alice.post(f"/{name}/act/correct", data={"etag": "x", "request_id": str(uuid4())})
    assert (answer.status_code, "X-Form" in answer.headers) == (200, True)


async def test_a_country_alone_is_no_address(desk: Any) -> None:
    name, alice = await erika(desk), await desk.signed_in()
    form = (await alice.get(f"/{name}/act/correct")).text
    typed = dict(re.findall(r'name="([^"]+)"[^>]* value="([^"]*)"', form)) | {"region_code": "DE"}
    answer = await alice.post(f"/{name}/act/correct", data=typed)
    assert ("X-Form" in answer.headers, "must be given" in answer.text) == (True, True), answer.text


async def test_consents_show_what_is_recorded_and_choose_nothing(desk: Any) -> None:
    name, alice = await erika(desk), await desk.signed_in()
    form = await alice.get(f"/{name}/act/consent")
    assert "They have not said anything yet." in form.text
    told = {"channel": "email", "purpose": "purposes/marketing", "request_id": str(uuid4())}
    refused = await alice.post(f"/{name}/act/consent", data={**told, "state": ""})
    assert "X-Form" in refused.headers
    done = await alice.post(f"/{name}/act/consent", data={**told, "state": "DENIED"})
    assert "X-Done" in done.headers, done.text
    assert "e-mail: no, since" in (await alice.get(f"/{name}/act/consent")).text


async def test_an_address_that_is_emptied_is_gone(desk: Any) -> None:
    name, alice, rest = await erika(desk), await desk.signed_in(), desk.client()
    known = {"display_name": "Erika Sommer", "kind": "person"}
    for lines, town in (("Hauptstrasse 1", "Berlin"), ("", "")):
        typed = {**known, "lines": lines, "locality": town, "region_code": "DE", "request_id": str(uuid4())}
        assert "X-Done" in (await alice.post(f"/{name}/act/correct", data=typed)).headers
        assert bool((await rest.get(f"/v1/{name}")).json().get("addresses")) == bool(lines)
