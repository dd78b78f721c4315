"""What becomes of customers who may be one, when all that matters of them is at hand. Pure."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from customer.domain.match_features import Features
from customer.domain.matches import (
    APART,
    ASKED,
    CONTRADICTED,
    GONE,
    MEMBERS_MAX,
    ONE_ALREADY,
    QUESTIONS_MAX,
    SAID_TWO,
    TOO_MANY,
    TWO,
    Judge,
    MatchCandidate,
    MatchState,
    Pair,
    Weighed,
    new_candidate,
    pair_of,
)
from rapport_identity import clustering

Group = frozenset[UUID]


class Step(NamedTuple):
    """When a step is made, by whom, and how what is new gets its id."""

    now: datetime
    actor: str
    new_id: Callable[[], UUID]


class Board:
    """Customers with whoever they are one with, and the candidates of them.

    Args:
        judge: weighs.
        step: see there.
    """

    def __init__(self, judge: Judge, step: Step) -> None:
        self._judge, self._step = judge, step
        self._known: dict[UUID, Features] = {}
        self._groups: dict[UUID, Group] = {}
        self._candidates: dict[Pair, MatchCandidate] = {}
        self._weighed: dict[Pair, Weighed | None] = {}
        self.before: dict[Pair, MatchState | None] = {}  # of those that are another now; None of what is new

    def know(self, known: Mapping[UUID, Features]) -> None:
        """Put down more customers."""
        self._known |= known

    def weigh(self, pairs: Iterable[Pair]) -> bool:
        """Weigh pairs of customers, whoever is one by now; whether anything speaks for one of them."""
        weighed = [self._weigh(pair) for pair in pairs]
        return any(weighed)

    def add(self, groups: Iterable[Collection[UUID]], candidates: Iterable[MatchCandidate]) -> None:
        """Put down who is one already, and candidates that are kept."""
        for group in map(frozenset, groups):
            self._groups |= dict.fromkeys(group, group)
        for each in candidates:
            self._candidates.setdefault(each.pair, each)

    def has(self, customer_id: UUID) -> bool:
        """Whether a customer is put down here."""
        return customer_id in self._known

    @property
    def changed(self) -> list[MatchCandidate]:
        """The candidates that are another now."""
        return [self._candidates[pair] for pair in self.before]

    @property
    def fresh(self) -> set[UUID]:
        """Whom links are about that are new."""
        return {each for pair in self.before if self._is_open_link(pair) for each in pair}

    def group(self, customer_id: UUID) -> Group:
        """Those who are one with a customer, itself included."""
        return self._groups.get(customer_id, frozenset({customer_id}))

    def review(self, pairs: Iterable[Pair]) -> None:
        """Close what nobody need decide any more."""
        for pair in pairs:
            each = self._candidates[pair]
            gone = not self._known.keys() >= set(pair)
            is_one = pair[1] in self.group(pair[0])
            if each.is_open and (gone or is_one):
                self._become(each, MatchState.CLOSED, GONE if gone else ONE_ALREADY)

    def compare(self, pairs: Iterable[Pair]) -> None:
        """Score pairs, new ones and those that are asked about, or were closed because they were apart."""
        for pair in sorted(set(pairs) - self._crowded_out(pairs)):
            candidate, two = self._candidates.get(pair), self._said_two(*pair)
            if not self._known.keys() >= set(pair) or pair[1] in self.group(pair[0]):
                continue
            if candidate and candidate.state in (MatchState.LINKED, MatchState.REJECTED):
                continue
            weighed = None if two else self._weigh(pair)
            if weighed is None:
                if candidate and candidate.is_open:
                    self._become(candidate, MatchState.CLOSED, TWO if two else APART)
                continue
            if candidate is None:
                candidate = new_candidate(
                    self._step.new_id(), pair, self._judge.parameters_id, self._step.now
                )
                self._candidates[pair], self.before[pair] = candidate, None
            was = candidate.state
            if candidate.score(weighed, self._judge.parameters_id, self._step.now):
                self.before.setdefault(pair, was)
            if was is MatchState.CLOSED and not candidate.is_open:
                self._become(candidate, MatchState.PENDING, "")

    def _crowded_out(self, pairs: Iterable[Pair]) -> set[Pair]:
        """Those that nobody is asked about, since for either customer `QUESTIONS_MAX` are likelier.

        Of a hundred who are alike since a form filled in the same, nobody would work off five thousand.
        """
        new: dict[Pair, float] = {}
        for pair in pairs:
            weighed = None if pair in self._candidates else self._weigh(pair)
            if weighed and not weighed.link:
                new[pair] = weighed.bits
        asked = new | {c.pair: c.weight for c in self._candidates.values() if c.is_open}
        before: Counter[UUID] = Counter()
        crowded = set()
        for pair in sorted(asked, key=lambda p: (-asked[p], p)):
            if pair in new and max(before[each] for each in pair) >= QUESTIONS_MAX:
                crowded.add(pair)
            else:
                before.update(pair)
        return crowded

    def links(self) -> list[Pair]:
        """The pairs that are to be linked by themselves, the strongest of each person first.

        A function of who is linked with whom, in whatever order they came. Those that would make one of
        groups who contradict each other are asked about instead.
        """
        found: list[Pair] = []
        for members in self._components():
            open_links = {p: self._candidates[p].weight for p in self._open_links(members)}
            if len(members) > MEMBERS_MAX:
                for pair in open_links:
                    self.hold_back(pair, TOO_MANY)
                continue
            person = self._settled(members, open_links)
            for pair in sorted(open_links, key=lambda p: (-open_links[p], p)):
                if person[pair[0]] == person[pair[1]]:
                    found.append(pair)
                else:
                    self.hold_back(pair, self._why_apart(pair, person))
        return found

    def linked(self, pair: Pair) -> None:
        """Take down that two were made one, and all that are one with either."""
        both = self.group(pair[0]) | self.group(pair[1])
        self._groups |= dict.fromkeys(both, both)
        for each in list(self._candidates.values()):
            if each.is_open and both.issuperset(each.pair):
                if each.link:
                    self._become(each, MatchState.LINKED, each.link)
                else:
                    self._become(each, MatchState.CLOSED, ONE_ALREADY)

    def ask_once(self) -> None:
        """Ask one question of two people: that for which most speaks. Of who were said to be two none.

        What is closed by it is asked when the other question is answered by what is known.
        """
        questions: dict[frozenset[Group], list[MatchCandidate]] = {}
        for pair, each in self._candidates.items():
            if each.is_open:
                people = frozenset({self.group(pair[0]), self.group(pair[1])})
                if len(people) == 2 and self._known.keys() >= set(pair):
                    questions.setdefault(people, []).append(each)
        for asked in questions.values():
            best = max(asked, key=lambda each: (bool(each.link), each.weight_millibits, each.pair))
            two = self._said_two(*best.pair)
            for each in asked:
                state = MatchState.PENDING if each is best and not two else MatchState.CLOSED
                if each.state is not state:
                    self._become(each, state, TWO if two else "" if state is MatchState.PENDING else ASKED)

    def hold_back(self, pair: Pair, why: str) -> None:
        """Have a person asked about a link."""
        candidate = self._candidates[pair]
        if candidate.hold_back(why, self._step.now):
            self.before.setdefault(pair, candidate.state)

    def _weigh(self, pair: Pair) -> Weighed | None:
        if pair not in self._weighed:
            is_there = self._known.keys() >= set(pair)
            self._weighed[pair] = (
                self._judge.weigh(*(self._known[each] for each in pair)) if is_there else None
            )
        return self._weighed[pair]

    def _settled(self, members: Collection[UUID], links: Mapping[Pair, float]) -> dict[UUID, UUID]:
        """Of each the first of whom it is one with, when all who are linked have been heard."""
        by_text = {str(each): each for each in members}

        def weigh(a: str, b: str) -> float:
            one, other = by_text[a], by_text[b]
            if self._rejected(one, other):
                return clustering.CONFLICT
            return self._judge.say(self._known[one], self._known[other])

        texts = {(str(a), str(b)): bits for (a, b), bits in links.items()}
        held = [[str(each) for each in group] for group in {self.group(each) for each in members}]
        people = clustering.settle(texts, weigh, held)
        return {by_text[each]: by_text[person[0]] for person in people for each in person}

    def _components(self) -> list[set[UUID]]:
        """Who is linked, directly or by others, wherever a link is new."""
        near: dict[UUID, set[UUID]] = {}
        for pair in self._candidates:
            if self._is_open_link(pair):
                for one, other in (pair, pair[::-1]):
                    near.setdefault(one, set()).add(other)
        found: list[set[UUID]] = []
        for start in sorted(self.fresh):
            if not any(start in each for each in found):
                found.append(self._reached(start, near))
        return found

    def _reached(self, start: UUID, near: Mapping[UUID, set[UUID]]) -> set[UUID]:
        seen, ahead = set(self.group(start)), list(self.group(start))
        while ahead:
            new = {m for each in near.get(ahead.pop(), ()) for m in self.group(each)} - seen
            seen |= new
            ahead += new
        return seen

    def _is_open_link(self, pair: Pair) -> bool:
        each = self._candidates[pair]
        return bool(each.link) and each.state is MatchState.PENDING and self._known.keys() >= set(pair)

    def _open_links(self, members: Collection[UUID]) -> list[Pair]:
        return [p for p in self._candidates if p[0] in members and p[1] in members and self._is_open_link(p)]

    def _rejected(self, one: UUID, other: UUID) -> bool:
        candidate = self._candidates.get(pair_of(one, other))
        return candidate is not None and candidate.state is MatchState.REJECTED

    def _said_two(self, one: UUID, other: UUID) -> bool:
        """Whether somebody said so of these, or of two who are one with them."""
        return any(self._rejected(a, b) for a in self.group(one) for b in self.group(other))

    def _why_apart(self, pair: Pair, person: Mapping[UUID, UUID]) -> str:
        one, other = ([e for e in person if person[e] == person[each]] for each in pair)
        said = any(self._rejected(a, b) for a in one for b in other)
        return SAID_TWO if said else CONTRADICTED

    def _become(self, candidate: MatchCandidate, state: MatchState, reason: str) -> None:
        self.before.setdefault(candidate.pair, candidate.state)
        candidate.become(state, self._step.actor if reason else "", reason, self._step.now)
