import pytest

from chassis.errors import ResourceExhausted
from desk.edge.reading import BODIES_MAX_BYTES, Room


def test_one_token_has_a_part_of_the_room_and_gives_it_back() -> None:
    room = Room()
    with room.for_one("a") as take:
        take(BODIES_MAX_BYTES // 4)
        with pytest.raises(ResourceExhausted):
            take(1)
        with room.for_one("b") as others:
            others(1)
    with room.for_one("a") as take:
        take(1)
