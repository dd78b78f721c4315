"""The terminal that commands draw on: it never gets what others wrote as a command of its own."""

import sys
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from rapport_imports.wording import shown

PIPE_COLUMNS = 200


class Terminal(Console):
    """A console whose text is text; into a file or a pipe, lines are as long as they need to be."""

    def __init__(self, *, stderr: bool = False) -> None:
        is_terminal = (sys.stderr if stderr else sys.stdout).isatty()
        super().__init__(stderr=stderr, highlight=False, width=None if is_terminal else PIPE_COLUMNS)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments of what is drawn. Colours are none of their text."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=shown(segment.text))
