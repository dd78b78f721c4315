"""Driving one gRPC method as fast as it goes: with h2load where installed, otherwise with our own client."""

import asyncio
import re
import shutil
import struct
import subprocess
import tempfile
import time
from dataclasses import dataclass

import grpc

CONNECTIONS, STREAMS = 4, 16  # 64 calls in flight
WARM_UP_S = 0.5
H2LOAD = shutil.which("h2load")
CLIENT = "h2load" if H2LOAD else "our own client (h2load is not installed: Debian's nghttp2-client has it)"


@dataclass(frozen=True)
class Call:
    """A method to drive: where, what, as whom."""

    address: str
    method: str
    body: bytes = b""
    token: str = ""


async def rate(call: Call, seconds: float) -> float:
    """Calls per second that were answered with OK. RuntimeError when a call is refused."""
    await _once(call)
    return await (_h2load(call, seconds) if H2LOAD else _python(call, seconds))


async def _once(call: Call) -> None:
    """One checked call: h2load sees no gRPC status, so a wrong request must not pass for a fast one."""
    async with grpc.aio.insecure_channel(call.address) as channel:
        await channel.unary_unary(call.method, None, None)(call.body, timeout=10, metadata=_metadata(call))


async def _h2load(call: Call, seconds: float) -> float:
    with tempfile.NamedTemporaryFile() as frame:
        frame.write(struct.pack(">BI", 0, len(call.body)) + call.body)
        frame.flush()
        headers = [f"{key}: {value}" for key, value in _metadata(call)]
        headers += ["content-type: application/grpc", "te: trailers", "grpc-timeout: 5S"]
        warm_up = f"--warm-up-time={WARM_UP_S * 1000:.0f}ms"
        command = f"{H2LOAD} -c {CONNECTIONS} -m {STREAMS} -D {seconds} {warm_up} -d {frame.name}".split()
        command += [*(f"-H{header}" for header in headers), f"http://{call.address}{call.method}"]
        # Not by the event loop: uvloop would fork, which gRPC's threads complain about.
        output = (await asyncio.to_thread(subprocess.run, command, stdout=subprocess.PIPE, text=True)).stdout
    match = re.search(r"finished in [^,]+, ([\d.]+) req/s", output)
    if match is None or re.search(r"\b0 succeeded", output):
        raise RuntimeError(f"{call.method}: {output[-300:]}")
    return float(match[1])


async def _python(call: Call, seconds: float) -> float:
    done = 0
    warm = time.monotonic() + WARM_UP_S
    deadline = warm + seconds

    async def caller(channel: grpc.aio.Channel) -> None:
        nonlocal done
        method = channel.unary_unary(call.method, None, None)
        while time.monotonic() < deadline:
            await method(call.body, timeout=5, metadata=_metadata(call))
            done += time.monotonic() > warm

    channels = [grpc.aio.insecure_channel(call.address, [("grpc.bench", n)]) for n in range(CONNECTIONS)]
    await asyncio.gather(*(caller(channel) for channel in channels for _ in range(STREAMS)))
    for channel in channels:
        await channel.close(None)
    return done / seconds


def _metadata(call: Call) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {call.token}")] if call.token else []
