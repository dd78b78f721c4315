"""Who may do what on the running platform: tokens at every method, users at the broker, `rapport token`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import jwt
import nats.errors
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from chassis.auth.permissions import permissions
from chassis.events.nats import Connection, connect
from deploy.services import TELLING as SERVICES
from rapport.cases.v1.case_service_pb2 import ListCasesRequest
from rapport.cases.v1.case_service_pb2_grpc import CaseServiceStub
from rapport_tools.cli import contracts
from rapport_tools.cli.session import Session
from rapport_tools.local.home import Home
from rapport_tools.local.issuer import Issuer
from tests.e2e.stack import Stack


def served_by(service: str) -> list[ServiceDescriptor]:
    """The gRPC services that a service answers: its own, and what every service answers."""
    return [each for each in contracts.services() if contracts.owner(each) in (service, "operations")]


ALL = {
    permission
    for service in SERVICES
    for served in served_by(service)
    for permission in permissions(served, service).values()
}


def methods(service: str) -> list[MethodDescriptor]:
    """Every method that a service answers."""
    return [method for each in served_by(service) for method in each.methods]


def refusal(
    channel: grpc.Channel, service: str, method: MethodDescriptor, authorization: str | None
) -> tuple[str, str]:
    """Status code and documented reason of a call with an empty request."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    make = channel.unary_stream if method.server_streaming else channel.unary_unary
    metadata = [("authorization", authorization)] if authorization is not None else []
    call: Any = make(path)
    with pytest.raises(grpc.RpcError) as raised:
        list(call(b"", timeout=10, metadata=metadata))
    status = rpc_status.from_call(raised.value)  # type: ignore[arg-type]
    info = error_details_pb2.ErrorInfo()
    assert status is not None
    assert status.details[0].Unpack(info)
    assert info.domain == f"{service}.rapport"
    return raised.value.code().name, info.reason  # type: ignore[attr-defined]


@pytest.fixture
def channel(stack: Stack, service: str) -> Iterator[grpc.Channel]:
    """A bare channel to a service, without any identity."""
    with grpc.insecure_channel(Session.open().address(service)) as opened:
        yield opened


def without_identity(stack: Stack, folder: Path) -> dict[str, tuple[str | None, str]]:
    """Authorizations that name nobody, and the reason each is refused for."""
    issuer = Issuer(stack.home)
    good = issuer.token("agent:eve", ALL)
    claims = jwt.decode(good, options={"verify_signature": False})
    kid = jwt.get_unverified_header(good)["kid"]
    head, body, signature = good.split(".")
    foreign_home = Home(folder)
    foreign_home.create()
    foreign_key = ec.generate_private_key(ec.SECP256R1())
    return {
        "no token": (None, "TOKEN_MISSING"),
        "another scheme": (f"Basic {good}", "TOKEN_MISSING"),
        "no token after the scheme": ("Bearer ", "TOKEN_MISSING"),
        "malformed": ("Bearer not.a.token", "TOKEN_INVALID"),
        "cut off": (f"Bearer {head}.{body}", "TOKEN_INVALID"),
        "signature of another token": (f"Bearer {head}.{body}.{signature[::-1]}", "TOKEN_INVALID"),
        "unsigned": (f"Bearer {jwt.encode(claims, None, 'none', {'kid': kid})}", "TOKEN_INVALID"),
        "a foreign key": (f"Bearer {Issuer(foreign_home).token('agent:eve', ALL)}", "TOKEN_INVALID"),
        "a foreign key under our key's name": (
            f"Bearer {jwt.encode(claims, foreign_key, 'ES256', {'kid': kid})}",
            "TOKEN_INVALID",
        ),
        "expired": (f"Bearer {issuer.token('agent:eve', ALL, lifetime_s=-60)}", "TOKEN_EXPIRED"),
    }


@pytest.mark.parametrize("service", SERVICES)
def test_whoever_is_not_known_gets_nowhere(
    stack: Stack, channel: grpc.Channel, service: str, tmp_path: Path
) -> None:
    for why, (authorization, reason) in without_identity(stack, tmp_path).items():
        for method in methods(service):
            got = refusal(channel, service, method, authorization)
            assert got == ("UNAUTHENTICATED", reason), f"{why}: {method.full_name}"


@pytest.mark.parametrize("service", SERVICES)
def test_a_known_caller_needs_the_permission_of_the_method(
    stack: Stack, channel: grpc.Channel, service: str
) -> None:
    issuer = Issuer(stack.home)
    for method in methods(service):
        path = f"/{method.containing_service.full_name}/{method.name}"
        needed = permissions(method.containing_service, service)[path]
        everything_else = issuer.token("agent:eve", ALL - {needed})
        got = refusal(channel, service, method, f"Bearer {everything_else}")
        assert got == ("PERMISSION_DENIED", "PERMISSION_DENIED"), method.full_name


HEARS_EVERYTHING = ("customer", "loyalty", "notifications")


async def log_in(stack: Stack, user: str) -> Connection:
    """A connection to the stack's broker as one of its users."""
    config = json.loads((stack.home.path / "nats" / "nats.conf").read_text())
    accounts = config["accounts"].values()
    [password] = [u["password"] for each in accounts for u in each.get("users", ()) if u["user"] == user]
    return await connect(f"nats://{user}:{password}@{config['listen']}", user)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_neither_speaks_for_others_nor_listens_in_nor_makes_streams(
    stack: Stack, service: str
) -> None:
    connection = await log_in(stack, service)
    violations: list[str] = []

    async def note(error: Exception) -> None:
        violations.append(str(error).lower())

    connection.client._error_cb = note
    others = [other for other in SERVICES if other != service]
    forbidden = [f"events.{other}.something.v1" for other in others]
    forbidden += [
        "$JS.API.STREAM.CREATE.MINE",
        f"$JS.API.STREAM.DELETE.{service.upper()}",
        f"$JS.API.STREAM.PURGE.{service.upper()}",
        f"$JS.API.STREAM.MSG.DELETE.{others[0].upper()}",
        f"$JS.API.CONSUMER.CREATE.{others[0].upper()}",
    ]
    if service not in HEARS_EVERYTHING:  # who does has had each of these, and may read it again
        forbidden.append(f"$JS.API.STREAM.MSG.GET.{others[0].upper()}")
    try:
        for subject in forbidden:
            with pytest.raises(nats.errors.TimeoutError):
                await connection.client.request(subject, b"{}", timeout=0.2)
        unreadable = [f"_INBOX_{other}.>" for other in others] + ["_INBOX.>", "events.>", "$JS.>", ">"]
        for subject in unreadable:
            await connection.client.subscribe(subject)
        await connection.client.flush()
    finally:
        await connection.close()
    refused = "\n".join(violations)
    for subject in forbidden:
        assert f'publish to "{subject}"'.lower() in refused
    for subject in unreadable:
        assert f'subscription to "{subject}"'.lower() in refused


async def test_whoever_has_no_password_does_not_reach_the_broker(stack: Stack) -> None:
    config = json.loads((stack.home.path / "nats" / "nats.conf").read_text())
    for credentials in ("", "loyalty:wrong@", "nobody:x@"):
        with pytest.raises(nats.errors.AuthorizationError):
            await connect(f"nats://{credentials}{config['listen']}", "loyalty")


def test_a_token_of_the_local_issuer_names_who_acts_and_where_they_work(stack: Stack) -> None:
    done = stack.run("token", "--as", "agent:alice", "--department", "billing")
    assert done.returncode == 0
    claims: dict[str, Any] = jwt.decode(done.stdout.strip(), options={"verify_signature": False})
    assert (claims["sub"], claims["department"]) == ("agent:alice", "billing")
    with grpc.insecure_channel(Session.open().address("cases")) as channel:
        CaseServiceStub(channel).ListCases(
            ListCasesRequest(), timeout=10, metadata=[("authorization", f"Bearer {done.stdout.strip()}")]
        )


def test_a_token_for_an_unknown_role_is_refused_in_one_line(stack: Stack) -> None:
    done = stack.run("token", "--as", "nobody:x")
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert "nobody:x" in line
    assert "agent" in line
    assert done.stdout == ""
