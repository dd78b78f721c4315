"""Driving one gRPC method as fast as it goes: with h2load where installed, otherwise with our own client."""

import asyncio
import re
import shutil
import struct
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass

import grpc

CONNECTIONS, STREAMS = 8, 8  # 64 calls in flight; each connection repeats a body of its own
H2LOAD = shutil.which("h2load")
CLIENT = "h2load" if H2LOAD else "our own client (h2load is not installed: Debian's nghttp2-client has it)"
_RATE = re.compile(r"finished in [^,]+, ([\d.]+) req/s")


@dataclass(frozen=True)
class Call:
    """A method to drive: where, what in turns, as whom."""

    address: str
    method: str
    bodies: Sequence[bytes] = (b"",)
    token: str = ""


async def drive(call: Call, count: int, turn: int = 0) -> float:
    """Have `count` calls answered with OK; each turn has bodies of its own. Returns how many a second were.

    RuntimeError when a call is refused.
    """
    bodies = [call.bodies[(turn * CONNECTIONS + n) % len(call.bodies)] for n in range(CONNECTIONS)]
    for body in set(bodies):  # checked once: h2load sees no gRPC status, a wrong one must not pass for fast
        async with grpc.aio.insecure_channel(call.address) as channel:
            await channel.unary_unary(call.method, None, None)(body, timeout=10, metadata=_metadata(call))
    if not H2LOAD:
        return await _python(call, bodies, count)
    return await asyncio.to_thread(_h2load, call, bodies, count)  # uvloop would fork, which gRPC dislikes


def _h2load(call: Call, bodies: Sequence[bytes], count: int) -> float:
    headers = [f"{key}: {value}" for key, value in _metadata(call)]
    headers += ["content-type: application/grpc", "te: trailers", "grpc-timeout: 20S"]
    with tempfile.TemporaryDirectory() as folder:
        running = []
        for number, body in enumerate(bodies):
            with open(f"{folder}/{number}", "wb") as frame:
                frame.write(struct.pack(">BI", 0, len(body)) + body)
            command = f"{H2LOAD} -c 1 -m {STREAMS} -n {count // CONNECTIONS} -d {frame.name}".split()
            command += [*(f"-H{header}" for header in headers), f"http://{call.address}{call.method}"]
            running.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        outputs = [each.communicate()[0] for each in running]
    found = [_RATE.search(output) for output in outputs]
    for output, match in zip(outputs, found, strict=True):
        if match is None or " 0 failed, 0 errored" not in output:
            raise RuntimeError(f"{call.method}: {output[-300:]}")
    return sum(float(match[1]) for match in found if match)


async def _python(call: Call, bodies: Sequence[bytes], count: int) -> float:
    async def caller(channel: grpc.aio.Channel, body: bytes) -> None:
        method = channel.unary_unary(call.method, None, None)
        for _ in range(count // CONNECTIONS // STREAMS):
            await method(body, timeout=20, metadata=_metadata(call))

    channels = [grpc.aio.insecure_channel(call.address, [("grpc.bench", n)]) for n in range(CONNECTIONS)]
    began = time.monotonic()
    both = zip(channels, bodies, strict=True)
    await asyncio.gather(*(caller(channel, body) for channel, body in both for _ in range(STREAMS)))
    took_s = time.monotonic() - began
    for channel in channels:
        await channel.close(None)
    return count / took_s


def _metadata(call: Call) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {call.token}")] if call.token else []
