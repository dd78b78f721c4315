"""Policies for messages at the desk: chosen, tried on what happened, kept, changed and switched off."""

import re
from datetime import timedelta
from typing import Any

import pytest

from cases.service import service as cases_service
from customer.service import service as customer_service
from notifications.service import service as notifications_service
from rapport_testing.clock import ManualClock
from rapport_testing.wait import eventually
from services.desk.tests.component.conftest import erika
from services.desk.tests.component.test_messages import template
from services.desk.tests.component.test_times import fields as form_fields

SERVICES = (customer_service, cases_service, notifications_service)
CREATED = "rapport.customer.v1.CustomerCreated"
NEW = f"/noticePolicies/new?event={CREATED}&template=templates/welcome"
WRITE = "notifications.notice_policies.write"
READS = (
    *("notifications.notice_policies.read", "notifications.templates.read"),
    "notifications.template_texts.read",
)


def fields(page: str) -> dict[str, Any]:
    """What the form of the policy would send as it is."""
    return form_fields(page.replace(' id="policy"', ""))


async def opened(open_desk: Any) -> tuple[Any, Any]:
    """A desk, a template, and a lead of the front desk."""
    desk = await open_desk(*SERVICES)
    if (await desk.client().get("/v1/templates/welcome")).status_code == 404:
        await template(desk.client(), "welcome", "Welcome, {{ customer_name }}, {{ which }}.", "which")
    return desk, await desk.signed_in("agent:lead", ["*"], "front-desk")


async def made(lead: Any, code: str, **more: str) -> dict[str, Any]:
    """A policy is kept; returns what its form holds then."""
    form = fields((await lead.get(NEW)).text)
    form |= {"code": code, "v-which": "event.customer", "act": "save"} | more
    kept = await lead.post(NEW, data=form)
    assert (kept.status_code, kept.headers["location"]) == (303, f"/noticePolicies/{code}"), kept.text
    return fields((await lead.get(f"/noticePolicies/{code}")).text)


async def test_event_and_words_are_chosen_first_and_say_what_the_policy_can_read(open_desk: Any) -> None:
    _, lead = await opened(open_desk)
    page = (await lead.get("/noticePolicies/new")).text
    assert f'<option value="{CREATED}">Customer: ' in page
    assert "NoticeSent" not in page
    assert 'name="condition"' not in page
    page = (await lead.get(NEW)).text
    assert "<code>event.customer</code>" in page
    form = fields(page)
    assert (form["v-which"], form["customer_field"], form["after_unit"]) == ("", "", "days")


async def test_words_are_offered_that_fit_and_asked_for_all_that_they_are_given(open_desk: Any) -> None:
    _, lead = await opened(open_desk)

    async def offered(event: str) -> tuple[set[str], str]:
        page = (await lead.get(f"/noticePolicies/new?event={event}")).text
        return set(re.findall(r'<option value="templates/([a-z-]+)"', page)), page

    of_any, page = await offered("rapport.customer.v1.ConsentRequested")
    assert of_any == {"welcome", "confirm-consent"}
    assert "rapport.cases.v1.AgentCreated" not in page  # which names no customer
    assert (await offered("rapport.cases.v1.PromiseAtRisk"))[0] == {"delay"}
    assert (await offered("rapport.cases.v1.PromiseRecovered"))[0] == {"recovery"}
    assert (await offered("BIRTH_DATE"))[0] == set()
    new = "/noticePolicies/new?event=rapport.customer.v1.ConsentRequested&template=templates/confirm-consent"
    form = fields((await lead.get(new)).text)
    form |= {"code": "ask-again", "act": "save"}
    form |= {"v-confirm_link": "event.consent", "v-confirm_purpose": "event.purpose"}
    kept = await lead.post(new, data=form)
    assert kept.status_code == 303, kept.text


async def test_a_policy_is_kept_as_it_was_typed_and_listed_with_whose_it_is(open_desk: Any) -> None:
    desk, lead = await opened(open_desk)
    cancel = "rapport.customer.v1.CustomersMerged"
    typed = {"condition": "event.customer != ''", "after_count": "36", "after_unit": "hours"}
    typed |= {"expire_count": "2", "expire_unit": "days", "cancel-1": cancel}
    form = await made(lead, "greet", **typed)
    assert (form["after_count"], form["after_unit"], form["cancel-0"]) == ("36", "hours", cancel)
    kept = (await desk.client().get("/v1/noticePolicies/greet")).json()
    assert kept["variables"] == {"which": "event.customer"}
    assert (kept["schedule"], kept["expireAfter"]) == ({"delay": "129600s"}, "172800s")
    listed = (await lead.get("/noticePolicies")).text
    (row,) = [each for each in listed.split("<tr ") if "/noticePolicies/greet" in each]
    assert "Front desk" in row
    assert "<td>on</td>" in row


async def test_words_that_a_birthday_cannot_fill_in_are_refused_where_they_are_chosen(open_desk: Any) -> None:
    _, lead = await opened(open_desk)
    url = "/noticePolicies/new?event=BIRTH_DATE&template=templates/welcome"
    form = fields((await lead.get(url)).text) | {"code": "wishes"}
    for act, told in (
        ("look", "A policy, on BIRTH_DATE, needs a template all of whose variables it fills in: which."),
        ("save", "must be words that can be sent so"),
    ):
        answer = await lead.post(url, data=form | {"act": act})
        assert answer.status_code == 422
        marked = answer.text.partition('aria-invalid="true"')
        assert 'name="template"' in marked[0].rpartition("<select")[2] + marked[2].partition(">")[0]
        assert told in answer.text


async def test_a_span_that_nobody_touches_stays_and_two_versions_say_it_exactly(open_desk: Any) -> None:
    desk, lead = await opened(open_desk)
    terms = {"eventType": CREATED, "template": "templates/welcome", "variables": {"which": "event.customer"}}
    terms |= {"schedule": {"delay": "5430s"}, "department": "departments/front-desk"}
    api = desk.client()
    path = "/v1/noticePolicies?noticePolicyId=exact"
    assert (await api.post(path, json=terms)).is_success
    form = fields((await lead.get("/noticePolicies/exact")).text)
    assert (form["after_count"], form["after_unit"]) == ("5430", "seconds")
    kept = await lead.post("/noticePolicies/exact", data=form | {"act": "save"})
    assert kept.status_code == 303, kept.text
    assert (await api.get("/v1/noticePolicies/exact")).json()["version"] == "1"
    assert (
        await api.patch("/v1/noticePolicies/exact?updateMask=schedule", json={"schedule": {"delay": "5400s"}})
    ).is_success
    beside = (await lead.get("/noticePolicies/exact?beside=1")).text
    assert "<td>5,430 seconds</td><td><b>90 minutes</b></td>" in beside


async def test_by_which_channels_it_goes_is_chosen_in_order_and_shown_beside_another_version(
    open_desk: Any,
) -> None:
    desk, lead = await opened(open_desk)
    form = await made(lead, "texted")
    typed = form | {"channel-0": "SMS", "channel-1": "EMAIL", "silent_count": "2", "silent_unit": "hours"}
    kept = await lead.post("/noticePolicies/texted", data=typed | {"act": "save"})
    assert kept.status_code == 303, kept.text
    delivery = (await desk.client().get("/v1/noticePolicies/texted")).json()["delivery"]
    assert delivery == {"channels": ["CHANNEL_SMS", "CHANNEL_EMAIL"], "fallbackAfter": "7200s"}
    beside = (await lead.get("/noticePolicies/texted?beside=1")).text
    assert re.search("<td>.</td><td><b>SMS, E-?mail</b></td>", beside)
    assert re.search("<td>.</td><td><b>2 hours</b></td>", beside)
    form = fields(beside)
    assert (form["channel-0"], form["channel-1"], form["silent_count"]) == ("SMS", "EMAIL", "2")
    assert "call_first" not in form
    wrong = await lead.post("/noticePolicies/texted", data=form | {"channel-0": "FAX", "act": "save"})
    assert wrong.status_code == 422


@pytest.mark.parametrize(("side", "offset"), [("before", -14), ("after", 3)])
async def test_it_is_sent_days_before_or_after_a_day(open_desk: Any, side: str, offset: int) -> None:
    desk, lead = await opened(open_desk)
    url = "/noticePolicies/new?event=rapport.loyalty.v1.VoucherIssued&template=templates/welcome"
    typed = {"code": "day", "v-which": "event.voucher", "date_field": "expire_time", "act": "save"}
    typed |= {"day_count": str(abs(offset)), "day_side": side, "yearly": "on"}
    kept = await lead.post(url, data=fields((await lead.get(url)).text) | typed)
    assert kept.status_code == 303, kept.text
    told = (await desk.client().get("/v1/noticePolicies/day")).json()["schedule"]["day"]
    assert (told["offsetDays"], told["yearly"]) == (offset, True)
    form = fields((await lead.get("/noticePolicies/day")).text)
    once = {key: value for key, value in form.items() if key != "yearly"}
    assert (await lead.post("/noticePolicies/day", data=once | {"act": "save"})).status_code == 303
    told = (await desk.client().get("/v1/noticePolicies/day")).json()["schedule"]["day"]
    assert told["yearly"] is False
    assert (form["day_count"], form["day_side"]) == (str(abs(offset)), side)


async def test_who_is_called_first_is_said_by_the_policy_of_a_delay(open_desk: Any) -> None:
    desk, lead = await opened(open_desk)
    policy = "/noticePolicies/promise-at-risk"
    form = fields((await lead.get(policy)).text) | {"call_first": "ALWAYS", "channel-0": "SMS", "act": "save"}
    kept = await lead.post(policy, data=form)
    assert kept.status_code == 303, kept.text
    told = (await desk.client().get(f"/v1{policy}")).json()
    assert (told["callFirst"], told["delivery"]) == ("CALL_FIRST_ALWAYS", {"channels": ["CHANNEL_SMS"]})
    beside = (await lead.get(f"{policy}?beside=1")).text
    assert re.search("<td>.</td><td><b>everybody</b></td>", beside)
    recovery = (await lead.get("/noticePolicies/promise-recovered")).text
    assert 'name="channel-0"' in recovery
    assert 'name="call_first"' not in recovery


async def test_what_is_wrong_stands_at_its_field_as_it_was_typed(open_desk: Any) -> None:
    _, lead = await opened(open_desk)
    form = fields((await lead.get(NEW)).text) | {"code": "wrong", "act": "save"}
    for field, text, told, beside in (
        ("condition", "event.x", "line 1, column", {}),
        ("v-which", "event.", "line 1, column", {}),
        ("after_count", "soon", "must be a whole number", {}),
        ("after_count", "2", "must be empty where a day is chosen", {"date_field": "create_time"}),
        *(
            ("date_field", "", "must be chosen where", {of_a_day: text})
            for of_a_day, text in (("yearly", "on"), ("day_count", "3"), ("send_hour", "18"))
        ),
        ("date_field", "customer", "must be a field of CustomerCreated that can be it", {}),
        ("since", "soon", "must be a day such as", {"act": "look"}),
    ):
        typed = form | {"v-which": "event.customer"} | {field: text} | beside
        answer = await lead.post(NEW, data=typed)
        assert answer.status_code == 422, field
        assert "look at what is marked" in answer.text
        marked = answer.text.partition('aria-invalid="true"')[2].partition("</div>")[0]
        assert told in marked, field
        assert fields(answer.text)[field] == text


async def test_a_policy_is_tried_on_what_happened_and_nothing_is_kept(
    open_desk: Any, clock: ManualClock
) -> None:
    desk, lead = await opened(open_desk)
    await erika(desk)
    clock.advance(timedelta(seconds=1))
    form = fields((await lead.get(NEW)).text)
    form |= {"v-which": "event.customer", "condition": "event.customer == 'customers/none'", "act": "look"}

    async def tried() -> str:
        answer = await lead.post(NEW, data=form)
        assert answer.status_code == 200, answer.text
        return answer.text if "Erika Sommer" in answer.text else ""

    page = await eventually(tried)
    assert "not told</span>: the condition does not hold" in page
    assert fields(page)["condition"] == form["condition"]
    assert (await desk.client().get("/v1/noticePolicies/none")).status_code == 404


async def test_a_policy_is_switched_off_and_says_so(open_desk: Any) -> None:
    desk, lead = await opened(open_desk)
    form = await made(lead, "off")
    kept = await lead.post("/noticePolicies/off", data=form | {"disabled": "on", "act": "save"})
    assert kept.status_code == 303, kept.text
    assert fields((await lead.get("/noticePolicies/off")).text)["disabled"] == "on"
    assert (await desk.client().get("/v1/noticePolicies/off")).json()["version"] == "2"
    beside = (await lead.get("/noticePolicies/off?beside=1")).text
    assert re.search(r"<td>on</td><td><b>switched off</b></td>", beside)
    assert (await lead.get("/noticePolicies/off?beside=7")).status_code == 404
    stale = await lead.post("/noticePolicies/off", data=form | {"act": "save"})
    assert (stale.status_code, 'class="refused"' in stale.text) == (422, True)


async def test_what_tells_the_dates_of_promises_asks_for_its_words_alone(open_desk: Any) -> None:
    _, lead = await opened(open_desk)
    page = (await lead.get("/noticePolicies/promise-at-risk")).text
    assert "It tells the dates of promises" in page
    assert 'name="condition"' not in page


async def test_who_may_not_change_it_reads_it(open_desk: Any) -> None:
    desk, lead = await opened(open_desk)
    await made(lead, "ours")
    other = await desk.signed_in("agent:bob", [*READS, WRITE], "billing")
    assert 'name="act"' not in (await other.get("/noticePolicies/ours")).text
    reader = await desk.signed_in("agent:rita", READS, "front-desk")
    assert "/noticePolicies/new" not in (await reader.get("/noticePolicies")).text
    assert (await reader.get("/noticePolicies/new")).status_code == 403
    nobody = await desk.signed_in("agent:nobody", ["cases.cases.read"], "front-desk")
    assert (await nobody.get("/noticePolicies")).status_code == 403
    for path in ("/noticePolicies/No!", "/noticePolicies/none"):
        assert (await lead.get(path)).status_code == 404, path
