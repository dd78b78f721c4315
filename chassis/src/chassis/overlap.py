"""Exports overlap: which rows of a source are what another source brought before.

Rows of one source are as many things as rows. Rows of two sources that are about the same and say the same
are one thing, each once by a source, ever: what a row was recognised as is remembered, so it does not matter
where requests end, what is sent again, or which row was refused at first and came later.
"""

import zlib
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import sqlalchemy as sa

from chassis.db.locks import LOCK_NAMES
from chassis.db.schema import RECOGNISED
from chassis.db.statement import Bulk, Statement
from chassis.db.transaction import Transaction

# So many can wait for each other: a lock for each row of each request is more than a database has room for.
_LOCKS = 256


def _among(column: Any) -> sa.ColumnElement[bool]:
    return column == sa.any_(sa.bindparam("keys", type_=sa.ARRAY(sa.Text)))  # type: ignore[no-any-return]  # untyped


_RECOGNISED = Statement[Any](
    sa.select(RECOGNISED).where(sa.or_(_among(RECOGNISED.c.import_key), _among(RECOGNISED.c.known_as)))
)
_REMEMBER = Bulk[Any](RECOGNISED, lambda insert: insert.on_conflict_do_nothing())


class Row(NamedTuple):
    """What a source says.

    Attributes:
        key: its import key, `{department}/{source}:{line}`.
        about: what it is about, values whose `repr` is their content. Others can be no such thing.
        number: what tells it from others about the same, as an order's number does; empty when nothing does.
        says: what else it says: rows of one number that say the same are one thing.

    """

    key: str
    about: tuple[Hashable, ...]
    number: str
    says: Hashable

    @property
    def source(self) -> str:
        """Department and source."""
        return self.key.rpartition(":")[0]


@dataclass(slots=True)
class Overlap:
    """What is known of rows, by their index.

    Attributes:
        known: the import keys under which they are recorded: another source's, also of an earlier row.
        unclear: those that may be things of their own as well as one that is recorded; a person knows.

    """

    known: dict[int, str] = field(default_factory=dict)
    unclear: list[int] = field(default_factory=list)


async def find_overlap(
    tx: Transaction,
    rows: Mapping[int, Row],
    read: Callable[[Iterable[str]], Awaitable[Iterable[Row]]],
    *,
    checking: bool,
) -> Overlap:
    """Recognise rows that are sent, and unless only `checking`, remember it. Unclear ones are refused.

    Args:
        tx: the transaction that records the rest: until it ends, nobody else looks for what that is about.
        rows: by index, in the order in which they are recorded.
        read: finds what is recorded about the same as the rows, the oldest first, and under the given keys.
        checking: whether nothing is to be recorded.

    """
    locks = {f"overlap/{zlib.crc32(repr(row.about).encode()) % _LOCKS}" for row in rows.values()}
    await LOCK_NAMES.run(tx, names=list(locks))
    keys = [row.key for row in rows.values()]
    mine = dict(await _RECOGNISED.all(tx, keys=keys))
    recorded = {row.key: row for row in await read({*keys, *mine.values()})}
    before = dict(await _RECOGNISED.all(tx, keys=list(recorded)))
    found = overlap(rows, recorded.values(), mine | before)
    new = [{"import_key": rows[i].key, "known_as": key} for i, key in found.known.items()]
    if not checking:
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
        same[row[1:]].append(row)
        for hint in _hints(row):
            sources[hint].add(row.source)

    def left(row: Row) -> Row | None:
        """The first that says the same and that no row of this source was recognised as."""
        equal, mine = same[row[1:]], (row.source, *row[1:])
        while passed[mine] < len(equal):
            other = equal[passed[mine]]
            if other.source != row.source and (row.source, other.key) not in taken:
                return other
            passed[mine] += 1
        return None

    for row in recorded:
        add(row)
    for i, row in rows.items():
        known = brought.get(before.get(row.key, ""))
        if row.key in brought:
            continue
        if known is not None and known[1:] == row[1:]:
            found.known[i] = known.key
        elif known is None and row.number and (other := left(row)):
            found.known[i] = other.key
            taken.add((row.source, other.key))
        elif known is not None or any(sources[hint] - {row.source} for hint in _doubts(row)):
            found.unclear.append(i)
        else:
            add(row)
    return found


def _hints(row: Row) -> list[Hashable]:
    """What others may be taken for this one by: its number, and what it says."""
    return [(row.about, row.number), (row.about, row.says, "any"), (row.about, row.says, bool(row.number))]


def _doubts(row: Row) -> list[Hashable]:
    """The hints that it may be what another source brought: the same number, or what may lack its number."""
    if not row.number:
        return [(row.about, row.says, "any")]
    return [(row.about, row.number), (row.about, row.says, False)]
