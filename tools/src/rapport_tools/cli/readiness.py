"""How the units of a running stack are now: what they answer, and not what they were when they started."""

import json
import urllib.error
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

import psutil

from rapport_testing.engines.ports import DIRECT

ANSWER_S = 2.0
FROZEN = "frozen"


def states(units: Sequence[Mapping[str, Any]]) -> list[str]:
    """The state of each unit of `status.json`: `ready`, what the supervisor says, or the service."""
    with ThreadPoolExecutor(max_workers=16) as asking:
        return list(asking.map(_state, units))


def _state(unit: Mapping[str, Any]) -> str:
    state = str(unit["state"])
    if state != "ready":
        return state
    try:
        if psutil.Process(unit["pid"]).status() == psutil.STATUS_STOPPED:
            return FROZEN
    except psutil.Error:
        return "gone"
    try:
        if unit["health"]:
            with DIRECT.open(unit["health"], timeout=ANSWER_S) as answer:
                if warnings := _said(answer, "warnings"):
                    return f"serving, and warns: {warnings}"
    except urllib.error.HTTPError as answer:
        return f"not ready: {_said(answer, 'problems') or answer}"
    except OSError as error:
        return f"not answering ({error})"
    return "ready"


def _said(answer: IO[bytes], what: str) -> str:
    """What a service says of itself, in its own words; "" when that is nothing."""
    try:
        return "; ".join(map(str, json.loads(answer.read()).get(what, [])))
    except (OSError, ValueError, AttributeError):
        return ""
