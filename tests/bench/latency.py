"""From an event's commit to the customer view that shows it, on an idle system."""

import asyncio
import random
import time
from typing import Any

from customer.service import service as customer
from rapport.customer.v1 import view_service_pb2
from rapport.customer.v1.timeline_service_pb2_grpc import TimelineServiceStub
from rapport.customer.v1.view_service_pb2_grpc import ViewServiceStub
from tests.bench import seed
from tests.bench.platform import Platform
from tests.bench.result import MS, Result, percentile

SAMPLES = 300
PATH = "event: commit to visible in the customer view"


async def commit_to_visible(platform: Platform) -> list[Result]:
    """From the answer to a write to the view that contains it: what reading one's own write takes."""
    service = await platform.service(customer)
    name, _ = await seed.customer_with_view(platform, service)
    timeline = platform.stub(TimelineServiceStub, service.address)
    views = platform.stub(ViewServiceStub, service.address)

    async def view_ms(token: str = "") -> float:
        request = view_service_pb2.GetCustomerViewRequest(name=f"{name}/view", consistency_token=token)
        began = time.perf_counter()
        await views.GetCustomerView(request, timeout=10, metadata=platform.identity)
        return (time.perf_counter() - began) * 1000

    visible, bare = [], []
    for _ in range(SAMPLES):
        await asyncio.sleep(random.uniform(0.01, 0.05))  # idle, and out of step with every timer
        bare.append(await view_ms())
        recording = timeline.RecordInteraction(seed.interaction(name), timeout=10, metadata=platform.identity)
        await recording
        visible.append(await view_ms(_token(await recording.trailing_metadata())))
    p50, p99 = percentile(visible, 50), percentile(visible, 99)
    note = f"a bare GetCustomerView: p50 {percentile(bare, 50):.1f}, p99 {percentile(bare, 99):.1f} ms"
    return [Result(f"{PATH}, p50", p50, MS, 5, 3, note), Result(f"{PATH}, p99", p99, MS, None, 20)]


def _token(metadata: Any) -> str:
    return str(dict(metadata)[seed.CONSISTENCY])
