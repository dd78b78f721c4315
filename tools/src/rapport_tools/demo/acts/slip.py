"""A promise slips: the customer hears of it from us, once, before the old date."""

from functools import partial
from uuid import uuid4

from rapport.cases.v1 import directory_service_pb2
from rapport.cases.v1.agent_pb2 import Agent
from rapport.cases.v1.directory_service_pb2_grpc import DirectoryServiceStub
from rapport.common.v1 import explanation_pb2
from rapport.customer.v1 import customer_pb2, customer_service_pb2, identifier_pb2
from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceStub
from rapport.customer.v1.section_service_pb2_grpc import SectionServiceStub
from rapport.notifications.v1 import notice_service_pb2
from rapport.notifications.v1.notice_service_pb2_grpc import NoticeServiceStub
from rapport_tools.demo import billing
from rapport_tools.demo.acts.order import forecast, take_order, told
from rapport_tools.demo.changes import named
from rapport_tools.demo.stage import BILL, DORA, EVERYONE, RITA, Act, Stage, in_days, patiently


def play(stage: Stage) -> None:
    """A promise, a forecast, and from there nobody does anything."""
    know_the_customer(stage)
    stage.step("The customer is known, and a named human answers for the relationship: Alice.")
    item, promise = take_order(stage)
    stage.step(f"The customer calls, Alice takes {named(item.reference)}: delivery promised in three days.")
    _show_what_is_open(stage)
    stage.step("Billing, which no service here has heard of, shows its part of the view: what is open.")
    forecast(stage, DORA, item, "carrier-delay", in_days(5))
    stage.step("Dora in delivery forecasts five days: the promise is at risk. Nobody does anything more.")
    told(stage, promise)
    stage.step("The customer was told by e-mail: apology, reason, new date, Alice's name. The promise moves.")
    stage.names["goodwill"] = stage.until(partial(_goodwill, stage, promise), "the goodwill")
    stage.step("Loyalty granted the goodwill that the policy allows.")


ACT = Act("A promise slips", play, "the forecast, what each service made of it, and the mail: one trace")


def know_the_customer(stage: Stage) -> None:
    """The customer, a new one unless there is one, is in the care of Alice."""
    agent = Agent(
        name="agents/alice",
        display_name="Alice Brandt",
        phone="+49 30 901820",
        email="alice.brandt@rapport.example",
        department="departments/front-desk",
    )
    stage.call(
        stage.stub(EVERYONE, DirectoryServiceStub, "cases").UpdateAgent,
        directory_service_pb2.UpdateAgentRequest(agent=agent, allow_missing=True),
    )
    stage.customer = stage.customer or _new_customer(stage)
    stage.call(
        stage.stub(EVERYONE, CustomerServiceStub, "customer").AssignRelationshipManager,
        customer_service_pb2.AssignRelationshipManagerRequest(
            name=stage.customer, relationship_manager="agents/alice"
        ),
    )


def explain(stage: Stage, notice: str) -> explanation_pb2.Explanation:
    notices = stage.stub(EVERYONE, NoticeServiceStub, "notifications")
    return patiently(partial(notices.ExplainNotice, notice_service_pb2.ExplainNoticeRequest(name=notice)))


def _new_customer(stage: Stage) -> str:
    email = f"nora.winter.{uuid4().hex[:8]}@example.com"
    customer = customer_pb2.Customer(
        person=customer_pb2.Person(given_name="Nora", family_name="Winter"),
        identifiers=[identifier_pb2.Identifier(type=identifier_pb2.Identifier.TYPE_EMAIL, value=email)],
    )
    customers = stage.stub(EVERYONE, CustomerServiceStub, "customer")
    request = customer_service_pb2.CreateCustomerRequest(customer=customer)
    return str(stage.call(customers.CreateCustomer, request).name)


def _show_what_is_open(stage: Stage) -> None:
    stage.call(stage.stub(RITA, SectionServiceStub, "customer").PutSectionSchema, billing.schema())
    section = billing.section(stage.customer)
    stage.call(stage.stub(BILL, SectionServiceStub, "customer").PutViewSection, section)


def _goodwill(stage: Stage, promise: str) -> str:
    """The grant for a promise that the view shows; empty as long as it shows none."""
    granted = [each.goodwill for each in stage.view().loyalty.goodwill if each.promise == promise]
    return granted[0] if granted else ""
