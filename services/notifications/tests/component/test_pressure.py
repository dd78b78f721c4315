"""All departments share a customer's patience."""

from datetime import timedelta
from typing import Any

from chassis.api.messages import moment, timestamp
from rapport.notifications.v1 import notice_pb2
from rapport.notifications.v1.template_pb2 import TemplateText
from rapport_testing.wait import eventually

DAY = timedelta(days=1)
HELLO = TemplateText(subject="Hello", body="{{ contact_name }} is here.")


async def ready(desk: Any) -> int:
    await desk.create_template("offer", HELLO, purpose="purposes/marketing")
    await desk.create_template("care", HELLO)
    return int(desk.running.app.settings.contacts_per_week)


async def send(desk: Any, template: str, days: int = 30) -> str:
    expires = timestamp(desk.clock.now() + days * DAY)
    notice = notice_pb2.Notice(
        kind="x", customer=desk.customer, template=f"templates/{template}", expire_time=expires
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
    assert await desk.told("NoticeUndeliverable") == []


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
