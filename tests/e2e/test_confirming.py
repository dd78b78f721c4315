"""A yes that is confirmed, through all services: said, asked for by mail, looked at, and clicked."""

import re
from typing import Any
from urllib.parse import urlsplit

import httpx

from rapport.common.v1 import channel_pb2
from rapport.customer.v1 import consent_pb2, consent_service_pb2, customer_pb2, identifier_pb2, purpose_pb2
from rapport.customer.v1.consent_service_pb2_grpc import ConsentServiceStub
from rapport.customer.v1.customer_service_pb2 import CreateCustomerRequest
from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceStub
from rapport.customer.v1.purpose_service_pb2 import CreatePurposeRequest
from rapport.customer.v1.purpose_service_pb2_grpc import PurposeServiceStub
from rapport_testing.wait import eventually
from rapport_tools.cli.session import Session
from rapport_tools.local.mail import Mailbox
from tests.e2e.stack import Stack

EMAIL, ADDRESS = channel_pb2.CHANNEL_EMAIL, "vera.confirms@example.com"
LINK = re.compile(r"https?://\S+/confirm\b")


def messages(stack: Stack) -> list[str]:
    """What came to her address, as it reads."""
    box = Mailbox(stack.home.path / "mail")
    return [
        box.message(each.id).get_body(("plain",)).get_content()  # type: ignore[union-attr]
        for each in box.list()
        if each.recipients == [ADDRESS]
    ]


async def test_a_yes_counts_once_who_has_the_address_clicked_on_what_it_was_sent(stack: Stack) -> None:
    session = Session.open()
    consents: Any = session.stub(ConsentServiceStub, "customer")
    news = purpose_pb2.Purpose(
        display_name="News of gardens",
        department="departments/front-desk",
        contact_default=purpose_pb2.Purpose.DEFAULT_DENIED,
        double_opt_in_channels=[EMAIL],
    )
    purposes = session.stub(PurposeServiceStub, "customer")
    purposes.CreatePurpose(CreatePurposeRequest(purpose_id="garden-news", purpose=news))
    address = identifier_pb2.Identifier(type=identifier_pb2.Identifier.TYPE_EMAIL, value=ADDRESS)
    vera = session.stub(CustomerServiceStub, "customer").CreateCustomer(
        CreateCustomerRequest(
            customer=customer_pb2.Customer(display_name="Vera", language_code="de", identifiers=[address])
        )
    )
    may = consent_service_pb2.CheckContactRequest(
        name=vera.name, purpose="purposes/garden-news", channels=[EMAIL]
    )
    name = f"{vera.name}/consents/garden-news.email"
    said = consent_pb2.Consent(name=name, state=consent_pb2.Consent.STATE_GRANTED, source="web-form")
    consents.UpdateConsent(consent_service_pb2.UpdateConsentRequest(consent=said, allow_missing=True))
    [mail] = await eventually(lambda: messages(stack), 60)
    [link] = LINK.findall(mail)
    assert "News of gardens" in mail
    async with httpx.AsyncClient() as browser:
        shown = await browser.get(link)
        assert "News of gardens" in shown.text
        assert not consents.CheckContact(may).allowed
        clicked = await browser.post(link, headers={"content-type": "application/x-www-form-urlencoded"})
        assert clicked.status_code == 200
    contact = consents.CheckContact(may)
    assert (contact.allowed, contact.address) == (True, ADDRESS)
    assert urlsplit(link).path.startswith("/c/")
    assert len(messages(stack)) == 1
