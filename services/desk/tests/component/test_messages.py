"""Messages that are written at the desk: what they need, how they look first, and how they are taken back."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

from prometheus_client import REGISTRY

from cases.service import service as cases_service
from customer.service import service as customer_service
from notifications.service import service as notifications_service
from rapport_testing.clock import ManualClock
from rapport_testing.wait import eventually
from services.desk.tests.component.conftest import erika

REQUEST_ID = re.compile(r'name="request_id" value="([^"]+)"')
INFORMATION = {"type": "TYPE_INFORMATION", "purpose": "purposes/service", "defaultLanguageCode": "en"}
TEXTS = "notifications.v1.TemplateService/ListTemplateTexts"


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


async def test_the_preview_of_a_message_asks_once_who_gets_it_and_which_there_are(open_desk: Any) -> None:
    desk = await open_desk(customer_service, cases_service, notifications_service)
    name, alice, rest = await erika(desk), await desk.signed_in(), desk.client()
    blank = await rest.post("/v1/templates?templateId=a-blank", json=INFORMATION)  # without a text
    assert blank.status_code == 200, blank.text
    part = await rest.post("/v1/templates?templateId=a-part", json=INFORMATION | {"type": "TYPE_PARTIAL"})
    assert part.status_code == 200, part.text
    text = {"subject": "Part", "body": "{{ contact_name }}"}
    part = await rest.post("/v1/templates/a-part/texts?templateTextId=en", json=text)
    assert part.status_code == 200, part.text
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
    assert "a-part" not in answer.text
    # The other time it is notifications, which says how the message reads.
    assert asked() == [customers + 2, templates + 1, texts]


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
        return bool((await kept(undo["notice"]))["reasonCode"] == "no-address")

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
