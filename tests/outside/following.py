"""What tests of pages need: the page's own commands, and an environment by links to this one's libraries."""

import re
import sys
from collections.abc import Iterable
from importlib.metadata import Distribution
from pathlib import Path


def command_of(page: Path, word: str) -> str:
    """The block of commands with that word, as the page has it: nothing is added, not even to PATH."""
    (found,) = (
        each for each in re.findall(r"```bash\n(.*?)```", page.read_text(), re.DOTALL) if word in each
    )
    return found


def link(libraries: Iterable[Distribution], site: Path) -> None:
    """Put libraries into the `site-packages` of another environment, by links; scripts are that one's own."""
    ours, its = Path(sys.executable).parent, site.parents[2] / "bin"
    for each in libraries:
        for file in each.files or ():
            here, there = Path(str(each.locate_file(file))), site / file
            if not here.exists() or there.exists():
                continue
            there.parent.mkdir(parents=True, exist_ok=True)
            if here.parent.samefile(ours) and here.read_bytes().startswith(b"#!"):
                there.write_text(here.read_text().replace(str(ours), str(its)))
                there.chmod(0o755)
            else:
                there.symlink_to(here.resolve())
