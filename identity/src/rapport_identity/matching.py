"""A whole list, or several: learned from, compared, and clustered into people."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress

from rapport_identity import blocking, clustering, households, training
from rapport_identity.ceiling import Ceiling
from rapport_identity.comparing import Compared, Comparer
from rapport_identity.frequencies import of_many
from rapport_identity.parameters import PRIOR_CHANCE, Parameters
from rapport_identity.record import Kind, Record
from rapport_identity.scoring import LINK_BITS, Score, Scorer, Verdict

_PASSES = (
    2  # the second counts how often a value is there by person, as far as the first found out who is one
)


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in a list.

    Args:
        parameters: what was learned, or given.
        scores: of the pairs that share a key and are not apart, the smaller id first.
        people: the ids of each person's records; of all that are one record, too.
    """

    parameters: Parameters
    scores: Mapping[tuple[str, str], Score]
    people: Sequence[Sequence[str]]

    def pairs(self, verdict: Verdict) -> set[tuple[str, str]]:
        """The pairs of one verdict."""
        return {pair for pair, score in self.scores.items() if score.verdict is verdict}


@dataclass(frozen=True, slots=True)
class Drawn:
    """Of how many a list is a sample, and which pairs of it are compared.

    Args:
        picked: so many records, the first, were picked by chance; the others are there because they share a
            key with one of them.
        population: of how many records.
        places: the pairs: of each that was picked with all that share a key.
    """

    picked: int
    population: int
    places: Sequence[tuple[int, int]]

    @property
    def pairs(self) -> int:
        """How many pairs of the population one that was picked is in."""
        return self.picked * (self.picked - 1) // 2 + self.picked * (self.population - self.picked)


class Candidates:
    """The pairs of a list that share a key, compared once.

    Args:
        records: the list.
        kinds: of the fields; those that no record has are left out, unless `stop` is known.
        stop: see `Parameters`; None to find out.
        drawn: where the list, then of one source, is a sample; None where it is everybody.
    """

    def __init__(
        self,
        records: Sequence[Record],
        kinds: Mapping[str, Kind],
        stop: frozenset[str] | None = None,
        drawn: Drawn | None = None,
    ) -> None:
        self.records = records
        said = {field for each in records for field in each.values}
        self.kinds = {field: kind for field, kind in kinds.items() if stop is not None or field in said}
        keyed = [blocking.keys(record, self.kinds) for record in records]
        self.stop = blocking.too_common(keyed) if stop is None else stop
        self.comparer = Comparer(self.kinds)
        self._whole = [self.comparer.row(record) for record in records]
        held = (
            Counter(value for values in column for value in values)
            for column in zip(*self._whole, strict=True)
        )
        shared = of_many(self.kinds, held)
        self.rows = [self.comparer.row(record, shared) for record in records]
        self.places = drawn.places if drawn else list(blocking.pairs(keyed, self.stop))
        self._picked = drawn.picked if drawn else len(records)
        self._pairs = (drawn.pairs, 0) if drawn else _pairs(records)
        self.compared: list[tuple[Compared, bool]] = [
            (self.comparer.compare(self.rows[a], self.rows[b]), records[a].source != records[b].source)
            for a, b in self.places
        ]
        self._lessons = list(compress(self.compared, blocking.lessons(keyed, self.places)))

    def learn(self) -> Parameters:
        """Parameters from these records. ValueError for less than two, or none with anything known."""
        if self._picked < 2 or not self.kinds:
            raise ValueError("must be two records at least, with a field that is known")
        picked = range(self._picked)
        sample = training.Sample(self.comparer, self.rows[: self._picked])
        beliefs = training.beliefs(self.comparer, self.kinds)
        at = self._learn(beliefs, sample, picked)
        scores = self.scores(Scorer(at))
        if households.are_there(self.kinds, self._alike(scores.values())):
            # From the beginning: what was learned until now may be of households.
            at = replace(beliefs, u=at.u, frequencies=at.frequencies, together=PRIOR_CHANCE)
            at = training.learn(at, self._lessons, self._pairs)
            scores = self.scores(Scorer(at))
        at = self._learn(at, sample, self._persons(scores)[: self._picked])
        return replace(at, stop=self.stop)

    def _learn(self, start: Parameters, sample: training.Sample, person: Sequence[int]) -> Parameters:
        """What the records teach when some are known to be one person: a value counts once for each.

        How common a value is, only those say who were picked: the others are alike.
        """
        known = training.frequencies(self.comparer.fields, self._whole[: self._picked], person)
        at = replace(start, frequencies=known, u=sample.u(self.kinds, person, known))
        return training.learn(at, self._lessons, self._pairs)

    def scores(self, scorer: Scorer) -> dict[tuple[str, str], Score]:
        """Of each pair that is not apart."""
        found = {}
        ceiling = Ceiling(scorer.parameters)
        for (a, b), (compared, across) in zip(self.places, self.compared, strict=True):
            if ceiling.bits(compared, across=across) < scorer.ask_bits:
                continue
            if True in compared.swapped:  # now it is known which names are usual
                compared = scorer.comparer.compare(self.rows[a], self.rows[b])
            one, other = self.records[a], self.records[b]
            score = scorer.weigh(compared, across=across)
            if score.verdict is not Verdict.APART:
                found[min(one.id, other.id), max(one.id, other.id)] = score
        return found

    def _alike(self, scores: Iterable[Score]) -> Iterator[tuple[int, ...]]:
        """The levels of those who are one person whatever their given names and birth dates are."""
        aside = [
            at
            for at, kind in enumerate(self.kinds.values(), start=-len(self.kinds))
            if kind in (Kind.GIVEN_NAME, Kind.DATE)
        ]
        for score in scores:
            if score.bits - sum(score.weights[at] for at in aside) >= LINK_BITS:
                yield score.compared.levels

    def _persons(self, scores: Mapping[tuple[str, str], Score]) -> Sequence[int]:
        """Of each record a number of its person, so far."""
        place = {record.id: at for at, record in enumerate(self.records)}
        person = list(range(len(self.records)))
        for group in clustering.connected(links_of(scores)):
            members = {place[each] for pair in group for each in pair}
            for each in members:
                person[each] = min(members)
        return person


def _pairs(records: Sequence[Record]) -> tuple[int, int]:
    """How many pairs there are: of one list, of two."""
    sizes = Counter(record.source for record in records).values()
    within = sum(size * (size - 1) // 2 for size in sizes)
    return within, len(records) * (len(records) - 1) // 2 - within


def resolve(
    records: Sequence[Record], kinds: Mapping[str, Kind], parameters: Parameters | None = None
) -> Found:
    """Who is who in a list.

    Args:
        records: the list, or several with the `source` of each record.
        kinds: of the fields.
        parameters: what was learned before; None to learn from these records.
    """
    if parameters:
        candidates = Candidates(records, parameters.kinds, parameters.stop)
    else:
        candidates = Candidates(records, kinds)
    scorer = Scorer(parameters or candidates.learn())
    scores = candidates.scores(scorer)
    links = links_of(scores)
    weigh = weigher(records, scorer, scores)
    people = [person for group in clustering.connected(links) for person in clustering.settle(group, weigh)]
    alone = {record.id for record in records}.difference(*people)
    return Found(scorer.parameters, scores, sorted([*people, *([each] for each in alone)]))


def links_of(scores: Mapping[tuple[str, str], Score]) -> dict[tuple[str, str], float]:
    """The pairs that are certain, with their weights in bits."""
    return {pair: score.bits for pair, score in scores.items() if score.certain}


def weigher(
    records: Sequence[Record], scorer: Scorer, known: Mapping[tuple[str, str], Score]
) -> clustering.Weigh:
    """What two records say for being one, for `clustering`."""
    by_id = {record.id: record for record in records}

    def weigh(a: str, b: str) -> float:
        pair = (a, b) if a < b else (b, a)
        score = known.get(pair) or scorer.score(by_id[a], by_id[b])
        return clustering.CONFLICT if scorer.conflict(score.compared) else score.bits

    return weigh
