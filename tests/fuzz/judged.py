"""Whether an answer is one that a caller may get, whatever was asked."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from deploy.services import SERVICES
from tests.contracts.test_reasons import common, documented

# Of SQL, a stack, a path or a library: nothing that a request is made of holds any of it.
LEAK = re.compile(
    r"SELECT |INSERT INTO|UPDATE \w+ SET|asyncpg|sqlalchemy|psycopg|Traceback|File \"|\w\.py\b|0x[0-9a-f]{8}"
)
GRPC_ITSELF = {"RESOURCE_EXHAUSTED", "CANCELLED", "UNAVAILABLE", "DEADLINE_EXCEEDED"}
KEPT = 200


class Judge:
    """Counts answers, and keeps those that are our fault."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []
        self._reasons = {each: common() | documented(f"services/{each}/README.md") for each in SERVICES}
        self._all = set[str]().union(*self._reasons.values())

    def of_grpc(self, service: str, what: str, error: grpc.aio.AioRpcError | None) -> None:
        """An RPC of a service ended so."""
        code = error.code().name if error else "OK"
        self.counts[f"gRPC {code}"] += 1
        if error is None:
            return
        status = rpc_status.from_call(error)  # type: ignore[arg-type]
        info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        for detail in status.details if status is not None else ():
            detail.Unpack(info)
            detail.Unpack(bad)
        reasons = {info.reason, *(each.reason for each in bad.field_violations)} - {""}
        wrong = code in ("INTERNAL", "UNKNOWN", "DATA_LOSS")
        wrong |= not reasons and code not in GRPC_ITSELF
        wrong |= not reasons <= self._reasons.get(service, self._all)
        self._note(wrong, f"{what}: {code}", reasons, f"{error.details()} {status}")

    def of_http(self, what: str, status: int, body: Any, media_type: str) -> None:
        """A request got this answer."""
        self.counts[f"{what.partition(' ')[0]} {status}"] += 1
        problem: Mapping[str, Any] = body if isinstance(body, dict) else {}
        reasons = {
            str(problem.get("reason", "")),
            *(each["reason"] for each in problem.get("violations", ())),
        }
        reasons -= {""}
        wrong = status >= 500 and status not in (501, 503, 504)
        wrong |= status >= 400 and (not reasons or "problem+json" not in media_type)
        wrong |= not reasons <= self._all
        self._note(wrong, f"{what}: {status}", reasons, str(body))

    def _note(self, wrong: bool, what: str, reasons: Iterable[str], told: str) -> None:
        leak = LEAK.search(told)
        if (wrong or leak) and len(self.faults) < KEPT:
            self.faults.append(f"{what} {sorted(reasons)} {leak[0] if leak else ''}: {told[:600]}")
