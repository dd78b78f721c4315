"""PurposeService."""

from typing import Any

from chassis.api.etags import etag
from chassis.api.masks import masked
from chassis.api.messages import to_message
from chassis.api.validation import Check
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.grpc.mutation import mutation
from customer.domain.consents import Default, Purpose
from customer.rpc import names
from customer.store.consents import LIST_PURPOSES, PURPOSE
from customer.usecases.purposes import create_purpose, update_purpose
from rapport.customer.v1 import purpose_pb2, purpose_service_pb2, purpose_service_pb2_grpc

_DEFAULT = purpose_pb2.Purpose.Default.DESCRIPTOR
_TEXTS = ("display_name", "description")
_DESCRIPTION_MAX = 1000


class PurposeRpc(purpose_service_pb2_grpc.PurposeServiceServicer):
    """The purposes of contact."""

    def __init__(self, db: Database) -> None:
        self.db = db

    @mutation
    async def CreatePurpose(
        self, request: purpose_service_pb2.CreatePurposeRequest, tx: Transaction
    ) -> purpose_pb2.Purpose:
        """Create a purpose."""
        check, sent = Check(), request.purpose
        purpose_id = check.code(request.purpose_id, "purpose_id")
        within = check.at("purpose")
        texts = _texts(within, sent, _TEXTS)
        default = within.enum(_DEFAULT, sent.contact_default, "contact_default")
        check.raise_if_any()
        purpose = Purpose(
            id=purpose_id,
            **texts,
            contact_default=Default(default),
            create_time=tx.now,
            update_time=tx.now,
            version=1,
        )
        return _message(await create_purpose(tx, purpose))

    async def GetPurpose(
        self, request: purpose_service_pb2.GetPurposeRequest, context: Any
    ) -> purpose_pb2.Purpose:
        """Get a purpose."""
        (purpose_id,) = names.PURPOSE.parse(request.name)
        purpose = await PURPOSE.maybe(self.db, id=purpose_id)
        if purpose is None:
            raise NotFound(request.name)
        return _message(purpose)

    async def ListPurposes(
        self, request: purpose_service_pb2.ListPurposesRequest, context: Any
    ) -> purpose_service_pb2.ListPurposesResponse:
        """List purposes by name."""
        purposes, token = await LIST_PURPOSES.page(self.db, request, _message)
        return purpose_service_pb2.ListPurposesResponse(purposes=purposes, next_page_token=token)

    @mutation
    async def UpdatePurpose(
        self, request: purpose_service_pb2.UpdatePurposeRequest, tx: Transaction
    ) -> purpose_pb2.Purpose:
        """Change how a purpose is called and described."""
        check, sent = Check(), request.purpose
        (purpose_id,) = check.name(names.PURPOSE, sent.name, "purpose.name")
        changes = _texts(check.at("purpose"), sent, masked(request.update_mask, sent, _TEXTS))
        check.raise_if_any()
        return _message(await update_purpose(tx, purpose_id, changes, sent.etag))


def _texts(check: Check, sent: purpose_pb2.Purpose, fields: Any) -> dict[str, Any]:
    """The texts of a purpose that are asked for, by field."""
    most = {"display_name": 200, "description": _DESCRIPTION_MAX}
    return {
        field: check.text(getattr(sent, field), field, max=most[field], required=field == "display_name")
        for field in fields
    }


def _message(purpose: Purpose) -> purpose_pb2.Purpose:
    return to_message(purpose_pb2.Purpose, purpose, etag=etag(purpose.version))
