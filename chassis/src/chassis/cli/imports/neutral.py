"""What makes a cell harmless to spreadsheets, and what undoes it when the file is imported."""

import re

# Where the row was (`{digest}:{line}`), its line, the column at fault, the reason, what is allowed, and how
# it was read (`Reading`).
ERROR_COLUMNS = ("error_row", "error_line", "error_column", "error_reason", "error", "error_import")
# What `shown` puts in place of a control character, also as it is written in an encoding that lacks it.
PICTURE = re.compile(r"[\u2400-\u2426]|\\u24[0-2][0-9a-f]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")


def neutralised(cell: str) -> str:
    """The cell as text to any spreadsheet: with an apostrophe before what would be a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def restored(cell: str) -> str:
    """What `neutralised` was given."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell
