"""Log lines, as a process writes them."""

import json
import subprocess
import sys
from typing import Any

SCRIPT = """
import logging, structlog
from rapport_testing.spans import record_spans
from chassis.telemetry import logging as telemetry, tracing
telemetry.setup("cases", "info", {format!r})
log = structlog.get_logger("sample")
parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
with record_spans(), tracing.server_span("a.v1.B/C", parent):
    log.info("opened", case="cases/7")
log.debug("not said")
for name in ("httpx2", "httpcore2.http11", "authlib.oauth2", "mail.log", "uvicorn.access"):
    logging.getLogger(name).info("GET https://example.com/?code=secret")
logging.getLogger("library").warning("from %s", "a library")
def handle(request):
    raise ValueError("bob@example.com")
try:
    handle("carol@example.com")
except ValueError:
    log.exception("failed")
"""


def lines(log_format: str) -> list[str]:
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(format=log_format)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return ran.stderr.splitlines()


def test_a_line_is_json_and_names_its_trace() -> None:
    opened, library, failed = [json.loads(line) for line in lines("auto")]
    assert opened["event"] == "opened"
    assert opened["case"] == "cases/7"
    assert opened["service"] == "cases"
    assert opened["level"] == "info"
    assert opened["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert len(opened["span_id"]) == 16
    assert library["event"] == "from a library"
    assert "trace_id" not in library
    assert_says_where_and_not_what(failed)


def assert_says_where_and_not_what(failed: dict[str, Any]) -> None:
    assert failed["exception"]["type"] == "builtins.ValueError"
    assert failed["exception"]["frames"]
    assert "bob" not in json.dumps(failed)
    assert "carol" not in json.dumps(failed)


def test_a_terminal_gets_readable_lines_without_local_variables() -> None:
    written = "\n".join(lines("console"))
    assert "opened" in written
    assert "ValueError" in written
    assert "carol" not in written
    assert not written.startswith("{")
