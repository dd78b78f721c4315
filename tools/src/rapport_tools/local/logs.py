"""Reading the services' log files: their last lines, new lines as they come, and both made readable."""

import json
from collections import deque
from pathlib import Path

MAX_BYTES = 50 * 1024 * 1024
_ROUTINE = {"timestamp", "level", "event", "service", "logger", "trace_id", "span_id", "exception"}


class Follower:
    """The lines added to a file since the last look. It also keeps the file from growing for ever."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._position = path.stat().st_size if path.exists() else 0

    def read(self) -> list[str]:
        """The complete lines that are new."""
        if not self.path.exists():
            return []
        if self.path.stat().st_size < self._position:  # it was cut
            self._position = 0
        with self.path.open("rb") as file:
            file.seek(self._position)
            new = file.read()
        complete = new[: new.rfind(b"\n") + 1]
        self._position += len(complete)
        return complete.decode(errors="replace").splitlines()

    def bound(self) -> None:
        """Move what is beyond 50 MB to `<name>.log.1`. Writers append, so they go on unharmed."""
        if self.path.exists() and self.path.stat().st_size > MAX_BYTES:
            self.path.with_name(self.path.name + ".1").write_bytes(self.path.read_bytes())
            with self.path.open("r+b") as file:
                file.truncate(0)
            self._position = 0


def tail(path: Path, lines: int) -> list[str]:
    with path.open(errors="replace") as file:
        return [line.rstrip("\n") for line in deque(file, lines)]


def level_of(line: str) -> str:
    """The level of a JSON log line; empty for other lines."""
    return str(_fields(line).get("level", ""))


def event_of(line: str) -> str:
    """What a JSON log line is about, without its details; empty for other lines."""
    return str(_fields(line).get("event", ""))


def readable(name: str, line: str) -> str:
    """A log line for people: time, service, level where it matters, what happened, and its details."""
    fields = _fields(line)
    if not fields:
        return f"{name:<14} {line}"
    time = str(fields.get("timestamp", ""))[11:19]
    level = str(fields.get("level", ""))
    details = [f"{key}={value}" for key, value in fields.items() if key not in _ROUTINE]
    error = fields.get("exception")
    if isinstance(error, dict):
        where = error.get("frames") or [""]
        details.append(f"{error.get('type')} at {where[-1]}")
    shown = f"{level.upper()} " if level in ("warning", "error", "critical") else ""
    return " ".join([f"{time} {name:<14} {shown}{fields.get('event', '')}", *details])


def _fields(line: str) -> dict[str, object]:
    if not line.startswith("{"):
        return {}
    try:
        return dict(json.loads(line))
    except ValueError:
        return {}
