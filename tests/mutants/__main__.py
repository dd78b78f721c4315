"""`python -m tests.mutants [SERVICE...]`: how many simple mutants of the domains the unit tests kill.

Each mutant is imported in place of its module by a child of this process, which then runs the service's unit
tests up to the first failure. What survives is listed: each is a test to write, or means the same as before.
Exit code 1 when of any service fewer than nine in ten are killed; 2 when there is nothing to judge by.
"""

import ast
import importlib.abc
import importlib.machinery
import io
import multiprocessing
import multiprocessing.pool
import os
import resource
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import Any

import hypothesis.stateful  # noqa: F401  # as `_pytest` below: a child begins with its tests
import pytest
from hypothesis import Phase, settings

from tests.mutants.mutate import Mutant, mutants

ROOT = Path(__file__).parents[2]
SERVICES = sorted(path.name for path in (ROOT / "services").iterdir() if (path / "src").is_dir())
CPU_LIMIT_S = 60  # a mutant that never ends is killed by this, however busy the machine is
WANTED = 90  # per cent

# The same examples each time, and none is made smaller: that it fails is enough.
settings.register_profile(
    "mutants", derandomize=True, database=None, phases=(Phase.explicit, Phase.generate), deadline=None
)


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


class PropertiesLast:
    """Orders the tests: most mutants fall to a plain one, which takes no time."""

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Properties after all others."""
        items.sort(key=lambda item: getattr(item.obj, "is_hypothesis_test", False))


def passes(service: str, mutant: Mutant | None) -> bool:
    """Whether the service's unit tests pass, with the mutant or as it is: in a child, which imports anew."""
    child = multiprocessing.get_context("fork").Process(target=_child, args=(service, mutant))
    child.start()
    child.join()
    return child.exitcode == 0


def _child(service: str, mutant: Mutant | None) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT_S, CPU_LIMIT_S))
    if mutant:
        module = Path(mutant.path).relative_to(f"services/{service}/src").with_suffix("")
        sys.meta_path.insert(0, Imported(".".join(module.parts), mutant.tree))
    tests = str(ROOT / "services" / service / "tests" / "unit")
    os._exit(_pytest("-x", tests))


def _pytest(*arguments: str) -> int:
    # Nobody reads what it says, so assertions are not rewritten.
    quick = ["-q", "--assert=plain", "--hypothesis-profile=mutants"]
    without = [f"-pno:{plugin}" for plugin in ("anyio", "cacheprovider", "unraisableexception", "xdist")]
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        return pytest.main([*quick, *without, *arguments], plugins=[PropertiesLast()])


def mutants_of(service: str) -> list[Mutant]:
    """Every simple mutant of the service's domain."""
    folder = ROOT / "services" / service / "src" / service / "domain"
    return [
        mutant
        for path in sorted(folder.glob("*.py"))
        for mutant in mutants(str(path.relative_to(ROOT)), path.read_text())
    ]


def killed_of(service: str) -> tuple[int, int]:
    """How many of its mutants are killed, of how many; as many at once as there are processors."""
    every, killed = mutants_of(service), 0
    with multiprocessing.pool.ThreadPool(os.cpu_count()) as pool:
        survivors = pool.imap(lambda mutant: passes(service, mutant), every)
        for mutant, survives in zip(every, survivors, strict=True):
            killed += not survives
            if survives:
                print(f"survives  {mutant}", flush=True)
    return killed, len(every)


def main(services: Sequence[str]) -> int:
    """Judge the services, one after the other."""
    if unknown := set(services) - set(SERVICES):
        print(f"no service is called {', '.join(sorted(unknown))}: there are {', '.join(SERVICES)}")
        return 2
    os.chdir(ROOT)
    _pytest("--collect-only", str(Path(__file__).parent))  # imports once what a child needs before its tests
    for service in services:
        if not passes(service, None):
            print(f"the unit tests of {service} fail as it is: `make test T=services/{service}/tests/unit`")
            return 2
    table = {service: killed_of(service) for service in services}
    for service, (killed, seen) in table.items():
        print(f"{service:<14} {killed:>4} of {seen:>4} mutants killed {killed / seen:>6.1%}")
    return int(any(100 * killed < WANTED * seen for killed, seen in table.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or SERVICES))
