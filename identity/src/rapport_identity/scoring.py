"""How much speaks for one person: of each field a weight in bits, their sum, and what comes of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from math import exp2, log2
from typing import NamedTuple

from rapport_identity.comparing import UNKNOWN, Compared, Comparer
from rapport_identity.frequencies import Rarity
from rapport_identity.levels import APART, EXACT, NAMES
from rapport_identity.parameters import Parameters
from rapport_identity.record import Kind, Record

LINK_BITS = 6.6  # as likely as 99 in 100: linked by itself
ASK_BITS = -3.3  # as likely as 1 in 10: a person is asked
_CONFLICT_BITS = -3.0  # what another identifier says, at least, where it is indeed of one person
_PERSONAL = (Kind.GIVEN_NAME, Kind.FAMILY_NAME, Kind.DATE)
_STRONG = (Kind.EMAIL, Kind.PHONE, Kind.IDENTIFIER)


class Verdict(StrEnum):
    """What comes of a comparison."""

    LINK = "link"
    ASK = "ask"
    APART = "apart"


class Bar(StrEnum):
    """Why two records are not linked by themselves, however much speaks for it."""

    CONFLICTING_IDENTIFIERS = "each has an identifier of one person, and they differ"
    ONLY_SHARED = "little but an identifier that many share speaks for it"
    NOTHING_PERSONAL = "neither a name nor a birth date speaks for it"
    HOUSEHOLD = "other given names, and no birth date that agrees: they may live together"


@dataclass(frozen=True, slots=True)
class Part:
    """What one field says: the level of its agreement by name, and its weight in bits."""

    field: str
    level: str
    weight: float


class Score(NamedTuple):
    """What all fields say together; `Scorer.parts` says what each does.

    `bits` is the logarithm, to base 2, of the odds that both are one person: the sum of `weights`. `bars` say
    why they are not linked by themselves.
    """

    bits: float
    verdict: Verdict
    bars: tuple[Bar, ...]
    compared: Compared
    weights: tuple[float, ...]
    across: bool

    @property
    def probability(self) -> float:
        """That both are one person."""
        return 1 / (1 + exp2(-min(max(self.bits, -60.0), 60.0)))


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
        self.comparer = Comparer(parameters.kinds)
        self._link_bits, self._ask_bits = link_bits, ask_bits
        self._kinds = tuple(parameters.kinds.values())
        self._weights = [
            [log2(m / u) for m, u in zip(parameters.m[field], parameters.u[field], strict=True)]
            for field in self.comparer.fields
        ]
        swapped = [parameters.swapped[order] for order in self.comparer.orders]
        self._orders = [(log2(1 - chance), log2(chance)) for chance in swapped]
        self._prior = [log2(chance / (1 - chance)) for chance in parameters.chance]
        self._rarity = [
            Rarity(parameters.frequencies[field], parameters.u[field][EXACT], kind)
            for field, kind in parameters.kinds.items()
        ]

    def score(self, a: Record, b: Record) -> Score:
        """Two records; the same whichever comes first."""
        compared = self.comparer.compare(self.comparer.row(a), self.comparer.row(b))
        return self.weigh(compared, across=a.source != b.source, shared=a.shared | b.shared)

    def weigh(
        self, compared: Compared, *, across: bool = False, shared: frozenset[str] = frozenset()
    ) -> Score:
        """Two that have been compared. `across`: they are of two lists; `shared`: see `record.Record`."""
        fields = [
            0.0 if level == UNKNOWN else of[level] + rarity.bits(level, x, y, shared)
            for of, rarity, level, x, y in zip(
                self._weights, self._rarity, compared.levels, compared.a, compared.b, strict=True
            )
        ]
        orders = [of[turned] for of, turned in zip(self._orders, compared.swapped, strict=True)]
        weights = (self._prior[across], *orders, *fields)
        bits = sum(weights)
        bars = tuple(self._bars(compared, fields, bits, shared))
        verdict = Verdict.LINK if bits >= self._link_bits and not bars else Verdict.ASK
        return Score(
            bits, verdict if bits >= self._ask_bits else Verdict.APART, bars, compared, weights, across
        )

    def parts(self, score: Score) -> list[Part]:
        """What each field says, and first what is believed before; their weights add up to the score."""
        compared = score.compared
        levels = [
            "unknown" if level == UNKNOWN else NAMES[kind][level]
            for kind, level in zip(self._kinds, compared.levels, strict=True)
        ]
        said = [
            "two lists" if score.across else "one list",
            *("swapped" if turned else "as usual" for turned in compared.swapped),
            *levels,
        ]
        names = ("prior", *self.comparer.orders, *self.comparer.fields)
        return [Part(*each) for each in zip(names, said, score.weights, strict=True)]

    def _bars(
        self, compared: Compared, weights: list[float], bits: float, shared: frozenset[str]
    ) -> Iterator[Bar]:
        conflicts: set[Kind] = set()
        personal = proven = False
        for kind, level, weight, rarity, x, y in zip(
            self._kinds, compared.levels, weights, self._rarity, compared.a, compared.b, strict=True
        ):
            personal |= kind in _PERSONAL and weight > 0
            if kind in _STRONG and level != UNKNOWN:
                if level == EXACT and rarity.is_shared(x, y, shared):
                    bits -= max(weight, 0.0)
                elif level == EXACT:
                    proven |= kind is Kind.IDENTIFIER
                elif level == APART[kind] and not rarity.is_shared(x, y, shared):
                    conflicts |= {kind} if kind is not Kind.IDENTIFIER or weight < _CONFLICT_BITS else set()
        if Kind.IDENTIFIER in conflicts or {Kind.EMAIL, Kind.PHONE} <= conflicts:
            yield Bar.CONFLICTING_IDENTIFIERS
        if bits < 0:
            yield Bar.ONLY_SHARED
        if not (personal or proven):
            yield Bar.NOTHING_PERSONAL
        if self.parameters.households and not proven and self._may_live_together(compared.levels, weights):
            yield Bar.HOUSEHOLD

    def _may_live_together(self, levels: tuple[int, ...], weights: list[float]) -> bool:
        other_name = False
        for kind, level, weight in zip(self._kinds, levels, weights, strict=True):
            if kind is Kind.DATE and weight > 0:
                return False
            other_name |= kind is Kind.GIVEN_NAME and level == APART[kind]
        return other_name
