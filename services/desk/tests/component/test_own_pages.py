"""The customer's own pages: by their link alone, of its name alone, and nothing that is for colleagues."""

import re
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import httpx
import pytest

from cases.service import service as cases_service
from customer.service import service as customer_service
from desk.selfservice.site import PREFIX
from rapport.customer.v1 import self_service_link_service_pb2 as pb
from rapport.customer.v1.self_service_link_service_pb2_grpc import SelfServiceLinkServiceStub
from rapport_testing.clock import ManualClock
from rapport_testing.spans import record_spans
from rapport_testing.wait import eventually
from rapport_tools.local.roles import ROLES

pytestmark = pytest.mark.together

DELIVERY = "departments/delivery"
FORM = {"content-type": "application/x-www-form-urlencoded"}
INTERNAL, FOR_THEM = "She shouts at everybody.", "We have found your parcel in Kassel."


async def made(client: Any, path: str, **told: Any) -> Any:
    answer = await client.post(path, json=told, headers={"idempotency-key": str(uuid4())})
    assert answer.status_code == 200, answer.text
    return answer.json()


class Customer:
    """Somebody with a link, and a browser that is nobody's."""

    def __init__(self, desk: Any, name: str, token: str) -> None:
        self.desk, self.name, self.token = desk, name, token
        self.path = f"{PREFIX}{token}"
        self.browser: httpx.AsyncClient = desk.browser()
        self.browser.headers.clear()

    async def get(self, path: str = "", **how: Any) -> httpx.Response:
        return await self.browser.get(f"{self.path}{path}", **how)

    async def page(self, path: str = "") -> str:
        """A page as it reads."""
        answer = await self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    async def post(self, path: str, **fields: str) -> httpx.Response:
        return await self.browser.post(f"{self.path}{path}", data=fields, headers=FORM)

    async def form(self, path: str) -> dict[str, str]:
        """The fields of a page as a browser would send them untouched."""
        return fields_of(await self.page(path))


def fields_of(page: str) -> dict[str, str]:
    """The fields of the first form of a page."""
    html = page.partition('action="')[2].partition("</form>")[0]
    found = {}
    for tag in re.findall(r"<input [^>]+>", html):
        told = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if told.get("type") != "checkbox":
            found[told["name"]] = unescape(told.get("value", ""))
        elif tag.endswith("checked>"):
            found[told["name"]] = "on"
    for name, inside in re.findall(r'<select id="\w+" name="([^"]+)"[^>]*>(.*?)</select>', html, re.DOTALL):
        options = re.findall(r'value="([^"]*)"( selected)?', inside)
        found[name] = next((code for code, chosen in options if chosen), options[0][0])
    return found


@pytest.fixture
async def desk(open_desk: Any) -> Any:
    """The desk with customers and cases; Alice works for delivery."""
    opened = await open_desk(customer_service, cases_service)
    told = {"displayName": "Alice Brandt", "phone": "+49 30 901820", "department": DELIVERY}
    assert (await opened.client().patch("/v1/agents/alice?allowMissing=true", json=told)).is_success
    return opened


async def customer(desk: Any, name: str, **more: Any) -> Customer:
    """A customer, and what a message to them carries."""
    created = await made(desk.client(), "/v1/customers", displayName=name, **more)
    return Customer(desk, created["name"], await token_of(desk, created["name"]))


async def token_of(desk: Any, name: str) -> str:
    links = desk.services["customer"].stub(
        SelfServiceLinkServiceStub, ["customer.self_service_links.read"], subject="service:notifications"
    )
    return str(
        (await links.GetSelfServiceLink(pb.GetSelfServiceLinkRequest(name=f"{name}/selfServiceLink"))).token
    )


async def concern(desk: Any, of: Customer, topic: str = "late-delivery", **more: Any) -> dict[str, Any]:
    """A case of theirs with a promise, and what was noted for colleagues and for them."""
    api = desk.client()
    told = {"customer": of.name, "topic": topic, "owner": "agents/alice", "displayName": INTERNAL} | more
    case = await made(api, "/v1/cases:open", case=told)
    promise = {"customer": of.name, "case": case["name"], "department": DELIVERY, "kind": "delivery"}
    promise |= {"reference": "orders/5021", "timeZone": "Europe/Berlin"}
    promise["dueDate"] = {"year": 2031, "month": 3, "day": 4}
    await made(api, "/v1/promises:make", promise=promise)
    await made(api, f"/v1/{case['name']}/notes", text=INTERNAL)
    await made(api, f"/v1/{case['name']}/notes", text=FOR_THEM, visibility="VISIBILITY_CUSTOMER")
    return dict(case)


async def said(desk: Any, of: Customer, consent: str = "marketing.email") -> str:
    """What the ledger has of theirs; empty before they say anything."""
    answer = await desk.client().get(f"/v1/{of.name}/consents/{consent}")
    return str(answer.json()["state"]) if answer.status_code == 200 else ""


async def test_they_see_what_was_promised_and_who_has_it_and_nothing_that_is_for_colleagues(
    desk: Any,
) -> None:
    erika = await customer(desk, "Erika Sommer", languageCode="de", timeZone="Europe/Berlin")
    await concern(desk, erika)
    html = await erika.page()
    for words in ("Alice Brandt", "+49 30 901820", FOR_THEM, "5021", "2031", '<html lang="de">'):
        assert words in html, words
    assert INTERNAL not in html
    assert "Erika" not in html  # who forwards a message names nobody
    assert "<script" not in html


async def test_colleagues_see_what_they_see_and_take_links_back(desk: Any) -> None:
    erika = await customer(desk, "Erika Sommer", languageCode="de")
    await concern(desk, erika)
    alice = await desk.signed_in(permissions=ROLES["agent"])
    html = (await alice.get(f"/{erika.name}/pages")).text
    for words in (FOR_THEM, "Alice Brandt kümmert sich", "What Erika Sommer sees", "Take their links back"):
        assert words in html, words
    assert INTERNAL not in html
    assert erika.token not in html
    form = (await alice.get(f"/{erika.name}/act/revoke-links")).text
    held = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
    answer = await alice.post(f"/{erika.name}/act/revoke-links", data=held | {"reason": "mail-forwarded"})
    assert "Their links work no more." in answer.text
    assert (await erika.get()).status_code == 404
    reader = await desk.signed_in(permissions=["customer.customers.read", "cases.cases.read"])
    html = (await reader.get(f"/{erika.name}/pages")).text
    assert "Take their links back" not in html


async def test_no_link_shows_anything_of_another(desk: Any) -> None:
    erika, bert = await customer(desk, "Erika"), await customer(desk, "Bert")
    case = await concern(desk, erika)
    assert FOR_THEM not in await bert.page()
    answer = await bert.post("/answer", about=case["name"], text="Tell me")
    nothing = await bert.post("/answer", about=f"cases/{uuid4()}", text="Tell me")
    assert (answer.status_code, answer.text) == (nothing.status_code, nothing.text)
    assert answer.status_code == 404
    for about in (
        "cases/x",
        "cases/../customers",
        f"{case['name']}/notes/{uuid4()}",
        "promises/1",
        bert.name,
        f"promises/{uuid4()}",
    ):
        assert (await bert.post("/answer", about=about, text="Tell me")).status_code == 404, about
    preferences = await bert.form("/contact")
    forged = preferences | {"name": f"{erika.name}/preferences", "token": erika.token, "prefer": "sms"}
    await bert.post("/contact", **forged)
    assert (await desk.client().get(f"/v1/{erika.name}/preferences")).json()["channels"] == []
    timeline = (await desk.client().get(f"/v1/{erika.name}/timelineEntries")).json()
    assert "Tell me" not in str(timeline)


async def test_a_merged_name_shows_what_is_kept_under_it_and_no_more(desk: Any) -> None:
    erika, bert = await customer(desk, "Erika"), await customer(desk, "Bert")
    case = await concern(desk, erika)
    own = await concern(desk, bert, topic="damaged")
    merge = {"customer": erika.name, "mergedCustomer": bert.name, "reasonCode": "same-person"}
    await made(desk.client(), "/v1/customerMerges", **merge)

    async def known() -> bool:
        listed = await desk.client().get("/v1/cases", params={"filter": f'customer = "{bert.name}"'})
        return len(listed.json()["cases"]) == 2

    await eventually(known)
    html = await bert.page()
    assert own["name"] in html
    assert case["name"] not in html
    assert (await bert.post("/answer", about=case["name"], text="And now?")).status_code == 404
    html = await erika.page()
    assert case["name"] in html
    assert own["name"] not in html


async def test_they_choose_in_which_time_zone_they_live_and_leave_it_to_their_country_again(
    desk: Any,
) -> None:
    emi = await customer(desk, "Emi", regionCode="JP")
    page = await emi.page("/contact")
    assert "Times are of Asia/Tokyo." in page
    assert "Asia/Tokyo, by your country" in page
    for chosen, zone in (
        ("Asia/Kolkata", "Asia/Kolkata"),
        ("Mars/Olympus", "Asia/Kolkata"),
        ("", "Asia/Tokyo"),
    ):
        assert (await emi.post("/contact", **await emi.form("/contact") | {"time_zone": chosen})).is_redirect
        assert f"Times are of {zone}." in await emi.page("/contact"), chosen


async def test_a_time_zone_that_was_noted_while_their_page_was_open_stays(desk: Any) -> None:
    emi = await customer(desk, "Emi", regionCode="JP")
    seen = await emi.form("/contact")
    for path, zone, status in (
        (emi.name, "Asia/Kolkata", 303),
        (f"{emi.name}/preferences", "Asia/Dubai", 409),
    ):
        noted = await desk.client().patch(f"/v1/{path}?updateMask=timeZone", json={"timeZone": zone})
        assert noted.is_success
        assert (await emi.post("/contact", **seen)).status_code == status
        assert f"Times are of {zone}." in await emi.page("/contact")


async def test_a_wrong_link_is_answered_as_one_that_was_taken_back(desk: Any) -> None:
    erika = await customer(desk, "Erika")
    revoked = await customer(desk, "Bert")
    assert (
        await desk.client().post(f"/v1/{revoked.name}/selfServiceLink:revoke", json={"reasonCode": "x"})
    ).is_success
    wrong = erika.token[:-1] + ("A" if erika.token[-1] != "A" else "B")
    answers = {}
    for token in (revoked.token, wrong, "x", "A" * 48, f"{erika.token}x", f"%20{erika.token}"):
        answer = await erika.browser.get(f"{PREFIX}{token}")
        answers[answer.status_code, answer.text] = token
    assert [status for status, _ in answers] == [404]
    assert (await erika.get("/nowhere")).status_code == 404
    assert (await erika.browser.put(erika.path)).status_code == 405
    for path in ("", "/contact", "/unsubscribe"):
        for token in (revoked.token, wrong):
            assert (await erika.browser.post(f"{PREFIX}{token}{path or '/stop'}")).status_code == 404


async def test_who_tries_many_links_is_told_to_wait_and_who_has_one_is_not(open_desk: Any) -> None:
    desk = await open_desk(customer_service, cases_service, customer_proxies=1)
    erika = await customer(desk, "Erika")

    async def tried(address: str, token: str = "A" * 48) -> int:
        seen = {"x-forwarded-for": f"6.6.6.6, {address}"}  # what the client says, and what our proxy saw
        return (await erika.browser.get(f"{PREFIX}{token}", headers=seen)).status_code

    assert {await tried("2001:db8::1") for _ in range(30)} == {404}
    assert await tried("2001:db8::2") == 429  # of the same network
    assert await tried("192.0.2.7") == 404
    assert await tried("2001:db8::1", erika.token) == 200  # a mail provider asks for all whom it has
    seen = {"x-forwarded-for": "2001:db8::1"}
    clicked = await erika.browser.post(f"{erika.path}/unsubscribe?purpose=marketing", headers=seen)
    assert clicked.status_code == 200
    assert await said(desk, erika) == "STATE_DENIED"


async def test_one_click_ends_it_and_to_look_does_not(desk: Any) -> None:
    erika = await customer(desk, "Erika")
    path = "/unsubscribe?purpose=marketing"
    for _ in range(2):  # a mail scanner follows every link
        html = await erika.page(path)
        assert (await erika.browser.head(erika.path + path)).status_code == 200
    assert await said(desk, erika) == ""
    assert f'action="{erika.path}/unsubscribe?purpose=marketing&amp;channel=email"' in html
    body = {"List-Unsubscribe": (None, "One-Click")}  # multipart, as RFC 8058 has it
    for _ in range(2):
        answer = await erika.browser.post(erika.path + path, files=body)
        assert (answer.status_code, answer.headers.get("set-cookie")) == (200, None)
    assert await said(desk, erika) == "STATE_DENIED"
    versions = (await desk.client().get(f"/v1/{erika.name}/consents/marketing.email/versions")).json()
    (noted,) = versions["consents"]
    assert (noted["noter"], noted["source"], noted["proof"]) == (
        erika.name,
        "one-click",
        "selfServiceLinks/0",
    )
    assert (await erika.post("/unsubscribe?purpose=service")).status_code == 404  # what they have of us
    assert (await erika.post("/unsubscribe?purpose=none")).status_code == 404
    assert await said(desk, erika, "marketing.sms") == ""
    assert (await erika.post("/unsubscribe")).status_code == 200  # of nothing in particular is all
    assert await said(desk, erika, "marketing.sms") == "STATE_DENIED"
    assert await said(desk, erika, "service.email") == ""


async def test_the_button_of_one_channel_ends_that_alone(desk: Any) -> None:
    erika = await customer(desk, "Erika")
    for code, called in (("sms", "SMS"), ("app", "app")):
        html = await erika.page(f"/unsubscribe?purpose=marketing&channel={code}")
        assert f"No more by {called} about this: Marketing." in html
        assert await said(desk, erika, f"marketing.{code}") == ""
        [action] = re.findall(r'action="[^"]*(/unsubscribe[^"]*)"', html)
        answer = await erika.post(unescape(action))
        assert f"You get no more by {called} about this: Marketing." in answer.text
        assert await said(desk, erika, f"marketing.{code}") == "STATE_DENIED"
    assert await said(desk, erika) == ""
    assert (await erika.get("/unsubscribe?purpose=marketing&channel=pigeon")).status_code == 404


async def test_they_choose_what_they_hear_where_and_when(desk: Any) -> None:
    erika = await customer(desk, "Erika", timeZone="Europe/Berlin")
    form = await erika.form("/contact")
    chosen = form | {"want-marketing.email": "on", "prefer": "sms", "starts_0": "22:00", "ends_0": "07:00"}
    chosen |= {"want-marketing.app": "on"}
    chosen |= {"first_0": "2031-01-02", "last_0": "2031-01-05"}
    refused = await erika.post("/contact", **chosen)
    assert refused.status_code == 400  # more than a year ahead
    chosen |= {"first_0": "", "last_0": ""}
    answer = await erika.post("/contact", **chosen)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{erika.path}/contact?said=kept")
    again = await erika.form("/contact")
    assert {name: again[name] for name in ("prefer", "starts_0", "ends_0")} == {
        "prefer": "sms",
        "starts_0": "22:00",
        "ends_0": "07:00",
    }
    assert await said(desk, erika) == await said(desk, erika, "marketing.app") == "STATE_GRANTED"
    assert await said(desk, erika, "marketing.sms") == ""  # of what nobody touched nothing is said
    stale = await erika.post("/contact", **form | {"starts_0": "20:00", "ends_0": "06:00"})
    assert stale.status_code == 409
    assert "22:00" in stale.text  # as it is now
    assert (await erika.post("/contact", **again)).status_code == 303  # and nothing is said anew
    preferences = (await desk.client().get(f"/v1/{erika.name}/preferences")).json()
    assert preferences["etag"] == '"1"'
    assert "This holds since" not in (before := await erika.page("/contact"))
    assert f'<form method="get" action="{erika.path}/unsubscribe">' in before
    asked = await erika.page("/unsubscribe?")
    assert "No more messages from us, but about your orders and cases?" in asked
    assert await said(desk, erika) == "STATE_GRANTED"
    assert f'<form method="post" action="{erika.path}/unsubscribe">' in asked
    assert "From now on you hear from us only" in (await erika.post("/unsubscribe")).text
    assert await said(desk, erika) == "STATE_DENIED"
    assert "This holds since" in (stopped := await erika.page("/contact"))
    assert "Stop all other messages" not in stopped


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("ends_0", {"starts_0": "22:00", "ends_0": "22:00"}, "must be another time than it begins"),
        ("ends_0", {"starts_0": "00:00", "ends_0": "00:00"}, "some time of the week"),
        ("ends_0", {"starts_0": "22:00"}, "must be given"),
        ("starts_0", {"starts_0": "25:00", "ends_0": "07:00"}, "must be a time of day"),
        ("last_0", {"first_0": "2031-01-05"}, "must be a day"),
        ("last_0", {"first_0": "2031-01-05", "last_0": "2031-01-04"}, "must not be before the first day"),
        ("last_0", {"last_0": "2020-01-04"}, "must not be over already"),
        ("last_0", {"first_0": "2020-01-01", "last_0": "2020-01-04"}, "must not be over already"),
    ],
)
async def test_of_a_form_with_a_wrong_field_nothing_is_kept_and_everything_stays(
    desk: Any, field: str, typed: dict[str, str], words: str
) -> None:
    erika = await customer(desk, "Erika", timeZone="Europe/Berlin")
    form = await erika.form("/contact")
    chosen = form | {"want-marketing.sms": "on", "prefer": "sms", "day_0": "EVERY_DAY"} | typed
    refused = await erika.post("/contact", **chosen)
    assert refused.status_code == 400
    assert "Nothing is saved yet: please look at what is marked." in refused.text
    [(name, described)] = re.findall(
        r'name="(\w+)"[^>]* aria-invalid="true" aria-describedby="([^"]+)"', refused.text
    )
    [told] = re.findall(f'id="{described}">([^<]+)<', refused.text)
    assert (name, words in told) == (field, True), told
    again = fields_of(refused.text)
    assert {each: again.get(each) for each in chosen if each != "form"} == {
        each: value for each, value in chosen.items() if each != "form"
    }
    assert await said(desk, erika, "marketing.sms") == ""
    assert (await erika.form("/contact"))["prefer"] == "none"
    assert (await erika.post("/contact", **again | dict.fromkeys(typed, ""))).status_code == 303
    assert await said(desk, erika, "marketing.sms") == "STATE_GRANTED"


async def test_what_a_page_does_not_show_it_does_not_take_back(desk: Any, clock: ManualClock) -> None:
    erika, bert = await customer(desk, "Erika"), await customer(desk, "Bert")
    api = desk.client()
    quiet = {"quietHours": [{"starts": "22:00", "ends": "07:00"}]}
    assert (await api.patch(f"/v1/{erika.name}/preferences", json=quiet)).is_success
    merge = {"customer": erika.name, "mergedCustomer": bert.name, "reasonCode": "same-person"}
    await made(api, "/v1/customerMerges", **merge)
    form = await bert.form("/contact")
    assert form["starts_0"] == ""
    clock.advance(timedelta(minutes=1))
    assert (await bert.post("/contact", **form | {"prefer": "sms"})).status_code == 303
    holds = (await api.get(f"/v1/{erika.name}/preferences")).json()
    assert holds["channels"] == ["CHANNEL_SMS"]
    assert [each["starts"] for each in holds["quietHours"]] == ["22:00"]


async def test_a_yes_that_has_to_be_confirmed_is_said_to_wait(desk: Any, clock: ManualClock) -> None:
    mask = {"updateMask": "doubleOptInChannels"}
    asks = {"doubleOptInChannels": ["CHANNEL_EMAIL"]}
    assert (await desk.client().patch("/v1/purposes/marketing", params=mask, json=asks)).is_success
    erika = await customer(desk, "Erika")
    form = await erika.form("/contact")
    answer = await erika.post("/contact", **form | {"want-marketing.email": "on"})
    assert answer.headers["location"] == f"{erika.path}/contact?said=waits"
    assert await said(desk, erika) == "STATE_DENIED"
    assert "holds once you confirm it, by " in await erika.page("/contact")
    again = await erika.form("/contact")
    assert again["want-marketing.email"] == "on"
    assert (
        (await erika.post("/contact", **again)).headers["location"].endswith("said=kept")
    )  # not asked again
    clock.advance(timedelta(days=8))
    assert "holds once you confirm it" not in await erika.page("/contact")
    assert "want-marketing.email" not in await erika.form("/contact")


@pytest.mark.parametrize("category", ["", "marketing", "survey"])
async def test_who_says_yes_and_whose_address_is_suppressed_is_told_so(desk: Any, category: str) -> None:
    address = {"type": "TYPE_EMAIL", "value": f"e{uuid4().hex}@example.com"}
    erika = await customer(desk, "Erika", identifiers=[address])
    complained = {"type": "TYPE_EMAIL", "address": address["value"], "reason": "REASON_COMPLAINT"}
    await made(desk.client(), "/v1/suppressions", category=category, **complained)
    form = await erika.form("/contact")
    answer = await erika.post("/contact", **form | {"want-marketing.email": "on"})
    told = "kept" if category == "survey" else "suppressed"
    assert answer.headers["location"] == f"{erika.path}/contact?said={told}"
    said = "until one of us has looked at it" in await erika.page(f"/contact?said={told}")
    assert said == (told == "suppressed")


async def test_what_they_write_reaches_who_has_it_once(desk: Any) -> None:
    erika = await customer(desk, "Erika")
    case = await concern(desk, erika)
    form = {"form": str(uuid4()), "about": case["name"], "text": "Is it here?\r\nI am <away> on Friday."}
    for _ in range(2):
        answer = await erika.post("/answer", **form)
        assert answer.status_code == 200
        assert "Thank you." in answer.text
        assert "Is it here?\nI am &lt;away&gt; on Friday.</blockquote>" in answer.text
    assert "Thank you." not in await erika.page("/answer")
    timeline = (await desk.client().get(f"/v1/{erika.name}/timelineEntries")).json()["timelineEntries"]
    [entry] = [each for each in timeline if each.get("summary")]
    assert (entry["channel"], entry["direction"], entry["resource"]) == (
        "CHANNEL_WEB",
        "DIRECTION_INBOUND",
        case["name"],
    )
    assert entry["summary"] == "Is it here?\nI am <away> on Friday."
    for text in ("", "  ", "x" * 4001):
        assert (await erika.post("/answer", **form | {"text": text})).status_code == 400
    assert (await erika.post("/answer", **form | {"text": "a\0b", "form": str(uuid4())})).status_code == 400


async def test_what_they_write_of_an_ended_case_is_looked_at(desk: Any, clock: ManualClock) -> None:
    erika = await customer(desk, "Erika")
    case = await made(
        desk.client(),
        "/v1/cases:open",
        case={"customer": erika.name, "topic": "damaged", "owner": "agents/alice"},
    )
    await made(desk.client(), f"/v1/{case['name']}:resolve", resolution="settled")
    clock.advance(timedelta(hours=1))
    answer = await erika.post("/answer", form=str(uuid4()), about=case["name"], text="It broke again.")
    assert answer.status_code == 200

    async def asked() -> bool:
        listed = await desk.client().get("/v1/workItems", params={"filter": f'case = "{case["name"]}"'})
        return [each["kind"] for each in listed.json().get("workItems", [])] == ["customer-reply"]

    await eventually(asked)


async def test_who_has_no_case_sees_and_reaches_who_looks_after_them(desk: Any) -> None:
    erika = await customer(desk, "Erika")
    manager = {"relationshipManager": "agents/alice"}
    assigned = await desk.client().post(f"/v1/{erika.name}:assignRelationshipManager", json=manager)
    assert assigned.is_success, assigned.text
    promise = {"customer": erika.name, "department": DELIVERY, "kind": "delivery"}
    promise |= {"reference": "orders/9002", "timeZone": "Europe/Berlin"}
    promise["dueDate"] = {"year": 2031, "month": 3, "day": 4}
    made_one = await made(desk.client(), "/v1/promises:make", promise=promise)
    html = await erika.page()
    for words in ("Who looks after you", "Alice Brandt", "+49 30 901820", made_one["name"], "Something else"):
        assert words in html, words

    async def asked(number: int) -> bool:
        theirs = {"filter": f'customer="{erika.name}" AND kind=customer-reply'}
        listed = await desk.client().get("/v1/workItems", params=theirs)
        return len(listed.json().get("workItems", [])) == number and "Your question" in await erika.page()

    for about, text in (("", "Where are you?"), (made_one["name"], "And where is it?")):
        answer = await erika.post("/answer", form=str(uuid4()), about=about, text=text)
        assert f"{text}</blockquote>" in answer.text
        await eventually(lambda: asked(1))
    assert "Alice Brandt has it now." in await erika.page()
    bert = await customer(desk, "Bert")
    forged = await bert.post("/answer", form=str(uuid4()), about=made_one["name"], text="Mine?")
    assert forged.status_code == 404
    nothing = "There is nothing open between us."
    assert nothing in await bert.page()
    assert nothing not in (await bert.post("/answer", form=str(uuid4()), about="", text="Hello?")).text


async def test_every_page_says_who_we_are_and_the_first_who_looks_after_them(open_desk: Any) -> None:
    desk = await open_desk(customer_service, cases_service, company="Möbel & Co", front_desk="agents/alice")
    told = {"displayName": "Alice Brandt", "phone": "+49 30 901820", "department": DELIVERY}
    assert (await desk.client().patch("/v1/agents/alice?allowMissing=true", json=told)).is_success
    erika = await customer(desk, "Erika")
    html = await erika.page()  # whom nobody in person looks after reads of who signs what they are sent
    assert "Alice Brandt" in html.partition("Who looks after you")[2]
    assert "all else reaches us." in html
    for path in ("", "/contact", "/unsubscribe?purpose=marketing"):
        html = await erika.page(path)
        assert re.search("<title>[^<]+ · Möbel &amp; Co</title>", html), path
        assert '<p class="company">Möbel &amp; Co</p>' in html
    refused = await erika.browser.get(f"{PREFIX}{'A' * 48}")
    assert "Möbel &amp; Co" in refused.text


async def test_the_pages_give_nothing_away(desk: Any) -> None:
    erika = await customer(desk, "Erika")
    await concern(desk, erika)
    with record_spans() as spans:
        answer = await erika.get("/contact", headers={"cookie": "x=1", "authorization": "Bearer x"})
        await erika.get()
        await erika.post("/stop")
        await erika.browser.request(made_up := f"M{uuid4().hex}", f"{PREFIX}{erika.token}/stop")
    assert erika.token not in "".join(map(str, spans))
    assert made_up not in "".join(each.name for each in spans)
    headers = answer.headers
    assert headers["referrer-policy"] == "no-referrer"
    assert "noindex" in headers["x-robots-tag"]
    assert headers["cache-control"] == "no-store"
    assert "set-cookie" not in headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "script-src" not in policy
    assert "http" not in policy
    assert (await erika.browser.get(f"{PREFIX}site.css")).headers["content-type"].startswith("text/css")
    metrics = await erika.browser.get(f"http://127.0.0.1:{desk.running.app.settings.http_port}/metrics")
    assert "/c/{token}/contact" in metrics.text
    assert [word for word in (erika.token, made_up) if word in metrics.text] == []


@pytest.mark.alone("a service is stopped")
async def test_when_a_service_is_away_the_page_says_so_and_keeps_what_it_can(open_desk: Any) -> None:
    desk = await open_desk(customer_service)  # and no cases
    erika = await customer(desk, "Erika")
    html = await erika.page()
    assert 'role="alert"' in html
    assert (await erika.post("/unsubscribe?purpose=marketing")).status_code == 200
    await desk.services["customer"].lifecycle.stop()
    answer = await erika.get()
    assert answer.status_code == 503
    assert "Not now" in answer.text
