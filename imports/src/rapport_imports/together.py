"""Rows of one order brought together; those that are apart in the file wait on disk for its end."""

import pickle
import sqlite3
from collections.abc import Callable, Iterator
from hashlib import blake2b
from itertools import chain, groupby, islice
from operator import itemgetter

from rapport_imports.tabular import Problem, Row

ROWS_MAX = 1000  # of one order, as a purchase has lines
_TOO_MANY = Problem("", "TOO_MANY", f"is of an order of more than {ROWS_MAX:,} rows: must be at most that")
_ALONE = b""


class Together:
    """The rows of a file by order, however they lie, in a memory that does not grow with the file.

    What is known of orders, and the rows of those that are apart, lie in a database of its own on disk that
    nobody else sees and that is gone with this.

    Args:
        order_of: what tells the order of a row from others; empty for a row that is alone.
    """

    def __init__(self, order_of: Callable[[Row], str]) -> None:
        self._order_of = order_of
        self._last = _ALONE
        self._disk = sqlite3.connect("")
        self._disk.execute("CREATE TABLE orders (id BLOB PRIMARY KEY, line, is_apart) WITHOUT ROWID")
        self._disk.execute("CREATE TABLE waiting (id BLOB, line, row BLOB)")

    def survey(self, row: Row) -> None:
        """Note where orders begin: each row of the file is shown once before `rows`."""
        order = self._of(row)
        if order not in (_ALONE, self._last):
            self._disk.execute(
                "INSERT INTO orders VALUES (?, ?, 0) ON CONFLICT (id) DO UPDATE SET is_apart = 1",
                (order, row.line),
            )
        self._last = order

    def rows(self, rows: Iterator[Row]) -> Iterator[Row]:
        """The first row of each order, which holds the others; orders that are apart come last.

        The rows of an order that has too many are wrong.
        """
        beside = groupby(((self._of(row), row) for row in rows), key=itemgetter(0))
        some_apart = self._disk.execute("SELECT 1 FROM orders WHERE is_apart LIMIT 1").fetchone()
        for order, found in beside:
            if some_apart and self._is_apart(order):
                kept = ((order, row.line, pickle.dumps(row)) for _, row in found)
                self._disk.executemany("INSERT INTO waiting VALUES (?, ?, ?)", kept)
            else:
                yield from _joined(order, (row for _, row in found))
        waited = self._disk.execute(
            "SELECT id, row FROM waiting JOIN orders USING (id) ORDER BY orders.line, waiting.line"
        )
        for order, pickled in groupby(waited, key=itemgetter(0)):
            # What this process wrote, and nobody else could reach.
            yield from _joined(order, (pickle.loads(row) for _, row in pickled))  # noqa: S301

    def _of(self, row: Row) -> bytes:
        order = self._order_of(row)
        return blake2b(order.encode("utf-8", "surrogateescape"), digest_size=16).digest() if order else _ALONE

    def _is_apart(self, order: bytes) -> bool:
        asked = "SELECT 1 FROM orders WHERE id = ? AND is_apart"
        return self._disk.execute(asked, (order,)).fetchone() is not None


def _joined(order: bytes, rows: Iterator[Row]) -> Iterator[Row]:
    if order == _ALONE:
        yield from rows
        return
    first, *further = islice(rows, ROWS_MAX)
    beyond = next(rows, None)
    if beyond is None:
        first.further = further
        yield first
        return
    for row in chain((first, *further, beyond), rows):
        row.problems.append(_TOO_MANY)
        yield row
