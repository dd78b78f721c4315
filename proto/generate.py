"""Generate from the contracts: messages and stubs, and the services' facts. `make proto`; CI compares."""

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent
GOOGLE = sysconfig.get_paths()["purelib"]  # google/api and google/type come with googleapis-common-protos

# What no contract imports and every refusal holds, in `grpc-status-details-bin`.
REFUSALS = ("google/rpc/status.proto", "google/rpc/error_details.proto")


# Contracts that lie with their service, as those of a department with a repository of its own do.
BESIDE = sorted({path.parents[3] for path in ROOT.parent.glob("services/*/src/*/*/v*/*.proto")})


def protoc(*arguments: str) -> None:
    """Run the pinned compiler over arguments, with our contracts and Google's common ones on the path."""
    paths = [f"-I{path}" for path in (ROOT, *BESIDE, GOOGLE)]
    command = [sys.executable, "-m", "grpc_tools.protoc", *paths, *arguments]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # where the plugins are
    subprocess.run(command, cwd=ROOT, check=True, env=os.environ | {"PATH": path})


def contracts(root: Path = ROOT) -> list[Path]:
    """The contracts below a folder that imports of them begin at."""
    return sorted(root.glob("*/**/*.proto"))


def generate(out: Path, root: Path = ROOT) -> None:
    """Write Python messages and comments of every contract, and stubs of those with a service, into `out`."""
    found = contracts(root)
    services = [path for path in found if "\nservice " in path.read_text()]
    with tempfile.TemporaryDirectory(
        dir=ROOT
    ) as fresh:  # what is there stays until its replacement is complete
        protoc(
            f"--python_out={fresh}",
            f"--mypy_out=quiet:{fresh}",
            f"--comments_out={fresh}",
            *map(str, found),
        )
        protoc(f"--grpc_python_out={fresh}", f"--mypy_grpc_out=quiet:{fresh}", *map(str, services))
        if root is ROOT:  # elsewhere the service is beside them
            shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(fresh, out, dirs_exist_ok=True)
    out.chmod(0o755)  # a temporary folder is its maker's alone


def facts(out: Path) -> dict[Path, Path]:
    """Write what each service tells, as `out/<service>/domain/facts.py`, and say where each belongs."""
    events = [path for root in (ROOT, *BESIDE) for path in contracts(root) if path.stem.endswith("_events")]
    protoc(f"--facts_out={out}", *map(str, events))
    made = [path.relative_to(out) for path in sorted(out.rglob("facts.py"))]
    return {out / path: ROOT.parent / "services" / path.parts[0] / "src" / path for path in made}


def image(out: Path, *options: str) -> None:
    """Write the contracts as one descriptor set: what `buf lint` (with comments) and `buf breaking` read."""
    found = [path for root in (ROOT, *BESIDE) for path in contracts(root)]
    out.parent.mkdir(parents=True, exist_ok=True)
    protoc("--include_imports", *options, f"-o{out}", *map(str, found), *REFUSALS)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "gen", help="folder for the generated Python")
    parser.add_argument("--image", type=Path, help="write only the descriptor set, to this file")
    options = parser.parse_args()
    if options.image:
        image(options.image.resolve(), "--include_source_info")  # with comments: others generate from it
    else:
        generate(options.out.resolve())
        for beside in BESIDE:
            generate(beside, beside)
        with tempfile.TemporaryDirectory() as fresh:
            for made, kept in facts(Path(fresh)).items():
                shutil.copyfile(made, kept)
