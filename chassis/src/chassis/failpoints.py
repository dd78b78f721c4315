"""Places where a test can make a process die: `hit("before_commit")` does nothing unless a test asked for it.

A test drops a file `<service>.<point>` into the folder that RAPPORT_FAILPOINTS names; the next hit takes it
away and kills the process, so that each file is one death. Without the variable a hit costs one comparison.
"""

import os
import signal
import sys
from pathlib import Path

_FOLDER = os.environ.get("RAPPORT_FAILPOINTS")


def hit(point: str) -> None:
    """Die here with SIGKILL when a test asked for it."""
    if _FOLDER is not None:
        try:
            (Path(_FOLDER) / f"{os.environ['RAPPORT_SERVICE']}.{point}").unlink()
        except FileNotFoundError:
            return
        sys.stderr.write(f"failpoint {point}: killing this process\n")
        os.kill(os.getpid(), signal.SIGKILL)
