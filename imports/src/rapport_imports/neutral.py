"""What makes a cell harmless to spreadsheets, and what undoes it when the file is imported."""

import re

# Where the row was (`{digest}:{line}`), its line, the column at fault, the reason, what is allowed, and how
# it was read (`Reading`).
ERROR_COLUMNS = ("error_row", "error_line", "error_column", "error_reason", "error", "error_import")
# What `shown` puts in place of a control character, also as it is written in an encoding that lacks it.
PICTURE = re.compile(r"[\u2400-\u2426]|\\u24[0-2][0-9a-f]")
# What begins a formula somewhere, of full width too; and an apostrophe, so that one that was there stays.
_FORMULA = "[=+@\\t\\r'\uff1d\uff0b\uff20\uff0d-]"
# Where a cell begins: also to a program that splits the line by another separator than ours.
_BEGINS = r"((?:^|[;,|\t\n])\"*)"
_NEUTRALISE = re.compile(f"{_BEGINS}(?={_FORMULA})")
_RESTORE = re.compile(f"{_BEGINS}'(?={_FORMULA})")


def neutralised(cell: str) -> str:
    """The cell as text to any spreadsheet: with an apostrophe before what would be a formula."""
    return _NEUTRALISE.sub(r"\1'", cell)


def restored(cell: str) -> str:
    """What `neutralised` was given."""
    return _RESTORE.sub(r"\1", cell)
