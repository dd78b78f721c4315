"""The inbox of an app over REST: chosen, put there, watched, read, and seen at the desk."""

from typing import Any

from cases.service import service as cases_service
from customer.service import service as customer_service
from notifications.service import service as notifications_service
from rapport_testing.wait import eventually
from services.desk.tests.component.conftest import erika
from services.desk.tests.component.test_messages import template
from services.desk.tests.component.test_watching import events

APP = ("notifications.inbox_messages.read", "notifications.inbox_messages.write")


async def test_an_app_shows_what_its_customer_was_told_and_the_desk_says_that_they_read_it(
    open_desk: Any,
) -> None:
    desk = await open_desk(customer_service, cases_service, notifications_service)
    rest, app, customer = desk.client(), desk.client(*APP), await erika(desk)
    await template(rest, "hello", "Good day {{ customer_name }}.")
    preferred = await rest.patch(f"/v1/{customer}/preferences", json={"channels": ["CHANNEL_APP"]})
    assert preferred.status_code == 200, preferred.text
    about = {"customer": customer, "kind": "greeting", "template": "templates/hello"}
    strategy = {"channels": ["CHANNEL_APP", "CHANNEL_EMAIL"], "fallbackAfter": "7200s"}
    async with events(app, f"/v1/{customer}/inboxMessages:watchInbox") as told:
        assert (await anext(told))["data"]["unreadCount"] == 0
        names = []
        for delivery in ({}, {"delivery": strategy}):
            answer = await rest.post("/v1/notices:send", json={"notice": about | delivery})
            assert answer.status_code == 200, answer.text
            names.append(answer.json()["name"])
            come = (await anext(told))["data"]
            assert (come["inboxMessage"]["notice"], come["unreadCount"]) == (names[-1], len(names))
    params = {"filter": "NOT read_time:*"}
    listed = (await app.get(f"/v1/{customer}/inboxMessages", params=params)).json()
    assert [each["notice"] for each in listed["inboxMessages"]] == [*reversed(names)]
    assert "Good day Erika Sommer." in listed["inboxMessages"][0]["body"]
    read = {"names": [each["name"] for each in listed["inboxMessages"]]}
    marked = await app.post(f"/v1/{customer}/inboxMessages:markInboxMessagesRead", json=read)
    assert marked.json() == {"unreadCount": 0}
    alice = await desk.signed_in()

    async def delivered() -> bool:
        found = [(await rest.get(f"/v1/{each}")).json()["state"] for each in names]
        return found == ["NOTICE_STATE_DELIVERED"] * 2

    await eventually(delivered)
    assert "<dt>Channel</dt><dd>app</dd>" in (await alice.get(f"/{names[0]}")).text
    listed_there = (
        await alice.get(f"/notices?channel=app&customer={customer.removeprefix('customers/')}")
    ).text
    assert all(f'href="/{each}"' in listed_there for each in names)
    refused = await desk.client(APP[0]).post(f"/v1/{customer}/inboxMessages:markInboxMessagesRead", json=read)
    assert refused.status_code == 403
