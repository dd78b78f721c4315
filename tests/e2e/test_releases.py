"""A platform of the last release becomes one of today with no call lost: both run on one database and broker.

The last release is taken from history, by its commit in docs/releases.md, and runs with today's libraries.
"""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import grpc
import pytest
from google.type.money_pb2 import Money

from chassis.api.messages import timestamp
from chassis.grpc.client import Channels
from chassis.grpc.status import reason
from rapport.cases.v1.case_service_pb2 import ListCasesRequest
from rapport.cases.v1.case_service_pb2_grpc import CaseServiceStub
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.customer_service_pb2 import CreateCustomerRequest
from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceStub
from rapport.customer.v1.view_service_pb2 import GetCustomerViewRequest
from rapport.customer.v1.view_service_pb2_grpc import ViewServiceStub
from rapport.loyalty.v1.purchase_pb2 import Purchase
from rapport.loyalty.v1.purchase_service_pb2 import RecordPurchaseRequest
from rapport.loyalty.v1.purchase_service_pb2_grpc import PurchaseServiceStub
from rapport_testing.infrastructure import in_memory
from rapport_testing.wait import eventually
from rapport_tools.cli.session import Session
from rapport_tools.demo.story import Outcome
from rapport_tools.local.issuer import Issuer
from tests.contracts.test_other_languages import extract
from tests.e2e.outcome import assert_told_once, run_story
from tests.e2e.stack import Stack

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CALLERS = 4
CHANGE_TIMEOUT_S = 120
# Each Python of the platform reads this when it starts: who listens on one of the ports is of the release.
CHOOSES = """
import os, pathlib, sys
here = pathlib.Path(__file__).parent
if os.environ.get("RAPPORT_GRPC_PORT", "none") in (here / "ports").read_text().split():
    sys.path.insert(0, str(here / "site"))
    (here / "started" / str(os.getpid())).touch()
"""


class Release:
    """The packages of the last release, installed in a folder of their own, and who runs them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.site, self.source = folder, folder / "site", folder / "source"
        self.told: dict[str, Any] = {}  # of the story that it ran
        self._ports = folder / "ports"
        self.run_by()
        (folder / "started").mkdir()
        (folder / "sitecustomize.py").write_text(CHOOSES)

    def install(self, commit: str) -> None:
        """Take it from history. Packages that it had not are hidden from it."""
        extract(self.source, commit)
        packages = [path.parent for path in _packages(self.source)]
        uv = [Path(sys.executable).parent / "uv", "-q", "pip", "install", "--offline", "--no-deps"]
        subprocess.run([*uv, "--no-build-isolation", "--target", self.site, *packages], check=True)
        # Its contracts alone: without this, those of today would be of the same namespace.
        (self.site / "rapport" / "__init__.py").touch()
        for path in _packages(ROOT):
            if not (self.source / path.relative_to(ROOT)).exists():
                hidden = self.site / f"rapport_{path.parent.name}-0.dist-info"
                hidden.mkdir()
                (hidden / "METADATA").write_text(
                    f"Metadata-Version: 2.1\nName: rapport-{path.parent.name}\nVersion: 0\n"
                )

    @property
    def services(self) -> list[str]:
        """Those that it had."""
        return sorted(path.parent.name for path in self.source.glob("services/*/pyproject.toml"))

    def run_by(self, *addresses: str) -> None:
        """Whoever listens there runs it from its next start on; everybody else runs what is here."""
        self._ports.write_text(" ".join(address.rpartition(":")[2] for address in addresses))

    def is_run_by(self, pid: int) -> bool:
        """Whether a process is of the release."""
        return (self.folder / "started" / str(pid)).exists()


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """The last one."""
    [commit, *_] = re.findall(r"^\| [\d.]+ \| \S+ \| `(\w+)`", (ROOT / "docs/releases.md").read_text(), re.M)
    known = subprocess.run(["git", "cat-file", "-e", commit], cwd=ROOT, check=False, capture_output=True)
    if known.returncode:
        pytest.skip(f"this clone does not hold {commit}, the last release: git fetch --unshallow")
    made = Release(tmp_path_factory.mktemp("release"))
    made.install(commit)
    return made


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, release: Release) -> Iterator[Stack]:
    """Two replicas of each service, on what the last release left: its databases, streams and consumers."""
    with in_memory(tmp_path_factory.mktemp("stack")) as folder:
        made = Stack(folder)  # one replica each: two of 0.2.0 that start at once may fail over partitions
        made.env["PYTHONPATH"] = str(release.site)
        release.told = made.json("demo")  # starts and stops a platform for itself
        made.env |= {"PYTHONPATH": str(release.folder), "RAPPORT_LOCAL_REPLICAS": "2"}
        with made.up():
            yield made


@pytest.mark.usefixtures("stack")
def test_what_the_last_release_kept_is_whole_after_the_migrations(release: Release) -> None:
    assert_told_once(Outcome(**{**release.told, "explain": None}))


async def test_both_serve_side_by_side_and_changing_either_way_loses_no_call(
    stack: Stack, release: Release, tmp_path: Path
) -> None:
    second = [f"{name}-2" for name in release.services]
    async with called(tmp_path) as load:
        release.run_by(*(stack.unit(name)["address"] for name in second))
        for name in second:  # back, as a rollback of the image would
            await change(stack, name)
            assert release.is_run_by(stack.unit(name)["pid"])
        for _ in range(3):
            await asyncio.to_thread(lambda: assert_told_once(run_story()))
        release.run_by()
        for name in second:  # and forth, as an upgrade
            await change(stack, name)
            assert not release.is_run_by(stack.unit(name)["pid"])
    assert load.lost == []
    assert await kept(load.customer) == load.recorded
    assert stack.json("dead-letters", "list") == []


async def change(stack: Stack, name: str) -> None:
    """Stop a replica as Kubernetes does, and wait for the one in its place."""
    before = stack.unit(name)
    os.kill(before["pid"], signal.SIGTERM)

    def is_back() -> bool:
        now = stack.unit(name)
        return bool(now["state"] == "ready" and now["pid"] != before["pid"])

    await eventually(is_back, CHANGE_TIMEOUT_S)


class Load:
    """Calls as one service makes them to another."""

    def __init__(self, channels: Channels, customer: str) -> None:
        self.customer = customer
        self.recorded = 0
        self.lost: list[str] = []
        self.is_ended = False
        self._views: Any = ViewServiceStub(channels.to("customer"))
        self._purchases: Any = PurchaseServiceStub(channels.to("loyalty"))
        self._cases: Any = CaseServiceStub(channels.to("cases"))

    async def call(self) -> None:
        """One caller, until the end."""
        while not self.is_ended:
            try:
                await self._views.GetCustomerView(GetCustomerViewRequest(name=f"{self.customer}/view"))
                await self._cases.ListCases(ListCasesRequest())
                await self._record(self._purchase())
                self.recorded += 1
            except grpc.aio.AioRpcError as error:
                self.lost.append(f"{error.code().name}: {error.details()}")

    async def _record(self, request: RecordPurchaseRequest) -> None:
        """All record for one customer: who waited for its row in vain asks again, as docs/errors.md says."""
        while True:
            try:
                await self._purchases.RecordPurchase(request)
                return
            except grpc.aio.AioRpcError as error:
                if reason(error) != "LOCK_TIMEOUT":
                    raise

    def _purchase(self) -> RecordPurchaseRequest:
        purchase = Purchase(
            customer=self.customer,
            amount=Money(currency_code="EUR", units=1),
            purchase_time=timestamp(datetime.now(UTC)),
        )
        return RecordPurchaseRequest(purchase=purchase, request_id=str(uuid4()))


@asynccontextmanager
async def called(folder: Path) -> AsyncIterator[Load]:
    """While it lasts, both replicas of services are called."""
    session = Session.open()
    customers = session.stub(CustomerServiceStub, "customer")
    made = customers.CreateCustomer(CreateCustomerRequest(customer=Customer(display_name="Ada Loadwell")))
    (folder / "token").write_text(Issuer(session.home).token_as("agent:demo", "front-desk"))
    channels = Channels(session.addresses(), folder / "token")
    load = Load(channels, made.name)
    callers = [asyncio.create_task(load.call()) for _ in range(CALLERS)]
    try:
        yield load
    finally:
        load.is_ended = True
        await asyncio.gather(*callers)
        await channels.close()


async def kept(customer: str) -> int:
    """How many purchases of a customer there are."""
    connection = await asyncpg.connect(Session.open().env["RAPPORT_LOYALTY_DATABASE_URL"])
    try:
        count = "SELECT count(*) FROM purchases WHERE customer_id = $1"
        return int(await connection.fetchval(count, UUID(customer.removeprefix("customers/"))))
    finally:
        await connection.close()


def _packages(folder: Path) -> list[Path]:
    return sorted([*folder.glob("*/pyproject.toml"), *folder.glob("services/*/pyproject.toml")])
