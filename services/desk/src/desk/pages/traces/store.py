"""The installation's trace store, asked as one asks a Jaeger: by its query API, version 3."""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx2

from chassis.errors import Unavailable
from desk.pages.traces.otlp import Span, spans_of

PATIENCE_S, ALL_S = 5.0, 10.0  # for one answer; for all that a page asks for, and its turn
ANSWERS_MAX_BYTES = 16 * 1024 * 1024  # of all that one page asks for; read, they take five times that
TRACES_OF_EACH = 20
LOOK_BACK = timedelta(days=1)


class TracesUnavailable(Unavailable):
    """The trace store does not answer, or not as one (`TRACES_UNAVAILABLE`)."""

    def __init__(self, why: str) -> None:
        super().__init__("TRACES_UNAVAILABLE", f"The trace store {why}.")


class TraceStore:
    """Asks a trace store: the URL may hold a user and a password, and ends before `/api/v3`."""

    def __init__(self, url: str) -> None:
        self._client = httpx2.AsyncClient(base_url=url, timeout=PATIENCE_S, trust_env=False)
        self._turn = asyncio.Lock()  # one page after another, or a few readers would take all memory

    async def keep(self) -> None:
        """Hold the connections until cancelled."""
        try:
            await asyncio.Event().wait()
        finally:
            await self._client.aclose()

    async def trace(self, trace_id: str) -> list[Span]:
        """The spans of a trace; none when it is not known. TracesUnavailable."""
        return await self._ask((f"/api/v3/traces/{trace_id}", {}))

    async def failed(self, services: Iterable[str], now: datetime) -> list[Span]:
        """The spans of the last day's newest traces in which one of these services failed. TracesUnavailable.

        A store that cannot look for failures answers with others, too.
        """
        return await self._search(services, now, {"attributes": json.dumps({"error": "true"})})

    async def slow(self, services: Iterable[str], now: datetime, at_least_ms: int) -> list[Span]:
        """The same for traces with spans that are this long."""
        return await self._search(services, now, {"durationMin": f"{at_least_ms}ms"})

    async def _search(self, services: Iterable[str], now: datetime, wanted: dict[str, str]) -> list[Span]:
        # By service: most of Jaeger's storages find nothing without one.
        of_all = {
            "startTimeMin": (now - LOOK_BACK).isoformat(),
            "startTimeMax": now.isoformat(),
            "searchDepth": str(TRACES_OF_EACH),
            **wanted,
        }
        return await self._ask(
            *(("/api/v3/traces", _query({"serviceName": each, **of_all})) for each in services)
        )

    async def _ask(self, *asked: tuple[str, dict[str, str]]) -> list[Span]:
        """The spans that are answered to each of these paths and queries."""
        spans: list[Span] = []
        left = ANSWERS_MAX_BYTES
        try:
            async with asyncio.timeout(ALL_S), self._turn:
                for path, query in asked:
                    answer = await self._answer(path, query, left)
                    left -= len(answer)
                    spans += await asyncio.to_thread(spans_of, answer)
        except ValueError as error:
            raise TracesUnavailable("answers with something else than OTLP's JSON") from error
        except TimeoutError as error:
            raise TracesUnavailable("does not answer") from error
        return spans

    async def _answer(self, path: str, query: dict[str, str], most: int) -> bytearray:
        answer = bytearray()
        try:
            async with (
                asyncio.timeout(PATIENCE_S),
                self._client.stream("GET", path, params=query) as response,
            ):
                if response.status_code == httpx2.codes.NOT_FOUND:
                    return bytearray(b'{"result": {}}')
                response.raise_for_status()
                async for chunk in response.aiter_bytes():
                    answer += chunk
                    if len(answer) > most:
                        raise TracesUnavailable(f"answers with more than {ANSWERS_MAX_BYTES >> 20} MiB")
            return answer
        except httpx2.HTTPStatusError as error:
            raise TracesUnavailable(f"answers {error.response.status_code}") from error
        except (httpx2.HTTPError, TimeoutError) as error:
            raise TracesUnavailable("does not answer") from error


@dataclass(frozen=True)
class Traces:
    """Where the installation's traces are: a store to ask, and the address of one in its UI; or neither."""

    store: TraceStore | None
    link: str

    def href(self, trace_id: str) -> str:
        """Where its own UI shows a trace; empty without."""
        return self.link.replace("{trace_id}", trace_id)


def _query(wanted: dict[str, str]) -> dict[str, str]:
    """The parameters by both of their names: older releases know the second, newer ones will not."""
    older = {
        "serviceName": "service_name",
        "startTimeMin": "start_time_min",
        "startTimeMax": "start_time_max",
        "searchDepth": "num_traces",
        "durationMin": "duration_min",
    }
    names = {**wanted, **{older[name]: value for name, value in wanted.items() if name in older}}
    return {f"query.{name}": value for name, value in names.items()}
