"""How a command ends when it does not succeed: one line on standard error and an exit code."""

from enum import IntEnum
from typing import Any

from rapport_testing.engines.process import StackError, WrongUse
from rapport_tools.local.home import Home


class Exit(IntEnum):
    """Exit codes of the `rapport` command."""

    DONE = 0
    REFUSED = 1  # a rule or a state says no
    WRONG_USE = 2
    UNREACHABLE = 3


class Failure(Exception):
    """Ends the command. The message is one line that says what is wrong and, where it helps, what to do."""

    def __init__(self, message: str, code: Exit = Exit.REFUSED) -> None:
        super().__init__(message)
        self.code = code


def stack_down() -> Failure:
    """The failure of a command that needs a running stack."""
    from rapport_tools.cli import cluster

    if cluster.is_meant():
        return Failure("This is of a stack on this machine, and not of a cluster.", Exit.WRONG_USE)
    where = Home.current().path
    return Failure(
        f"No stack is running in {where}. Start it with `rapport up`, or point RAPPORT_HOME at its folder.",
        Exit.UNREACHABLE,
    )


def whom_to_ask() -> str:
    """The command that says who does not answer."""
    from rapport_tools.cli import cluster

    return "`rapport doctor`" if cluster.is_meant() else "`rapport status`"


def is_lost(error: Exception) -> bool:
    """Whether a call got no answer, or one of a proxy's: what we answer has never the code UNKNOWN."""
    import grpc

    if not isinstance(error, grpc.Call | grpc.aio.AioRpcError):
        return False
    return error.code() in (
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNKNOWN,
    )


def of_error(error: Exception) -> Failure | None:
    """What an error means to the user; None for a bug, whose traceback is then worth seeing."""
    if isinstance(error, Failure):
        return error
    module = type(error).__module__.split(".")[0]
    if module == "grpc":
        return _of_call(error)
    if module in ("chassis", "rapport_testing", "rapport_tools"):
        return _of_ours(error)
    if module in ("asyncpg", "nats") or isinstance(error, ConnectionError | TimeoutError):
        detail = str(error).splitlines()[0] if str(error) else type(error).__name__
        return Failure(f"The stack does not answer: {detail}. See `rapport doctor`.", Exit.UNREACHABLE)
    if isinstance(error, OSError):
        return Failure(
            f"{error.strerror}: {error.filename}" if error.filename else str(error), Exit.WRONG_USE
        )
    return None


def _of_ours(error: Exception) -> Failure | None:
    from chassis.contracts import Gone
    from chassis.errors import Refusal

    if isinstance(error, WrongUse):
        return Failure(str(error), Exit.WRONG_USE)
    if isinstance(error, StackError | Gone):
        return Failure(str(error))
    return Failure(f"{error.reason}: {error.message}") if isinstance(error, Refusal) else None


def _of_call(error: Exception) -> Failure | None:
    import grpc

    from chassis.grpc.status import reason

    if not isinstance(error, grpc.Call | grpc.aio.AioRpcError):
        return None
    code = error.code()
    message = f"{reason(error)}: {error.details()}"
    if is_lost(error):
        return Failure(f"{message.rstrip('.')}. {whom_to_ask()} says who does not answer.", Exit.UNREACHABLE)
    wrong = code in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.UNIMPLEMENTED)
    return Failure(message, Exit.WRONG_USE if wrong else Exit.REFUSED)


def reason_of(error: Any) -> str:
    """The documented reason of a refusal; empty when it has none."""
    from chassis.grpc.status import reason

    told = reason(error)
    return "" if told == error.code().name else told
