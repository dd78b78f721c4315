"""A command's way to the operations of every service of the running stack."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chassis.cli.session import Session
    from rapport.operations.v1.operations_pb2 import DeadLetter
    from rapport.operations.v1.operations_service_pb2_grpc import OperationsServiceStub


def operations(session: "Session", service: str) -> "OperationsServiceStub":
    """The operations of one service."""
    from rapport.operations.v1.operations_service_pb2_grpc import OperationsServiceStub

    return session.stub(OperationsServiceStub, service)


def dead_letters(session: "Session", service: str, parent: str = "consumers/-") -> Iterator["DeadLetter"]:
    """The dead letters of a service's consumers, oldest first, page by page."""
    from rapport.operations.v1.operations_service_pb2 import ListDeadLettersRequest

    request = ListDeadLettersRequest(parent=parent, page_size=1000)
    while True:
        page = operations(session, service).ListDeadLetters(request)
        yield from page.dead_letters
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token
