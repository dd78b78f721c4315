"""Forms that are sent: what is wrong is said in the form, and what is decided anew is another request."""

import re
from base64 import b64encode
from html import unescape
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from cases.service import service as cases_service
from customer.service import service as customer_service
from rapport.options.v1.layout_pb2 import layout
from rapport_testing.wait import eventually
from rapport_tools.local.roles import ROLES
from services.desk.tests.component.conftest import erika

pytestmark = pytest.mark.together

REQUEST_ID = re.compile(r'name="request_id" value="([^"]+)"')


@pytest.mark.parametrize(
    ("field", "allowed"),
    [("channel", "must be one of"), ("direction", "must be one of"), ("minutes", "must be whole minutes")],
)
async def test_a_choice_that_is_none_is_refused_in_the_form(desk: Any, field: str, allowed: str) -> None:
    name, alice = await erika(desk), await desk.signed_in()
    typed = {"summary": "x", "channel": "VOICE", "direction": "INBOUND", "request_id": str(uuid4())}
    answer = await alice.post(f"/{name}/act/contact", data={**typed, field: "PIGEON"})
    assert answer.status_code == 200
    assert "X-Form" in answer.headers
    assert allowed in answer.text


async def test_how_a_contact_ended_and_how_long_it_took_is_on_the_timeline(desk: Any) -> None:
    name, alice = await erika(desk), await desk.signed_in()
    typed = {"summary": "x", "channel": "VOICE", "direction": "OUTBOUND", "request_id": str(uuid4())}
    ended = {"outcome_code": "no-answer", "minutes": "4"}
    assert "X-Done" in (await alice.post(f"/{name}/act/contact", data=typed | ended)).headers
    shown = (await alice.get(f"/{name}/timeline")).text
    assert "We called: no answer, 4 minutes" in shown


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


@pytest.mark.alone("a service is stopped")
async def test_a_service_that_is_away_is_named_and_what_was_typed_stays(open_desk: Any) -> None:
    desk = await open_desk(customer_service, cases_service)
    name, alice = await erika(desk), await desk.signed_in()
    await desk.services["cases"].lifecycle.stop()
    answer = await alice.post(f"/{name}/act/case", data={"topic": "Late", "request_id": str(uuid4())})
    assert "Cases does not answer." in answer.text
    assert "What you wrote is kept" in answer.text
    assert "X-Form" not in answer.headers


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


async def test_a_contact_of_which_nothing_is_said_is_none(desk: Any) -> None:
    name, alice = await erika(desk), await desk.signed_in()
    told = {"summary": " ", "channel": "VOICE", "direction": "INBOUND", "request_id": str(uuid4())}
    assert "must be given" in (await alice.post(f"/{name}/act/contact", data=told)).text


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
    told["proof"] = "forms/4711"
    done = await alice.post(f"/{name}/act/consent", data={**told, "state": "DENIED"})
    assert "X-Done" in done.headers, done.text
    shown = (await alice.get(f"/{name}/act/consent")).text
    assert "e-mail: no, since" in shown
    assert re.search(r"no, today \d\d:\d\d, desk, forms/4711, Alice", shown), shown


async def test_a_customer_who_wants_nothing_more_is_noted_after_a_warning_and_shown(desk: Any) -> None:
    name, alice = await erika(desk), await desk.signed_in()
    shown = (await alice.get(f"/{name}/act/consent")).text
    assert f'data-open="/{name}/act/stop-contact"' in shown
    assert "they want nothing more but" not in shown
    form = (await alice.get(f"/{name}/act/stop-contact")).text
    assert "What they have of us goes on" in form
    assert re.search(r"data-close autofocus", form), form  # nothing takes it back
    told = {"proof": "calls/4711", "request_id": str(uuid4())}
    done = await alice.post(f"/{name}/act/stop-contact", data=told)
    assert "X-Done" in done.headers, done.text
    kept = (await desk.client().get(f"/v1/{name}/preferences")).json()
    assert kept["contactStop"]["noter"] == "agents/alice"
    shown = (await alice.get(f"/{name}/act/consent")).text
    assert re.search(r"Since today \d\d:\d\d they want nothing more but", shown), shown
    assert "Noted by: Alice" in shown


async def test_a_yes_that_waits_and_an_address_that_is_suppressed_are_told_beside_consents(desk: Any) -> None:
    name, alice, rest = await erika(desk), await desk.signed_in(), desk.client()
    polls = {"displayName": "Polls", "contactDefault": "DEFAULT_DENIED"}
    polls |= {"department": "departments/delivery", "doubleOptInChannels": ["CHANNEL_EMAIL"]}
    made = await rest.post("/v1/purposes?purposeId=polls", json=polls)
    assert made.status_code == 200, made.text
    worded = await rest.post("/v1/purposes/polls/wordings?wordingId=de", json={"text": "Fragt mich."})
    assert worded.status_code == 200, worded.text
    yes = {"state": "STATE_GRANTED", "wording": "purposes/polls/wordings/de/versions/1"}
    asked = await rest.patch(f"/v1/{name}/consents/polls.email?allowMissing=true", json=yes)
    assert asked.status_code == 200, asked.text
    address = {"type": "TYPE_EMAIL", "value": f"e{uuid4().hex}@example.com"}
    identifier = (await rest.post(f"/v1/{name}/identifiers", json=address)).json()["name"]
    bounced = {"type": "TYPE_EMAIL", "reason": "REASON_HARD_BOUNCE", "identifier": identifier}
    kept = await rest.post("/v1/suppressions", json=bounced)
    assert kept.status_code == 200, kept.text
    shown = (await alice.get(f"/{name}/act/consent")).text
    assert "Polls, e-mail: no, unless they confirm their yes by" in shown
    assert re.search(r"yes, to be confirmed, today \d\d:\d\d, wording de 1", shown), shown
    assert re.search(r"E-mail: nothing is sent, since [^<]*: it does not exist", shown), shown


async def test_a_yes_is_noted_with_the_words_that_were_shown_and_a_no_with_none(desk: Any) -> None:
    name, alice, rest = await erika(desk), await desk.signed_in(), desk.client()
    news = {"displayName": "News", "contactDefault": "DEFAULT_DENIED", "department": "departments/delivery"}
    assert (await rest.post("/v1/purposes?purposeId=news", json=news)).is_success
    first = await rest.post("/v1/purposes/news/wordings?wordingId=en", json={"text": "Write to me."})
    second = await rest.patch("/v1/purposes/news/wordings/en", json={"text": "Write to me weekly."})
    assert (first.is_success, second.is_success) == (True, True), second.text
    form = (await alice.get(f"/{name}/act/consent")).text
    assert "Write to me weekly." in form
    told = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
    told |= {"channel": "voice", "purpose": "purposes/news", "proof": ""}
    for state, wording in (("GRANTED", "purposes/news/wordings/en/versions/2"), ("DENIED", "")):
        told |= {"state": state, "request_id": str(uuid4())}
        done = await alice.post(f"/{name}/act/consent", data=told)
        assert "X-Done" in done.headers, done.text
        noted = (await rest.get(f"/v1/{name}/consents/news.voice/versions")).json()["consents"][0]
        assert (noted["state"], noted["wording"]) == (f"STATE_{state}", wording)


async def test_an_address_that_is_emptied_is_gone(desk: Any) -> None:
    name, alice, rest = await erika(desk), await desk.signed_in(), desk.client()
    known = {"display_name": "Erika Sommer", "kind": "person"}
    for lines, town in (("Hauptstrasse 1", "Berlin"), ("", "")):
        typed = {**known, "lines": lines, "locality": town, "region_code": "DE", "request_id": str(uuid4())}
        assert "X-Done" in (await alice.post(f"/{name}/act/correct", data=typed)).headers
        assert bool((await rest.get(f"/v1/{name}")).json().get("addresses")) == bool(lines)
