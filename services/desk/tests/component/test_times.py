"""Calendars, clock policies and clocks at the desk: looked at, tried, changed by whom they belong to."""

import re
from html import unescape
from typing import Any
from uuid import uuid4

from cases.service import service as cases_service
from customer.service import service as customer_service

SERVICES = (customer_service, cases_service)
WEEK = {"days": ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"]}
DELIVERY = "departments/delivery"
CONDITION = "case.topic == 'late-delivery' && !(case.reopen_count > 9)"


async def made(desk: Any) -> Any:
    """Opening hours and a policy of delivery's, and a case with a clock; signed in is delivery's lead."""
    hours = [WEEK | {"windows": [{"opens": "09:00", "closes": "17:00"}]}]
    holidays = [{"regionCode": "DE", "subdivision": "BY"}]
    calendar = {"displayName": "Depot", "department": DELIVERY, "timeZone": "UTC", "hours": hours}
    calendar |= {"holidays": holidays, "exceptions": [{"date": {"year": 2026, "month": 12, "day": 24}}]}
    await posted(desk, "calendars?calendarId=depot", calendar)
    targets = [
        {"metric": "CLOCK_METRIC_RESOLUTION", "businessMinutes": 480, "calendar": "calendars/depot"},
    ]
    policy = {"displayName": "A day", "department": DELIVERY, "subject": "SUBJECT_CASE"}
    policy |= {"condition": CONDITION, "targets": targets}
    await posted(desk, "clockPolicies?clockPolicyId=day", policy)
    agent = {"displayName": "Bob", "email": "bob@acme.example", "department": DELIVERY}
    answer = await desk.client().patch("/v1/agents/bob?allowMissing=true", json=agent)
    assert answer.status_code == 200, answer.text
    case = {"customer": f"customers/{uuid4()}", "topic": "late-delivery", "owner": "agents/bob"}
    await posted(desk, "cases:open", {"case": case})
    return await desk.signed_in("agent:lead", ["*"], "delivery")


async def posted(desk: Any, path: str, body: Any) -> Any:
    answer = await desk.client().post(f"/v1/{path}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def fields(page: str) -> dict[str, Any]:
    """What the form of a page would send as it is, without what is not ticked."""
    (form,) = re.findall(r'<form method="post">(.*?)</form>', page.split("<main", 1)[1], re.DOTALL)
    found: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        said = {name: unescape(value) for name, value in re.findall(r'([a-z]+)="([^"]*)"', tag)}
        if said.get("type") != "checkbox" or " checked" in tag:
            found[said["name"]] = said.get("value", "on")
    for name, text in re.findall(r'<textarea name="([a-z0-9_-]+)"[^>]*>(.*?)</textarea>', form, re.DOTALL):
        found[name] = unescape(text)
    for name, options in re.findall(r'<select name="([a-z0-9_-]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.findall(r'<option value="([^"]*)" selected', options)
        found[name] = chosen[0] if chosen else ""
    return found


async def test_a_lead_sees_the_week_the_exceptions_and_the_holidays_of_a_year(open_desk: Any) -> None:
    lead = await made(await open_desk(*SERVICES))
    listed = (await lead.get("/times")).text
    assert 'href="/calendars/depot"' in listed
    assert 'href="/clockPolicies/day"' in listed
    page = (await lead.get("/calendars/depot?year=2026")).text
    assert (fields(page)["monday"], fields(page)["sunday"]) == ("09:00-17:00", "")
    assert re.search(r"take out: [^<]*24 Dec[^<]*, closed", page)
    assert "Epiphany" in page


async def test_whom_another_day_concerns_is_told_before_it_is_kept_and_then_it_is(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    lead = await made(desk)
    today = desk.running.app.clock.now().date()
    form = fields((await lead.get("/calendars/depot")).text)
    form |= {"saturday": "8:00-12:00, 13:00-14:30", "date": today.isoformat(), "called": "Stocktaking"}
    tried = await lead.post("/calendars/depot", data=form | {"act": "look"})
    assert tried.status_code == 200
    assert "of 1 clocks that run were looked at" in tried.text
    assert fields(tried.text) | {"csrf": ""} == form | {"csrf": "", "saturday": form["saturday"]}
    kept = await lead.post("/calendars/depot", data=form | {"act": "save"})
    assert (kept.status_code, kept.headers["location"]) == (303, "/calendars/depot")
    page = (await lead.get("/calendars/depot")).text
    assert fields(page)["saturday"] == "08:00-12:00, 13:00-14:30"
    assert "Stocktaking" in page
    now = (await desk.client().get("/v1/calendars/depot")).json()
    assert (now["version"], now["holidays"][0]["subdivision"]) == ("2", "BY")
    form = fields(page) | {"drop": today.isoformat(), "act": "save"}
    assert (await lead.post("/calendars/depot", data=form)).status_code == 303
    assert "Stocktaking" not in (await lead.get("/calendars/depot")).text


async def test_what_is_not_understood_or_was_changed_meanwhile_is_said_in_the_form(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    lead = await made(desk)
    form = fields((await lead.get("/calendars/depot")).text)
    for wrong in ({"monday": "nine to five"}, {"monday": "17:00-09:00"}, {"date": "soon"}):
        answer = await lead.post("/calendars/depot", data=form | wrong | {"act": "save"})
        assert answer.status_code == 422, wrong
        assert "refused" in answer.text
    assert fields(answer.text)["date"] == "soon"
    assert (await lead.post("/calendars/depot", data=form | {"monday": "", "act": "save"})).status_code == 303
    stale = await lead.post("/calendars/depot", data=form | {"tuesday": "", "act": "save"})
    assert stale.status_code == 422


async def test_a_policy_is_tried_and_kept_for_clocks_that_run_too(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    lead = await made(desk)
    form = fields((await lead.get("/clockPolicies/day")).text)
    assert (form["resolution_minutes"], form["resolution_calendar"]) == ("480", "calendars/depot")
    form |= {"resolution_minutes": "60", "pauses": "WORK_BLOCKED", "apply": "on"}
    tried = (await lead.post("/clockPolicies/day", data=form | {"act": "look"})).text
    assert "1 clock would be up at another time" in tried
    assert "1 earlier, 0 later" in tried
    assert fields(tried)["pauses"] == "WORK_BLOCKED"
    kept = await lead.post("/clockPolicies/day", data=form | {"act": "save"})
    assert (kept.status_code, kept.headers["location"]) == (303, "/clockPolicies/day")
    now = (await desk.client().get("/v1/clockPolicies/day")).json()
    assert (now["targets"][0]["businessMinutes"], now["pauses"]) == (60, ["PAUSE_WORK_BLOCKED"])
    wrong = await lead.post("/clockPolicies/day", data=form | {"condition": "case.x", "act": "save"})
    assert wrong.status_code == 422
    assert fields(wrong.text)["condition"] == "case.x"


async def test_other_opening_hours_and_another_policy_by_them_are_made_at_the_desk(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    lead = await made(desk)
    form = fields((await lead.get("/calendars/new")).text)
    form |= {"code": "shop", "display_name": "The shop", "saturday": "10:00-16:00", "holidays": "de-by, AT"}
    form |= {"date": "2026-12-24", "windows": "10:00-12:00", "called": "Christmas Eve", "act": "save"}
    refused = await lead.post("/calendars/new", data=form | {"holidays": "Bavaria"})
    assert refused.status_code == 422
    assert fields(refused.text)["holidays"] == "Bavaria"
    kept = await lead.post("/calendars/new", data=form)
    assert (kept.status_code, kept.headers["location"]) == (303, "/calendars/shop")
    now = (await desk.client().get("/v1/calendars/shop")).json()
    assert (now["department"], now["timeZone"]) == (DELIVERY, "UTC")
    assert [(each["regionCode"], each["subdivision"]) for each in now["holidays"]] == [
        ("DE", "BY"),
        ("AT", ""),
    ]
    again = fields((await lead.get("/calendars/shop")).text)
    assert again["holidays"] == "DE-BY, AT"
    renamed = again | {"display_name": "Shop", "holidays": "AT", "act": "save"}
    assert (await lead.post("/calendars/shop", data=renamed)).status_code == 303
    now = (await desk.client().get("/v1/calendars/shop")).json()
    assert (now["displayName"], [each["regionCode"] for each in now["holidays"]]) == ("Shop", ["AT"])
    form = fields((await lead.get("/clockPolicies/new?subject=WORK_ITEM")).text)
    assert "silence_minutes" not in form
    form |= {"code": "quick", "display_name": "Quick", "act": "save"}
    refused = await lead.post("/clockPolicies/new", data=form | {"condition": "work_item.x"})
    assert refused.status_code == 422
    times = {"resolution_minutes": "60", "resolution_calendar": "calendars/shop"}
    kept = await lead.post("/clockPolicies/new", data=form | times)
    assert (kept.status_code, kept.headers["location"]) == (303, "/clockPolicies/quick")
    now = (await desk.client().get("/v1/clockPolicies/quick")).json()
    assert (now["subject"], now["targets"][0]["calendar"]) == ("SUBJECT_WORK_ITEM", "calendars/shop")


async def test_a_clock_is_told_step_by_step(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    lead = await made(desk)
    (clock,) = (await desk.client().get("/v1/clocks")).json()["clocks"]
    page = (await lead.get(f"/{clock['name']}")).text
    steps = re.findall(r"<li>(.*?)</li>", page)
    assert steps[0].endswith("started")
    assert "weekly hours" in page
    why = page.partition('aria-label="Why it was started"')[2]
    told = [unescape(re.sub("<[^>]+>", "", each)) for each in re.findall(r"<li>(.*?)</li>", why)]
    assert told == [
        "case.topic == 'late-delivery': holds now",
        "!(case.reopen_count > 9): holds now",
        "· case.reopen_count > 9: does not hold now",
    ]
    assert f'href="/{clock["case"]}"' in page


async def test_who_may_not_change_them_reads_them(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    await made(desk)
    reads = [f"cases.{each}.read" for each in ("calendars", "clock_policies", "clocks")]
    writes = ["cases.calendars.write", "cases.clock_policies.write"]
    other = await desk.signed_in("agent:bob", [*reads, *writes], "billing")
    page = (await other.get("/calendars/depot")).text
    assert "09:00-17:00" in page
    assert 'name="act"' not in page
    assert 'name="act"' not in (await other.get("/clockPolicies/day")).text
    reader = await desk.signed_in("agent:rita", reads, "billing")
    for path in ("/calendars/new", "/clockPolicies/new"):
        assert path not in (await reader.get("/times")).text
        assert (await reader.get(path)).status_code == 403, path
    nobody = await desk.signed_in("agent:nobody", ["cases.cases.read"], "billing")
    assert (await nobody.get("/times")).status_code == 403
    for path in ("/calendars/No!", "/clockPolicies/No!", "/clocks/7", "/calendars/none"):
        assert (await other.get(path)).status_code == 404, path
