"""Two customers who may be one: what speaks for it, when they are linked, what people decide."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import exp2
from uuid import UUID

from chassis.errors import FailedPrecondition
from chassis.facts import Told, Why, shown
from customer.domain.customers import ORGANIZATION, PERSON
from customer.domain.match_features import Features, key_number
from customer.names import CUSTOMER, MATCH_CANDIDATE, MATCH_PARAMETERS
from rapport_identity import clustering
from rapport_identity.evidence import Bar
from rapport_identity.parameters import Parameters
from rapport_identity.scoring import Scorer, Verdict

Pair = tuple[UUID, UUID]  # the smaller id first, that of who was created first
# Why a candidate is linked or closed.
WEIGHT, ACCEPTED = "weight", "accepted"
APART, ONE_ALREADY, GONE, TWO, ASKED = "apart", "one-already", "gone", "two", "asked-already"
# Why two are not linked by themselves, beside what the matcher says, and all of it in words.
OTHER_IDS, OTHER_KIND, ONE_HOUSEHOLD = "OTHER_IDS", "OTHER_KIND", "ONE_HOUSEHOLD"
NOT_LEARNED, CONTRADICTED, SAID_TWO = "NOT_LEARNED", "CONTRADICTED", "SAID_TWO"
ASKED_AGAIN, TOO_MANY, LINK_REFUSED = "ASKED_AGAIN", "TOO_MANY", "LINK_REFUSED"
BARS = {bar.name: bar.value for bar in Bar} | {
    OTHER_IDS: "each has an id or account number of the same system, and they differ",
    OTHER_KIND: "nobody knows whether both are persons, or both organizations",
    ONE_HOUSEHOLD: "they live at one address, and are not known to be born in one year",
    NOT_LEARNED: "nothing is learned from these customers yet, and what is believed of any links nobody",
    CONTRADICTED: "those who are linked with them already speak against it",
    SAID_TWO: "somebody said of two who are linked with them that these are two",
    ASKED_AGAIN: "somebody said that these are two, and somebody asked again",
    TOO_MANY: "more customers are linked with them than are ever linked by themselves",
    LINK_REFUSED: "they have too many names together, or are of two types",
}
QUESTIONS_MAX = 10  # that a customer has at once, the likeliest, unless likelier ones come
MEMBERS_MAX = 8  # of no list that is known is anybody more than seven records: more are strangers in a chain


class MatchState(StrEnum):
    """What came of a candidate."""

    PENDING = "PENDING"
    LINKED = "LINKED"
    REJECTED = "REJECTED"
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a pair weighs, in bits, by fields; why it may not be linked by itself, and why it is (`link`)."""

    bits: float
    fields: tuple[tuple[str, str, float], ...]
    bars: tuple[str, ...]
    link: str  # WEIGHT; empty when it is not linked by itself


class Judge:
    """Weighs pairs by parameters.

    Args:
        parameters: see there.
        learned: whether from customers; what is only believed links nobody by itself.
        link_bits: from where on two are linked by themselves.
        ask_bits: from where on a person is asked.
    """

    def __init__(
        self, parameters_id: UUID, parameters: Parameters, *, learned: bool, link_bits: float, ask_bits: float
    ) -> None:
        self.parameters_id, self.learned = parameters_id, learned
        self.stop = frozenset(map(key_number, parameters.stop))
        self._scorer = Scorer(parameters, link_bits=link_bits, ask_bits=ask_bits)

    def weigh(self, a: Features, b: Features) -> Weighed | None:
        """What two weigh; None when they are two and nobody need be asked."""
        if {a.kind, b.kind} == {PERSON, ORGANIZATION}:
            return None
        score = self._scorer.score(a.record, b.record)
        if score.verdict is Verdict.APART:
            return None
        bars = [*self._barred(a, b), *(bar.name for bar in score.bars)]
        if ORGANIZATION not in (a.kind, b.kind) and self._scorer.may_live_together(score):
            bars.append(ONE_HOUSEHOLD)
        if not self.learned:
            bars.append(NOT_LEARNED)
        fields = tuple((part.field, part.level, part.weight) for part in self._scorer.parts(score))
        by_weight = WEIGHT if score.verdict is Verdict.LINK else ""
        return Weighed(score.bits, fields, tuple(bars), "" if bars else by_weight)

    def say(self, a: Features, b: Features) -> float:
        """What two say for being one, in bits, whether anybody asks or not; `clustering.CONFLICT` never."""
        if {a.kind, b.kind} == {PERSON, ORGANIZATION} or _other_ids(a, b):
            return clustering.CONFLICT
        score = self._scorer.score(a.record, b.record)
        return clustering.CONFLICT if self._scorer.apart_in_a_group(score.compared) else score.bits

    @staticmethod
    def _barred(a: Features, b: Features) -> Iterable[str]:
        if _other_ids(a, b):
            yield OTHER_IDS
        if a.kind != b.kind and ORGANIZATION in (a.kind, b.kind):
            yield OTHER_KIND


def _other_ids(a: Features, b: Features) -> bool:
    """Whether both have ids of one system, and none that is the same."""
    return any(of in b.proofs and values.isdisjoint(b.proofs[of]) for of, values in a.proofs.items())


@dataclass(slots=True)
class MatchCandidate:
    """Two customers who may be one, as they were scored last, and what came of it.

    `link` says that they are linked by themselves if nothing else speaks against it; `fields` are a JSON list
    of field, level and weight; `barred` are the bars of these two, with spaces between; `held_back` is that
    by which it was not, of whoever they are one with, when links were last made.
    """

    id: UUID
    customer_id: UUID
    other_customer_id: UUID
    state: MatchState
    weight_millibits: int
    link: str
    fields: str
    barred: str
    held_back: str
    match_parameters_id: UUID
    decider: str
    reason_code: str
    comment: str
    create_time: datetime
    update_time: datetime
    decide_time: datetime | None
    version: int

    name = MATCH_CANDIDATE.named("id")
    first_customer = CUSTOMER.named("customer_id")
    other_customer = CUSTOMER.named("other_customer_id")
    match_parameters = MATCH_PARAMETERS.named("match_parameters_id")

    @property
    def pair(self) -> Pair:
        """Who they are."""
        return self.customer_id, self.other_customer_id

    @property
    def is_open(self) -> bool:
        """Whether it is yet to be said if they are one, by this question or another about the same people."""
        return self.state is MatchState.PENDING or self.reason_code == ASKED

    @property
    def for_one(self) -> bool:
        """Whether it is asked if they are one, or was said that they are: not so of two people."""
        return self.is_open or self.state is MatchState.LINKED or self.reason_code == ONE_ALREADY

    @property
    def bars(self) -> list[str]:
        """Why they are not linked by themselves, of `BARS`."""
        return [*self.barred.split(), *self.held_back.split()]

    @property
    def weight(self) -> float:
        """What speaks for it, in bits."""
        return self.weight_millibits / 1000

    @property
    def probability(self) -> float:
        """How likely they are one."""
        return 1 / (1 + exp2(-min(max(self.weight, -60.0), 60.0)))

    def score(self, weighed: Weighed, parameters_id: UUID, now: datetime) -> bool:
        """Take over what it weighs now; False when that is what it weighed before."""
        fields = json.dumps([(field, level, round(bits, 3)) for field, level, bits in weighed.fields])
        asked_again = [ASKED_AGAIN] if ASKED_AGAIN in self.bars else []
        link = "" if asked_again else weighed.link
        barred = " ".join((*weighed.bars, *asked_again))
        new = (round(weighed.bits * 1000), link, fields, barred, parameters_id)
        if new == (self.weight_millibits, self.link, self.fields, self.barred, self.match_parameters_id):
            return False
        self.weight_millibits, self.link, self.fields, self.barred, self.match_parameters_id = new
        self.held_back = self.held_back if link else ""
        self.update_time, self.version = now, self.version + 1
        return True

    def hold_back(self, why: str, now: datetime) -> bool:
        """Be asked about, though it would be linked, for this reason; False when that is known."""
        if why == self.held_back:
            return False
        self.held_back, self.update_time, self.version = why, now, self.version + 1
        return True

    def ask_again(self) -> None:
        """Be for a person to decide, and not be linked by itself."""
        self.link = self.held_back = ""
        if ASKED_AGAIN not in self.bars:
            self.barred = " ".join((*self.bars, ASKED_AGAIN))

    def become(
        self, state: MatchState, decider: str, reason_code: str, now: datetime, comment: str = ""
    ) -> None:
        """Be decided, or asked about again."""
        self.state, self.decider, self.reason_code, self.comment = state, decider, reason_code, comment
        self.decide_time = None if state is MatchState.PENDING else now
        self.update_time, self.version = now, self.version + 1

    def require_pending(self) -> None:
        """FailedPrecondition MATCH_DECIDED, which says who decided what, and when."""
        if self.state is not MatchState.PENDING:
            assert self.decide_time is not None
            told = f"{self.decider} decided this {shown(self.decide_time)}: it is {self.state}."
            metadata = {"resource": self.name, "state": self.state, "decider": self.decider}
            at = {"decide_time": self.decide_time.isoformat(), "reason_code": self.reason_code}
            raise FailedPrecondition("MATCH_DECIDED", told, metadata | at)

    def accepted_by(self, subject: str) -> bool:
        """Whether somebody said that they are one, who may take that back."""
        is_accepted = self.state is MatchState.LINKED and self.reason_code == ACCEPTED
        return is_accepted and self.decider == subject

    def require_reopenable(self) -> None:
        """FailedPrecondition MATCH_NOT_REOPENABLE."""
        if self.state is not MatchState.REJECTED:
            told = f"Only what is REJECTED, or you accepted, is asked about again; this is {self.state}."
            raise FailedPrecondition(
                "MATCH_NOT_REOPENABLE", told, {"resource": self.name, "state": self.state}
            )


def said_to_be_two(said: MatchCandidate) -> FailedPrecondition:
    """FailedPrecondition MATCH_REJECTED: what somebody said of two holds of all names of both."""
    assert said.decide_time is not None
    told = f"{said.decider} said {shown(said.decide_time)} that they are two: reopen {said.name} first."
    return FailedPrecondition("MATCH_REJECTED", told, {"resource": said.name, "decider": said.decider})


def new_candidate(candidate_id: UUID, pair: Pair, parameters_id: UUID, now: datetime) -> MatchCandidate:
    """A candidate that is yet to be scored."""
    return MatchCandidate(
        id=candidate_id,
        customer_id=pair[0],
        other_customer_id=pair[1],
        state=MatchState.PENDING,
        weight_millibits=0,
        link="",
        fields="[]",
        barred="",
        held_back="",
        match_parameters_id=parameters_id,
        decider="",
        reason_code="",
        comment="",
        create_time=now,
        update_time=now,
        decide_time=None,
        version=0,
    )


_LINKED_BECAUSE = {
    WEIGHT: "what they have in common outweighs what differs",
    ACCEPTED: "a person said that they are one",
}


def why_match(candidate: MatchCandidate, told: Told) -> Why:
    """Why two are asked about, or what was decided of them, and what each field said."""
    odds = f" It weighs {candidate.weight:+.1f} bits: {candidate.probability:.1%} likely to be one person."
    match candidate.state:
        case MatchState.PENDING:
            bars = "; ".join(BARS[each] for each in candidate.bars)
            said = f"A person is asked: {bars or 'it is not certain enough'}."
        case MatchState.LINKED:
            said = f"Linked by {candidate.decider}: {_LINKED_BECAUSE[candidate.reason_code]}."
        case _:
            said = f"{candidate.state} by {candidate.decider}: {candidate.reason_code}."
    fields = {f: f"{level} ({bits:+.1f} bits)" for f, level, bits in json.loads(candidate.fields)}
    compared = odds if fields else ""  # who were never compared weigh nothing
    return Why(f"{said}{compared}", "Fellegi-Sunter", candidate.match_parameters, fields)


def pair_of(a: UUID, b: UUID) -> Pair:
    """The two in their order."""
    return (a, b) if a < b else (b, a)
