"""What a view advises: derived when it is read from what it has and what lies beside it, never stored.

What was answered takes a piece of advice away, or puts it off, by its name: that of a rule, its evidence, and
the occasion.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from prometheus_client import Counter

from chassis.api.messages import timestamp
from customer.domain.advice import AdviceRule
from customer.names import ADVICE_ANSWER, CONSENT, IDENTIFIER
from customer.usecases.advice.rules import ADVISED
from customer.usecases.advice.seen import Advice, Known, Seen
from rapport.customer.v1 import advice_pb2, view_pb2

SHOWN_MAX = 5
BYTES_MAX = 3 * 1024  # of what a view advises
SHOWN = Counter("rapport_advice_shown", "What views advised whoever read them, by rule.", ["kind"])
_RULES = {rule: advice_pb2.AdviceRule.Value(f"ADVICE_RULE_{rule}") for rule in AdviceRule}
_SHOWN = {rule: SHOWN.labels(rule) for rule in AdviceRule}
_ORDER = {rule: (each.priority, place) for place, (rule, each) in enumerate(ADVISED.items())}


def advise(view: bytes, row: Any, zone: str, now: datetime) -> tuple[bytes, Sequence[AdviceRule]]:
    """What a stored view advises now, as a serialised view with nothing but that, and by which rules.

    With a row of `VIEWS_BY_ID`; of whom nobody knows where they live, in a zone. The most urgent first, few,
    and no more than a view has room for.
    """
    answered = _answered(row)
    given, rules = b"", []
    for each in found(view_pb2.CustomerView.FromString(view), row, zone, now):
        if not each.holds(now) or _is_answered(answered, each, now):
            continue
        part = view_pb2.CustomerView(advice=[_part(ADVICE_ANSWER.format(row["asked"], each.id), each)])
        if len(given) + part.ByteSize() > BYTES_MAX:
            break
        given += part.SerializeToString()
        rules.append(each.rule)
        if len(rules) == SHOWN_MAX:
            break
    return given, rules


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


def _is_answered(answered: Mapping[UUID, datetime | None], each: Advice, now: datetime) -> bool:
    if not answered:
        return False
    until = answered.get(each.id, now)
    return until is None or now < until


def _part(name: str, advice: Advice) -> view_pb2.AdvicePart:
    return view_pb2.AdvicePart(
        advice_answer=name,
        rule=_RULES[advice.rule],
        priority=ADVISED[advice.rule].priority,
        evidence=advice.evidence,
        variables=advice.variables,
        since_time=timestamp(advice.since),
        expire_time=timestamp(advice.until) if advice.until else None,
    )


def count(shown: Sequence[AdviceRule]) -> None:
    """Count what somebody is shown."""
    for rule in shown:
        _SHOWN[rule].inc()
