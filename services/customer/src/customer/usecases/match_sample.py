"""The customers that parameters are learned from: chance picks them, the pairs that they make bound them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from chassis.db.statement import Executor
from customer.domain.match_features import FIELDS
from customer.store import matches as store
from customer.store.matches import MatchRecord
from customer.usecases.match_records import load
from rapport_identity.matching import Candidates, Drawn
from rapport_identity.parameters import Parameters
from rapport_identity.record import Record

PICKED_MAX = 5_000  # customers, by chance
PAIRS_MAX = 100_000  # of those with others: what is compared, which takes a core some seconds
RECORDS_MAX = 20_000  # customers, those who only share a key with one of them included
_READ = 10  # times as many are read as are picked, so that those of one page are not picked together
_SHARING_AT_ONCE = 20


@dataclass(slots=True)
class Sample:
    """Customers who were picked, whoever shares a key with one of them, and these pairs.

    Args:
        population: how many customers there are.
    """

    population: int
    picked: dict[UUID, None] = field(default_factory=dict)  # in the order in which they were
    everybody: set[UUID] = field(default_factory=set)
    pairs: list[tuple[UUID, UUID]] = field(default_factory=list)  # one who was picked, another

    @property
    def is_full(self) -> bool:
        """Whether no more are picked."""
        return len(self.pairs) >= PAIRS_MAX or len(self.everybody) >= RECORDS_MAX

    def pick(self, customer_id: UUID, sharing: set[UUID]) -> None:
        """Pick a customer, with those who share a key with them, as far as there is room."""
        self.picked[customer_id] = None
        room = PAIRS_MAX - len(self.pairs)
        others = sorted(sharing - self.picked.keys())[:room]
        self.everybody.update((customer_id, *others))
        self.pairs.extend((customer_id, other) for other in others)

    def candidates(self, records: Mapping[UUID, Record]) -> Candidates:
        """What is learned from, of customers that can be compared: in one order, whichever they came in."""
        picked = sorted(self.picked.keys() & records.keys())
        place = {each: at for at, each in enumerate((*picked, *sorted(records.keys() - self.picked.keys())))}
        places = sorted((place[a], place[b]) for a, b in self.pairs if a in place and b in place)
        drawn = Drawn(len(picked), max(self.population, len(place)), places)
        return Candidates([records[each] for each in place], FIELDS, drawn=drawn)

    def learned(self, records: Mapping[UUID, Record]) -> Parameters:
        """The parameters: the work of a thread."""
        return self.candidates(records).learn()


async def pick(on: Executor) -> Sample:
    """Pick customers until there are enough, or all of them. Each read is a short one."""
    total = (await store.COUNT_RECORDS.one(on, limit=_READ * PICKED_MAX))["customers"]
    percent = min(100.0, 100.0 * _READ * PICKED_MAX / max(total, 1))
    rows = await store.SAMPLE.all(on, percent=percent, limit=PICKED_MAX)
    sample = Sample(total)
    for at in range(0, len(rows), _SHARING_AT_ONCE):
        page = rows[at : at + _SHARING_AT_ONCE]
        holders, _ = await store.holders_of_keys(on, {key for each in page for key in each.keys})
        for each in page:
            if sample.is_full:
                return sample
            sample.pick(each.customer_id, _sharing(each, holders))
    return sample


def _sharing(record: MatchRecord, holders: Mapping[int, Sequence[UUID]]) -> set[UUID]:
    return {other for key in record.keys for other in holders.get(key, ())}


async def records_of(on: Executor, sample: Sample) -> dict[UUID, Record]:
    """What of the customers is compared; nothing of those who are no more, or of whom nothing is known."""
    known = await load(on, sorted(sample.everybody))
    return {each: features.record for each, features in known.items() if features.record.values}
