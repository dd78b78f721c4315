"""What the description says is so: made-up requests of every operation get the answers that it promises."""

import asyncio
import os
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck
from schemathesis import checks
from schemathesis.specs.openapi import checks as of_openapi

from cases.service import service as cases_service
from customer.service import service as customer_service
from loyalty.service import service as loyalty_service
from notifications.service import service as notifications_service

EXAMPLES = int(os.environ.get("RAPPORT_EDGE_EXAMPLES", "3"))  # of each operation; 50 take some minutes
CHECKS = [
    checks.not_a_server_error,
    of_openapi.status_code_conformance,
    of_openapi.content_type_conformance,
    of_openapi.response_schema_conformance,
]
SETTINGS = hypothesis.settings(
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[hypothesis.Phase.generate],
)


@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning")  # of schemathesis' own
@pytest.mark.slow
async def test_no_made_up_request_gets_an_answer_that_is_not_described(open_desk: Any) -> None:
    desk = await open_desk(customer_service, cases_service, loyalty_service, notifications_service)
    client = desk.client()
    described = (await client.get("/openapi.json")).json()
    schema = schemathesis.openapi.from_dict(described)
    headers = {"authorization": client.headers["authorization"]}
    called = set()

    def call(operation: Any) -> None:
        @hypothesis.settings(SETTINGS, max_examples=EXAMPLES)
        @hypothesis.given(case=operation.as_strategy())
        def check(case: Any) -> None:
            called.add(operation.label)
            case.call_and_validate(base_url=desk.url, headers=headers, checks=CHECKS, timeout=10)

        check()

    for found in schema.get_all_operations():
        await asyncio.to_thread(call, found.ok())
    assert len(called) == sum(len(item) for item in described["paths"].values())
