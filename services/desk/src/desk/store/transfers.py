"""Files that are imported and exported, what is to be done with each, and how far that is."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from chassis.db.database import Database
from chassis.db.statement import Bulk, Executor, Statement, of_entity, values
from chassis.db.tables import among, table
from chassis.db.transaction import Transaction
from chassis.work import cancel, enqueue

WORK = "transfer"  # the kind of work
USEFUL = timedelta(days=7)  # for so long a file is kept, and what is to be done with it is tried
CHUNK_BYTES = 1024 * 1024
_LAST = datetime.max.replace(tzinfo=UTC)
_METADATA = sa.MetaData()


class State(StrEnum):
    """How far a transfer is."""

    CHECKING = "CHECKING"  # it is looked what an import would do
    CHECKED = "CHECKED"  # and whoever imports may say yes
    RUNNING = "RUNNING"
    DONE = "DONE"
    STOPPED = "STOPPED"  # by a person, or for `trouble`, and may be begun again


UNDER_WAY = (State.CHECKING, State.RUNNING)


class Part(StrEnum):
    """What of a transfer is kept as bytes, for as long as it is of use: all that may be personal."""

    FILE = "file"  # what was brought, or what was exported
    REFUSED = "refused"  # its refused rows, as `rapport_imports` writes them
    UNDERSTOOD = "understood"  # JSON: how it is read
    RESULT = "result"  # JSON: what became of the rows, or would


@dataclass(slots=True)
class Transfer:
    """A file that is imported or exported."""

    id: UUID
    direction: str  # `import` or `export`
    kind: str  # what its rows are
    file_name: str
    size_bytes: int
    subject: str  # who asked last, `agent:alice`: it is done as them
    department: str  # of whom began it, a code; whose colleagues see it
    state: State
    wanted: dict[str, Any]  # what was said of it, as `rapport_imports` is asked
    create_time: datetime
    update_time: datetime
    round: int = 1  # how often something was asked of it: what was shown of another round is not agreed to
    counts: dict[str, Any] = field(default_factory=dict)  # what became of its rows, or would
    doing: str = ""  # of `done` and `total`: what is counted
    done: int = 0
    total: int = 0
    trouble: str = ""  # why it stopped, in words
    job: str = ""  # `importJobs/{uuid}` of the customer service, by which it is taken back
    lent: bytes = field(default=b"", repr=False)  # by which it is done as them, sealed; empty when nothing is
    forgotten: bool = False  # whether the file and all that is personal was let go of

    @property
    def key(self) -> str:
        """What the work is known by: another with each round, for ended work stays ended."""
        return f"{self.id}.{self.round}"


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a part, in their order."""

    transfer: UUID
    name: str
    number: int
    content: bytes = field(repr=False)


TRANSFERS = table(_METADATA, "transfers", Transfer)
PIECES = table(_METADATA, "transfer_parts", Piece, key=("transfer", "name", "number"))

GET, LOCK, UPDATE = of_entity(TRANSFERS, Transfer)
INSERT = Statement[None](sa.insert(TRANSFERS))
TELL = Statement[None](
    sa.update(TRANSFERS)
    .where(
        TRANSFERS.c.id == sa.bindparam("key"),
        TRANSFERS.c.round == sa.bindparam("at_round"),
        TRANSFERS.c.state.in_([sa.literal_column(f"'{state}'") for state in UNDER_WAY]),
    )
    .values(doing=sa.bindparam("what"), done=sa.bindparam("so_far"), total=sa.bindparam("of_all"))
)
LIST = Statement(
    sa.select(TRANSFERS)
    .where(
        TRANSFERS.c.direction == sa.bindparam("of_direction"),
        TRANSFERS.c.department == sa.bindparam("of_department"),
        among(TRANSFERS.c.kind, "kinds"),
        sa.or_(
            sa.bindparam("whose", type_=sa.Text) == "",
            TRANSFERS.c.subject == sa.bindparam("whose", type_=sa.Text),
        ),
        sa.tuple_(TRANSFERS.c.create_time, TRANSFERS.c.id)
        < sa.tuple_(sa.bindparam("before", type_=sa.DateTime(True)), sa.bindparam("id", type_=sa.Uuid)),
    )
    .order_by(TRANSFERS.c.create_time.desc(), TRANSFERS.c.id.desc())
    .limit(sa.bindparam("most")),
    row=Transfer,
)
INSERT_PIECES = Bulk[None](PIECES)
_OF = (PIECES.c.transfer == sa.bindparam("of"), PIECES.c.name == sa.bindparam("part"))
READ = Statement[Any](
    sa.select(PIECES.c.content).where(*_OF, PIECES.c.number == sa.bindparam("at", type_=sa.BigInteger))
)
DROP = Statement[None](sa.delete(PIECES).where(*_OF))
_COPY = sa.select(sa.bindparam("to", type_=sa.Uuid), PIECES.c.name, PIECES.c.number, PIECES.c.content).where(
    PIECES.c.transfer == sa.bindparam("of"), PIECES.c.name == sa.literal_column(f"'{Part.FILE}'")
)
COPY_FILE = Statement[None](sa.insert(PIECES).from_select(["transfer", "name", "number", "content"], _COPY))
_OLD = (
    sa.select(TRANSFERS.c.id)
    .where(TRANSFERS.c.update_time < sa.bindparam("before"), ~TRANSFERS.c.forgotten)
    .limit(sa.bindparam("most"))
    .with_for_update(skip_locked=True)
    .cte("old")
)
_EMPTIED = sa.delete(PIECES).where(PIECES.c.transfer.in_(sa.select(_OLD)))
FORGET = Statement[Any](
    sa.update(TRANSFERS)
    .where(TRANSFERS.c.id.in_(sa.select(_OLD)))
    .values(forgotten=True, lent=b"", wanted=sa.text("'{}'::jsonb"))
    .add_cte(_EMPTIED.cte("emptied"))
    .returning(TRANSFERS.c.id)
)
_PAST = sa.select(TRANSFERS.c.id).where(TRANSFERS.c.update_time < sa.bindparam("before"))
DELETE = Statement[Any](
    sa.delete(TRANSFERS)
    .where(TRANSFERS.c.id.in_(_PAST.limit(sa.bindparam("most"))))
    .returning(TRANSFERS.c.id)
)


async def save(tx: Transaction, transfer: Transfer) -> None:
    transfer.update_time = tx.now
    await UPDATE.run(tx, **values(transfer))


async def begin(tx: Transaction, transfer: Transfer, state: State, subject: str, lent: bytes) -> None:
    """Have it checked, or done, as somebody; it is locked in `tx`, or new."""
    transfer.state, transfer.subject, transfer.lent = state, subject, lent
    transfer.round, transfer.trouble = transfer.round + 1, ""
    transfer.doing, transfer.done, transfer.total = "", 0, 0
    await save(tx, transfer)
    await enqueue(tx, WORK, transfer.key, due_at=tx.now, expire_at=tx.now + USEFUL)


async def stop(tx: Transaction, transfer: Transfer) -> None:
    """Have it end where it is: whoever does it sees that at its next beat."""
    await cancel(tx, WORK, transfer.key)
    transfer.state, transfer.lent, transfer.trouble = State.STOPPED, b"", ""
    await save(tx, transfer)


async def put(on: Transaction, transfer: UUID, part: Part, content: Any) -> int:
    """Keep a file that can be read, in pieces, in place of what was there; how many bytes that is."""
    await DROP.run(on, of=transfer, part=part)
    size = number = 0
    while piece := content.read(CHUNK_BYTES):
        await INSERT_PIECES.rows(on, [Piece(transfer, part, number, piece)])
        size, number = size + len(piece), number + 1
    return size


async def pieces(on: Executor, transfer: UUID, part: Part) -> Any:
    """What is kept of a part, piece by piece."""
    number = 0
    while found := await READ.maybe(on, of=transfer, part=part, at=number):
        yield found["content"]
        number += 1


async def whole(on: Executor, transfer: UUID, part: Part) -> bytes:
    return b"".join([piece async for piece in pieces(on, transfer, part)])


async def into(db: Database, transfer: UUID, part: Part, path: Path) -> bool:
    """Write a part to a file; False when there is nothing of it."""
    size = 0
    with path.open("wb") as out:
        async for piece in pieces(db, transfer, part):
            size += out.write(piece)
    return size > 0


async def newest(
    db: Database,
    direction: str,
    department: str,
    kinds: Sequence[str],
    after: Transfer | None,
    most: int,
    whose: str = "",
) -> list[Transfer]:
    """Those of a department, newest first, from behind another; or of them those of one person."""
    return await LIST.all(
        db,
        of_direction=direction,
        of_department=department,
        kinds=[*kinds],
        before=after.create_time if after else _LAST,
        id=after.id if after else UUID(int=0),
        whose=whose,
        most=most,
    )
