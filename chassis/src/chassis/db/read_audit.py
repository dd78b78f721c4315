"""Who read what about whom, and what for: noted as it is answered, written within a second."""

import asyncio
from datetime import datetime
from typing import Any

import structlog

from chassis import ids
from chassis.context import Call
from chassis.db.database import Database
from chassis.db.records import INSERT_READINGS, Act, audit_rows
from chassis.errors import Unavailable

EVERY_S = 1.0
NOTED_MAX = 20_000
AT_ONCE = 500  # in one statement, which has 5 seconds; a row is of 50 KB at most

_log = structlog.get_logger()
_Key = tuple[str, str, str, str, str, str, str]


class ReadAudit:
    """The readings of one process that are not in the audit yet.

    A reading that repeats within the second is one row. What a process that is killed has noted in its last
    second is lost; that is the price of reads that write nothing before they are answered.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._noted: dict[_Key, tuple[datetime, Call]] = {}
        self._rows: list[dict[str, Any]] = []  # of the audit, and perhaps in it already
        self._writing = asyncio.Lock()

    def note(self, call: Call, resources: str, refused: str = "") -> None:
        """Note what `call` is about to be answered; `refused` is the reason when that is a refusal.

        Unavailable (`AUDIT_UNAVAILABLE`) when the audit cannot be written for so long that there is no room.
        """
        if len(self._noted) + len(self._rows) >= NOTED_MAX:
            raise Unavailable(
                "AUDIT_UNAVAILABLE", "Readings cannot be audited now. Try again.", retry_after_s=1
            )
        by = call.principal
        via = by.via.subject if by.via is not None else ""
        key = (by.subject, by.department, via, call.purpose, call.what, resources, refused)
        if key not in self._noted:
            self._noted[key] = (self._db.clock.now(), call)

    async def run(self) -> None:
        """Write every second until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            await self._write()

    async def finish(self) -> None:
        """Write what is noted, also what another task is about to; again when that fails."""
        if not await self._write():
            await asyncio.sleep(EVERY_S)
            await self._write()

    async def _write(self) -> bool:
        """Write what is noted. Whether it is known to be in the audit; what is not is kept, ids and all."""
        async with self._writing:
            for (*_, resources, refused), (at, call) in self._noted.items():
                act = Act(call, ids.uuid7(at), call.correlation_id, resources={resources: None})
                self._rows += [row | {"refused": refused} for row in audit_rows([act], at)]
            self._noted = {}
            try:
                while self._rows:
                    await INSERT_READINGS.rows(self._db, self._rows[:AT_ONCE])
                    del self._rows[:AT_ONCE]
            except Exception as error:
                count = len(self._rows)
                _log.warning("readings are not in the audit yet", count=count, error=type(error).__name__)
                return False
            return True
