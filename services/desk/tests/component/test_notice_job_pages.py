"""A message to many customers at the desk: chosen, previewed, begun once, followed, paused, given up."""

import re
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import UUID

import pytest

from cases.service import service as cases_service
from chassis.db.statement import values
from customer.service import service as customer_service
from notifications.domain.notice_job import INVALID_WORDS
from notifications.service import service as notifications_service
from notifications.store.notice_jobs import JOB, UPDATE_JOB
from rapport_tools.local.roles import ROLES
from services.desk.tests.component.test_messages import template

pytestmark = pytest.mark.together

SERVICES = (customer_service, cases_service, notifications_service)
WORDS = {"template": "templates/closing", "v-depot": "Kiel"}
BY = {"channel-0": "APP", "silent_count": "2", "silent_unit": "hours"}
READS = ("notifications.notice_jobs.read", "notifications.templates.read", "customer.customers.read")


async def opened(open_desk: Any) -> tuple[Any, Any]:
    """A desk with words that people may send, before notifications that ask nobody; and a lead."""
    desk = await open_desk(*SERVICES)
    if (await desk.client().get("/v1/templates/closing")).status_code == 404:
        await template(desk.client(), "closing", "We close {{ depot }}.", "depot")
    return desk, await desk.signed_in("agent:lead", ["*"], "front-desk")


def fields(page: str) -> dict[str, str]:
    """What the form sends that begins it."""
    form = page.partition('action="/noticeJobs"')[2].partition("</form>")[0]
    found = re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)">', form)
    return {name: unescape(value) for name, value in found}


async def test_words_are_chosen_first_and_say_what_they_are_given(open_desk: Any) -> None:
    _, lead = await opened(open_desk)
    page = (await lead.get("/noticeJobs/new")).text
    assert re.findall(r'<option value="(templates/[^"]+)"', page) == ["templates/closing"]
    assert 'action="/noticeJobs/preview"' not in page
    page = (await lead.get("/noticeJobs/new?template=templates/closing")).text
    assert 'name="v-depot"' in page
    assert "/noticeJobs" in (await lead.get("/notices")).text


@pytest.mark.alone("a service is stopped")
async def test_while_nobody_says_which_colleagues_there_are_the_form_is_there_without_them(
    open_desk: Any,
) -> None:
    desk, lead = await opened(open_desk)
    await desk.services["cases"].stop()
    answer = await lead.get("/noticeJobs/new?template=templates/closing")
    assert answer.status_code == 200
    assert "Nobody can be chosen here now." in answer.text


async def test_it_is_looked_at_begun_once_and_followed(open_desk: Any) -> None:
    desk, lead = await opened(open_desk)
    seen = (await lead.post("/noticeJobs/preview", data=WORDS | {"region": "de", "rate": "6000"} | BY)).text
    assert (
        "customers, in Germany, at once, to 6,000 a minute, by app, by the next channel, too, after 2 hours"
        in seen
    )
    assert "There is no such customer." in seen
    answers = [await lead.post("/noticeJobs", data=fields(seen)) for _ in range(2)]
    (job,) = {each.headers["location"] for each in answers}
    card = (await lead.get(f"{job}/cards")).json()["cards"]["job"]["html"]
    assert "0 asked for, 0 not" in card
    assert '<dd lang="">Kiel</dd>' in card
    assert f'href="{job}"' in (await lead.get("/noticeJobs")).text
    kept = (await desk.client().get(f"/v1{job}")).json()
    assert (kept["department"], kept["kind"]) == ("departments/front-desk", "closing")
    assert kept["delivery"] == {"channels": ["CHANNEL_APP"], "fallbackAfter": "7200s"}


async def test_one_that_begins_later_is_paused_and_goes_on_or_is_given_up(open_desk: Any) -> None:
    desk, lead = await opened(open_desk)
    now = desk.running.app.clock.now().date()
    later = {"first": now.replace(year=now.year + 1).replace(day=1).isoformat(), "prospect": "yes"}
    seen = (await lead.post("/noticeJobs/preview", data=WORDS | later)).text
    assert "who bought nothing yet, from " in seen
    job = (await lead.post("/noticeJobs", data=fields(seen))).headers["location"]
    assert f'action="{job}/pause"' in (await lead.get(job)).text
    assert (await lead.post(f"{job}/pause")).headers["location"] == job
    page = (await lead.get(job)).text
    assert (">paused<" in page, f'action="{job}/pause"' in page) == (True, False)
    assert (await lead.post(f"{job}/resume")).headers["location"] == job
    page = (await lead.get(job)).text
    assert (">runs<" in page, f'action="{job}/cancel"' in page) == (True, False)
    await lead.post(f"{job}/pause")
    assert f'action="{job}/cancel"' in (await lead.get(job)).text
    assert (await lead.post(f"{job}/cancel")).headers["location"] == job
    page = (await lead.get(job)).text
    assert (">given up<" in page, f'action="{job}' in page) == (True, False)


async def test_one_that_cannot_go_on_is_seen_by_who_may_mend_it_and_who_runs_the_services(
    open_desk: Any,
) -> None:
    desk, lead = await opened(open_desk)
    later = desk.running.app.clock.now().date() + timedelta(days=30)
    seen = (await lead.post("/noticeJobs/preview", data=WORDS | {"first": later.isoformat()})).text
    path = (await lead.post("/noticeJobs", data=fields(seen))).headers["location"]
    db = desk.services["notifications"].db
    job = await JOB.one(db, id=UUID(path.rpartition("/")[2]))
    job.block(INVALID_WORDS)
    await UPDATE_JOB.run(db, **values(job))
    told = f'<a href="{path}">Message to many: Closing</a>'
    assert told in (await lead.get("/")).text
    other = await desk.signed_in("agent:bert", ["cases.cases.read", "notifications.*"], "billing")
    assert told not in (await other.get("/")).text
    nils = await desk.signed_in("agent:nils", [*ROLES["sre"]], "platform")
    page = (await nils.get("/operations")).text
    assert "The message to many Closing has not gone on since" in page
    assert f'href="{path}"' in page
    assert "the words were changed" in (await nils.get(path)).text
    assert (await nils.get("/notices")).status_code == 200
    await lead.post(f"{path}/cancel")


async def test_what_is_wrong_stands_at_its_field_and_what_was_typed_stays(open_desk: Any) -> None:
    _, lead = await opened(open_desk)
    for field, text, told in (
        ("region", "Germany", "must be a country such as DE"),
        ("since", "soon", "must be a day such as"),
        ("last", "2020-01-01", "must be"),
        ("rate", "fast", "must be a whole number"),
        ("v-depot", "", "must be given"),
        ("silent_count", "long", "must be a whole number"),
    ):
        answer = await lead.post(
            "/noticeJobs/preview", data=WORDS | {"manager": "alice", "silent_unit": "days", field: text}
        )
        assert answer.status_code == 422, field
        marked = answer.text.partition('aria-invalid="true"')[2].partition("</div>")[0]
        assert told in marked, (field, marked)
        assert f'name="{field}"' in answer.text
        assert text in answer.text
    seen = (await lead.post("/noticeJobs/preview", data=WORDS | {"region": "DE"})).text
    again = await lead.post("/noticeJobs", data=fields(seen) | {"act": "otherwise"})
    assert re.search(r'name="region"[^>]* value="DE"', again.text)
    assert fields(seen)["request_id"] in again.text


async def test_who_may_not_begin_one_follows_it(open_desk: Any) -> None:
    desk, lead = await opened(open_desk)
    seen = (await lead.post("/noticeJobs/preview", data=WORDS | {"region": "DE"})).text
    job = (await lead.post("/noticeJobs", data=fields(seen))).headers["location"]
    reader = await desk.signed_in("agent:rita", READS, "front-desk")
    assert (await reader.get("/noticeJobs/new")).status_code == 403
    assert "/noticeJobs/new" not in (await reader.get("/noticeJobs")).text
    assert f'action="{job}' not in (await reader.get(job)).text
    assert (await lead.get("/noticeJobs/none")).status_code == 404
    nobody = await desk.signed_in("agent:nobody", ["cases.cases.read"], "front-desk")
    assert (await nobody.get("/noticeJobs")).status_code == 403
