"""What the databases and the mailbox hold, against what was acknowledged."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from chassis.api.messages import value_name
from rapport.customer.v1 import view_service_pb2
from rapport_tools.cli.session import Session
from rapport_tools.local.mail import Mailbox
from tests.chaos.desk import Desk

# By kind of act: in which database its mark is to be found once, and how.
ACTS = {
    "customer": ("customer", "SELECT display_name FROM customers"),
    "contact": ("customer", "SELECT substr(topic, 9) FROM timeline WHERE topic ^@ 'contact-'"),
    "case": ("cases", "SELECT topic FROM cases"),
    "work item": ("cases", "SELECT reference FROM work_items"),
    "promise": ("cases", "SELECT reference FROM promises WHERE predecessor_id IS NULL"),
    "forecast": ("cases", "SELECT reference FROM work_items WHERE forecast_finish_time IS NOT NULL"),
    "purchase": ("loyalty", "SELECT reference FROM purchases"),
    "goodwill": ("loyalty", "SELECT reason_code FROM goodwill"),
}
STATES = {
    "promises": ("cases", "SELECT customer_id::text, 'promises/' || id, state FROM promises"),
    "cases": ("cases", "SELECT customer_id::text, 'cases/' || id, state FROM cases"),
    "notices": ("notifications", "SELECT substr(customer, 11), 'notices/' || id, state FROM notices"),
}
TOLD = """
    SELECT n.id::text, count(*) FILTER (WHERE a.outcome = 'UNKNOWN') AS unknown
    FROM notices n JOIN attempts a ON a.notice = n.id WHERE n.state = 'SENT' GROUP BY 1
"""
PROMISED = """
    SELECT p.reference, p.state, s.state AS then, s.due_time = w.forecast_finish_time AS is_forecast
    FROM promises p JOIN work_items w ON w.id = p.work_item_id LEFT JOIN promises s ON s.predecessor_id = p.id
    WHERE p.predecessor_id IS NULL
"""
SAID_AGAIN = """
    SELECT promise, count(*) FROM notices WHERE state = 'SENT' AND promise <> ''
    GROUP BY 1 HAVING count(*) > 1
"""
WAITING = """
    SELECT (SELECT count(*) FROM outbox WHERE published_at IS NULL) + (SELECT count(*) FROM parked)
         + (SELECT count(*) FROM work WHERE ended_at IS NULL)
"""


async def rows(service: str, sql: str) -> list[Any]:
    """What a service's database answers."""
    connection = await asyncpg.connect(Session.open().env[f"RAPPORT_{service.upper()}_DATABASE_URL"])
    try:
        return list(await connection.fetch(sql))
    finally:
        await connection.close()


async def settled() -> bool:
    """Whether nothing waits to be published, tried again, or handed over."""
    waiting = {service: (await rows(service, WAITING))[0][0] for service in Session.open().peers}
    assert not any(waiting.values()), f"still waiting: {waiting}"
    return True


async def lost_and_twice(acknowledged: Mapping[str, Sequence[str]]) -> tuple[list[str], list[str]]:
    """The acts that were acknowledged and did not happen, and those that happened twice."""
    lost, twice = [], []
    for kind, (service, sql) in ACTS.items():
        found = Counter(row[0] for row in await rows(service, sql))
        lost += [f"{kind} {mark}" for mark in acknowledged[kind] if not found[mark]]
        twice += [f"{kind} {mark}" for mark in acknowledged[kind] if found[mark] > 1]
    return lost, twice


async def mail_amiss() -> list[str]:
    """The notices that are said to be sent and are not in the mailbox once, or were repeated without need.

    A repeat is for an attempt of which nobody knows what became.
    """
    kept: Counter[str] = Counter()
    repeats: Counter[str] = Counter()
    for mail in Mailbox(Session.open().home.path / "mail").list():
        notice = mail.message_id.strip("<").partition("@")[0]
        kept[notice[:36]] += 1
        repeats[notice[:36]] += mail.repeats
    return [
        f"notices/{notice}: kept {kept[notice]}, repeated {repeats[notice]}, unknown {unknown}"
        for notice, unknown in await rows("notifications", TOLD)
        if kept[notice] != 1 or repeats[notice] > min(unknown, 1)
    ]


async def promises_amiss(late: Sequence[str]) -> list[str]:
    """The marks of acknowledged forecasts that did not become one new promise, of that day, told once."""
    found = Counter((row[0], *row[1:]) for row in await rows("cases", PROMISED))
    expected = Counter((mark, "RENEGOTIATED", "OPEN", True) for mark in late)
    ours = Counter({each: count for each, count in found.items() if each[0] in set(late)})
    again = await rows("notifications", SAID_AGAIN)
    return [str(each) for each in (*((expected - ours) + (ours - expected)), *again)]


async def views_amiss(desk: Desk) -> list[str]:
    """The customers whose view does not say what the owners of its parts do."""
    owned: Counter[tuple[str, str, str, str]] = Counter()
    for part, (service, sql) in STATES.items():
        owned.update((customer, part, name, state) for customer, name, state in await rows(service, sql))
    shown: Counter[tuple[str, str, str, str]] = Counter()
    ours = [
        row[0] for row in await rows("customer", "SELECT id::text FROM customers WHERE display_name ~ '^w'")
    ]
    for customer in ours:
        request = view_service_pb2.GetCustomerViewRequest(name=f"customers/{customer}/view")
        view = await desk.views.GetCustomerView(request)
        shown.update(
            (customer, "promises", part.promise, value_name(part, "state")) for part in view.promises
        )
        shown.update((customer, "cases", part.case, value_name(part, "state")) for part in view.cases)
        shown.update((customer, "notices", part.notice, value_name(part, "state")) for part in view.notices)
    known = set(ours)
    owned = Counter({each: count for each, count in owned.items() if each[0] in known})
    return [str(each) for each in ((owned - shown) + (shown - owned))]
