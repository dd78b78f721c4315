import random

import pytest

from chassis.backoff import Backoff


def test_pauses_double_up_to_the_longest_and_are_half_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    retries = Backoff(4, 60)
    monkeypatch.setattr(random, "random", lambda: 1.0)
    assert [retries.wait(n) for n in (1, 2, 3, 5, 1000)] == [4, 8, 16, 60, 60]
    monkeypatch.setattr(random, "random", lambda: 0.0)
    assert retries.wait(1) == 2
