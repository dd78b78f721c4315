"""`/notices/{id}/message`: what a message to a customer said."""

from hashlib import sha256

from fastapi import APIRouter
from fastapi.responses import Response

from chassis.api.messages import moment
from desk.pages.actions.kinds.notice import rendered
from desk.pages.base import Look
from rapport.customer.v1.customer_service_pb2 import GetCustomerRequest
from rapport.notifications.v1.notice_service_pb2 import GetNoticeRequest

router = APIRouter()


@router.get("/notices/{notice}/message")
async def message(look: Look, notice: str) -> Response:
    """Its subject and text, made of what it was made of. A fragment for the panel."""
    services = look.services
    told = await services.notices.GetNotice(GetNoticeRequest(name=f"notices/{notice}"))
    customer = await services.customers.GetCustomer(GetCustomerRequest(name=told.customer))
    text = await rendered(services, customer, told.template, told.variables, told.language_code)
    sent = look.say.moment(moment(told.send_time)) if told.HasField("send_time") else ""
    is_as_sent = sha256(f"{text.subject}\n\n{text.body}".encode()).hexdigest() == told.content_hash
    is_other = told.content_hash != "" and not is_as_sent
    return look.answer("pages/message/message.html", text=text, sent=sent, is_other=is_other)
