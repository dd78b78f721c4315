"""Mail that came back and complaints, from the desk's webhook by the notice to the customer's consent."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from chassis.db.statement import values
from customer.service import service as customer_service
from desk.store import received as store
from desk.store.received import State
from notifications.domain.attempt import Attempt, Outcome
from notifications.domain.notice import Notice
from notifications.domain.notice import State as NoticeState
from notifications.service import service as notifications_service
from notifications.store.tables import INSERT_ATTEMPT, INSERT_NOTICE
from rapport.common.v1 import channel_pb2
from rapport.customer.v1 import consent_pb2, customer_pb2, customer_service_pb2, identifier_pb2
from rapport.customer.v1.consent_service_pb2 import CheckContactRequest, GetConsentRequest
from rapport.customer.v1.consent_service_pb2_grpc import ConsentServiceStub
from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceStub
from rapport_testing.engines.ports import free_port
from rapport_testing.wait import eventually

ADDRESS = "anna@example.com"
RETURNED = """\
From: MAILER-DAEMON@mx.example
Message-ID: <{id}@mx.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type={type}; boundary="b"

--b
Content-Type: message/{part}

{fields}

--b
Content-Type: text/rfc822-headers

Message-ID: {key}

--b--
"""


def came_back(key: str, address: str) -> bytes:
    fields = f"Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822;{address}\nAction: failed\nStatus: 5.1.1"
    kind = {"type": "delivery-status", "part": "delivery-status", "fields": fields}
    return RETURNED.format(id=uuid4(), key=key, **kind).encode()


def complaint(key: str) -> bytes:
    kind = {
        "type": "feedback-report",
        "part": "feedback-report",
        "fields": "Feedback-Type: abuse\nVersion: 1",
    }
    return RETURNED.format(id=uuid4(), key=key, **kind).encode()


class Whole:
    """The desk, the customer service and the notifications service, each with its own rights alone."""

    def __init__(self, desk: Any, customer: Any, notifications: Any, clock: Any) -> None:
        self.desk, self.customer, self.notifications = desk, customer, notifications
        self.clock, self.now = clock, clock.now()
        self.whose = ""

    async def sent(self) -> tuple[Notice, str]:
        """A notice of a promise that the customer's mail server accepted, and its Message-ID."""
        customers: Any = self.customer.stub(CustomerServiceStub)
        email = identifier_pb2.Identifier(type=identifier_pb2.Identifier.TYPE_EMAIL, value=ADDRESS)
        person = customer_pb2.Customer(display_name="Anna", language_code="en", identifiers=[email])
        request = customer_service_pb2.CreateCustomerRequest(customer=person)
        created = await customers.CreateCustomer(request)
        self.whose = created.name
        notice = Notice(
            id=uuid4(),
            customer=self.whose,
            kind="ready",
            purpose="purposes/service",
            template_id="delay",
            variables={},
            promise=f"promises/{uuid4()}",
            case="",
            expire_time=self.now,
            create_time=self.now,
            update_time=self.now,
            request_event=uuid4(),
            state=NoticeState.SENT,
            channel="EMAIL",
            send_time=self.now,
        )
        attempt = Attempt(notice.id, 1, "providers/smtp", f"<{notice.id}@acme.example>", self.now)
        attempt.outcome, attempt.identifier = Outcome.ACCEPTED, created.identifiers[0].name
        await INSERT_NOTICE.run(self.notifications.db, **values(notice))
        await INSERT_ATTEMPT.run(self.notifications.db, **values(attempt))
        return notice, attempt.provider_key

    async def recorded(self, kept: str) -> None:
        async def found() -> bool:
            # The desk asked notifications before that was there: what it sends at first may be tried again.
            self.clock.advance(timedelta(seconds=1))
            received = await store.GET.one(self.desk.running.db, id=UUID(kept))
            assert received.state is State.RECORDED, (received.state, received.reason_code)
            return True

        await eventually(found)

    async def contact(self) -> Any:
        """Whether the customer may be written to."""
        consents: Any = self.customer.stub(ConsentServiceStub)
        return await consents.CheckContact(
            CheckContactRequest(
                name=self.whose, purpose="purposes/service", channels=[channel_pb2.CHANNEL_EMAIL]
            )
        )


@pytest.fixture
async def whole(open_desk: Any, start: Any, sources: Any, clock: Any) -> Whole:
    port = free_port()
    address = f"127.0.0.1:{port}"
    desk = await open_desk(customer_service, webhooks_dir=sources, peers={"notifications": address})
    customer = desk.services["customer"]
    peers = {"customer": customer.address}
    notifications = await start(notifications_service, peers=peers, grpc_port=port, smtp_host="127.0.0.1")
    return Whole(desk, customer, notifications, clock)


@pytest.fixture
def desk(whole: Whole) -> Any:
    return whole.desk


async def test_an_address_from_which_mail_came_back_is_written_to_no_more(whole: Whole, sender: Any) -> None:
    _, key = await whole.sent()
    assert (await whole.contact()).allowed
    await whole.recorded(await sender("email").send(came_back(key, ADDRESS)))
    answer = await whole.contact()
    assert (answer.allowed, answer.reason_code) == (False, "suppressed")


async def test_mail_that_came_back_from_elsewhere_says_nothing_of_the_address(
    whole: Whole, sender: Any
) -> None:
    _, key = await whole.sent()
    await whole.recorded(await sender("email").send(came_back(key, "else@example.com")))
    assert (await whole.contact()).allowed


async def test_who_complains_has_said_no(whole: Whole, sender: Any) -> None:
    notice, key = await whole.sent()
    for _ in range(2):
        await whole.recorded(await sender("email").send(complaint(key)))
    assert not (await whole.contact()).allowed
    consents: Any = whole.customer.stub(ConsentServiceStub)
    said = await consents.GetConsent(GetConsentRequest(name=f"{whole.whose}/consents/service.email"))
    assert (said.state, said.source) == (consent_pb2.Consent.STATE_DENIED, "feedback-loop")
    assert said.proof == notice.name
