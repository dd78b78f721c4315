"""Which purchases of a file are those that another one brought."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

from loyalty.domain.overlap import overlap
from loyalty.domain.value import Purchase

BUYER = UUID(int=1)
AT = datetime(2026, 1, 2, tzinfo=UTC)


def row(key: str, amount: int, reference: str = "", customer: UUID = BUYER, at: datetime = AT) -> Purchase:
    return Purchase(uuid4(), customer, Decimal(amount), "USD", at, 1, reference, f"sales/{key}")


def told(
    rows: list[Purchase], recorded: list[Purchase], occurrences: list[int] | None = None
) -> tuple[dict[int, tuple[str, int]], list[int]]:
    """Which keys and amounts the known ones have, and who is unclear."""
    found = overlap(rows, occurrences or [1] * len(rows), recorded)
    known = {i: (str(p.import_key).removeprefix("sales/"), int(p.amount)) for i, p in found.known.items()}
    assert all(p.id == rows[i].id for i, p in found.known.items())
    return known, found.unclear


def test_a_row_of_the_same_reference_customer_time_and_amount_is_that_purchase() -> None:
    assert told([row("b:1", 10, "O1"), row("b:2", 20, "O2")], [row("a:7", 10, "O1")]) == (
        {0: ("a:7", 10)},
        [],
    )


def test_a_reference_of_another_customer_or_time_is_another_purchase() -> None:
    recorded = [row("a:1", 10, "O1")]
    later = row("b:1", 10, "O1", at=AT + timedelta(seconds=1))
    assert told([later, row("b:2", 10, "O1", customer=UUID(int=2))], recorded) == ({}, [])


def test_another_amount_under_the_same_reference_is_for_a_person_to_decide() -> None:
    """It may be what is left after a refund, or a line whose others are refused or in another request."""
    assert told([row("b:1", 7, "O1")], [row("a:1", 10, "O1")]) == ({}, [0])


def test_what_another_department_brought_is_known_and_not_corrected() -> None:
    other = replace(row("", 10, "O1"), import_key="finance/b:1")
    assert told([row("b:1", 10, "O1")], [other]) == ({0: ("finance/b:1", 10)}, [])
    assert told([row("b:1", 7, "O1")], [other]) == ({}, [0])


def test_equal_lines_of_one_order_are_as_many_as_were_recorded() -> None:
    rows = [row(f"b:{i}", 10, "O1") for i in range(3)]
    recorded = [row("a:1", 10, "O1"), row("a:2", 10, "O1")]
    assert told(rows, recorded, [1, 2, 3]) == ({0: ("a:1", 10), 1: ("a:2", 10)}, [2])
    # The same in a request for each.
    assert told(rows[1:2], recorded, [2]) == ({0: ("a:2", 10)}, [])
    assert told(rows[2:], recorded, [3]) == ({}, [0])


def test_an_order_that_is_written_in_other_lines_now_is_for_a_person_to_decide() -> None:
    recorded = [row("a:1", 30, "O1")]
    assert told([row("b:1", 10, "O1"), row("b:2", 20, "O1")], recorded) == ({}, [0, 1])
    # The order's first line came with the batch before.
    assert told([row("b:2", 20, "O1")], [*recorded, row("b:1", 10, "O1")]) == ({}, [0])


def test_equal_purchases_without_a_reference_are_for_a_person_to_decide() -> None:
    assert told([row("b:1", 10), row("b:2", 11)], [row("a:1", 10)]) == ({}, [0])


def test_rows_of_one_source_and_purchases_of_no_source_are_never_taken_for_each_other() -> None:
    own = [row("a:1", 10, "O1"), replace(row("", 20, "O1"), import_key=None)]
    assert told([row("a:2", 10, "O1"), row("a:3", 20, "O1")], own) == ({}, [])


def test_the_rest_of_what_was_recorded_stays_when_a_row_is_known() -> None:
    recorded = replace(row("a:1", 10, "O1"), quantity=5)
    [known] = overlap([row("b:1", 10, "O1")], [1], [recorded]).known.values()
    assert known.says(recorded)
