"""Files that are for their owner only."""

import os
import secrets
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step, readable by its owner only."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    fresh.touch(0o600)
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def kept_secret(path: Path) -> str:
    """The random secret in that file, made when there is none."""
    if not path.exists() or not path.stat().st_size:  # a full disk may have left an empty one
        write_private(path, secrets.token_hex(16))
    return path.read_text()
