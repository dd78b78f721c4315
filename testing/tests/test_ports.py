"""Ports that are taken at random."""

import random
from itertools import pairwise

import pytest

from rapport_testing.engines import ports
from rapport_testing.engines.ports import HIGHEST, LOWEST, free_port


def test_two_who_seed_chance_alike_take_different_ports() -> None:
    taken = []
    for _ in range(2):
        random.seed(0)
        taken.append([free_port() for _ in range(5)])
    assert taken[0] != taken[1]


class Repeating(random.Random):
    """Picks every number twice."""

    def __init__(self) -> None:
        super().__init__()
        self._last = 0

    def randint(self, a: int, b: int) -> int:
        self._last, again = (0, self._last) if self._last else (super().randint(a, b),) * 2
        return again


def test_who_picks_several_before_listening_gets_as_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_chance", Repeating())
    assert len({free_port() for _ in range(20)}) == 20


@pytest.mark.parametrize("count", [1, 2, 3])
def test_workers_of_pytest_share_no_port(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", str(count))
    asked: list[tuple[int, int]] = []

    class Noted(random.Random):
        def randint(self, a: int, b: int) -> int:
            asked.append((a, b))
            return super().randint(a, b)

    monkeypatch.setattr(ports, "_chance", Noted())
    for worker in range(count):
        monkeypatch.setenv("PYTEST_XDIST_WORKER", f"gw{worker}")
        free_port()
    parts = sorted(set(asked))
    assert len(parts) == count
    assert parts[0][0] == LOWEST
    assert parts[-1][1] <= HIGHEST
    assert all(first[1] < second[0] for first, second in pairwise(parts))
