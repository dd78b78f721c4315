"""What happens in several acts: a contact, a case, work, a promise on it, a forecast, a mail."""

from typing import Any, NamedTuple
from uuid import uuid4

from google.protobuf.timestamp_pb2 import Timestamp

from chassis.api.messages import value_name
from rapport.cases.v1 import (
    case_service_pb2,
    promise_pb2,
    promise_service_pb2,
    work_item_service_pb2,
)
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.case_service_pb2_grpc import CaseServiceStub
from rapport.cases.v1.promise_service_pb2_grpc import PromiseServiceStub
from rapport.cases.v1.work_item_pb2 import WorkItem
from rapport.cases.v1.work_item_service_pb2_grpc import WorkItemServiceStub
from rapport.common.v1 import channel_pb2
from rapport.customer.v1 import attachment_service_pb2, timeline_pb2, timeline_service_pb2, view_pb2
from rapport.customer.v1.attachment_pb2 import Attachment
from rapport.customer.v1.attachment_service_pb2_grpc import AttachmentServiceStub
from rapport.customer.v1.timeline_service_pb2_grpc import TimelineServiceStub
from rapport.notifications.v1 import notice_service_pb2
from rapport.notifications.v1.delivery_attempt_pb2 import DeliveryAttempt
from rapport.notifications.v1.notice_service_pb2_grpc import NoticeServiceStub
from rapport_tools.demo.stage import ALICE, EVERYONE, Person, Stage, in_days


class Order(NamedTuple):
    """An order that was taken: the work on it, and the promise on that."""

    item: WorkItem
    promise: str


def take_order(stage: Stage) -> Order:
    """The customer calls, Alice takes an order and promises in delivery's name: in three days."""
    contact(stage, ALICE, "order", channel_pb2.DIRECTION_INBOUND)
    case = open_case(stage, "order-delivery")
    item = give_work(stage, case, "delivery", "deliver-order", f"orders/demo-{uuid4().hex[:8]}")
    promise = promise_on(stage, item, "delivery", days=3)
    stage.names |= {"case": case, "promise": promise}
    return Order(item, promise)


def contact(
    stage: Stage,
    person: Person,
    topic: str,
    direction: "channel_pb2.Direction.ValueType",
    summary: str = "",
    about: str = "",
    letter: str = "",
) -> None:
    """Somebody records a call, about a case if there is one: whoever speaks with them next need not ask.

    With a letter, a file of the contact by the name of its topic, that is what came in its place.
    """
    channel = channel_pb2.CHANNEL_LETTER if letter else channel_pb2.CHANNEL_VOICE
    entry = timeline_pb2.TimelineEntry(
        channel=channel, direction=direction, topic=topic, summary=summary, resource=about
    )
    if letter:
        upload = attachment_service_pb2.UploadAttachmentRequest(
            parent=stage.customer,
            attachment=Attachment(display_name=f"{topic}.txt"),
            content=letter.encode(),
        )
        files = stage.stub(person, AttachmentServiceStub, "customer")
        entry.attachments.append(stage.call(files.UploadAttachment, upload).name)
    request = timeline_service_pb2.RecordInteractionRequest(parent=stage.customer, timeline_entry=entry)
    stage.call(stage.stub(person, TimelineServiceStub, "customer").RecordInteraction, request)


def open_case(stage: Stage, topic: str) -> str:
    """Alice answers for what the customer wants settled."""
    case = Case(customer=stage.customer, topic=topic, owner="agents/alice")
    cases = stage.stub(ALICE, CaseServiceStub, "cases")
    return str(stage.call(cases.OpenCase, case_service_pb2.OpenCaseRequest(case=case)).name)


def give_work(stage: Stage, case: str, department: str, kind: str, reference: str) -> WorkItem:
    """Alice asks a department for its part."""
    item = WorkItem(case=case, department=f"departments/{department}", kind=kind, reference=reference)
    request = work_item_service_pb2.CreateWorkItemRequest(work_item=item)
    given: WorkItem = stage.call(work(stage, ALICE).CreateWorkItem, request)
    return given


def promise_on(stage: Stage, item: WorkItem, kind: str, *, days: float) -> str:
    """Alice promises the customer what a department works on: the promise is that department's, too."""
    promise = promise_pb2.Promise(
        customer=stage.customer,
        case=item.case,
        work_item=item.name,
        department=item.department,
        kind=kind,
        reference=item.reference,
        due_time=in_days(days),
    )
    request = promise_service_pb2.MakePromiseRequest(promise=promise)
    return str(stage.call(promises(stage, ALICE).MakePromise, request).name)


def work(stage: Stage, person: Person) -> WorkItemServiceStub:
    return stage.stub(person, WorkItemServiceStub, "cases")


def promises(stage: Stage, person: Person) -> PromiseServiceStub:
    return stage.stub(person, PromiseServiceStub, "cases")


def forecast(stage: Stage, person: Person, item: WorkItem, reason_code: str, when: Timestamp) -> None:
    """Somebody says when the work will be done, and why not sooner."""
    request = work_item_service_pb2.ForecastWorkItemRequest(
        name=item.name, forecast_finish_time=when, reason_code=reason_code
    )
    stage.call(work(stage, person).ForecastWorkItem, request)


def told(stage: Stage, promise: str) -> str:
    """Wait until the customer was told and the promise moved, in the view; the promise in its place."""

    def successor() -> str:
        parts = {part.promise: part for part in stage.view().promises}
        moved = parts.get(promise, view_pb2.PromisePart())
        next_one = parts.get(moved.successor)
        states = [value_name(part, "state") for part in (moved, next_one) if part]
        return moved.successor if states == ["RENEGOTIATED", "OPEN"] else ""

    found = stage.until(successor, "the customer to be told and the promise to be renegotiated")
    request = notice_service_pb2.ListNoticesRequest(filter=f'promise = "{promise}"')
    notices = stage.stub(EVERYONE, NoticeServiceStub, "notifications")
    listed: Any = stage.call(notices.ListNotices, request)
    stage.names["notices"] = [notice.name for notice in listed.notices]
    return found


def mails(stage: Stage) -> int:
    """How many messages a mail server has accepted of the act's notices."""
    attempts = stage.stub(EVERYONE, NoticeServiceStub, "notifications").ListDeliveryAttempts
    requests = [
        notice_service_pb2.ListDeliveryAttemptsRequest(parent=notice) for notice in stage.names["notices"]
    ]
    listed = [each for request in requests for each in stage.call(attempts, request).delivery_attempts]
    return sum(each.outcome == DeliveryAttempt.OUTCOME_ACCEPTED for each in listed)
