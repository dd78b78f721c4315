"""Every RPC leaves a row in the audit that names whom it told of, and what for."""

import re
from importlib import import_module
from typing import Any
from uuid import uuid4

import grpc
import pytest
import sqlalchemy as sa
from google.protobuf.descriptor_pb2 import MethodOptions

from chassis.db.schema import AUDIT
from chassis.db.statement import Statement
from chassis.mentions import mentioned
from deploy.services import TELLING as SERVICES
from rapport_testing.running import Running
from rapport_testing.tokens import TestIssuer
from rapport_testing.wait import eventually
from rapport_tools.cli import contracts
from tests.contracts.names import PROMISED
from tests.contracts.test_bad_input import Caller, details_of, methods, path_to
from tests.contracts.valid import REQUESTS, learn, prepare, request_of

NAME = re.compile(r"(?:[a-zA-Z]+/[\w.-]+)(?:/[a-zA-Z]+/[\w.-]+)*")
CUSTOMER = re.compile("customers/[0-9a-f-]{36}")
_ROWS = Statement[Any](
    sa.select(AUDIT.c.what, AUDIT.c.resources, AUDIT.c.purpose).where(AUDIT.c.purpose.like("step-%"))
)


_REFUSALS = Statement[Any](
    sa.select(AUDIT.c.what, AUDIT.c.resources, AUDIT.c.refused).where(AUDIT.c.refused != "")
)
_STRANGER = (
    "MakePromise",
    {"promise": PROMISED | {"case": "{OpenCase}", "customer": f"customers/{uuid4()}"}},
)
EXPECTED = {
    "customer": {"IDENTIFIER_TAKEN"},
    "cases": {
        *("CUSTOMER_MISMATCH", "PROMISE_EXISTS", "PROMISE_ENDED"),
        *("WORK_ITEM_STARTED", "WORK_ITEM_FINISHED", "WORK_ITEM_OPEN", "CASE_OPEN"),
    },
    "loyalty": {"ALREADY_REVERSED"},
}


def without_etag(fields: dict[str, Any]) -> dict[str, Any]:
    """The same request of a caller who changes whatever is there."""
    return {
        key: without_etag(value) if isinstance(value, dict) else value
        for key, value in fields.items()
        if key != "etag"
    }


async def _rows(running: Running, count: int) -> dict[str, tuple[str, str]]:
    """What is in the audit by purpose, once it is as much as that."""
    rows = await _ROWS.all(running.db)
    assert len(rows) >= count
    return {row["purpose"]: (row["what"], row["resources"]) for row in rows}


@pytest.mark.parametrize("name", SERVICES)
async def test_who_is_told_of_whom_and_what_for_is_in_the_audit(
    start: Any, issuer: TestIssuer, peers: dict[str, str], name: str
) -> None:
    running = await start(import_module(f"{name}.service").service, peers=peers, smtp_host="127.0.0.1")
    await prepare(name, running.db)
    caller = Caller(running, issuer)
    by_name = {method.name: method for method in methods(name)}
    known: dict[str, str] = {}
    told: dict[str, tuple[str, set[str]]] = {}
    for i, (short, fields) in enumerate(REQUESTS[name]):
        method = by_name[short]
        request = request_of(contracts.message_class(method.input_type), fields, known)
        metadata = [*caller.metadata, ("access-purpose", f"step-{i}")]
        answer: Any = contracts.message_class(method.output_type)()
        if method.server_streaming:
            stream = caller.channel.unary_stream(path_to(method))
            answer.ParseFromString(
                await stream(request.SerializeToString(), timeout=10, metadata=metadata).read()
            )
        else:
            unary = caller.channel.unary_unary(path_to(method))
            answer.ParseFromString(await unary(request.SerializeToString(), timeout=10, metadata=metadata))
        learn(short, answer, known)
        about = set(CUSTOMER.findall(f"{request} {answer}"))
        reads = method.GetOptions().idempotency_level == MethodOptions.NO_SIDE_EFFECTS
        if reads and not any((about, *mentioned(request), *mentioned(answer))):
            continue  # figures, of nobody
        told[f"step-{i}"] = path_to(method)[1:], about
    await caller.channel.close()
    audited = await eventually(lambda: _rows(running, len(told)))
    assert {purpose: what for purpose, (what, _) in audited.items()} == {
        purpose: what for purpose, (what, _) in told.items()
    }
    unnamed = {
        what: missing
        for purpose, (what, about) in told.items()
        if (missing := about - set(CUSTOMER.findall(audited[purpose][1])))
    }
    assert unnamed == {}
    assert all(resources for what, resources in audited.values()), audited


@pytest.mark.parametrize("name", EXPECTED)
async def test_whom_a_refusal_names_is_in_the_audit_with_its_reason(
    start: Any, issuer: TestIssuer, peers: dict[str, str], name: str
) -> None:
    running = await start(import_module(f"{name}.service").service, peers=peers, smtp_host="127.0.0.1")
    await prepare(name, running.db)
    caller = Caller(running, issuer)
    by_name = {method.name: method for method in methods(name)}
    known: dict[str, str] = {}
    told: set[tuple[str, frozenset[str], str]] = set()
    everything = [*REQUESTS[name], *([_STRANGER] if name == "cases" else [])]
    for short, fields in [each for each in everything for _ in range(2)]:  # the second time, it is done
        method = by_name[short]
        if method.server_streaming:
            continue
        request = request_of(contracts.message_class(method.input_type), without_etag(fields), known)
        unary = caller.channel.unary_unary(path_to(method))
        try:
            data = await unary(request.SerializeToString(), timeout=10, metadata=caller.metadata)
        except grpc.aio.AioRpcError as error:
            info, _ = details_of(error)
            about = [value for value in info.metadata.values() if NAME.fullmatch(value)]
            if about and error.code() is not grpc.StatusCode.NOT_FOUND:  # nothing is there to read
                told.add((path_to(method)[1:], frozenset(about), info.reason))
        else:
            learn(short, contracts.message_class(method.output_type).FromString(data), known)
    await caller.channel.close()
    assert EXPECTED[name] <= {reason for *_, reason in told}

    async def all_there() -> bool:
        rows = await _REFUSALS.all(running.db)
        assert {(row["what"], frozenset(row["resources"].split()), row["refused"]) for row in rows} == told
        return True

    await eventually(all_there)
