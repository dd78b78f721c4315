"""The doctor tells of work that waits for us, of what nobody knows, and of what is not done."""

from datetime import UTC, datetime, timedelta
from typing import Any

from chassis.cli.troubles import troubles


async def test_the_doctor_tells_what_is_wrong_with_work(office: Any) -> None:
    await office.enqueue("login", "lost", "late", "fine", due_at=datetime.now(UTC) + timedelta(hours=1))
    assert await troubles(office.db._url) == []
    await office.sql("UPDATE work SET alarm = true, code = '535 5.7.8' WHERE key = 'login'")
    await office.sql("UPDATE work SET state = 'UNKNOWN', ended_at = now() WHERE key = 'lost'")
    await office.sql("UPDATE work SET due_at = now() - interval '1 h' WHERE key = 'late'")
    assert [what for what, _ in await troubles(office.db._url)] == [
        "1 send wait for us to mend something: the other side says 535 5.7.8.",
        "Of 1 send of the last day nobody knows whether they were done.",
        "1 send are due for more than 60 s.",
    ]
