"""Run the Locust users against the running platform for a bounded time: `USERS=50 SECONDS=30 make load`.

Loopback only: the addresses are those of the local stack.
"""

import os
import subprocess
import sys
from pathlib import Path

from rapport_tools.cli.failures import Failure
from rapport_tools.cli.session import Session

LONGEST_S = 600


def main() -> int:
    """Run Locust headless and return its exit code."""
    users, seconds = int(os.environ.get("USERS", "20")), int(os.environ.get("SECONDS", "60"))
    try:
        Session.open()
    except Failure as failure:
        print(failure, file=sys.stderr)
        return int(failure.code)
    command = [sys.executable, "-m", "locust", "--headless", "--only-summary"]
    command += ["-f", str(Path(__file__).with_name("locustfile.py"))]
    command += [f"--users={users}", f"--spawn-rate={users}", f"--run-time={min(seconds, LONGEST_S)}s"]
    return subprocess.run(command, check=False, timeout=seconds + 60).returncode


if __name__ == "__main__":
    sys.exit(main())
