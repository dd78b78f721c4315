"""The parts of a condition: what stands between `&&`, `||` and `!`, so that each can be asked."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from chassis.rules.checked import Node, Tree

OPERATORS = {"_&&_": "&&", "_||_": "||", "!_": "!"}
TOKEN = re.compile(  # texts and comments, in which a parenthesis is none; and the parentheses
    r"""[bB]?[rR](?:\"{3}.*?\"{3}|'{3}.*?'{3}|"[^"]*"|'[^']*')"""
    r"""|\"{3}(?:\\.|[^\\])*?\"{3}|'{3}(?:\\.|[^\\])*?'{3}|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'"""
    r"""|//[^\n]*|[()]""",
    re.DOTALL,
)
NOTHING = re.compile(r"(?:!\s*!\s*)+")  # what the parser leaves out


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a condition: its text, its node, and the parts that `operator` joins; a leaf has none."""

    text: str
    node: Node
    operator: str = ""
    pieces: tuple["Piece", ...] = ()


def pieces_of(tree: Tree, text: str) -> Piece:
    """The whole condition, taken apart as far as its operators go; comments are left out."""
    plain = TOKEN.sub(lambda token: " " * len(token[0]) if token[0].startswith("//") else token[0], text)
    return _piece(tree, plain, tree.root, 0, len(text))


def leaves(piece: Piece) -> Iterator[Piece]:
    """What its operators join in the end."""
    if not piece.pieces:
        yield piece
    for each in piece.pieces:
        yield from leaves(each)


def decided(piece: Piece, ask: Callable[[Piece], bool | None]) -> bool | None:
    """What its operators make of what `ask` says of its leaves, until that is settled; None: undecided."""
    if not piece.pieces:
        return ask(piece)
    if piece.operator == "!":
        held = decided(piece.pieces[0], ask)
        return None if held is None else not held
    settling, undecided = piece.operator == "||", False
    for each in piece.pieces:
        if (held := decided(each, ask)) is settling:
            return settling
        undecided |= held is None
    return None if undecided else not settling


def _piece(tree: Tree, text: str, node: Node, start: int, end: int) -> Piece:
    start, end = _bare(text, start, end)
    operator = OPERATORS.get(node.call_expr.function, "")
    joined = tuple(_joined(tree, text, node, start, end)) if operator else ()
    return Piece(text[start:end], node, operator, joined)


def _joined(tree: Tree, text: str, node: Node, start: int, end: int) -> Iterator[Piece]:
    """The operands of one operator; those of a chain (`a && b && c`) are side by side."""
    function, at = node.call_expr.function, tree.offsets[node.id]
    if function == "!_":
        yield _piece(tree, text, node.call_expr.args[0], at + 1, end)
        return
    for operand, left, right in zip(node.call_expr.args, (start, at + 2), (at, end), strict=True):
        bare = _bare(text, left, right)
        if operand.call_expr.function == function:
            yield from _joined(tree, text, operand, *bare)
        else:
            yield _piece(tree, text, operand, *bare)


def _bare(text: str, start: int, end: int) -> tuple[int, int]:
    """A span without the blanks and the parentheses around the whole of it, and without `!!` before those."""
    while True:
        inside = text[start:end]
        start, end = end - len(inside.lstrip()), start + len(inside.rstrip())
        opening = NOTHING.match(text, start, end)
        inner = opening.end() if opening else start
        if not _enclosed(text, inner, end):
            return start, end
        start, end = inner + 1, end - 1


def _enclosed(text: str, start: int, end: int) -> bool:
    if text[start:end][:1] != "(":
        return False
    depth = 0
    for token in TOKEN.finditer(text, start, end):
        depth += {"(": 1, ")": -1}.get(token[0], 0)
        if not depth:
            return token.end() == end
    return False
