"""`python -m tests.bench`: each path as a ratio to a call that does nothing, in one table. Never fails."""

import argparse
import asyncio
import io
import json
import os
import platform as machine
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import uvloop

from tests.bench import calls, desk, events, freshness, latency, notices
from tests.bench.calls import ratio_to_echo
from tests.bench.load import CLIENT
from tests.bench.platform import PINNED, Platform, platform
from tests.bench.result import OF_ECHO, Result, table

Benchmark = Callable[[Platform], Awaitable[list[Result]]]
TIME_LIMIT_S = 600
BENCHMARKS: dict[str, Benchmark] = {
    "empty": ratio_to_echo("interceptor stack, empty RPC", calls.empty_rpc, 0.64, 0.70),
    "cached": ratio_to_echo("GetCustomerView, cached", calls.cached_view, 0.66, 0.72),
    "stored": ratio_to_echo("GetCustomerView, from PostgreSQL", calls.stored_view, 0.48, 0.56),
    "read": ratio_to_echo("read by primary key (GetCase)", calls.read_by_key, 0.42, 0.52),
    "search-number": ratio_to_echo("SearchCustomers, a number of 100,000", calls.search("030 1099999")),
    "search-name": ratio_to_echo(
        "SearchCustomers, a name that 180 of 100,000 have", calls.search("sommer7 anna9")
    ),
    "write": ratio_to_echo("write + outbox, one by one (OpenCase)", calls.write("unpublished"), 0.38, 0.46),
    "ingest": ratio_to_echo(
        "write + outbox, batched (RecordInteraction)", calls.ingest("unpublished"), 0.52, 0.60
    ),
    "write-all": ratio_to_echo("OpenCase, publishing in the same process", calls.write(settles=True)),
    "ingest-all": ratio_to_echo(
        "RecordInteraction, publishing and projecting in the same process", calls.ingest(settles=True)
    ),
    "relay": events.relay,
    "projector": events.projector,
    "visible": latency.commit_to_visible,
    "timeline": calls.timeline_page,
    "notices": notices.notices,
    "freshness": freshness.freshness,
    "desk": desk.page,
    "desk-much": desk.much,
    "desk-viewers": desk.viewers,
}


async def _run(names: list[str], against: str) -> list[Result]:
    results: list[Result] = []
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rapport-bench-")))
        running = await stack.enter_async_context(platform(folder / "ours"))
        if against:
            checkout = folder / "checkout"
            _check_out(against, checkout)
            running.against = await stack.enter_async_context(platform(folder / "theirs", checkout))
        for name in names:
            print(f"measuring {name} ...", file=sys.stderr, flush=True)
            try:
                async with asyncio.timeout(TIME_LIMIT_S):
                    results += await BENCHMARKS[name](running)
            except Exception as error:
                problem = f"{type(error).__name__}: {error}".partition("\n")[0]
                results.append(Result(name, None, OF_ECHO, note=problem[:200]))
            await running.clear()
    return results


def _check_out(revision: str, folder: Path) -> None:
    """The files of a commit of ours. CalledProcessError when there is none."""
    made = subprocess.run(["git", "archive", revision], stdout=subprocess.PIPE, check=True)
    with tarfile.open(fileobj=io.BytesIO(made.stdout)) as archive:
        archive.extractall(folder, filter="data")


def main() -> int:
    """Measure and print. The exit code is 0 whatever was measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument(
        "--only", action="append", choices=list(BENCHMARKS), metavar="NAME",
        help=f"one of {', '.join(BENCHMARKS)}; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--against", default="", metavar="REV", help="a commit to compare calls with, by turns"
    )
    options = parser.parse_args()
    began = time.monotonic()
    load_before = os.getloadavg()[0]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        results = runner.run(_run(options.only or list(BENCHMARKS), options.against))
    setting = {
        "load client": CLIENT,
        "cores": "the server on one, the load, PostgreSQL and NATS on another" if PINNED else "not pinned",
        "python": machine.python_version(),
        **({"compared with": options.against} if options.against else {}),
        "load average before": f"{load_before:.1f} on {os.cpu_count()} cores",
        "took": f"{time.monotonic() - began:.0f} s",
    }
    if options.json:
        print(json.dumps({"setting": setting, "results": [result.as_json() for result in results]}, indent=2))
    else:
        print(table(results))
        print("\n" + "\n".join(f"{name}: {value}" for name, value in setting.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
