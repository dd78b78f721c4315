"""What must be true at the end of every story, whatever happened on the way."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import asyncpg

from chassis.api.messages import value_name
from rapport.cases.v1 import promise_service_pb2
from rapport.cases.v1.promise_service_pb2_grpc import PromiseServiceStub
from rapport.common.v1 import states_pb2
from rapport.customer.v1 import view_pb2, view_service_pb2
from rapport.customer.v1.view_service_pb2_grpc import ViewServiceStub
from rapport.loyalty.v1 import goodwill_service_pb2
from rapport.loyalty.v1.goodwill_service_pb2_grpc import GoodwillServiceStub
from rapport.notifications.v1 import notice_service_pb2
from rapport.notifications.v1.notice_service_pb2_grpc import NoticeServiceStub
from rapport_testing.wait import eventually
from rapport_tools.cli.session import Session
from rapport_tools.demo.story import Outcome, Story
from rapport_tools.local.mail import Mail, Mailbox

LEDGER_PROOF = """
    SELECT (SELECT coalesce(sum(amount), 0) FROM entries) AS total,
           (SELECT count(*) FROM accounts a
             WHERE a.balance <> (SELECT coalesce(sum(amount), 0) FROM entries e
                                  WHERE e.account_id = a.id)) AS wrong
"""


def run_story(customer: str = "") -> Outcome:
    """The story against the running stack, without words; of a new customer when none is given."""
    return Story(Session.open, lambda *_: None, customer).run()


def mails_about(session: Session, notice: str) -> list[Mail]:
    """The e-mails that the notice led to, by its own Message-ID."""
    return [
        m
        for m in Mailbox(session.home.path / "mail").list()
        if notice.removeprefix("notices/") in m.message_id
    ]


class Patient:
    """A stub whose calls wait for a service that is restarting."""

    def __init__(self, stub: Any) -> None:
        self._stub = stub

    def __getattr__(self, method: str) -> Callable[[Any], Any]:
        return lambda request: getattr(self._stub, method)(request, wait_for_ready=True, timeout=60)


def assert_told_once(outcome: Outcome, repeats: int = 0) -> None:
    """One notice, one e-mail before the old date, one successor, one goodwill: all in the customer view.

    `repeats`: how often the e-mail was handed in again, to the byte.
    """
    session = Session.open()
    promises = Patient(session.stub(PromiseServiceStub, "cases"))
    promise = promises.GetPromise(promise_service_pb2.GetPromiseRequest(name=outcome.promise))
    assert promise.state == states_pb2.PROMISE_STATE_RENEGOTIATED
    successor = promises.GetPromise(promise_service_pb2.GetPromiseRequest(name=promise.successor))
    assert successor.state == states_pb2.PROMISE_STATE_OPEN
    assert successor.predecessor == promise.name

    assert len(outcome.notices) == 1
    notices = Patient(session.stub(NoticeServiceStub, "notifications"))
    notice = notices.GetNotice(notice_service_pb2.GetNoticeRequest(name=outcome.notices[0]))
    assert notice.state == states_pb2.NOTICE_STATE_SENT
    assert promise.notice == notice.name
    mails = mails_about(session, notice.name)
    assert [mail.repeats for mail in mails] == [repeats]
    assert datetime.fromisoformat(mails[0].received_at) < promise.due_time.ToDatetime(UTC)

    goodwill = Patient(session.stub(GoodwillServiceStub, "loyalty"))
    granted = goodwill.GetGoodwill(goodwill_service_pb2.GetGoodwillRequest(name=outcome.goodwill))
    assert granted.promise == promise.name
    assert_view_shows(session, outcome, successor.name, granted.points.amount)
    assert asyncio.run(ledger_proof(session)) == (0, 0)


def assert_view_shows(session: Session, outcome: Outcome, successor: str, points: int) -> None:
    """The customer view holds every result of the story once."""
    views = Patient(session.stub(ViewServiceStub, "customer"))
    name = f"{outcome.customer}/view"

    def states_of_notices(view: view_pb2.CustomerView) -> list[str]:
        return [value_name(part, "state") for part in view.notices if part.promise == outcome.promise]

    def told() -> view_pb2.CustomerView | None:  # what each service tells arrives by itself
        view = views.GetCustomerView(view_service_pb2.GetCustomerViewRequest(name=name))
        return view if "SENT" in states_of_notices(view) else None

    view: view_pb2.CustomerView = asyncio.run(eventually(told, 30))
    states = {part.promise: value_name(part, "state") for part in view.promises}
    assert states[outcome.promise] == "RENEGOTIATED"
    assert states[successor] == "OPEN"
    assert states_of_notices(view) == ["SENT"]
    assert [g.points for g in view.loyalty.goodwill if g.promise == outcome.promise] == [points]
    assert [c.state for c in view.cases if c.case == outcome.case] == [states_pb2.CASE_STATE_OPEN]
    assert view.relationship_manager == "agents/alice"


async def ledger_proof(session: Session) -> tuple[Any, Any]:
    """The sum of all legs, and how many accounts do not equal the sum of their entries: both must be 0."""
    connection = await asyncpg.connect(session.env["RAPPORT_LOYALTY_DATABASE_URL"])
    try:
        row = await connection.fetchrow(LEDGER_PROOF)
        return row["total"], row["wrong"]
    finally:
        await connection.close()
