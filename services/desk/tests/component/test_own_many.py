"""The customer's own pages where departments have many purposes, and where much is asked at once."""

import asyncio
import re
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa

from cases.service import service as cases_service
from chassis.db.statement import Statement
from customer.service import service as customer_service
from desk.selfservice import site
from notifications.service import service as notifications_service
from rapport_testing.clock import ManualClock
from rapport_testing.wait import eventually
from services.desk.tests.component.test_own_pages import customer, made, said

MANY = 400
_PURPOSES = Statement[Any](
    sa.text(
        "INSERT INTO purposes SELECT (jsonb_populate_record(p, jsonb_build_object('id', 'p' || n))).*"
        f" FROM purposes p, generate_series(1, {MANY}) n WHERE p.id = 'marketing'"
    )
)
_CONFIRMED = Statement[Any](
    sa.text("UPDATE purposes SET double_opt_in_channels = ARRAY['EMAIL'] WHERE id ~ '^p[0-9]+$'")
)
_WORDINGS = Statement[Any](
    sa.text(
        "INSERT INTO wordings (purpose_id, language, version, text, create_time)"
        f" SELECT 'p' || n, 'en', 1, 'Yes to ' || n, now() FROM generate_series(1, {MANY}) n"
    )
)
_GATEWAY = Statement[Any](
    sa.text(
        "INSERT INTO providers SELECT (jsonb_populate_record(p,"
        """ '{"id": "gateway", "channel": "SMS"}')).* FROM providers p WHERE p.id = 'smtp'"""
    )
)
_PROMISES = Statement[Any](
    sa.text(
        "INSERT INTO promises SELECT (jsonb_populate_record(p, jsonb_build_object("
        "'id', gen_random_uuid(), 'reference', 'orders/1', 'due_date', NULL, 'due_time', CAST(:due AS text),"
        " 'make_time', CAST(:due AS text), 'keep_time', CAST(:kept AS text),"
        " 'record_time', CAST(:kept AS text), 'state', CAST(:state AS text)))).*"
        f" FROM promises p, generate_series(1, {MANY}) n WHERE p.reference = 'orders/5021'"
    )
)


@pytest.fixture
async def desk(open_desk: Any) -> Any:
    """The desk alone with customers."""
    return await open_desk(customer_service)


async def test_of_many_purposes_each_is_shown_with_its_wording_kept_and_stopped(desk: Any) -> None:
    erika = await customer(desk, "Erika")
    for statement in (_PURPOSES, _WORDINGS):
        await statement.run(desk.services["customer"].db)
    html = await erika.page("/contact")
    assert html.count("Yes to ") == MANY
    form = await erika.form("/contact")
    ticked = {f"want-p{number}.email": "on" for number in range(1, 121)}
    answer = await erika.post("/contact", **form | ticked | {"want-p7.sms": "on"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{erika.path}/contact?said=kept")
    kept = await erika.form("/contact")
    assert {name for name in kept if name.startswith("want-")} == {*ticked, "want-p7.sms"}
    assert (kept["was-p7"], kept["was-p121"]) == ("email sms", "")
    versions = (await desk.client().get(f"/v1/{erika.name}/consents/p120.email")).json()
    assert versions["wording"] == "purposes/p120/wordings/en/versions/1"
    codes = ("email", "sms", "voice", "letter", "app")  # the largest form that there is, with nothing changed
    ticked = {f"want-p{number}.{code}": "on" for number in range(1, MANY + 1) for code in codes}
    had = {f"was-p{number}": " ".join(codes) for number in range(1, MANY + 1)}
    assert (await erika.post("/contact", **kept | ticked | had)).status_code == 303
    assert (await erika.post("/stop")).status_code == 200
    stopped = await erika.form("/contact")
    assert [name for name in stopped if name.startswith("want-")] == []
    assert await said(desk, erika, f"p{MANY}.app") == "STATE_DENIED"


async def test_channels_are_offered_by_which_messages_go_and_of_others_nothing_is_asked_or_said(
    open_desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desk.service.AGAIN_S", 0.05)
    desk = await open_desk(customer_service, notifications_service, customer_channels=["letter"])
    erika = await customer(desk, "Erika")
    tips = {"displayName": "Tips", "contactDefault": "DEFAULT_ALLOWED"}
    await made(desk.client(), "/v1/purposes?purposeId=tips", **tips)
    yes = {"state": "STATE_GRANTED", "source": "form"}
    for channel in ("voice", "app"):
        path = f"/v1/{erika.name}/consents/marketing.{channel}?allowMissing=true"
        assert (await desk.client().patch(path, json=yes)).is_success
    form = await erika.form("/contact")
    # What they said yes to they see, wherever it would come by.
    assert (form["was-tips"], form["was-marketing"]) == ("email letter", "voice app")
    preferred = (await erika.page("/contact")).partition('name="prefer"')[2].partition("</select>")[0]
    assert re.findall(r'value="(\w+)"', preferred) == ["none", "email", "letter"]
    assert (await erika.post("/contact", **form)).status_code == 303
    assert await said(desk, erika, "tips.sms") == await said(desk, erika, "tips.app") == ""
    assert await said(desk, erika, "marketing.app") == "STATE_GRANTED"
    await _GATEWAY.run(desk.services["notifications"].db)

    async def offered() -> bool:
        return (await erika.form("/contact"))["was-tips"] == "email sms letter"

    await eventually(offered)


async def test_what_is_due_next_stands_before_hundreds_that_are_due_later_or_were_kept(
    open_desk: Any, clock: ManualClock
) -> None:
    desk = await open_desk(customer_service, cases_service)
    erika = await customer(desk, "Erika", timeZone="Europe/Berlin")
    promise = {"customer": erika.name, "department": "departments/delivery", "kind": "delivery"}
    promise |= {"reference": "orders/5021", "dueTime": (clock.now() + timedelta(days=2)).isoformat()}
    await made(desk.client(), "/v1/promises:make", promise=promise)
    for days, state in ((90, "OPEN"), (-1, "KEPT")):
        due = (clock.now() + timedelta(days=days)).isoformat()
        await _PROMISES.run(
            desk.services["cases"].db, due=due, kept=due if state == "KEPT" else None, state=state
        )
    html = await erika.page()
    assert "5021" in html.partition("orders/1")[0]
    assert re.search(r"At least \d{3} more promises", html)


async def test_a_no_holds_beside_more_yeses_than_are_asked_about_in_a_day(desk: Any) -> None:
    erika = await customer(desk, "Erika")
    db = desk.services["customer"].db
    await _PURPOSES.run(db)
    await _CONFIRMED.run(db)
    ticked = await erika.form("/contact")
    assert (await erika.post("/contact", **ticked | {"want-marketing.email": "on"})).status_code == 303
    assert await said(desk, erika) == "STATE_GRANTED"
    form = await erika.form("/contact")
    del form["want-marketing.email"]
    answer = await erika.post("/contact", **form | {f"want-p{number}.email": "on" for number in range(1, 7)})
    assert (answer.status_code, "What you do not want any more is noted." in answer.text) == (429, True)
    assert await said(desk, erika) == "STATE_DENIED"


async def test_who_looks_again_and_again_takes_nobodys_way_out(
    open_desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "AT_ONCE", site.OF_ONE + 1)
    desk = await open_desk(customer_service)
    erika, bert, clara = [await customer(desk, name) for name in ("Erika", "Bert", "Clara")]
    connection = await asyncpg.connect(desk.services["customer"].app.settings.database_url)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE customer_links")  # nothing is answered meanwhile
            looking = {asyncio.create_task(erika.get()) for _ in range(site.OF_ONE + 1)}
            done, waiting = await asyncio.wait(looking, return_when=asyncio.FIRST_COMPLETED)
            assert [task.result().status_code for task in done] == [429]  # one too many of hers
            others = {asyncio.create_task(each.get()) for each in (bert, clara)}
            done, _ = await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)
            assert [task.result().status_code for task in done] == [429]  # for there was room for one
            click = asyncio.create_task(clara.post("/unsubscribe?purpose=marketing"))
        await asyncio.wait([*waiting, *others, click])
    finally:
        await connection.close()
    assert [task.result().status_code for task in waiting] == [200] * site.OF_ONE
    assert click.result().status_code == 200
    assert await said(desk, clara) == "STATE_DENIED"
    assert (await bert.get()).status_code == 200  # there is room again


async def test_who_looks_sixty_times_in_a_minute_waits_and_gets_out_all_the_same(desk: Any) -> None:
    erika, bert = await customer(desk, "Erika"), await customer(desk, "Bert")
    assert {(await erika.get("/unsubscribe")).status_code for _ in range(60)} == {200}
    refused = await erika.get()
    assert (refused.status_code, int(refused.headers["retry-after"]) <= 60) == (429, True)
    assert (await bert.get("/unsubscribe")).status_code == 200
    assert (await erika.post("/unsubscribe?purpose=marketing")).status_code == 200


async def test_who_asks_sixty_times_in_an_hour_waits_and_gets_out_all_the_same(desk: Any) -> None:
    erika = await customer(desk, "Erika")
    asked = {(await erika.post("/answer", about="nobody/1", text="Hello?")).status_code for _ in range(60)}
    assert asked == {404}  # counted all the same
    refused = await erika.post("/answer", about="nobody/1", text="Hello?")
    assert (refused.status_code, int(refused.headers["retry-after"]) > 60) == (429, True)
    form = await erika.form("/contact")
    assert (await erika.post("/contact", **form)).status_code == 303
    assert (await erika.post("/unsubscribe?purpose=marketing")).status_code == 200
    assert (await erika.post("/stop")).status_code == 200
    assert await said(desk, erika) == "STATE_DENIED"
