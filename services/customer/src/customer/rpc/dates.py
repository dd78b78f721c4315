"""Days that are known in part perhaps, as they are kept: 1984-04-12, 1984-04, 1984 or --04-12."""

from google.type.date_pb2 import Date


def text_of_date(sent: Date) -> str:
    """A date as it is kept."""
    parts = [f"{part:02}" for part in (sent.month, sent.day) if part]
    return "-".join([str(sent.year or "-"), *parts]) if sent.year or parts else ""


def date_of_text(text: str) -> Date | None:
    """A date as the contract has it."""
    year, _, day = ("0", "-", text[2:]) if text.startswith("--") else text.partition("-")
    month, _, day = day.partition("-")
    return Date(year=int(year), month=int(month or 0), day=int(day or 0)) if text else None
