"""A batch read is answered whole and in order, or refused with how many would fit."""

from collections.abc import Sequence

import pytest

from chassis.api.pages import gathered
from chassis.errors import ResourceExhausted
from rapport.cases.v1.case_pb2 import Case


async def test_a_batch_is_answered_in_its_order_however_long() -> None:
    asked = [str(i % 700) for i in range(1000)]
    sizes = []

    async def read(names: Sequence[str]) -> list[Case]:
        sizes.append(len(names))
        return [Case(name=name) for name in names]

    assert [case.name for case in await gathered(asked, read)] == asked
    assert max(sizes) == 100


async def test_a_batch_that_no_client_could_receive_says_how_many_fit() -> None:
    read_ones: list[str] = []

    async def read(names: Sequence[str]) -> list[Case]:
        read_ones.extend(names)
        return [Case(name=name, display_name="x" * 100_000) for name in names]

    with pytest.raises(ResourceExhausted) as caught:
        await gathered([str(i) for i in range(1000)], read)
    assert caught.value.reason == "RESPONSE_TOO_LARGE"
    fits = int(caught.value.metadata["fits"])
    assert len(read_ones) <= 100  # nothing is read that is not sent
    assert len(await gathered([str(i) for i in range(fits)], read)) == fits
    with pytest.raises(ResourceExhausted):
        await gathered([str(i) for i in range(fits + 1)], read)
