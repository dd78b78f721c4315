"""The smallest whole service, run as a process by the tests. Files tell it what to do: `SAMPLE_FOLDER/...`.

BatchGetAccounts creates `called` and waits until there is a file `answer`.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from grpc_health.v1 import health_pb2_grpc

from chassis.app import App
from chassis.db.transaction import Transaction
from chassis.events import nats
from chassis.events.declarations import Listening
from chassis.events.envelope import Event
from chassis.service import Service, main
from chassis.settings import ServiceSettings
from rapport.cases.v1.cases_events_pb2 import PromiseRenegotiated
from rapport.loyalty.v1 import ledger_service_pb2, ledger_service_pb2_grpc, loyalty_events_pb2

MIGRATIONS = Path(__file__).parent.parent / "migrations"


class Ledger(ledger_service_pb2_grpc.LedgerServiceServicer):
    """Answers when it is told to."""

    async def BatchGetAccounts(self, request: Any, context: Any) -> Any:
        folder = Path(os.environ["SAMPLE_FOLDER"])
        (folder / "called").touch()
        while not (folder / "answer").exists():  # noqa: ASYNC110 - the test is another process
            await asyncio.sleep(0.01)
        return ledger_service_pb2.BatchGetAccountsResponse()


async def on_renegotiated(tx: Transaction, event: Event[PromiseRenegotiated]) -> None:
    """Listens, so that a consumer has to be provisioned."""


def compose(app: App[ServiceSettings]) -> None:
    app.serve(Ledger())  # type: ignore[abstract]  # what is missing answers UNIMPLEMENTED
    app.subscribe("loyalty-promises", on_renegotiated)
    if os.environ.get("SAMPLE_OPEN_TO_ALL"):
        app.serve(health_pb2_grpc.HealthServicer())


service = Service(
    "loyalty",
    port=7003,
    settings=ServiceSettings,
    events=loyalty_events_pb2,
    migrations=MIGRATIONS,
    compose=compose,
    listens=[Listening("loyalty-promises", "cases", [PromiseRenegotiated])],
    calls=["customer"] if os.environ.get("SAMPLE_CALLS_CUSTOMER") else [],
)

if __name__ == "__main__":
    nats.CONNECT_TIMEOUT_S = float(os.environ.get("SAMPLE_CONNECT_TIMEOUT_S", nats.CONNECT_TIMEOUT_S))
    sys.exit(main(service))
