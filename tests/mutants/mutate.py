"""Simple mutants of a module: one operator or constant of its code is another."""

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
SIGNS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.LShift: ast.RShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}


NO_CODE = {"annotation", "returns", "decorator_list", "bases"}


@dataclass(frozen=True)
class Mutant:
    """A module with one thing changed: where, and what it said before and says now."""

    path: str
    line: int
    before: str
    after: str
    tree: ast.Module

    def __str__(self) -> str:
        return f"{self.path}:{self.line}  {self.before}  ->  {self.after}"


def mutants(path: str, source: str) -> Iterator[Mutant]:
    """Every simple mutant of a module. Docstrings, annotations and texts for people are no code."""
    tree = ast.parse(source)
    for number, (_, node) in enumerate(_places(tree)):
        for other in _others(node):
            changed = copy.deepcopy(tree)
            put, _ = list(_places(changed))[number]
            put(ast.copy_location(other, node))
            ast.fix_missing_locations(changed)
            yield Mutant(path, node.lineno, ast.unparse(node), ast.unparse(other), changed)


def _places(node: ast.AST) -> Iterator[tuple[Callable[[ast.expr], None], ast.expr]]:
    """The expressions below `node`, each with what puts another one into its place."""
    for name, value in ast.iter_fields(node):
        if name in NO_CODE:
            continue
        for position, child in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(child, ast.AST) or isinstance(child, ast.JoinedStr) or _is_prose(child):
                continue
            if isinstance(child, ast.expr):
                yield partial(_put, node, name, position), child
            yield from _places(child)


def _put(parent: ast.AST, name: str, position: int, child: ast.expr) -> None:
    value = getattr(parent, name)
    if isinstance(value, list):
        value[position] = child
    else:
        setattr(parent, name, child)


def _is_prose(node: ast.AST) -> bool:
    """A docstring, or a text of several words."""
    if isinstance(node, ast.Expr):
        node = node.value
        return isinstance(node, ast.Constant)
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value


def _others(node: ast.expr) -> Iterator[ast.expr]:
    """What could stand there instead by a slip."""
    match node:
        case ast.Compare(left, ops, comparators):
            for position, op in enumerate(ops):
                for other in COMPARISONS[type(op)]:
                    changed = [*ops[:position], other(), *ops[position + 1 :]]
                    yield ast.Compare(left, changed, comparators)
        case ast.BoolOp(op, operands):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), operands)
        case ast.UnaryOp(ast.Not() | ast.USub(), operand):
            yield operand
        case ast.BinOp(left, op, right) if type(op) in SIGNS:
            yield ast.BinOp(left, SIGNS[type(op)](), right)
        case ast.Constant(bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(int() | float() as value):
            yield ast.Constant(value + 1)
        case ast.Constant(str() as value) if value:
            yield ast.Constant(f"{value}X")
