"""The worker that imports and exports: what the chassis' queue does with a file that somebody brought."""

import asyncio
import json
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc
import structlog

from chassis.backoff import RETRIES, Backoff
from chassis.context import Call, current_call
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.errors import Refusal
from chassis.grpc.client import Channels
from chassis.grpc.status import refusal
from chassis.work import Later, Outcome, Turn, Verdict, Work, code_of
from chassis.work import State as WorkState
from desk.auth.lending import Lending, SignedOut
from desk.language.catalogues import N_
from desk.store import transfers as store
from desk.store.transfers import Part, State, Transfer
from desk.transfer.apart import Lines, apart
from rapport_imports import importing
from rapport_imports.decoding import UnreadableFile
from rapport_imports.exports import running, writing
from rapport_imports.patience import passes
from rapport_imports.result import Result
from rapport_imports.understanding import understood
from rapport_imports.wanted import Kind, Wanted, WrongOption

BEAT_S = 1.0
RENEW_EVERY = 10  # beats
SIGNED_OUT = N_("You were signed out meanwhile. Nothing is lost: go on, and nothing is done twice.")
FAULT = N_("Something of ours failed. It was noted: try again, or ask whoever runs this.")
EXPORT_MAX_BYTES = 100 * 1024 * 1024
TOO_LARGE = N_("It would have more than 100 MiB: ask for less, or whoever runs this can export it.")
GAVE_UP = N_("A service did not answer for too long.")
COUNTED = (
    *("rows", "created", "known", "corrected", "skipped", "further", "refused", "changed", "renamed"),
    "asked",
)
_log = structlog.get_logger()


@dataclass(slots=True)
class Ended:
    """What became of it: counts, or why it stopped."""

    trouble: str = ""
    counts: dict[str, Any] = field(default_factory=dict)
    job: str = ""


@dataclass(slots=True)
class Far:
    """How far it is, as another thread says."""

    doing: str = ""
    done: int = 0
    total: int = 0

    def __call__(self, done: int, total: int | None, doing: str = "") -> None:
        self.doing, self.done, self.total = doing, done, total or 0

    def waits(self, told: str) -> None:
        """A service does not answer for a while, and is asked again; or the file decides something."""
        self.doing = "waits" if "does not answer" in told else self.doing


@dataclass(eq=False)
class Transferring:
    """The worker: see `chassis.work.Worker`.

    Nothing in it is past recall: each line of a file is imported once, however often it is read. So it never
    hands over, says by `Turn.renew` that it lives, and is begun anew where it died.
    """

    db: Database
    lending: Lending
    channels: Channels  # as whoever asks
    kind: str = store.WORK
    at_once: int = 1  # each takes a processor
    prepare_time: timedelta = timedelta(seconds=60)
    answer_time: timedelta = timedelta(seconds=60)
    retries: Backoff = RETRIES

    async def act(self, work: Work, turn: Turn) -> Ended | None:
        transfer = await store.GET.maybe(self.db, id=_id(work.key))
        if transfer is None or transfer.key != work.key or transfer.state not in store.UNDER_WAY:
            return None
        far = Far()
        going = asyncio.ensure_future(self._ended(transfer, far))
        try:
            beat = 0
            while not going.done():
                await asyncio.wait({going}, timeout=BEAT_S)
                beat += 1
                if beat % RENEW_EVERY == 0:
                    await turn.renew()
                told = {"what": far.doing, "so_far": far.done, "of_all": far.total}
                await store.TELL.run(self.db, key=transfer.id, at_round=transfer.round, **told)
            return await going
        finally:
            going.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait({going})

    async def lock(self, tx: Transaction, key: str) -> Transfer | None:
        return await store.LOCK.maybe(tx, id=_id(key))

    async def handing_over(self, tx: Transaction, subject: Any, work: Work, about: Any) -> bool:
        """Never called: see above."""
        return True

    async def record(
        self, tx: Transaction, subject: Transfer | None, work: Work, attempt: int, outcome: Outcome
    ) -> None:
        if subject is None or work.key != subject.key or subject.state not in store.UNDER_WAY:
            return
        result = outcome.result
        if isinstance(result, Ended):
            checks = subject.state is State.CHECKING
            subject.trouble = result.trouble
            subject.counts = {} if checks and result.trouble else result.counts
            subject.state = State.CHECKED if checks else State.DONE
            if result.trouble:
                subject.state = State.STOPPED
            subject.job = result.job or subject.job
        elif outcome.verdict is Verdict.EXPIRED or work.state is WorkState.REFUSED:
            subject.state, subject.trouble = State.STOPPED, GAVE_UP
        else:
            return
        subject.lent = b""
        await store.save(tx, subject)

    async def _ended(self, transfer: Transfer, far: Far) -> Ended:
        """What becomes of it. Later."""
        lines = Lines(self.channels, lambda: self._call(transfer))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / transfer.file_name
            try:
                await self._call(transfer)  # signed out, nothing is begun
                do = self._exported if transfer.direction == "export" else self._imported
                return await do(transfer, path, lines, far)
            except SignedOut:
                return Ended(SIGNED_OUT)
            except (UnreadableFile, writing.Unwritable, WrongOption) as error:
                return Ended(_told(error))
            except (grpc.aio.AioRpcError, Refusal) as error:
                refused = refusal(error) if isinstance(error, grpc.aio.AioRpcError) else error
                if passes(refused):
                    raise Later(code_of(refused.reason)) from None
                return Ended(refused.message)
            except (OSError, ValueError, LookupError, AssertionError, TypeError) as error:
                _log.error("a transfer failed", transfer=str(transfer.id), exc_info=error)
                return Ended(FAULT)

    async def _imported(self, transfer: Transfer, path: Path, lines: Lines, far: Far) -> Ended:
        if not await store.into(self.db, transfer.id, Part.FILE, path):
            return Ended(N_("The file is gone: bring it again."))
        wanted = Wanted(
            kind=Kind(transfer.kind),
            file=path,
            dry_run=transfer.state is State.CHECKING,
            errors=path.with_name("refused-rows.csv"),
            **transfer.wanted,
        )
        result, went_wrong = Result(), ""
        look = await apart(lambda: _seen(wanted))
        await self._keep(transfer, {Part.UNDERSTOOD: _json(look)})
        if look.asks:
            return Ended(look.asks)

        async def go() -> None:
            await importing.run(
                wanted, result, installed="", connect=lambda: lines, say=far.waits, progress=far
            )

        try:
            await apart(go)
        except (UnreadableFile, WrongOption, SignedOut, grpc.aio.AioRpcError) as error:
            if not result.rows or (isinstance(error, grpc.aio.AioRpcError) and passes(refusal(error))):
                raise
            went_wrong = SIGNED_OUT if isinstance(error, SignedOut) else _told(error)
        refused = _content(result.errors_file)
        parts = {Part.RESULT: _json(replace(result, errors_file="")), Part.REFUSED: refused}
        await self._keep(transfer, parts)
        counts = {name: getattr(result, name) for name in COUNTED}
        return Ended(went_wrong, counts, result.job)

    async def _exported(self, transfer: Transfer, path: Path, lines: Lines, far: Far) -> Ended:
        said = transfer.wanted
        asked = running.Asked(
            transfer.kind, writing.Format(said["format"]), said["filter"], said["customers"]
        )
        done, part = running.Done(), path.with_name(f"{path.name}.part")

        def progress(rows: int, of: int | None) -> None:
            far(rows, of)
            if part.exists() and part.stat().st_size > EXPORT_MAX_BYTES:
                raise writing.Unwritable(TOO_LARGE)

        async def go() -> None:
            await running.run(asked, path, done, connect=lines, say=far.waits, progress=progress)

        await apart(go)
        with path.open("rb") as content:
            async with self.db.transaction() as tx:
                kept = await self._ours(tx, transfer)
                if kept:
                    kept.size_bytes = await store.put(tx, transfer.id, Part.FILE, content)
                    await store.save(tx, kept)
        return Ended(counts={"rows": done.rows, "withheld": done.withheld})

    async def _keep(self, transfer: Transfer, parts: dict[Part, bytes]) -> None:
        async with self.db.transaction() as tx:
            if await self._ours(tx, transfer):
                for part, content in parts.items():
                    await store.put(tx, transfer.id, part, BytesIO(content))

    async def _ours(self, tx: Transaction, transfer: Transfer) -> Transfer | None:
        """The transfer, locked, if nothing else was asked of it meanwhile."""
        found = await store.LOCK.maybe(tx, id=transfer.id)
        return found if found and found.key == transfer.key and found.state is transfer.state else None

    async def _call(self, transfer: Transfer) -> Call:
        """As whom services are called: whoever asked, with their token as it is now. SignedOut."""
        viewer = await self.lending.viewer(transfer.lent, str(transfer.id))
        now = current_call.get()
        return Call(
            f"desk.Transfer/{transfer.direction}",
            viewer.principal,
            correlation_id=now.correlation_id,
            traceparent=now.traceparent,
            credential=viewer.credential,
        )


async def _seen(wanted: Wanted) -> Any:
    return understood(wanted)


def _told(error: BaseException) -> str:
    if isinstance(error, grpc.aio.AioRpcError):
        return refusal(error).message
    return error.told if isinstance(error, WrongOption) else str(error)


def _content(file: str) -> bytes:
    return Path(file).read_bytes() if file else b""


def _json(told: Any) -> bytes:
    return json.dumps(asdict(told)).encode()


def _id(key: str) -> UUID:
    return UUID(key.partition(".")[0])
