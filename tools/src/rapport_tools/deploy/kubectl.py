"""kubectl, the one from PATH: it knows the cluster and who we are there."""

import subprocess

from rapport_tools.cli.failures import Exit, Failure

TIMEOUT_S = 60


def kubectl(*arguments: str) -> str:
    """What kubectl writes. Failure when it is not there, or ends with an error."""
    command = ["kubectl", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S)
    except FileNotFoundError:
        raise Failure("kubectl is not on PATH.", Exit.WRONG_USE) from None
    except subprocess.TimeoutExpired:
        raise Failure(f"kubectl did not answer within {TIMEOUT_S} s.", Exit.UNREACHABLE) from None
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise Failure(f"kubectl {arguments[0]}: {said[-1] if said else done.returncode}", Exit.UNREACHABLE)
    return done.stdout
