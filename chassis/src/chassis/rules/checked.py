"""The library's checked tree, `cel.expr.CheckedExpr`, as far as rules look at it.

The library serializes it, and ships no classes for it: so what is read is described here, with the published
numbers; what is not described travels along unread.
"""

from collections.abc import Iterator
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.any_pb2 import Any as AnyMessage

PACKAGE = "cel.expr"
SHAPES = {  # of each message: field, number, type; `*` is repeated
    "CheckedExpr": {
        "references": (2, "*ReferenceEntry"),
        "source_info": (5, "SourceInfo"),
        "expr": (4, "Expr"),
    },
    "ReferenceEntry": {"id": (1, "int64"), "reference": (2, "Reference")},
    "Reference": {"name": (1, "string"), "overload_id": (3, "*string")},
    "SourceInfo": {"positions": (4, "*PositionEntry")},
    "PositionEntry": {"id": (1, "int64"), "offset": (2, "int32")},
    "Expr": {
        "id": (2, "int64"),
        "const_expr": (3, "Constant"),
        "ident_expr": (4, "Ident"),
        "select_expr": (5, "Select"),
        "call_expr": (6, "Call"),
        "list_expr": (7, "CreateList"),
        "struct_expr": (8, "CreateStruct"),
        "comprehension_expr": (9, "Comprehension"),
    },
    "Constant": {"string_value": (6, "string")},
    "Ident": {"name": (1, "string")},
    "Select": {"operand": (1, "Expr"), "field": (2, "string")},
    "Call": {"target": (1, "Expr"), "function": (2, "string"), "args": (3, "*Expr")},
    "CreateList": {"elements": (1, "*Expr")},
    "CreateStruct": {"entries": (2, "*Entry")},
    "Entry": {"map_key": (3, "Expr"), "value": (4, "Expr")},
    "Comprehension": {
        "iter_var": (1, "string"),
        "iter_range": (2, "Expr"),
        "accu_var": (3, "string"),
        "accu_init": (4, "Expr"),
        "loop_condition": (5, "Expr"),
        "loop_step": (6, "Expr"),
        "result": (7, "Expr"),
    },
}
Field = descriptor_pb2.FieldDescriptorProto
SCALARS = {"string": Field.TYPE_STRING, "int32": Field.TYPE_INT32, "int64": Field.TYPE_INT64}
Node = Any  # an Expr: its class is made at run time


def _described() -> type[Any]:
    """The class of CheckedExpr, in a pool of its own: the published contracts may be installed, too."""
    file = descriptor_pb2.FileDescriptorProto(name="rules.proto", package=PACKAGE, syntax="proto3")
    for name, fields in SHAPES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            many, kind = kind.startswith("*"), kind.removeprefix("*")
            added = message.field.add(name=field, number=number)
            added.label = Field.LABEL_REPEATED if many else Field.LABEL_OPTIONAL
            added.type = SCALARS.get(kind, Field.TYPE_MESSAGE)
            if kind not in SCALARS:
                added.type_name = f".{PACKAGE}.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.CheckedExpr"))


CheckedExpr = _described()


class Tree:
    """A checked expression: its root, where nodes stand in the text, and what calls were resolved to."""

    def __init__(self, serialized: bytes) -> None:
        self._any = AnyMessage.FromString(serialized)
        self._checked = CheckedExpr.FromString(self._any.value)
        self.root: Node = self._checked.expr
        self.offsets: dict[int, int] = {e.id: e.offset for e in self._checked.source_info.positions}
        self.overloads: dict[int, frozenset[str]] = {
            e.id: frozenset(e.reference.overload_id) for e in self._checked.references
        }

    def part(self, node: Node) -> bytes:
        """One node as an expression of its own, as `Env.deserialize` takes it."""
        alone = CheckedExpr.FromString(self._any.value)
        alone.expr.CopyFrom(node)
        return AnyMessage(type_url=self._any.type_url, value=alone.SerializeToString()).SerializeToString()


def form(node: Node) -> str:
    """Which of the alternatives it is: `const_expr`, `call_expr`, ...; empty for none."""
    fields = [field.name for field, _ in node.ListFields() if field.name != "id"]
    return fields[0] if fields else ""


def children(node: Node) -> Iterator[Node]:
    """The nodes directly below one, a comprehension's own machinery included."""
    match form(node):
        case "select_expr":
            yield node.select_expr.operand
        case "call_expr":
            if node.call_expr.HasField("target"):
                yield node.call_expr.target
            yield from node.call_expr.args
        case "list_expr":
            yield from node.list_expr.elements
        case "struct_expr":
            for entry in node.struct_expr.entries:
                if entry.HasField("map_key"):
                    yield entry.map_key
                yield entry.value
        case "comprehension_expr":
            loop = node.comprehension_expr
            yield from (loop.iter_range, loop.accu_init, loop.loop_condition, loop.loop_step, loop.result)


def reads(node: Node, bound: frozenset[str] = frozenset()) -> frozenset[str]:
    """The names that it reads from outside, `line`, and the fields of them, `line.product`.

    What a loop calls its elements is none of them, whatever it is called like.
    """
    if form(node) == "ident_expr":
        return frozenset({node.ident_expr.name}) - bound
    if form(node) == "comprehension_expr":
        loop = node.comprehension_expr
        inside = bound | {loop.iter_var, loop.accu_var}
        outside = reads(loop.iter_range, bound) | reads(loop.accu_init, bound)
        return outside.union(
            *(reads(each, inside) for each in (loop.loop_condition, loop.loop_step, loop.result))
        )
    found = frozenset[str]().union(*(reads(child, bound) for child in children(node)))
    name = node.select_expr.operand.ident_expr.name
    return found | {f"{name}.{node.select_expr.field}"} if name in found else found
