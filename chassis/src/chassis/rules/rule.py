"""Rules: compiled once, asked often, explained part by part. Only here is the library called."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, TypeAlias

from cel_expr_python import cel
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.message import Message

from chassis.rules import limits
from chassis.rules.checked import Node, Tree, form, reads
from chassis.rules.parts import Piece, decided, leaves, pieces_of
from chassis.rules.refusing import BadRule, Problem, Undecided, at, no_field, of_library, plain

Kind: TypeAlias = Any
"""A message, `Fields` of one, an enum of the contracts, or bool, int, float, str, datetime or timedelta."""
Values: TypeAlias = Mapping[str, Any]
SCALARS: Mapping[type, Any] = {
    bool: cel.Type.BOOL,
    int: cel.Type.INT,
    float: cel.Type.DOUBLE,
    str: cel.Type.STRING,
    datetime: cel.Type.TIMESTAMP,
    timedelta: cel.Type.DURATION,
}
MAX_CACHED = 1_024


@dataclass(frozen=True, slots=True)
class Fields:
    """Those fields of a message that a rule may read: what people have written binds them for ever."""

    message: type[Message]
    names: frozenset[str]

    def __post_init__(self) -> None:
        if unknown := self.names - set(self.message.DESCRIPTOR.fields_by_name):
            raise ValueError(f"{self.message.DESCRIPTOR.name} has no field {', '.join(sorted(unknown))}")

    @property
    def there(self) -> list[str]:
        """The fields, in the order of the contract."""
        return [each.name for each in self.message.DESCRIPTOR.fields if each.name in self.names]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a condition: whether it held, or why nobody can say; `operator` joins `parts`."""

    text: str
    held: bool | None
    undecided: str = ""
    operator: str = ""
    parts: tuple["Part", ...] = ()


class Rule:
    """A condition that is known to be well-formed and cheap, made by `compile_rule`; safe to share."""

    def __init__(self, text: str, variables: Mapping[str, Kind], env: Any, program: Any, tree: Tree) -> None:
        self.text = text
        self.variables = variables
        self._env = env
        self._program = program
        self._tree = tree
        self._pieces: Piece | None = None
        self.reads = reads(tree.root)  # variables, `line`, and fields of them, `line.product`

    def evaluate(self, values: Values) -> bool:
        """Whether it holds. `values` has each variable; None is an empty message.

        What a message lacks has its type's default, as in proto3. Undecided when it cannot be said. KeyError
        for a variable without a value, TypeError for one of another type: mistakes of the caller.
        """
        return _ask(self._program, self._env.Activation(self._filled(values)))

    def decide(self, ask: "Ask") -> bool | None:
        """Whether it holds by what `ask` says of its parts, each a rule; None: undecided.

        For who asks it of many things at once, and need not ask again what is the same of all.
        """
        return decided(self._whole(), lambda piece: ask(self._part(piece)))

    @property
    def parts(self) -> list["Rule"]:
        """What `&&`, `||` and `!` join: each as a rule of its own, itself where nothing is joined."""
        return [self._part(piece) for piece in leaves(self._whole())]

    def explain(self, values: Values) -> Part:
        """Which parts held: all of them are asked, also where the rule was decided before it came to them."""
        return self._explained(self._whole(), self._env.Activation(self._filled(values)))

    def _whole(self) -> Piece:
        self._pieces = self._pieces or pieces_of(self._tree, self.text)
        return self._pieces

    def _part(self, piece: Piece) -> "Rule":
        return self if piece is self._pieces else compile_rule(piece.text, self.variables)

    def _filled(self, values: Values) -> dict[str, Any]:
        filled = {}
        for name, expected in self.variables.items():
            value = values[name]
            kind: type = int if isinstance(expected, EnumTypeWrapper) else _class(expected)
            if value is None and issubclass(kind, Message):
                value = kind()
            if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
                raise TypeError(f"{name} must be {kind.__name__}, and is {type(value).__name__}")
            filled[name] = value
        return filled

    def _explained(self, piece: Piece, activation: Any) -> Part:
        parts = tuple(self._explained(each, activation) for each in piece.pieces)
        try:
            held, undecided = _ask(self._env.deserialize(self._tree.part(piece.node)), activation), ""
        except Undecided as error:
            held, undecided = None, str(error)
        return Part(piece.text, held, undecided, piece.operator, parts)


def compile_rule(text: str, variables: Mapping[str, Kind]) -> Rule:
    """The rule that a text says, over variables of these kinds.

    BadRule when it is no condition, names what does not exist, compares what cannot be compared, can only
    fail, or may cost too much. The values of enums go by the enum's name, with the messages that it is in:
    `CaseState.CASE_STATE_OPEN`, `WorkItem.State.STATE_PENDING`. The last 1,024 rules are remembered.
    ValueError for variables that hold enums, or messages with enums, of one name: a mistake of the caller.
    """
    return _compiled(text, tuple(sorted(variables.items())))


Ask: TypeAlias = Callable[[Rule], bool | None]


@lru_cache(MAX_CACHED)
def _compiled(text: str, declared: tuple[tuple[str, Kind], ...]) -> Rule:
    env, program, tree = checked(text, declared)
    if program.return_type() != cel.Type.BOOL:
        raise at(text, 0, f"It must say true or false, and is of type {program.return_type().name()}.")
    return Rule(text, dict(declared), env, program, tree)


def checked(text: str, declared: tuple[tuple[str, Kind], ...]) -> tuple[Any, Any, Tree]:
    """The environment, program and tree of an expression of whatever type. BadRule for one that is none."""
    if len(text) > limits.MAX_CHARACTERS:
        raise BadRule("", [Problem(0, 0, f"must be of at most {limits.MAX_CHARACTERS} characters")])
    text = text.encode("utf-8", "replace").decode()
    variables, enums = dict(declared), _enums_of(declared)
    env = _environment(declared)
    try:
        program = env.compile(text)
    except RuntimeError as error:
        raise of_library(text, str(error), variables, enums, _fields(declared)) from None
    tree = Tree(program.serialize())
    limits.check(tree, text)
    _refuse_other_fields(tree, text, _fields(declared))
    _refuse_what_only_fails(env, tree, text)
    return env, program, tree


@lru_cache(MAX_CACHED)
def _environment(declared: tuple[tuple[str, Kind], ...]) -> Any:
    types = {name: _type(kind) for name, kind in declared}
    short = sorted({_outermost(enum).full_name for enum in _enums_of(declared).values()})
    return cel.NewEnv(
        descriptor_pool.Default(),
        variables=types,
        container=cel.ExpressionContainer("", abbreviations=short),
    )


def _type(kind: Kind) -> Any:
    if isinstance(kind, EnumTypeWrapper):
        return cel.Type.INT
    kind = _class(kind)
    return cel.Type(kind.DESCRIPTOR.full_name) if issubclass(kind, Message) else SCALARS[kind]


def _class(kind: Kind) -> Any:
    return kind.message if isinstance(kind, Fields) else kind


def _fields(declared: tuple[tuple[str, Kind], ...]) -> dict[str, Fields]:
    """The variables of which not every field may be read."""
    return {name: kind for name, kind in declared if isinstance(kind, Fields)}


def _enums_of(declared: tuple[tuple[str, Kind], ...]) -> dict[str, EnumDescriptor]:
    """The enums that the variables hold, by the names that rules call them by."""
    found = list({each.full_name: each for _, kind in declared for each in _enums_in(kind)}.values())
    called: dict[str, str] = {}
    for outermost in map(_outermost, found):
        if called.setdefault(outermost.name, outermost.full_name) != outermost.full_name:
            raise ValueError(
                f"two are called {outermost.name}: {called[outermost.name]}, {outermost.full_name}"
            )
    return {enum.full_name.removeprefix(f"{enum.file.package}."): enum for enum in found}


def _outermost(described: Any) -> Any:
    """The enum itself, or the message that it is in."""
    while described.containing_type:
        described = described.containing_type
    return described


def _enums_in(kind: Kind) -> Iterator[EnumDescriptor]:
    if isinstance(kind, EnumTypeWrapper):
        yield kind.DESCRIPTOR
    elif isinstance(kind, Fields):
        yield from _enums(
            [kind.message.DESCRIPTOR.fields_by_name[each] for each in sorted(kind.names)], set()
        )
    elif issubclass(kind, Message):
        yield from _enums(kind.DESCRIPTOR.fields, {kind.DESCRIPTOR.full_name})


def _enums(fields: Iterable[Any], seen: set[str]) -> Iterator[EnumDescriptor]:
    """The enums of fields, and of the messages in them."""
    for field in fields:
        if field.enum_type:
            yield field.enum_type
        if field.message_type and field.message_type.full_name not in seen:
            seen.add(field.message_type.full_name)
            yield from _enums(field.message_type.fields, seen)


def _refuse_other_fields(tree: Tree, text: str, fields: Mapping[str, Fields]) -> None:
    """BadRule for a field that may not be read, and for a variable that is compared as a whole."""
    read: set[int] = set()
    for node in limits.nodes(tree.root):
        select, offset = node.select_expr, tree.offsets.get(node.id, 0)
        if variable := fields.get(select.operand.ident_expr.name):
            read.add(select.operand.id)
            if select.field not in variable.names:
                told = no_field(variable.message.DESCRIPTOR, select.field, variable.names)
                raise at(text, offset + text.startswith(".", offset), told)
        elif (whole := fields.get(node.ident_expr.name)) and node.id not in read:
            told = f"It is compared by its fields. There is: {', '.join(whole.there)}."
            raise at(text, offset, told)


def _refuse_what_only_fails(env: Any, tree: Tree, text: str) -> None:
    """BadRule for a constant that is none (`timestamp("tomorrow")`), a pattern or a zone that is none."""
    for node in limits.nodes(tree.root):
        call = node.call_expr
        if form(node) != "call_expr" or limits.machinery(node):
            continue
        if any(each.endswith("_with_tz") for each in tree.overloads.get(node.id, ())):
            _refuse_no_zone(env, tree, text, call.args[0])
        operands = [*([call.target] if call.HasField("target") else []), *call.args]
        probe = type(node).FromString(node.SerializeToString())
        if call.function == "matches":
            _set_text(probe, operands[-1])
        elif any(form(operand) != "const_expr" for operand in operands):
            continue
        result = env.deserialize(tree.part(probe)).eval(data={})
        if result.type() == cel.Type.ERROR:
            raise at(text, tree.offsets[node.id], plain(str(result.plain_value())))


def _refuse_no_zone(env: Any, tree: Tree, text: str, zone: Node) -> None:
    """BadRule where a moment is asked for its hours in a zone that is none: any moment would be refused."""
    if form(zone) != "const_expr":
        return
    name = json.dumps(zone.const_expr.string_value, ensure_ascii=False)
    result = env.compile(f"timestamp(0).getHours({name})").eval(data={})
    if result.type() == cel.Type.ERROR:
        raise at(text, tree.offsets[zone.id], f"{plain(str(result.plain_value()))}: {name}.")


def _set_text(matches: Node, pattern: Node) -> None:
    """The pattern is looked for in itself, for what it is looked for in is not known."""
    call = matches.call_expr
    (call.target if call.HasField("target") else call.args[0]).CopyFrom(pattern)


def _ask(program: Any, activation: Any) -> bool:
    return bool(said(program, activation))


def said(program: Any, activation: Any) -> Any:
    """What an expression says. Undecided when nobody can say: a division by zero."""
    try:
        result = program.eval(activation)
        if result.type() == cel.Type.ERROR:
            raise Undecided(plain(str(result.plain_value())))
        return result.value()
    except RuntimeError as error:  # more rounds than the library allows
        raise Undecided(plain(str(error))) from None
