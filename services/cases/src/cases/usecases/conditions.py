"""Conditions of policies, over the case, the work item, and what the customer is worth."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice

import structlog

from cases.domain.about import About
from cases.domain.case_progress import CaseWithWork
from cases.domain.clock import Clock
from cases.domain.clock_policy import ClockPolicy
from cases.domain.priority import Band
from cases.store.tables import CASES_BY_ID, PROMISE, WORK_ITEM
from cases.usecases.case_progress import with_work
from cases.usecases.standing import standing_of
from chassis.api.messages import enum_number, to_message
from chassis.db.statement import Executor
from chassis.rules import BadRule, Fields, Kind, Part, Undecided, Values, compile_rule
from rapport.cases.v1 import case_pb2, promise_pb2, work_item_pb2
from rapport.common.v1.value_band_pb2 import ValueBand

# What a condition may read: departments have written it down, so that it stays. No text that people wrote.
_CASE = """
    topic kind harm priority state progress owner department reopen_count reopen_reason_code
    open_time resolve_time
"""
_WORK_ITEM = """
    department team kind reference fields state assignee required_skills language_code duration_minutes
    handoff_count return_count block_reason_code create_time start_time forecast_finish_time
    forecast_reason_code
"""
_PROMISE = """
    case work_item department kind reference basis state make_time due_time time_zone forecast_time
    reason_code delay_notify_time notified_early customer_requested
"""
VARIABLES: dict[str, Kind] = {
    "case": Fields(case_pb2.Case, frozenset(_CASE.split())),
    "work_item": Fields(work_item_pb2.WorkItem, frozenset(_WORK_ITEM.split())),
    "promise": Fields(promise_pb2.Promise, frozenset(_PROMISE.split())),
    "band": ValueBand,
}
PARTS_MAX, PART_CHARACTERS = 50, 200  # of a condition that are told, and of each
_log = structlog.get_logger()


def first_that_holds(
    policies: Sequence[ClockPolicy], case: CaseWithWork | None, about: About, band: Band
) -> ClockPolicy | None:
    """The first policy whose condition holds; one of which nobody can say does not."""
    values = _values(case, about, band)
    return next((policy for policy in policies if _holds(policy, values)), None)


async def parts_now(on: Executor, clock: Clock, policy: ClockPolicy, now: datetime) -> dict[str, str]:
    """Which parts of the condition by which a clock was started hold as what it is about is now, by number.

    `condition.1` is its first part, `condition.1.2` the second of that.
    """
    cases = await CASES_BY_ID.all(on, ids=[clock.case_id]) if clock.case_id else []
    case = next(iter(await with_work(on, cases)), None)
    about = About(
        case.case if case else None,
        await WORK_ITEM.one(on, id=clock.work_item_id) if clock.work_item_id else None,
        await PROMISE.one(on, id=clock.promise_id) if clock.promise_id else None,
    )
    band = (await standing_of(on, clock.customer_id, now)).band
    try:
        whole = compile_rule(policy.condition, VARIABLES).explain(_values(case, about, band))
    except BadRule:  # of a field that there is no more
        return {}
    return dict(islice(_told(whole.parts or [whole], "condition"), PARTS_MAX))


def _told(parts: Iterable[Part], above: str) -> Iterator[tuple[str, str]]:
    for number, part in enumerate(parts, 1):
        said = {True: "holds now", False: "does not hold now", None: f"cannot be said now ({part.undecided})"}
        yield f"{above}.{number}", f"{part.text[:PART_CHARACTERS]}: {said[part.held]}"
        yield from _told(part.parts, f"{above}.{number}")


def _values(case: CaseWithWork | None, about: About, band: Band) -> Values:
    return {
        "case": to_message(case_pb2.Case, case.case, progress=case.progress) if case else None,
        "work_item": to_message(work_item_pb2.WorkItem, about.work_item) if about.work_item else None,
        "promise": to_message(promise_pb2.Promise, about.promise) if about.promise else None,
        "band": enum_number(ValueBand.DESCRIPTOR, band),
    }


def _holds(policy: ClockPolicy, values: Values) -> bool:
    try:
        return compile_rule(policy.condition, VARIABLES).evaluate(values)
    except (BadRule, Undecided) as error:  # it was a rule when it was kept
        _log.warning("a policy's condition cannot be decided", policy=policy.name, why=type(error).__name__)
        return False
