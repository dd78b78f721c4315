"""What makes a cell harmless to spreadsheets, and what undoes it when the file is imported."""

import re

from chassis.api.text import NOT_TEXT

# Where the row was (`{digest}:{line}`), its line, the column at fault, the reason, and what is allowed.
ERROR_COLUMNS = ("error_row", "error_line", "error_column", "error_reason", "error")
# What stands for a control character, newline and tab apart, in what people read: no text of theirs.
_PICTURES = {chr(code): chr(0x2400 + code) for code in range(32)} | {"\x7f": "\N{SYMBOL FOR DELETE}"}
PICTURE = re.compile("[\u2400-\u2426]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")


def neutralised(cell: str) -> str:
    """The cell as text to any spreadsheet: with an apostrophe before what would be a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def shown(text: str) -> str:
    """The text with control characters as their pictures: a terminal obeys the former."""
    return NOT_TEXT.sub(lambda found: _PICTURES.get(found[0], "\N{SYMBOL FOR SUBSTITUTE FORM TWO}"), text)


def restored(cell: str) -> str:
    """What `neutralised` was given."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell
