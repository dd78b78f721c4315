"""Exports overlap: which rows of a source are what another source brought before.

Rows of one source are as many things as rows. Rows of two sources that are about the same and say the same
are one thing, each once by a source, ever: what a row was recognised as is remembered, so it does not matter
where requests end, what is sent again, or which row was refused at first and came later.
"""

import zlib
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

import sqlalchemy as sa

from chassis.db.schema import RECOGNISED
from chassis.db.statement import LOCK_NAMES, Bulk, Statement
from chassis.db.tables import among
from chassis.db.transaction import Transaction

# So much is compared with one request. A statement that finds more ends: then nothing of it is clear.
RECORDED_MAX = 10_000
# So many can wait for each other: a lock for each row of each request is more than a database has room for.
_LOCKS = 256

_RECOGNISED = Statement[Any](
    sa.select(RECOGNISED).where(
        sa.or_(among(RECOGNISED.c.import_key, "keys"), among(RECOGNISED.c.known_as, "keys"))
    )
)
_REMEMBER = Bulk[Any](RECOGNISED, lambda insert: insert.on_conflict_do_nothing())


class Outcome(StrEnum):
    """What became of a row: as `rapport.common.v1.ImportOutcome` has it."""

    CREATED = "CREATED"
    KNOWN = "KNOWN"
    CORRECTED = "CORRECTED"
    UNCLEAR = "UNCLEAR"


class Row(NamedTuple):
    """What a source says."""

    key: str  # its import key, `{department}/{source}:{line}`
    # What it is about, values whose `repr` is their content. Others can be no such thing.
    about: tuple[Hashable, ...]
    # What tells it from others about the same, as an order's number does; empty when nothing does.
    number: str
    says: Hashable  # what else it says: rows of one number that say the same are one thing
    # What it says that may change since: of several that are as good, one that says so is meant.
    aside: Hashable = None

    @property
    def content(self) -> tuple[Hashable, ...]:
        """All that it says: rows of two sources with the same are one thing, if it has a number."""
        return self.about, self.number, self.says

    @property
    def source(self) -> str:
        """Department and source."""
        return self.key.rpartition(":")[0]


@dataclass(slots=True)
class Overlap:
    """What is known of rows, by their index."""

    # The import keys under which they are recorded: another source's, also of an earlier row.
    known: dict[int, str] = field(default_factory=dict)
    # Those that may be things of their own as well as one that is recorded; a person knows.
    unclear: list[int] = field(default_factory=list)


async def find_overlap(
    tx: Transaction,
    rows: Mapping[int, Row],
    read: Callable[[Iterable[str]], Awaitable[Iterable[Row]]],
    *,
    validate_only: bool,
) -> Overlap:
    """Recognise rows that are sent, and unless `validate_only`, remember it. Unclear ones are left out.

    Rows are by index, in the order in which they are recorded, by this transaction: until it ends, nobody
    else looks for what they are about. `read` finds what is recorded about the same as the rows, the oldest
    first, and under the given keys.
    """
    if not rows:
        return Overlap()
    if not validate_only:
        locks = {f"overlap/{zlib.crc32(repr(row.about).encode()) % _LOCKS}" for row in rows.values()}
        await LOCK_NAMES.run(tx, names=list(locks))
    keys = [row.key for row in rows.values()]
    mine = dict(await _RECOGNISED.all(tx, keys=keys))
    recorded = {row.key: row for row in await read({*keys, *mine.values()})}
    if len(recorded) > RECORDED_MAX:
        return Overlap(unclear=[i for i, row in rows.items() if row.key not in recorded])
    before = dict(await _RECOGNISED.all(tx, keys=list(recorded)))
    found = overlap(rows, recorded.values(), mine | before)
    new = [{"import_key": rows[i].key, "known_as": key} for i, key in found.known.items()]
    if not validate_only:
        await _REMEMBER.rows(tx, new)
    return found


def overlap(rows: Mapping[int, Row], recorded: Iterable[Row], before: Mapping[str, str]) -> Overlap:
    """Recognise rows among those that are recorded; one that is recorded itself stays what it is.

    `before` has the keys of rows that were recognised, and the keys that they are known as.
    """
    found = Overlap()
    brought: dict[str, Row] = {}
    same: dict[Hashable, list[Row]] = defaultdict(list)
    sources: dict[Hashable, set[str]] = defaultdict(set)
    passed: Counter[Hashable] = Counter()
    taken = {(key.rpartition(":")[0], known_as) for key, known_as in before.items()}

    def add(row: Row) -> None:
        brought[row.key] = row
        same[row.content].append(row)
        same[row.content, row.aside].append(row)
        for hint in _hints(row):
            sources[hint].add(row.source)

    def recognised(i: int, row: Row, among: Hashable) -> bool:
        """Whether it is the first of `among` that no row of this source was recognised as."""
        mine = row.source, among
        while row.number and passed[mine] < len(same[among]):
            other = same[among][passed[mine]]
            if other.source != row.source and (row.source, other.key) not in taken:
                found.known[i] = other.key
                taken.add((row.source, other.key))
                return True
            passed[mine] += 1
        return False

    for row in recorded:
        add(row)
    rest = {}
    for i, row in rows.items():
        known = brought.get(before.get(row.key, ""))
        if row.key in brought:
            continue
        if known is not None and known.content == row.content:
            found.known[i] = known.key
        elif known is not None:
            found.unclear.append(i)
        elif not recognised(i, row, (row.content, row.aside)):
            rest[i] = row
    for i, row in rest.items():
        if row.key in brought:
            continue
        if recognised(i, row, (row.content, row.aside)) or recognised(i, row, row.content):
            continue
        if any(sources[hint] - {row.source} for hint in _doubts(row)):
            found.unclear.append(i)
        else:
            add(row)
    found.unclear.sort()
    return found


def _hints(row: Row) -> list[Hashable]:
    """What others may be taken for this one by."""
    alike = (row.about, row.says)
    return [(alike, "any"), (row.about, row.number) if row.number else (alike, "without a number")]


def _doubts(row: Row) -> list[Hashable]:
    """The hints that it may be another source's: of its number, or alike where one has no number."""
    alike = (row.about, row.says)
    return [(row.about, row.number), (alike, "without a number")] if row.number else [(alike, "any")]
