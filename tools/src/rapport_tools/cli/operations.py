"""A command's way to the operations of every service of the running stack, or of a cluster."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from rapport.operations.v1.operations_pb2 import DeadLetter
from rapport.operations.v1.operations_service_pb2 import ListDeadLettersRequest
from rapport.operations.v1.operations_service_pb2_grpc import OperationsServiceStub
from rapport_tools.cli.failures import Exit, Failure, is_lost, reason_of, whom_to_ask
from rapport_tools.cli.output import listing
from rapport_tools.cli.session import Session, pages


def operations(session: Session, service: str) -> OperationsServiceStub:
    return session.stub(OperationsServiceStub, service)


def list_of_each(
    service: str,
    read: "Callable[[str, OperationsServiceStub], Iterable[dict[str, Any]]]",
    *,
    as_json: bool,
    empty: str,
    columns: list[str] | None = None,
) -> None:
    """List what every service answers, or one: all that rows say, or `columns` of it.

    Failure at the end that names those that did not answer.
    """
    session, rows, silent = Session.open(), list[dict[str, Any]](), list[str]()
    for name in [service] if service else session.peers:
        try:
            rows += read(name, operations(session, name))
        except Exception as error:
            if not is_lost(error):
                raise
            why = reason_of(error)
            silent.append(f"{name} ({why})" if why else name)
    if rows or as_json or not silent:
        listing(rows, columns or list(rows[0] if rows else ()), as_json=as_json, empty=empty)
    if silent:
        raise Failure(f"No answer from {', '.join(silent)}: see {whom_to_ask()}.", Exit.UNREACHABLE)


def dead_letters(stub: OperationsServiceStub, service: str, consumer: str = "-") -> Iterator[DeadLetter]:
    """The dead letters of a service's consumer, or of all its consumers, oldest first, page by page."""
    request = ListDeadLettersRequest(parent=f"services/{service}/consumers/{consumer}", page_size=1000)
    for page in pages(stub.ListDeadLetters, request):
        yield from page.dead_letters
