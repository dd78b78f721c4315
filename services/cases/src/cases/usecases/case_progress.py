"""Cases with what the work on them says."""

from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from typing import Any

from cases.domain.case import Case
from cases.domain.case_progress import CaseWithWork
from cases.store.tables import WORK_ON_CASES
from chassis.db.statement import Executor
from chassis.db.transaction import Transaction


async def with_work(on: Executor, cases: Sequence[Case]) -> list[CaseWithWork]:
    """The cases, in their order, each with what the work on it says."""
    rows = await WORK_ON_CASES.all(on, ids=[case.id for case in cases])
    work = {row["id"]: (row["resolved"], row["begun"], row["waits_for_customer"]) for row in rows}
    return [CaseWithWork(case, *work[case.id]) for case in cases]


def answered_with_work(usecase: Callable[..., Awaitable[Case]]) -> Callable[..., Awaitable[CaseWithWork]]:
    """A use case whose case is answered with what the work on it says."""

    @wraps(usecase)
    async def answer(tx: Transaction, *own: Any, **asked: Any) -> CaseWithWork:
        [answered] = await with_work(tx, [await usecase(tx, *own, **asked)])
        return answered

    return answer
