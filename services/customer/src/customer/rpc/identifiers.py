"""Identifiers as the contract has them."""

from chassis.api.actors import actor_name
from chassis.api.handles import number_parts
from chassis.api.messages import timestamp, to_message
from customer.domain.identifiers import NUMBERS, Identifier
from rapport.customer.v1 import identifier_pb2 as pb


def identifier_message(identifier: Identifier) -> pb.Identifier:
    """An identifier, with what its number says, and how it was proved."""
    is_number = identifier.type in NUMBERS
    region, extension = number_parts(identifier.normalized_value) if is_number else ("", "")
    message = to_message(pb.Identifier, identifier, region_code=region, extension=extension)
    if identifier.verify_time is not None:
        message.verification.method = identifier.verification_method
        message.verification.verify_time.CopyFrom(timestamp(identifier.verify_time))
        message.verification.verifier = actor_name(identifier.verifier, "customer")
    return message
