"""`rapport consumers`, `rapport timers`, `rapport work`: what services listen to and have still to do."""

from collections.abc import Iterator
from typing import Any

import typer
from google.protobuf.timestamp_pb2 import Timestamp

from chassis.api.messages import value_name
from rapport.operations.v1.operations_service_pb2 import (
    ListConsumersRequest,
    ListTimersRequest,
    ListWorkRequest,
)
from rapport.operations.v1.operations_service_pb2_grpc import OperationsServiceStub
from rapport_tools.cli.operations import list_of_each
from rapport_tools.cli.output import AsJson

app = typer.Typer()
MOST = 1000
Service = typer.Argument("", help="Only of one service.")


@app.command()
def consumers(service: str = Service, as_json: bool = AsJson) -> None:
    """Show what each service listens to, and how many events wait, are in hand, or could not be applied."""

    def rows(name: str, stub: OperationsServiceStub) -> Iterator[dict[str, Any]]:
        for each in stub.ListConsumers(ListConsumersRequest(**_of(name))).consumers:
            yield {
                "consumer": each.name.rpartition("/")[2],
                "source": each.service.rpartition("/")[2],
                "pending": each.pending_count,
                "in_hand": each.in_hand_count,
                "parked": each.parked_count,
                "dead_letters": each.dead_letter_count,
                "missing": "missing" if each.missing else "",
            }

    list_of_each(service, rows, as_json=as_json, empty="No consumers.")


@app.command()
def timers(service: str = Service, as_json: bool = AsJson) -> None:
    """Show what is to happen at a time, the next first: up to 1,000 of each service."""

    def rows(name: str, stub: OperationsServiceStub) -> Iterator[dict[str, Any]]:
        for each in stub.ListTimers(ListTimersRequest(**_of(name))).timers:
            what = {"kind": each.kind, "key": each.key, "attempts": each.attempt_count}
            yield {"service": name, "due": _at(each.due_time), **what}

    list_of_each(service, rows, as_json=as_json, empty="No timers.")


@app.command()
def work(service: str = Service, as_json: bool = AsJson) -> None:
    """Show work on the outside world that has not ended, or of which nobody knows: up to 1,000 of each."""

    def rows(name: str, stub: OperationsServiceStub) -> Iterator[dict[str, Any]]:
        for each in stub.ListWork(ListWorkRequest(**_of(name))).work:
            yield {
                "service": name,
                "kind": each.kind,
                "key": each.key,
                "state": value_name(each, "state"),
                "attempts": each.attempt_count,
                "code": each.code,
                "due": _at(each.due_time),
                "waits_for_us": "yes" if each.alarm else "",
            }

    list_of_each(service, rows, as_json=as_json, empty="No work.")


def _of(service: str) -> dict[str, Any]:
    return {"parent": f"services/{service}", "page_size": MOST}


def _at(time: Timestamp) -> str:
    return time.ToDatetime().isoformat(sep=" ", timespec="seconds")
