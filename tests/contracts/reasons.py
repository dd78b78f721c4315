"""The reasons that source code refuses with, found in its syntax tree."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

# Where the reason stands among the arguments of what makes a refusal.
POSITION = {
    **dict.fromkeys(["invalid", "refuse", "Violation", "_like"], 1),
    **dict.fromkeys(
        [
            "Refusal",
            "Unauthenticated",
            "PermissionDenied",
            "AlreadyExists",
            "FailedPrecondition",
            "Aborted",
            "ResourceExhausted",
            "Unavailable",
            "DeadlineExceeded",
            "OutcomeUnknown",
        ],
        0,
    ),
}


REASON = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")


def raised(folder: Path) -> dict[str, str]:
    """Every reason in the code below a folder, with the file and line of one use."""
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*.py")):
        for line, reason in reasons(ast.parse(path.read_text())):
            found.setdefault(reason, f"{path}:{line}")
    return found


def reasons(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """What is given or assigned as a reason, and what a table of them holds, such as INVALID_REASONS.

    A helper whose caller gives it the reason is passed over.
    """
    known = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    for name, value in known.items():
        if name.startswith("INVALID_REASON"):
            for held in value.values if isinstance(value, ast.Dict) else [value]:
                yield from texts(held)
    for node in ast.walk(tree):
        argument = reason_argument(node)
        if isinstance(argument, ast.Name) and argument.id in known:
            yield from texts(known[argument.id])
        elif isinstance(argument, ast.Constant | ast.IfExp):
            yield from texts(argument)
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) == "Wrong":
            yield from texts(node.value)  # a reason, and what is allowed


def reason_argument(node: ast.AST) -> ast.expr | None:
    """The argument that is a reason; a refusal with a class of its own passes it to `super().__init__`."""
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).endswith(".reason"):
        return node.value
    if not isinstance(node, ast.Call):
        return None
    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
    if name == "__init__" and ast.unparse(node.func).startswith("super()"):
        position = 0
    else:
        position = POSITION.get(name, len(node.args))
    return node.args[position] if position < len(node.args) else None


def refused_with(folder: Path) -> Iterator[tuple[str, set[str]]]:
    """The keys of the metadata of each refusal in the code below a folder, with its file and line."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and len(node.args) > 2 and reason_argument(node) is node.args[0]:
                held = node.args[2]
                keys = held.keys if isinstance(held, ast.Dict) else []
                yield f"{path}:{node.lineno}", {key.value for key in keys if isinstance(key, ast.Constant)}


def texts(value: ast.expr) -> Iterator[tuple[int, str]]:
    """The texts in an expression that are spelt like reasons."""
    for node in ast.walk(value):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and REASON.fullmatch(node.value):
            yield node.lineno, node.value
