"""Ports that are taken at random."""

import random

from rapport_testing.engines.ports import free_port


def test_two_who_seed_chance_alike_take_different_ports() -> None:
    taken = []
    for _ in range(2):
        random.seed(0)
        taken.append([free_port() for _ in range(5)])
    assert taken[0] != taken[1]
