"""What `rapport doctor` says about work on the outside world."""

from chassis.cli.database import rows

OVERDUE_S = 60.0
STATUS = """
SELECT kind,
       count(*) FILTER (WHERE alarm) AS alarms,
       max(code) FILTER (WHERE alarm) AS code,
       count(*) FILTER (WHERE state = 'UNKNOWN' AND ended_at > now() - interval '1 day') AS unknown,
       count(*) FILTER (WHERE state = 'PENDING' AND due_at < now() - make_interval(secs => $1)) AS overdue
FROM work WHERE ended_at IS NULL OR state = 'UNKNOWN' GROUP BY kind ORDER BY kind
"""


async def troubles(url: str) -> list[tuple[str, str]]:
    """What is wrong with the work in the database at `url`, and what to do about it."""
    found = []
    for row in await rows(url, STATUS, OVERDUE_S):
        kind = row["kind"]
        if row["alarms"]:
            what = f"{row['alarms']} {kind} wait for us to mend something: the other side says {row['code']}."
            found.append((what, "Look at our login, sender, quota and right to relay there."))
        if row["unknown"]:
            what = f"Of {row['unknown']} {kind} of the last day nobody knows whether they were done."
            found.append((what, "Their answers were lost. Ask the other side, by the key of the attempt."))
        if row["overdue"]:
            what = f"{row['overdue']} {kind} are due for more than {OVERDUE_S:.0f} s."
            found.append((what, "They come faster than they can be done, or nobody does them: see the logs."))
    return found
