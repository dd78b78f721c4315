"""What units answer now counts, and not what they were when they started."""

import http.server
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from rapport_tools.cli import readiness


def unit(health: str, state: str = "ready", pid: int = os.getpid()) -> dict[str, object]:
    return {"name": "cases", "state": state, "pid": pid, "health": health}


@pytest.fixture
def service(request: pytest.FixtureRequest) -> Iterator[str]:
    """A service that answers with a status and a body."""
    status, body = request.param

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/health/ready"
        server.shutdown()


def test_a_service_that_accepts_and_says_nothing_is_not_answering(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "ANSWER_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        [state] = readiness.states([unit(f"http://127.0.0.1:{silent.getsockname()[1]}/health/ready")])
    assert state.startswith("not answering")


@pytest.mark.parametrize(
    ("service", "state"),
    [
        ((503, b'{"problems": ["no broker", "no database"]}'), "not ready: no broker; no database"),
        ((200, b'{"problems": [], "warnings": ["it lost events"]}'), "serving, and warns: it lost events"),
        ((200, b"{}"), "ready"),
        ((200, b"<html>"), "ready"),
    ],
    indirect=["service"],
)
def test_a_service_says_itself_why_it_is_not_ready_and_what_it_warns_of(service: str, state: str) -> None:
    assert readiness.states([unit(service)]) == [state]


def test_what_the_supervisor_knows_to_be_down_is_not_asked() -> None:
    assert readiness.states([unit("http://127.0.0.1:9", "failing"), unit("")]) == ["failing", "ready"]


def test_what_a_signal_froze_is_frozen_and_what_ended_is_gone() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        os.kill(process.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        frozen = readiness.states([unit("", pid=process.pid)])
        process.kill()
    assert (frozen, readiness.states([unit("", pid=process.pid)])) == ([readiness.FROZEN], ["gone"])
