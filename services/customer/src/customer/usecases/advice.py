"""What a view advises: derived at each reading from what it has and what lies beside it, never stored.

Rules look at a view when it is read from the database, once for as long as it is held in memory: each piece
of advice says from when to when it is given, so that time passes without anything being computed anew. What
was answered takes it away, or puts it off, by its name: that of a rule, its evidence, and the occasion.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from prometheus_client import Counter

from chassis.api.messages import timestamp
from customer.domain.advice import AdviceRule
from customer.names import ADVICE_ANSWER, CONSENT, IDENTIFIER
from customer.usecases.advising import ADVISED
from customer.usecases.causes import Advice, Known, Seen
from rapport.customer.v1 import advice_pb2, view_pb2

SHOWN_MAX = 5
BYTES_MAX = 3 * 1024  # of what a view advises
_CAUSE_BYTES = 500  # of one that is held, about
SHOWN = Counter("rapport_advice_shown", "What views advised whoever read them, by rule.", ["kind"])
_RULES = {rule: advice_pb2.AdviceRule.Value(f"ADVICE_RULE_{rule}") for rule in AdviceRule}
_SHOWN = {rule: SHOWN.labels(rule) for rule in AdviceRule}
_ORDER = {rule: (each.priority, place) for place, (rule, each) in enumerate(ADVISED.items())}


@dataclass(frozen=True, slots=True)
class Given:
    """A piece of advice that is given, as a view with nothing but that, serialised."""

    rule: AdviceRule
    part: bytes


class Advisory:
    """What a view may advise, the most urgent first: which of it, is said by the time of day."""

    __slots__ = ("_answered", "_asked", "_causes", "_given")

    def __init__(
        self, asked: UUID, causes: Sequence[Advice], answered: Mapping[UUID, datetime | None]
    ) -> None:
        self._asked, self._causes, self._answered = asked, causes, answered
        self._given: dict[int, Given] = {}  # what was given before, by its place

    @property
    def size(self) -> int:
        """In bytes, about."""
        return _CAUSE_BYTES * len(self._causes)

    def at(self, now: datetime) -> list[Given]:
        """What is advised then: few, and no more than a view has room for."""
        shown: list[Given] = []
        room = BYTES_MAX
        for place, each in enumerate(self._causes):
            if each.holds(now) and not self._is_answered(each, now):
                given = self._given.get(place) or self._give(place, each)
                if (room := room - len(given.part)) < 0:
                    break
                shown.append(given)
                if len(shown) == SHOWN_MAX:
                    break
        return shown

    def _is_answered(self, each: Advice, now: datetime) -> bool:
        if not self._answered:
            return False
        until = self._answered.get(each.id, now)
        return until is None or now < until

    def _give(self, place: int, each: Advice) -> Given:
        name = ADVICE_ANSWER.format(self._asked, each.id)
        part = view_pb2.CustomerView(advice=[_part(name, each)]).SerializeToString()
        given = self._given[place] = Given(each.rule, part)
        return given


def advisory(view: bytes, row: Any, zone: str, now: datetime) -> Advisory:
    """What a stored view may advise, with a row of `VIEWS_BY_ID`; of whom nobody knows where, in a zone."""
    causes = found(view_pb2.CustomerView.FromString(view), row, zone, now)
    return Advisory(row["asked"], causes, _answered(row))


def found(view: view_pb2.CustomerView, row: Any, zone: str, now: datetime) -> list[Advice]:
    """Everything that there is cause for, or will be, whatever was answered: the most urgent first."""
    unreached = zip(*(row[name] or () for name in _UNREACHED), strict=True)
    waiting = zip(*(row[name] or () for name in _WAITING), strict=True)
    known = Known(
        row["birth_date"] or "",
        [(IDENTIFIER.format(whose, each), since) for whose, each, since in unreached],
        [(CONSENT.format(whose, each), since, until) for whose, each, since, until in waiting],
        zone,
    )
    seen = Seen.of(view, known, now)
    causes = [each for advised in ADVISED.values() for each in advised.found(seen)]
    return sorted(causes, key=lambda each: (_ORDER[each.rule], each.since))


_UNREACHED = ("unreached_of", "unreached", "unreached_since")
_WAITING = ("waiting_of", "waiting", "waiting_since", "waiting_until")


def _answered(row: Any) -> dict[UUID, datetime | None]:
    """Until when each answer holds, for ever if None; of several the last."""
    return dict(zip(row["answered"] or (), row["answered_until"] or (), strict=True))


def _part(name: str, advice: Advice) -> view_pb2.AdvicePart:
    advised = ADVISED[advice.rule]
    return view_pb2.AdvicePart(
        advice_answer=name,
        rule=_RULES[advice.rule],
        action=advised.action,
        priority=advised.priority,
        evidence=[advice.evidence] if advice.evidence else (),
        variables=advice.variables,
        since_time=timestamp(advice.since),
        expire_time=timestamp(advice.until) if advice.until else None,
    )


def count(shown: Sequence[Given]) -> None:
    """Count what somebody is shown."""
    for each in shown:
        _SHOWN[each.rule].inc()
