"""A customer without an address: a person calls, before the date that was promised."""

from functools import partial
from uuid import uuid4

from rapport.cases.v1 import promise_service_pb2
from rapport.cases.v1.promise_pb2 import Promise
from rapport.common.v1 import channel_pb2
from rapport.customer.v1 import customer_service_pb2
from rapport.customer.v1.customer_pb2 import Customer, Person
from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceStub
from rapport.customer.v1.identifier_pb2 import Identifier
from rapport_tools.demo.acts.order import forecast, promises, take_order
from rapport_tools.demo.acts.speaking import speak, waiting
from rapport_tools.demo.changes import named
from rapport_tools.demo.stage import ALICE, DORA, EVERYONE, Act, Stage, in_days


def play(stage: Stage) -> None:
    """From no address at all to somebody who was told all the same.

    It is somebody else's story: who loses an address loses the links of all mails that went to it.
    """
    with stage.about(_nobody_to_write_to(stage)):
        _play(stage)


def _play(stage: Stage) -> None:
    item, promise = take_order(stage)
    stage.step(
        "Ida Lorenz has a telephone and no e-mail."
        f" Alice takes {named(item.reference)} from her: delivery promised in three days."
    )
    forecast(stage, DORA, item, "weather", in_days(6))
    [call] = stage.until(partial(waiting, stage), "the call")
    stage.names["call"] = call.name
    stage.step("Dora in delivery forecasts six days. No message can tell her, so a call waits for a person.")
    speak(stage, call)
    told: Promise = stage.call(
        promises(stage, ALICE).GetPromise, promise_service_pb2.GetPromiseRequest(name=promise)
    )
    stage.step(
        f"Alice calls. Nobody had to remember it: {told.notifier} told her before the date, by phone, and the"
        " promise says so."
    )
    agreed = promise_service_pb2.RenegotiatePromiseRequest(
        name=promise, due_time=in_days(6), reason_code="weather", channel=channel_pb2.CHANNEL_VOICE
    )
    stage.names["moved_promise"] = stage.call(promises(stage, ALICE).RenegotiatePromise, agreed).successor
    stage.step("They agree on the new date on the phone, and that is what she counts on now.")


ACT = Act(
    "A person calls", play, "the forecast, the notice that found no address, and the call that came of it"
)


def _nobody_to_write_to(stage: Stage) -> str:
    number = f"+49 30 23125 {uuid4().int % 1000:03}"  # of those that are given to nobody
    customer = Customer(
        person=Person(given_name="Ida", family_name="Lorenz"),
        identifiers=[Identifier(type=Identifier.TYPE_PHONE, value=number)],
    )
    customers = stage.stub(EVERYONE, CustomerServiceStub, "customer")
    request = customer_service_pb2.CreateCustomerRequest(customer=customer)
    return str(stage.call(customers.CreateCustomer, request).name)
