"""Cases with what the work on them says."""

from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from typing import Any

from cases.domain.case import Case
from cases.domain.held import Held
from cases.store.tables import WORK_ON_CASES
from chassis.db.statement import Executor
from chassis.db.transaction import Transaction


async def hold(on: Executor, cases: Sequence[Case]) -> list[Held]:
    """The cases, in their order, each with what the work on it says."""
    rows = await WORK_ON_CASES.all(on, ids=[case.id for case in cases])
    work = {row["id"]: (row["resolved"], row["begun"], row["waits_for_customer"]) for row in rows}
    return [Held(case, *work[case.id]) for case in cases]


def held(usecase: Callable[..., Awaitable[Case]]) -> Callable[..., Awaitable[Held]]:
    """A use case whose case is answered with what the work on it says."""

    @wraps(usecase)
    async def with_work(tx: Transaction, *own: Any, **asked: Any) -> Held:
        [answer] = await hold(tx, [await usecase(tx, *own, **asked)])
        return answer

    return with_work
