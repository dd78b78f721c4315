"""AttachmentService."""

from typing import Any

from google.protobuf.empty_pb2 import Empty

from chassis.api.entities import found
from chassis.api.messages import to_message
from chassis.errors import NotFound
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from customer.domain.attachments import AttachmentLimits
from customer.names import ATTACHMENT, CUSTOMER
from customer.store import attachments as store
from customer.store import tables
from customer.usecases.attachments import delete_attachment, upload_attachment
from customer.usecases.hot_views import HotViews
from rapport.customer.v1 import attachment_service_pb2 as pb
from rapport.customer.v1.attachment_pb2 import Attachment
from rapport.customer.v1.attachment_service_pb2_grpc import AttachmentServiceServicer


class AttachmentRpc(Rpc, AttachmentServiceServicer):
    """Files of customers; views, which `hot` forgets when one changes, show them."""

    hot: HotViews
    limits: AttachmentLimits

    UploadAttachment = change(pb.UploadAttachmentRequest, upload_attachment, Attachment)
    GetAttachment = get(ATTACHMENT, store.ATTACHMENT, Attachment)
    ListAttachments = listing(
        pb.ListAttachmentsResponse, store.LIST_ATTACHMENTS, parent=(CUSTOMER, tables.CUSTOMER)
    )
    DeleteAttachment = change(pb.DeleteAttachmentRequest, delete_attachment, Empty)

    async def DownloadAttachment(
        self, request: pb.DownloadAttachmentRequest, context: Any
    ) -> pb.DownloadAttachmentResponse:
        """Read the bytes. ATTACHMENT_NOT_READABLE."""
        attachment = await found(self.db, ATTACHMENT, store.ATTACHMENT, *ATTACHMENT.ids(request.name))
        attachment.require_readable()
        held = await store.CONTENT.maybe(self.db, customer_id=attachment.customer_id, id=attachment.id)
        if held is None:  # deleted a moment ago
            raise NotFound(attachment.name)
        return pb.DownloadAttachmentResponse(
            attachment=to_message(Attachment, attachment), content=held.content
        )
