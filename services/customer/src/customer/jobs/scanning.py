"""Having files scanned: what the queue of work does for each that was brought, until a scanner answers.

The scanner gets the bytes by POST, as `application/octet-stream`, and answers 200 with JSON,
`{"verdict": "clean"}` or `{"verdict": "infected"}`. After any other answer, or none, it is asked again.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
from prometheus_client import Counter

from chassis.backoff import RETRIES, Backoff
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.telemetry.tracing import client_span
from chassis.work import Later, Outcome, Turn, Verdict, Work
from customer.domain.attachments import Attachment, AttachmentState
from customer.store import attachments as store
from customer.usecases.attachments import SCAN, change
from customer.usecases.hot_views import HotViews

ANSWER_S, CONNECT_S = 60.0, 10.0
_VERDICTS = {"clean": AttachmentState.CLEAN, "infected": AttachmentState.INFECTED}
SCANNED = Counter("rapport_attachments_scanned", "Files that a scanner judged, by its verdict.", ["verdict"])
for _verdict in _VERDICTS.values():
    SCANNED.labels(_verdict)  # or the first one is no increase


@dataclass(eq=False)
class Scanning:
    """The worker that has files scanned: see `chassis.work.Worker`.

    To look at a file changes nothing, so it never hands over: an attempt that died is made again. A file
    that is deleted meanwhile is done with.
    """

    db: Database
    hot: HotViews
    url: str
    kind: str = SCAN
    at_once: int = 4
    prepare_time: timedelta = timedelta(minutes=2)
    answer_time: timedelta = timedelta(minutes=1)
    retries: Backoff = RETRIES

    async def act(self, work: Work, turn: Turn) -> AttachmentState | None:
        """What the scanner says; None of what is gone. Later."""
        held = await store.CONTENT.maybe(self.db, **_key(work.key))
        return None if held is None else await self._asked(held.content)

    async def _asked(self, content: bytes) -> AttachmentState:
        limits = httpx2.Timeout(ANSWER_S, connect=CONNECT_S)
        headers = {"content-type": "application/octet-stream"}
        with client_span("scan attachment", {"url.full": self.url}):
            try:
                async with httpx2.AsyncClient(timeout=limits) as client:
                    answer = await client.post(self.url, content=content, headers=headers)
            except httpx2.HTTPError as error:
                raise Later("no-connection") from error
        if answer.status_code != httpx2.codes.OK:
            raise Later(str(answer.status_code))
        try:
            return _VERDICTS[answer.json()["verdict"]]
        except (ValueError, KeyError, TypeError):
            raise Later("no-verdict") from None

    async def lock(self, tx: Transaction, key: str) -> Attachment:
        return await store.LOCKED_ATTACHMENT.one(tx, **_key(key))

    async def handing_over(self, tx: Transaction, subject: Attachment, work: Work, about: Any) -> bool:
        """Never called: see above."""
        return True

    async def record(
        self, tx: Transaction, subject: Attachment, work: Work, attempt: int, outcome: Outcome
    ) -> None:
        """Say of a file that waits still what the scanner said."""
        if outcome.verdict is Verdict.DONE and subject.state is AttachmentState.SCANNING and outcome.result:
            tx.touch(subject.name)
            subject.scanned(outcome.result, tx.now)
            await change(tx, self.hot, subject)
            tx.after_commit(SCANNED.labels(outcome.result).inc)


def _key(key: str) -> dict[str, UUID]:
    customer_id, attachment_id = map(UUID, key.split("/"))
    return {"customer_id": customer_id, "id": attachment_id}
