"""Files that are read again when they change, such as those of a mounted secret."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import structlog

T = TypeVar("T")

_log = structlog.get_logger()


class Reread(Generic[T]):
    """What `read` makes of files now. What it cannot read, or does not hold together, is not taken.

    Then what was before stays. OSError or ValueError of the first reading are raised.
    """

    def __init__(self, files: Sequence[Path], read: Callable[[], T]) -> None:
        self._files, self._read = files, read
        self._seen = self._marks()
        self._held = read()

    def newest(self) -> T:
        """The newest that could be read: the same object while nothing has changed."""
        try:
            marks = self._marks()
            if marks != self._seen:
                self._seen = marks
                self._held = self._read()
        except (OSError, ValueError) as error:
            _log.error("a changed file cannot be taken", files=list(map(str, self._files)), why=str(error))
        return self._held

    def _marks(self) -> list[int]:
        return [os.stat(file).st_mtime_ns for file in self._files]
