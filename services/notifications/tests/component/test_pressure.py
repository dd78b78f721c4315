"""All departments share a customer's patience."""

import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from chassis.api.messages import moment, timestamp
from rapport.notifications.v1 import notice_pb2
from rapport.notifications.v1.template_pb2 import TemplateText
from rapport_testing.wait import eventually
from services.notifications.tests.component.merging import another_name

DAY = timedelta(days=1)
HELLO = TemplateText(subject="Hello", body="{{ contact_name }} is here. {{ unsubscribe_link }}")


async def ready(desk: Any) -> int:
    await desk.create_template("offer", HELLO, purpose="purposes/news")
    await desk.create_template("care", HELLO)
    return int(desk.running.app.settings.contacts_per_week)


async def send(desk: Any, template: str, days: int = 30, customer: str = "") -> str:
    expires = timestamp(desk.clock.now() + days * DAY)
    notice = notice_pb2.Notice(
        kind="x", customer=customer or desk.customer, template=f"templates/{template}", expire_time=expires
    )
    return str((await desk.send(notice)).name)


async def deferred(desk: Any, name: str) -> notice_pb2.Notice:
    async def found() -> notice_pb2.Notice | None:
        notice = await desk.get(name)
        return notice if notice.HasField("defer_time") else None

    notice = await eventually(found)
    assert notice is not None
    return notice


async def test_what_can_wait_waits_for_room_and_service_is_counted_and_never_kept_back(desk: Any) -> None:
    most = await ready(desk)
    start = desk.clock.now()
    for _ in range(most - 1):
        await desk.sent(await send(desk, "care"))
    await desk.sent(await send(desk, "offer"))
    desk.clock.advance(DAY)
    waits = await deferred(desk, await send(desk, "offer"))
    assert (waits.defer_reason_code, moment(waits.defer_time)) == ("contact-pressure", start + 7 * DAY)
    step = (await desk.explain(waits.name)).decisions[-1]
    assert (step.step, step.inputs["count"], step.inputs["most"]) == ("pressure", str(most), str(most))
    await desk.sent(await send(desk, "care"))
    desk.clock.advance(6 * DAY)
    await desk.sent(waits.name)


async def test_what_is_of_no_more_use_when_there_is_room_is_not_sent_and_why_is_told(desk: Any) -> None:
    for _ in range(await ready(desk)):
        await desk.sent(await send(desk, "care"))
    ended = await desk.reached(await send(desk, "offer", days=2), "SUPPRESSED")
    assert ended.reason_code == "contact-pressure"
    assert "sent enough" in (await desk.explain(ended.name)).summary
    assert await desk.told("NoticeCallRequested") == []


async def test_of_many_at_once_no_more_leave_than_there_is_room_for(desk: Any) -> None:
    most = await ready(desk)
    names = [await send(desk, "offer") for _ in range(most + 4)]

    async def settled() -> bool:
        notices = [await desk.get(name) for name in names]
        waits = [each for each in notices if each.HasField("defer_time")]
        return len(waits) + sum(desk.state(each) == "SENT" for each in notices) == len(names)

    async def nudged() -> bool:
        desk.clock.advance(timedelta(minutes=1))  # who waited only for those that were under way looks again
        return await settled()

    assert await eventually(nudged)
    assert len(desk.mail.accepted) == most


async def test_a_category_has_a_budget_of_its_own_whichever_purposes_and_departments_use_it(
    desk: Any,
) -> None:
    await desk.create_template("poll", HELLO, purpose="purposes/survey")
    await desk.create_template("offer", HELLO, purpose="purposes/marketing")
    start = desk.clock.now()
    await desk.sent(await send(desk, "poll"))
    waits = await deferred(desk, await send(desk, "poll"))
    assert (waits.defer_reason_code, moment(waits.defer_time)) == ("contact-pressure", start + 7 * DAY)
    inputs = dict((await desk.explain(waits.name)).decisions[-1].inputs)
    assert [inputs[f"category{each}"] for each in ("", "_count", "_most")] == ["survey", "1", "1"]
    for _ in range(3):  # as many as there may be of marketing
        await desk.sent(await send(desk, "offer"))
    await deferred(desk, await send(desk, "offer"))
    desk.clock.advance(7 * DAY)
    await desk.sent(waits.name)


@pytest.mark.parametrize("seed", range(3))
async def test_no_week_has_more_than_its_budgets_however_many_race(desk: Any, seed: int) -> None:
    chance, settings = random.Random(seed), desk.running.app.settings
    other = await another_name(desk)
    purposes = ["marketing", "survey", "news", "service"]
    for each in purposes:
        await desk.create_template(each, HELLO, purpose=f"purposes/{each}")
    names = list[str]()

    async def settled() -> list[notice_pb2.Notice] | None:
        desk.clock.advance(timedelta(seconds=61))  # who waited only for those under way looks again
        notices = [await desk.get(name) for name in names]
        waits = all(desk.state(each) == "SENT" or each.HasField("defer_time") for each in notices)
        return notices if waits else None

    for _ in range(5):
        asked = [(chance.choice(purposes), chance.choice([desk.customer, other])) for _ in range(6)]
        desk.mail.gate.clear()  # those that leave are under way together
        names += [await send(desk, each, 60, whose) for each, whose in asked]
        desk.mail.gate.set()
        notices = await eventually(settled)
        desk.clock.advance(timedelta(hours=chance.randrange(100)))
    sent = sorted((moment(each.send_time), each.purpose) for each in notices if each.HasField("send_time"))
    assert len(sent) > settings.contacts_per_week
    for at, _ in sent:
        week = Counter(purpose for time, purpose in sent if at - 7 * DAY < time <= at)
        for category, most in settings.category_contacts_per_week.items():
            assert week[f"purposes/{category}"] <= most
        assert week.total() - week["purposes/service"] <= settings.contacts_per_week
