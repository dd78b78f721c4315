"""`python -m tests.mutants [SERVICE...]`: how many simple mutants of the domains the unit tests kill.

Each mutant is imported in place of its module by a child of this process, which then runs the service's unit
tests up to the first failure. What survives is listed: each is a test to write, or means the same as before.
Exit code 1 when fewer than nine in ten are killed.
"""

import ast
import importlib.abc
import importlib.machinery
import io
import multiprocessing
import multiprocessing.pool
import os
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import Any

import hypothesis.stateful  # noqa: F401
import pytest

# Imported once, so that a child begins with its tests.
from tests.mutants.mutate import Mutant, mutants

ROOT = Path(__file__).parents[2]
SERVICES = sorted(path.name for path in (ROOT / "services").iterdir() if (path / "src").is_dir())
TIME_LIMIT_S = 60  # a mutant that never ends is killed by this
WANTED = 0.9


class Imported(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports the mutant in place of its module."""

    def __init__(self, name: str, tree: ast.Module) -> None:
        self._name = name
        self._tree = tree

    def find_spec(self, name: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        """The mutant, for its name alone."""
        return importlib.machinery.ModuleSpec(name, self) if name == self._name else None

    def exec_module(self, module: ModuleType) -> None:
        """Run it."""
        exec(compile(self._tree, self._name, "exec"), module.__dict__)


def survives(service: str, mutant: Mutant) -> bool:
    """Whether the service's unit tests pass with the mutant."""
    module = Path(mutant.path).relative_to(f"services/{service}/src").with_suffix("")
    sys.meta_path.insert(0, Imported(".".join(module.parts), mutant.tree))
    tests = str(ROOT / "services" / service / "tests" / "unit")
    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-header", tests]
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        return pytest.main(options) == pytest.ExitCode.OK


def judge(service: str, mutant: Mutant) -> bool:
    """As `survives`, in a child: a module is imported once in a process."""
    child = multiprocessing.get_context("fork").Process(target=_child, args=(service, mutant))
    child.start()
    child.join(TIME_LIMIT_S)
    if child.is_alive():
        child.kill()
        child.join()
    return child.exitcode == 0


def _child(service: str, mutant: Mutant) -> None:
    os._exit(0 if survives(service, mutant) else 1)


def mutants_of(service: str) -> list[tuple[str, Mutant]]:
    """Every simple mutant of the service's domain."""
    folder = ROOT / "services" / service / "src" / service / "domain"
    return [
        (service, mutant)
        for path in sorted(folder.glob("*.py"))
        for mutant in mutants(str(path.relative_to(ROOT)), path.read_text())
    ]


def main(services: Sequence[str]) -> int:
    """Judge them all, as many at once as there are processors."""
    os.chdir(ROOT)
    alive, seen = Counter[str](), Counter[str]()
    every = [each for service in services for each in mutants_of(service)]
    with multiprocessing.pool.ThreadPool(os.cpu_count()) as pool:
        for (service, mutant), lives in zip(every, pool.imap(lambda each: judge(*each), every), strict=True):
            seen[service] += 1
            alive[service] += lives
            if lives:
                print(f"survives  {mutant}", flush=True)
    for service in services:
        killed = seen[service] - alive[service]
        print(f"{service:<14} {killed} of {seen[service]} mutants killed ({killed / seen[service]:.1%})")
    return int(alive.total() > (1 - WANTED) * seen.total())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or SERVICES))
