"""How promises end is counted, as it happens."""

from datetime import timedelta

from prometheus_client import REGISTRY

from cases.usecases.promise import OUTCOMES, count_live
from rapport.cases.v1.promise_service_pb2 import KeepPromiseRequest
from rapport_testing.wait import eventually


def counted():
    return {
        sample.labels["outcome"]: sample.value
        for family in OUTCOMES.collect()
        for sample in family.samples
        if sample.name.endswith("_total")
    }


async def test_a_promise_counts_as_kept_told_or_broken_once(desk):
    before = counted()
    kept, told = await desk.make(3), await desk.make(3)
    await desk.make(1)  # and nobody does anything about it
    await desk.promises.KeepPromise(KeepPromiseRequest(name=kept.name))
    await desk.tell(told.name)
    desk.clock.advance(timedelta(days=1, seconds=1))

    def grown():
        now = counted()
        return {outcome: now[outcome] - before[outcome] for outcome in now if now[outcome] != before[outcome]}

    def each_once():
        assert grown() == {"kept": 1, "told_in_time": 1, "broken": 1}
        return True

    await eventually(each_once)


async def test_promises_under_way_are_told_by_state(desk):
    await desk.make(3)
    await count_live(desk.running.db)
    state = REGISTRY.get_sample_value
    assert state("rapport_promises_live", {"state": "OPEN"}) == 1
    assert state("rapport_promises_live", {"state": "AT_RISK"}) == 0
