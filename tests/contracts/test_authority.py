"""Every RPC, role and department against the table in authority.txt, on real services."""

from collections.abc import AsyncIterator, Iterable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import grpc
import pytest
import sqlalchemy as sa
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from chassis.auth.permissions import is_owned
from chassis.context import Principal
from chassis.db.schema import AUDIT
from chassis.db.statement import Statement
from chassis.grpc.status import reason
from rapport.options.v1 import options_pb2
from rapport_testing.running import Running
from rapport_testing.tokens import TestIssuer
from rapport_tools.cli import contracts
from rapport_tools.local.roles import ROLES
from tests.contracts.scene import Scene
from tests.contracts.scenes import SCENES
from tests.contracts.valid import CONTRACTS

# By what the table says: by a caller's department, when the resource is billing's. Who may although it is not
# theirs may when it is, and who may not although it is theirs may not when it is not.
EXPECTED = {
    "any": {"delivery": "may"},
    "own": {"billing": "may", "delivery": "NOT_OWNER"},
    "lent": {"billing": "may", "delivery": "may"},  # delivery answers for the case in such scenes
    "-": {"billing": "PERMISSION_DENIED"},
}
_UNNAMED = Statement[Any](
    sa.select(AUDIT.c.what).where(AUDIT.c.resources == "", AUDIT.c.actor.like(sa.bindparam("actor")))
)


def table() -> dict[str, dict[str, str]]:
    """What each role may, by RPC."""
    lines = (Path(__file__).parent / "authority.txt").read_text().splitlines()
    header, *rows = (line.split() for line in lines if line and not line.startswith("#"))
    assert header == list(ROLES), "a column for each role"
    found: dict[str, dict[str, str]] = {}
    for rpc, *cells in rows:
        assert rpc not in found, f"{rpc} has two rows"
        found[rpc] = dict(zip(header, cells, strict=True))
    return found


def methods() -> dict[str, MethodDescriptor]:
    """Every RPC, by the table's name for it."""
    return {
        f"{contracts.owner(service)}.{service.name}.{method.name}": method
        for service in contracts.services()
        for method in service.methods
    }


def restricted(method: MethodDescriptor) -> Iterator[str]:
    """The fields of a request that need a further permission, also those of the requests in a batch."""
    parts = [method.input_type]
    parts += [f.message_type for f in method.input_type.fields if f.name == "requests"]
    for part in parts:
        for field in part.fields:
            if field.GetOptions().Extensions[options_pb2.further_permission]:
                yield field.name


def test_every_rpc_has_a_row_and_every_row_an_rpc() -> None:
    rpcs = methods()
    further = {f"{rpc}+{field}" for rpc, method in rpcs.items() for field in restricted(method)}
    assert set(table()) == set(rpcs) | further | {scene for scene in SCENES if "+" in scene}


def administers(permissions: frozenset[str], rpc: str) -> bool:
    """Whether a role may change what any department owns."""
    return Principal("agent:x", permissions=permissions).administers(rpc.partition(".")[0])


# Whatever is asked for, the caller's own department's is made or returned.
IN_OWN_NAME = {"customer.ImportService.CreateImportJob"}


def test_what_a_department_owns_no_other_changes() -> None:
    rows = table()
    for rpc, method in methods().items():
        if "request_id" in method.input_type.fields_by_name and is_owned(method.output_type):
            may = {"any", "-"} if rpc in IN_OWN_NAME else {"own", "-"}
            bound = {role for role, may_do in ROLES.items() if not administers(may_do, rpc)}
            assert {rows[rpc][role] for role in bound} <= may, rpc
            assert rpc in SCENES, f"{rpc} needs a scene in which it succeeds"


class World:
    """A running service, called by whoever a test likes."""

    def __init__(self, running: Running, issuer: TestIssuer) -> None:
        self.db = running.db
        self._token = cache(lambda role, own: issuer.token(f"agent:{role}-x", ROLES[role], own))
        self._channel = grpc.aio.insecure_channel(running.address)

    async def call(self, method: MethodDescriptor, request: Message, role: str, department: str) -> Any:
        """The answer to `agent:role-x` of a department; None for a stream that begins."""
        identity = [("authorization", f"Bearer {self._token(role, department)}")]
        path = f"/{method.containing_service.full_name}/{method.name}"
        body = request.SerializeToString()
        if method.server_streaming:
            stream: Any = self._channel.unary_stream(path)(body, timeout=10, metadata=identity)
            await stream.read()
            return None
        answer = await self._channel.unary_unary(path)(body, timeout=10, metadata=identity)
        return contracts.message_class(method.output_type).FromString(answer)

    async def administer(self, rpc: str, request: Message) -> Any:
        """What scenes prepare with: an administrator of the department that owns."""
        return await self.call(contracts.method(rpc), request, "admin", "billing")

    async def outcomes(
        self, scene: Scene | None, method: MethodDescriptor, callers: Iterable[tuple[str, str]]
    ) -> AsyncIterator[tuple[str, str, str]]:
        """Of each role and department `may`, or the reason of the refusal, which leaves the scene as it is.

        With a scene, who may succeeds; otherwise they get further.
        """
        request, used = contracts.message_class(method.input_type)(), True
        for role, department in callers:
            if scene and used:
                request = await scene(self.administer)
            got = await self._outcome(scene, method, request, role, department)
            used = got == "may"
            yield role, department, got

    async def _outcome(
        self, scene: Scene | None, method: MethodDescriptor, request: Message, role: str, department: str
    ) -> str:
        try:
            await self.call(method, request, role, department)
        except grpc.aio.AioRpcError as error:
            if scene or error.code() in (
                grpc.StatusCode.PERMISSION_DENIED,
                grpc.StatusCode.UNAUTHENTICATED,
                grpc.StatusCode.INTERNAL,
            ):
                return reason(error)
        return "may"

    async def close(self) -> None:
        """Hang up."""
        await self._channel.close(None)


@pytest.fixture
async def world(start: Any, issuer: TestIssuer, peers: dict[str, str], name: str) -> Any:
    """One service, to itself."""
    module = import_module(f"{CONTRACTS[name]}.service")
    running = await start(module.service, peers=peers, smtp_host="127.0.0.1")
    made = World(running, issuer)
    yield made
    await made.close()


@pytest.mark.parametrize("name", CONTRACTS)
async def test_each_role_may_what_the_table_says(world: World, name: str) -> None:
    rpcs, expected, got = methods(), {}, {}
    for rpc, cells in table().items():
        if not rpc.startswith(f"{name}."):
            continue
        method = rpcs[rpc.partition("+")[0]]
        for is_refused_unread in (True, False):  # whatever is asked
            callers = {
                (role, department): outcome
                for role, cell in cells.items()
                for department, outcome in EXPECTED[cell].items()
                if (cell == "-" and "+" not in rpc) is is_refused_unread
            }
            expected |= {(rpc, *caller): outcome for caller, outcome in callers.items()}
            scene = None if is_refused_unread else SCENES.get(rpc)
            async for role, department, outcome in world.outcomes(scene, method, callers):
                got[rpc, role, department] = outcome
    assert {key: value for key, value in got.items() if value != expected[key]} == {}
    assert await _UNNAMED.all(world.db, actor="%-x") == [], "audit rows that name no resource"
