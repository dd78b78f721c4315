"""Compile the pinned, hashed requirements files, naming no registry: run by `make requirements`."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent
UV = Path(sys.executable).parent / "uv"
SERVICES = sorted(ROOT.glob("services/*/pyproject.toml"))
IMAGES = [
    "chassis/pyproject.toml",
    "identity/pyproject.toml",
    "imports/pyproject.toml",
    *(str(path.relative_to(ROOT)) for path in SERVICES),
]
NOT_IN_IMAGES = ("testing", "tools")
PROJECTS = [*IMAGES, *(f"{folder}/pyproject.toml" for folder in NOT_IN_IMAGES)]
OWN = {"rapport-contracts": "proto"} | {
    f"rapport-{name}": name for name in ("chassis", "identity", "imports", *NOT_IN_IMAGES)
}
OPTIONS = [
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-header",
    "--no-annotate",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--quiet",
]


def compile_into(target: str, *sources: str) -> None:
    """Resolve `sources` into `target`; our own packages come from the tree and are left out of the result."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as overrides:
        overrides.write("".join(f"{name} @ {(ROOT / path).as_uri()}\n" for name, path in OWN.items()))
        overrides.flush()
        leave_out = [f"--no-emit-package={name}" for name in OWN]
        command = [str(UV), "pip", "compile", *OPTIONS, *leave_out, f"--override={overrides.name}", *sources]
        subprocess.run([*command, f"--output-file={target}"], cwd=ROOT, check=True)


if __name__ == "__main__":
    compile_into("requirements.txt", *IMAGES)
    run = ["requirements-run.in", *PROJECTS]
    compile_into("requirements-run.txt", "--constraint=requirements.txt", *run)
    compile_into("requirements-dev.txt", "--constraint=requirements-run.txt", "requirements-dev.in", *run)
    compile_into("requirements-bench.txt", "requirements-bench.in")  # of an environment of its own
    pinned = (ROOT / "requirements-dev.txt").read_text()
    uv = re.search(r"^uv==(?:.|\n)*?(?=^\S+==)", pinned, re.MULTILINE)
    assert uv, "requirements-dev.in no longer lists uv"
    (ROOT / "requirements-uv.txt").write_text(uv[0])
