"""What a matcher believes and has learned: versioned, and to be read by a person."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from math import inf, log2
from typing import Any, NamedTuple

from rapport_identity.frequencies import Frequencies
from rapport_identity.record import OF_A_HOUSEHOLD, Kind

# Before any data is seen: how often each level is found in two records of one person, best first.
PRIOR_M: Mapping[Kind, tuple[float, ...]] = {
    Kind.GIVEN_NAME: (0.80, 0.03, 0.08, 0.03, 0.02, 0.04),
    Kind.FAMILY_NAME: (0.83, 0.08, 0.03, 0.02, 0.04),
    Kind.TEXT: (0.80, 0.10, 0.04, 0.06),
    Kind.STREET: (0.75, 0.12, 0.05, 0.08),
    Kind.NUMBER: (0.86, 0.06, 0.08),
    Kind.CODE: (0.86, 0.06, 0.03, 0.05),
    Kind.DATE: (0.88, 0.04, 0.005, 0.02, 0.025, 0.03),
    Kind.EMAIL: (0.80, 0.08, 0.02, 0.02, 0.08),
    Kind.PHONE: (0.80, 0.05, 0.15),
    Kind.IDENTIFIER: (0.93, 0.05, 0.02),
}
# The same of two people: by this alone nothing should be linked, for a value's frequency is not in it.
PRIOR_U: Mapping[Kind, tuple[float, ...]] = {
    Kind.GIVEN_NAME: (0.008, 0.002, 0.01, 0.03, 0.02, 0.93),
    Kind.FAMILY_NAME: (0.001, 0.004, 0.02, 0.005, 0.97),
    Kind.TEXT: (0.02, 0.002, 0.02, 0.958),
    Kind.STREET: (0.0005, 0.001, 0.01, 0.9885),
    Kind.NUMBER: (0.02, 0.1, 0.88),
    Kind.CODE: (0.001, 0.005, 0.05, 0.944),
    Kind.DATE: (0.00004, 0.001, 0.0002, 0.004, 0.03, 0.96476),
    Kind.EMAIL: (0.000001, 0.00001, 0.0001, 0.001, 0.998889),
    Kind.PHONE: (0.000005, 0.00001, 0.999985),
    Kind.IDENTIFIER: (0.000001, 0.000001, 0.999998),
}
# Another given name of one person, or quite another birth date, is rare, whatever is learned. Without a bound
# who only live or work at one address pass for one person, and names and dates for what says nothing.
DIFFERENT_MAX: Mapping[Kind, float] = {Kind.GIVEN_NAME: 0.1, Kind.DATE: 0.1}
PRIOR_STRENGTH = 10.0  # as many pairs as that belief counts
PRIOR_SWAPPED = 0.02  # how often two fields stand in each other's place
PRIOR_CHANCE = (
    1e-4  # that two records of a list are one person; or two people of one household, if there are such
)


@dataclass(frozen=True, slots=True)
class Parameters:
    """What decides how much an agreement says.

    Args:
        kinds: of the fields.
        m: of each field, how often each level is found in two records of one person.
        u: the same of two people.
        swapped: how often fields stand in each other's place, by what that is called.
        frequencies: by field.
        chance: that two records are one person before they are compared: of one list, of two lists.
        together: that they are two people of one household; 0 where the data hold none.
        stop: keys that too many share: fixed here, so that nothing depends on when a record arrives.
    """

    kinds: Mapping[str, Kind]
    m: Mapping[str, tuple[float, ...]]
    u: Mapping[str, tuple[float, ...]]
    swapped: Mapping[str, float]
    frequencies: Mapping[str, Frequencies]
    chance: tuple[float, float]
    together: float = 0.0
    stop: frozenset[str] = field(default=frozenset())

    @property
    def weights(self) -> "Weights":
        """What each level says."""
        return Weights(
            prior=tuple(log2(chance / (1 - chance)) for chance in self.chance),
            together=log2(self.together) if self.together else -inf,
            orders=[(log2(1 - chance), log2(chance)) for chance in self.swapped.values()],
            fields=[
                [log2(m / u) for m, u in zip(self.m[field], self.u[field], strict=True)]
                for field in self.kinds
            ],
            at_home=[field in OF_A_HOUSEHOLD for field in self.kinds],
        )

    @property
    def version(self) -> str:
        """Names what is in here: the same parameters have the same."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:12]

    def to_json(self) -> str:
        """As a document that `from_json` takes."""
        flat = {each.name: getattr(self, each.name) for each in fields(self)}
        return json.dumps(flat | {"stop": sorted(self.stop)}, default=asdict)

    @classmethod
    def from_json(cls, document: str) -> "Parameters":
        """What `to_json` wrote."""
        found: dict[str, Any] = json.loads(document)
        return cls(
            kinds={name: Kind(kind) for name, kind in found["kinds"].items()},
            m={name: tuple(each) for name, each in found["m"].items()},
            u={name: tuple(each) for name, each in found["u"].items()},
            swapped=found["swapped"],
            frequencies={name: Frequencies(**each) for name, each in found["frequencies"].items()},
            chance=(found["chance"][0], found["chance"][1]),
            together=found["together"],
            stop=frozenset(found["stop"]),
        )


class Weights(NamedTuple):
    """What levels say, in bits: for one person (positive) or for two.

    `prior` is of one list and of two; `together` of two people of one household, beside strangers; `orders`
    of fields as usual and in each other's place; `fields` of each level; `at_home`: if a household shares it.
    """

    prior: tuple[float, ...]
    together: float
    orders: list[tuple[float, float]]
    fields: list[list[float]]
    at_home: list[bool]
