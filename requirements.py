"""Compile the pinned, hashed requirements files, naming no registry: run by `make requirements`."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent
UV = Path(sys.executable).parent / "uv"
PROJECTS = ["chassis/pyproject.toml", *sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("services/*/pyproject.toml"))]
OWN = {"rapport-chassis": ROOT / "chassis", "rapport-contracts": ROOT / "proto"}
OPTIONS = [
    "--universal", "--python-version=3.11", "--generate-hashes", "--no-header", "--no-annotate", "--quiet",
    "--no-emit-index-url", "--no-emit-find-links",
]  # fmt: skip


def compile_into(target: str, *sources: str) -> None:
    """Resolve `sources` into `target`; our own packages are resolved from the tree and left out of the result."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as overrides:
        overrides.write("".join(f"{name} @ {path.as_uri()}\n" for name, path in OWN.items()))
        overrides.flush()
        leave_out = [f"--no-emit-package={name}" for name in OWN]
        command = [str(UV), "pip", "compile", *OPTIONS, *leave_out, f"--override={overrides.name}", *sources]
        subprocess.run([*command, f"--output-file={target}"], cwd=ROOT, check=True)  # noqa: S603 - our own arguments


if __name__ == "__main__":
    compile_into("requirements.txt", *PROJECTS)
    compile_into("requirements-dev.txt", "requirements-dev.in", "--constraint=requirements.txt", "--all-extras", *PROJECTS)
    uv = re.search(r"^uv==(?:.|\n)*?(?=^\S+==)", (ROOT / "requirements-dev.txt").read_text(), re.MULTILINE)
    assert uv, "requirements-dev.in no longer lists uv"
    (ROOT / "requirements-uv.txt").write_text(uv[0])
