"""What tests of goodwill ask for."""

from uuid import uuid4

from rapport.loyalty.v1.goodwill_pb2 import Goodwill, Points
from rapport.loyalty.v1.goodwill_service_pb2 import GrantGoodwillRequest


def new(collection: str) -> str:
    """The name of something that another service has."""
    return f"{collection}/{uuid4()}"


def goodwill(customer: str, points: int, promise: str = "") -> Goodwill:
    """So many points, for a promise if one is named."""
    return Goodwill(
        customer=customer, points=Points(amount=points), promise=promise, reason_code="late-delivery"
    )


def grant(customer: str, points: int, promise: str = "") -> GrantGoodwillRequest:
    """A request to grant that."""
    return GrantGoodwillRequest(goodwill=goodwill(customer, points, promise), request_id=str(uuid4()))
