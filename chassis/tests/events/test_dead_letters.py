import nats
import pytest

from chassis.errors import FailedPrecondition
from chassis.events import dead_letters
from chassis.events.envelope import Event
from chassis.testing.wait import eventually
from rapport.cases.v1.cases_events_pb2 import CaseOpened


class Statement:
    name, sql = "INSERT notes", "INSERT INTO notes (text) VALUES ($1)"


class Fixable:
    """A handler that refuses everything until it is fixed."""

    def __init__(self, fixed=False):
        self.fixed = fixed
        self.calls = 0

    async def handle(self, tx, event: Event[CaseOpened]) -> None:
        self.calls += 1
        if not self.fixed:
            raise FailedPrecondition("NOT_YET", "fix it first")
        await tx.fetch(Statement(), [event.data.case])


@pytest.fixture
def url(infrastructure):
    return infrastructure.nats_url


async def test_a_replayed_event_takes_effect_once_at_every_consumer(bench, noted, url):
    cases, loyalty = await bench.database(), await bench.database("loyalty")
    broken, sound = Fixable(), Fixable(fixed=True)
    await bench.relay(cases)
    await bench.consume(loyalty, broken.handle, durable="loyalty-broken")
    await bench.consume(loyalty, sound.handle, durable="loyalty-sound")
    await bench.open(cases, "cases/1")
    [letter] = await eventually(lambda: dead_letters.dead_letters(url))
    await eventually(lambda: noted(loyalty))

    broken.fixed = True
    await dead_letters.replay(url, letter.number)

    async def both():
        return len(await noted(loyalty)) == 2

    await eventually(both)
    assert (broken.calls, sound.calls) == (2, 1)
    assert await dead_letters.dead_letters(url) == []


async def test_an_event_that_fails_again_is_the_one_letter_of_its_consumer_and_counted(bench, url):
    cases, loyalty = await bench.database(), await bench.database("loyalty")
    await bench.relay(cases)
    for durable in ("loyalty-one", "loyalty-two"):
        await bench.consume(loyalty, Fixable().handle, durable=durable)
    [event_id] = await bench.open(cases, "cases/1")
    one, two = "loyalty-one", "loyalty-two"

    async def times(**expected: int):
        letters = await dead_letters.dead_letters(url)
        assert {letter.event_id for letter in letters} == {str(event_id)}
        assert {letter.consumer[8:]: letter.times for letter in letters} == expected
        assert len(letters) == len(expected)
        return {letter.consumer: letter for letter in letters}

    first = await eventually(lambda: times(one=1, two=1))
    await dead_letters.replay(url, first[one].number)  # and so for the other, whose letter stays
    second = await eventually(lambda: times(one=2, two=2))
    assert second[one].at > first[one].at
    await dead_letters.replay(url, first[two].number)  # by the number that was shown before
    third = await eventually(lambda: times(one=3, two=3))
    await dead_letters.drop(url, third[one].number)
    await times(two=3)


async def test_a_dropped_dead_letter_is_gone(bench, url):
    cases, loyalty = await bench.database(), await bench.database("loyalty")
    await bench.relay(cases)
    await bench.consume(loyalty, Fixable().handle)
    await bench.open(cases, "cases/1")
    [letter] = await eventually(lambda: dead_letters.dead_letters(url))
    assert await dead_letters.show(url, letter.number) == letter

    await dead_letters.drop(url, letter.number)

    assert await dead_letters.dead_letters(url) == []
    with pytest.raises(LookupError):
        await dead_letters.show(url, letter.number)


async def test_the_dead_letters_of_one_consumer_can_be_listed(bench, url):
    cases, loyalty = await bench.database(), await bench.database("loyalty")
    await bench.relay(cases)
    await bench.consume(loyalty, Fixable().handle, durable="loyalty-one")
    await bench.consume(loyalty, Fixable().handle, durable="loyalty-two")
    await bench.open(cases, "cases/1")

    async def both():
        return len(await dead_letters.dead_letters(url)) == 2

    await eventually(both)
    [letter] = await dead_letters.dead_letters(url, "loyalty-two")
    assert letter.consumer == "loyalty-two"


async def test_junk_among_the_dead_letters_hides_none_and_can_be_dropped(bench, url):
    cases, loyalty = await bench.database(), await bench.database("loyalty")
    await bench.relay(cases)
    await bench.consume(loyalty, Fixable().handle)
    connection = await nats.connect(url)
    junk = await connection.jetstream().publish("dead.loyalty.loyalty-goodwill", b"x")
    await connection.close()
    await bench.open(cases, "cases/1")

    async def both():
        return len(await dead_letters.dead_letters(url)) == 2

    await eventually(both)
    with pytest.raises(LookupError, match="drop it"):
        await dead_letters.replay(url, junk.seq)
    await dead_letters.drop(url, junk.seq)
    assert [letter.resource for letter in await dead_letters.dead_letters(url)] == ["cases/1"]
