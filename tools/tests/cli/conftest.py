"""Fixtures for tests of commands."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rapport_tools.cli.main import build, run

Check = Callable[..., tuple[int, dict[str, Any], str]]


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Check:
    """Check a file as `rapport import KIND FILE --dry-run`: the exit code, the result, what it told."""
    monkeypatch.setenv("RAPPORT_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("RAPPORT_CURRENCY", raising=False)

    def imported(
        kind: str, content: str | bytes, *options: str, name: str = "t.csv"
    ) -> tuple[int, dict[str, Any], str]:
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
        words = ["rapport", "import", kind, str(tmp_path / name), "--dry-run", "--json", *options]
        monkeypatch.setattr("sys.argv", words)
        code = run(build())
        out, err = capsys.readouterr()
        return code, json.loads(out) if out.strip() else {}, err

    return imported
