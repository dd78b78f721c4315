"""What Prometheus reads about work."""

from prometheus_client import Counter, Gauge

OUTCOMES = Counter("work_outcomes", "Attempts at work by how they ended.", ["kind", "verdict"])
REPEATS = Counter("work_repeats", "Attempts made after one whose outcome is unknown.", ["kind"])
LIVE = Gauge("work_live", "Work that has not ended, by how far it is.", ["kind", "state"])
ALARMS = Gauge("work_alarms", "Work that waits for us to mend something: a login, a quota.", ["kind"])
