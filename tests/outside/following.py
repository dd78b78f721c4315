"""What tests of pages need: the page's own commands, and an environment by links to this one's libraries."""

import csv
import os
import re
import sys
from collections.abc import Iterable
from importlib.metadata import Distribution
from importlib.util import cache_from_source
from pathlib import Path


def command_of(page: Path, word: str) -> str:
    """The block of commands with that word, as the page has it: nothing is added, not even to PATH."""
    (found,) = (
        each for each in re.findall(r"```bash\n(.*?)```", page.read_text(), re.DOTALL) if word in each
    )
    return found


def link(libraries: Iterable[Distribution], site: Path) -> None:
    """Put libraries into the `site-packages` of another environment, by links; scripts are that one's own.

    With what Python has compiled of them, as it would take a minute to compile all of it again.
    """
    ours, its = Path(sys.executable).parent, site.parents[2] / "bin"
    for each in libraries:
        own = str(each.locate_file(""))
        for file, *_ in csv.reader((each.read_text("RECORD") or "").splitlines()):
            here, there = os.path.normpath(f"{own}/{file}"), os.path.normpath(f"{site}/{file}")
            if os.path.isfile(here) and file.startswith("../") and Path(here).parent.samefile(ours):
                _link_script(Path(here), its / Path(file).name, ours)
            elif _link(here, there) and here.endswith(".py"):
                _link(cache_from_source(here), cache_from_source(there))


def _link(here: str, there: str) -> bool:
    """Whether it is there and was not, in strings: there are thousands, and paths take ten times as long."""
    if not os.path.exists(here) or os.path.lexists(there):
        return False
    os.makedirs(os.path.dirname(there), exist_ok=True)
    os.symlink(here, there)
    return True


def _link_script(here: Path, there: Path, ours: Path) -> None:
    if not there.exists() and here.read_bytes().startswith(b"#!"):
        there.write_text(here.read_text().replace(str(ours), str(there.parent)))
        there.chmod(0o755)
    elif not there.exists():
        there.symlink_to(here)
