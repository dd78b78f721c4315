"""Every RPC leaves a row in the audit that names whom it told of, and what for."""

import re
from importlib import import_module
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.cli import contracts
from chassis.db.schema import AUDIT
from chassis.db.statement import Statement
from chassis.testing.running import Running
from chassis.testing.tokens import TestIssuer
from chassis.testing.wait import eventually
from tests.contracts.test_bad_input import NOWHERE, Caller, methods, path_to
from tests.contracts.valid import REQUESTS, SERVICES, learn, request_of, short_name

CUSTOMER = re.compile("customers/[0-9a-f-]{36}")
_ROWS = Statement[Any](
    sa.select(AUDIT.c.what, AUDIT.c.resources, AUDIT.c.purpose).where(AUDIT.c.purpose.like("step-%"))
)


async def _rows(running: Running, count: int) -> dict[str, tuple[str, str]]:
    """What is in the audit by purpose, once it is as much as that."""
    rows = await _ROWS.all(running.db)
    assert len(rows) >= count
    return {row["purpose"]: (row["what"], row["resources"]) for row in rows}


@pytest.mark.parametrize("name", SERVICES)
async def test_who_is_told_of_whom_and_what_for_is_in_the_audit(
    start: Any, issuer: TestIssuer, name: str
) -> None:
    running = await start(import_module(f"{name}.service").service, peers=NOWHERE, smtp_host="127.0.0.1")
    caller = Caller(running, issuer)
    by_name = {short_name(method): method for method in methods(name)}
    known: dict[str, str] = {}
    told: dict[str, tuple[str, set[str]]] = {}
    for i, (short, fields) in enumerate(REQUESTS[name]):
        method = by_name[short]
        request = request_of(contracts.message_class(method.input_type), fields, known)
        metadata = [*caller.metadata, ("purpose", f"step-{i}")]
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
