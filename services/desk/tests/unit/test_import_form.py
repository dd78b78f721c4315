"""What is said of a file, as the desk keeps it."""

from pathlib import Path

from desk.pages.imports.form import said
from rapport_imports.wanted import Kind, Wanted


def test_what_a_profile_says_is_kept_of_the_file_also_that_no_line_names_the_columns() -> None:
    wanted = Wanted(Kind.ORDERS, Path("x"), ignore=[], header_row=0, profile="erp", needed={"order_id": "A"})
    assert said(wanted) == {"header_row": 0, "profile": "erp", "needed": {"order_id": "A"}}
    assert Wanted(Kind.ORDERS, Path("x"), **said(wanted)) == Wanted(
        Kind.ORDERS, Path("x"), header_row=0, profile="erp", needed={"order_id": "A"}
    )
