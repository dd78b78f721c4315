"""What a pair can reach at most, by its levels alone: most that share a key are soon seen to be two."""

from rapport_identity.comparing import UNKNOWN, Compared
from rapport_identity.frequencies import rarest
from rapport_identity.levels import EXACT
from rapport_identity.parameters import Parameters


class Ceiling:
    """The most that pairs can weigh, each pattern of levels looked at once.

    Args:
        parameters: what weighs.
    """

    def __init__(self, parameters: Parameters) -> None:
        self._weights = parameters.weights
        self._rarest = [
            rarest(parameters.frequencies[field], parameters.u[field][EXACT]) for field in parameters.kinds
        ]
        self._known: dict[tuple[tuple[int, ...], tuple[bool, ...], bool], float] = {}

    def bits(self, compared: Compared, *, across: bool) -> float:
        """The weight of a pair if all that it shares were as rare as can be."""
        pattern = (compared.levels, compared.swapped, across)
        known = self._known.get(pattern)
        if known is None:
            known = self._known[pattern] = self._most(*pattern)
        return known

    def _most(self, levels: tuple[int, ...], swapped: tuple[bool, ...], across: bool) -> float:
        bits = self._weights.prior[across]
        for weight, rarest_bits, level in zip(self._weights.fields, self._rarest, levels, strict=True):
            if level != UNKNOWN:
                bits += weight[level] + (rarest_bits if level == EXACT else 0.0)
        return bits + sum(order[turned] for order, turned in zip(self._weights.orders, swapped, strict=True))
