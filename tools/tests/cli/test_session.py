"""A command's identity lasts as long as the command does."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import grpc
import pytest

from rapport_tools.cli import session as sessions
from rapport_tools.cli.session import Session
from rapport_tools.local.home import Home
from rapport_tools.local.issuer import LIFETIME_S


class Echo(grpc.GenericRpcHandler):
    """Says who it was asked by."""

    def service(self, handler_call_details: Any) -> Any:
        token = dict(handler_call_details.invocation_metadata)["authorization"]
        return grpc.unary_unary_rpc_method_handler(lambda request, _: token.encode())


@pytest.fixture
def address() -> Iterator[str]:
    server = grpc.server(ThreadPoolExecutor(1), handlers=[Echo()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(0)


def test_what_a_command_does_for_longer_than_a_token_is_good_is_not_refused(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed, now = count(1), time.monotonic()
    monkeypatch.setattr(sessions.time, "monotonic", lambda: now)
    session = Session(
        Home(tmp_path), {"RAPPORT_PEERS": json.dumps({"cases": address})}, lambda: f"token {next(signed)}"
    )
    ask = session.channel("cases").unary_unary("/any/Thing")
    assert [ask(b""), ask(b"")] == [b"Bearer token 1"] * 2
    now += LIFETIME_S * 0.6
    assert [ask(b""), ask(b"")] == [b"Bearer token 2"] * 2
