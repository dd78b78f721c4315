"""No message reaches the customer: a person calls, before the date that was promised."""

from functools import partial
from typing import Any

from rapport.cases.v1 import promise_service_pb2
from rapport.cases.v1.promise_pb2 import Promise
from rapport.common.v1 import channel_pb2
from rapport.customer.v1 import customer_service_pb2
from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceStub
from rapport.customer.v1.identifier_pb2 import Identifier
from rapport_tools.demo.acts.order import forecast, promises, take_order
from rapport_tools.demo.acts.speaking import speak, waiting
from rapport_tools.demo.changes import named
from rapport_tools.demo.stage import ALICE, DORA, EVERYONE, Act, Stage, in_days, patiently

NUMBER = "+49 30 901822"


def play(stage: Stage) -> None:
    """From an address that is no more to somebody who was told all the same."""
    _lose_the_address(stage)
    item, promise = take_order(stage)
    stage.step(
        "A mail to her came back: the address is no more, and Alice notes her number instead."
        f" She takes {named(item.reference)}: delivery promised in three days."
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


def _lose_the_address(stage: Stage) -> None:
    customers = stage.stub(EVERYONE, CustomerServiceStub, "customer")
    listing = customer_service_pb2.ListIdentifiersRequest(parent=stage.customer)
    listed: Any = patiently(partial(customers.ListIdentifiers, listing))
    for each in listed.identifiers:
        if each.type == Identifier.TYPE_EMAIL:
            gone = customer_service_pb2.DeleteIdentifierRequest(name=each.name)
            stage.call(customers.DeleteIdentifier, gone)
    number = Identifier(type=Identifier.TYPE_PHONE, value=NUMBER)
    if not any(each.type == Identifier.TYPE_PHONE for each in listed.identifiers):
        added = customer_service_pb2.CreateIdentifierRequest(parent=stage.customer, identifier=number)
        stage.call(customers.CreateIdentifier, added)
