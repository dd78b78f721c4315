"""How much speaks for one person: of each field a weight in bits, their sum, and what comes of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import compress
from math import exp2, log2
from typing import NamedTuple

from rapport_identity.comparing import UNKNOWN, Compared, Comparer
from rapport_identity.evidence import APART_IN_A_GROUP, PRUDENT, Bar, Evidence
from rapport_identity.frequencies import HANDLES, Rarity, of_many
from rapport_identity.levels import APART, EXACT, NAMES
from rapport_identity.parameters import Parameters
from rapport_identity.record import Kind, Record

LINK_BITS = 6.6  # as likely as 99 in 100: linked by itself
ASK_BITS = -3.3  # as likely as 1 in 10: a person is asked
_BITS_MAX = 300.0  # beyond, nothing changes any more
# Another identifier is a conflict where fewer than 3 in 100 pairs of one person have another one. Where
# more have, as in lists in which a tenth of the numbers is wrong, it is evidence like any other.
_CONFLICT_BITS = -5.0
_PERSONAL = (Kind.GIVEN_NAME, Kind.FAMILY_NAME, Kind.DATE)


class Verdict(StrEnum):
    """What comes of a comparison."""

    LINK = "link"
    ASK = "ask"
    APART = "apart"


@dataclass(frozen=True, slots=True)
class Part:
    """What one field says: the level of its agreement by name, and its weight in bits."""

    field: str
    level: str
    weight: float


class Score(NamedTuple):
    """What all fields say together; `Scorer.parts` says what each does.

    `bits` is the logarithm, to base 2, of the odds that both are one person: the sum of `weights`. `bars` say
    why two that are not apart are not linked by themselves; `certain`, whether they weigh as much as those
    that are, and no more than prudence (`evidence.PRUDENT`) bars it.
    """

    bits: float
    verdict: Verdict
    bars: tuple[Bar, ...]
    compared: Compared
    weights: tuple[float, ...]
    across: bool
    certain: bool


class Scorer:
    """Scores pairs by parameters.

    Args:
        parameters: see there.
        link_bits: from where on two records are linked by themselves.
        ask_bits: from where on a person is asked.
    """

    def __init__(
        self, parameters: Parameters, *, link_bits: float = LINK_BITS, ask_bits: float = ASK_BITS
    ) -> None:
        self.parameters = parameters
        self.comparer = Comparer(parameters.kinds, parameters.frequencies)
        self._link_bits, self.ask_bits = link_bits, ask_bits
        self._kinds = tuple(parameters.kinds.values())
        self._weights = parameters.weights
        self._rarity = [
            Rarity(parameters.frequencies[field], parameters.u[field][EXACT], kind)
            for field, kind in parameters.kinds.items()
        ]
        counts = [parameters.frequencies[field].counts for field in parameters.kinds]
        self._of_many = of_many(parameters.kinds, counts)
        self._evidence = Evidence(parameters.kinds, parameters.frequencies, self._rarity)

    def score(self, a: Record, b: Record) -> Score:
        """Two records; the same whichever comes first."""
        row = self.comparer.row
        compared = self.comparer.compare(row(a, self._of_many), row(b, self._of_many))
        return self.weigh(compared, across=a.source != b.source)

    def weigh(self, compared: Compared, *, across: bool = False) -> Score:
        """Two that have been compared. `across`: they are of two lists."""
        of = self._weights
        fields = [
            0.0 if level == UNKNOWN else weight[level] + rarity.bits(level, x, y)
            for weight, rarity, level, x, y in zip(
                of.fields, self._rarity, compared.levels, compared.a, compared.b, strict=True
            )
        ]
        orders = [order[turned] for order, turned in zip(of.orders, compared.swapped, strict=True)]
        home = of.together + sum(compress(fields, of.at_home)) + sum(orders)
        weights = (of.prior[across], -log2(1 + exp2(min(home, _BITS_MAX))), *orders, *fields)
        bits = sum(weights)
        if bits < self.ask_bits:
            return Score(bits, Verdict.APART, (), compared, weights, across, certain=False)
        bars = (*self._bars(compared, fields, bits), *self._evidence.bars(compared))
        certain = bits >= self._link_bits and PRUDENT.issuperset(bars)
        verdict = Verdict.LINK if certain and not bars else Verdict.ASK
        return Score(bits, verdict, bars, compared, weights, across, certain)

    def parts(self, score: Score) -> list[Part]:
        """What each field says, and first what is believed before; their weights add up to the score."""
        compared = score.compared
        levels = [
            "unknown" if level == UNKNOWN else NAMES[kind][level]
            for kind, level in zip(self._kinds, compared.levels, strict=True)
        ]
        said = [
            "two lists" if score.across else "one list",
            "as likely as address and family name agree" if score.weights[1] < 0 else "none is known",
            *("swapped" if turned else "as usual" for turned in compared.swapped),
            *levels,
        ]
        names = ("prior", "household", *self.comparer.orders, *self.comparer.fields)
        return [Part(*each) for each in zip(names, said, score.weights, strict=True)]

    def may_live_together(self, score: Score) -> bool:
        """Whether they may be parent and child of one name: at one address, and nothing says of one age.

        Only where households are known to be among the records.
        """
        at_home = bool(self.parameters.together) and score.weights[1] < 0
        return at_home and not self._evidence.of_one_age(score.compared)

    def _bars(self, compared: Compared, weights: list[float], bits: float) -> Iterator[Bar]:
        personal = proven = False
        for kind, level, weight, rarity, x, y in zip(
            self._kinds, compared.levels, weights, self._rarity, compared.a, compared.b, strict=True
        ):
            personal |= kind in _PERSONAL and weight > 0
            if level == EXACT and kind in HANDLES:
                if rarity.is_shared(x, y):
                    bits -= max(weight, 0.0)
                else:
                    proven |= kind is Kind.IDENTIFIER
        if self.conflict(compared):
            yield Bar.CONFLICTING_IDENTIFIERS
        if bits < 0:
            yield Bar.ONLY_SHARED
        if not (personal or proven):
            yield Bar.NOTHING_PERSONAL
        if not proven and not self._beside_names(weights):
            yield Bar.NAME_ALONE

    def _beside_names(self, weights: list[float]) -> bool:
        """Whether anything else speaks for one person: nobody is the only one of their name."""
        return any(
            weight > 0 and kind not in (Kind.GIVEN_NAME, Kind.FAMILY_NAME)
            for kind, weight in zip(self._kinds, weights, strict=True)
        )

    def apart_in_a_group(self, compared: Compared) -> bool:
        """Whether two are never made one by others who are linked with both."""
        return self.conflict(compared) or not APART_IN_A_GROUP.isdisjoint(self._evidence.bars(compared))

    def conflict(self, compared: Compared) -> bool:
        """Whether each has identifiers of one person, and they differ: e-mail and phone, or a number."""
        differ = {
            kind
            for kind, level, of, rarity, x, y in zip(
                self._kinds,
                compared.levels,
                self._weights.fields,
                self._rarity,
                compared.a,
                compared.b,
                strict=True,
            )
            if kind in HANDLES
            and level == APART[kind]
            and not rarity.is_shared(x, y)
            and (kind is not Kind.IDENTIFIER or of[level] < _CONFLICT_BITS)
        }
        return Kind.IDENTIFIER in differ or {Kind.EMAIL, Kind.PHONE} <= differ
